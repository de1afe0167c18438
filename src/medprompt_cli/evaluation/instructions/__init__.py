"""How a model answers an instruction set."""
