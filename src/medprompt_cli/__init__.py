"""medprompt: say what you want, get it measured, for every scan of a cohort."""

__version__ = "0.1.0"
