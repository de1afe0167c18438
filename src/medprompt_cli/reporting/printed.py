"""Numbers as tables and plots print them."""

from __future__ import annotations

import math

DIGITS = 4
"""Significant ones, unless more stand before the point."""

NOTHING = "-"
"""In a cell without a value; the status says why."""


def number_text(value: float | None, digits: int = DIGITS, *, sign: bool = False) -> str:
    """A number without an exponent.

    >>> number_text(3.14159), number_text(1234.5), number_text(0.0), number_text(None)
    ('3.142', '1234', '0', '-')
    """
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    before = math.floor(math.log10(abs(value))) + 1
    decimals = min(max(digits - before, 0), 6)
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_interval(
    value: float | None, low: float | None, high: float | None, *, sign: bool = False
) -> str:
    """A number and, if known, its interval in parentheses."""
    text = number_text(value, sign=sign)
    if low is None or high is None:
        return text
    return f"{text} ({number_text(low, 3, sign=sign)} to {number_text(high, 3, sign=sign)})"
