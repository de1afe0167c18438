"""The words everything else is said in: frozen, no I/O, no torch."""
