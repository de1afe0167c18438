"""Reports against reports: clinical terms (FORTE) and n-grams (BLEU, ROUGE-L, CIDEr-R)."""
