"""Loops and checkpoints; above the networks, never below."""
