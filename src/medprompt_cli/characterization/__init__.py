"""Masks and volumes to findings: what a lesion is like, and where it lies."""
