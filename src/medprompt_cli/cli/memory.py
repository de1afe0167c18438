"""Amounts of memory, as commands take them."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from medprompt_cli.cohort.options import PROCESS_GB
from medprompt_cli.errors import UsageError

LARGEST_BARE_GB = 1000
"""A larger number without a unit was meant in MB."""

_MEMORY = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)i?B?", re.IGNORECASE)
_GB = {"K": 1e-6, "M": 1e-3, "G": 1.0, "T": 1e3, "": 1.0}

Memory = Annotated[
    str | None,
    typer.Option(
        "--mem",
        "--memory",
        metavar="SIZE",
        help="Memory for all of it: GB, or as in 8000M or 8G; what is there otherwise.",
    ),
]


def memory_gb(text: str) -> float:
    """What all images at a time may take, in GB, of the memory that is given for all of it.

    Raises:
        UsageError: If it is no amount, has no unit and cannot be GB, or is too little.
    """
    return _read(text) - PROCESS_GB


def sbatch_memory(text: str) -> str:
    """The same amount as sbatch's --mem takes it: a whole number and its unit.

    Without a unit sbatch would read MB. Source: sbatch(1).

    >>> sbatch_memory("16"), sbatch_memory("8000M"), sbatch_memory("1.5GB")
    ('16G', '8000M', '1500M')

    Raises:
        UsageError: As `memory_gb`.
    """
    amount = _read(text)
    match = _MEMORY.fullmatch(text.strip())
    if match is not None and match[1].isdigit():
        return match[1] + (match[2].upper() or "G")
    return f"{round(amount / _GB['M'])}M"


def _read(text: str) -> float:
    match = _MEMORY.fullmatch(text.strip())
    if match is None or (not match[2] and float(match[1]) >= LARGEST_BARE_GB):
        raise UsageError(
            f"--mem {text!r} is no amount of memory, or has no unit.",
            remedy="Write it as in 16G or 16000M; a number alone is GB.",
        )
    amount = float(match[1]) * _GB[match[2].upper()]
    if amount < PROCESS_GB + 0.5:
        raise UsageError(
            f"--mem {text} is too little: {PROCESS_GB:g} GB go before the first image.",
            remedy=f"Give {PROCESS_GB + 0.5:g}G or more.",
        )
    return amount
