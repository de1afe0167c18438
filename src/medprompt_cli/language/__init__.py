"""People's words: names of regions, negation, and a client of language models."""
