"""Prompts to what they name."""
