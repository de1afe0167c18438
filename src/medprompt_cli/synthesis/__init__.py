"""Label maps to images: what the networks learn from."""
