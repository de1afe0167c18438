"""Volumes and targets to masks: native grid, network grid, tiles."""
