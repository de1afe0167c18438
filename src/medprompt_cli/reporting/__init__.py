"""Reports that restate what was measured, and nothing else."""
