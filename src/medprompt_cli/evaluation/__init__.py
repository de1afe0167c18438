"""How good masks are against a truth."""
