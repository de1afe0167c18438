"""What changed between the visits of one person, and whether it is real."""
