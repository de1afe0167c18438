"""The registry of weights, their store, and the bundled files."""
