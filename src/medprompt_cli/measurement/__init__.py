"""Pure arithmetic on masks and volumes."""
