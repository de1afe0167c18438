"""Many cases: ledger, workers, progress, tables."""
