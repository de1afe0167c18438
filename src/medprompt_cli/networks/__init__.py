"""Torch modules only, and their configs."""
