"""The one JSON document that a command prints for `--json`."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping

import typer

_NOT_TEXT = re.compile("[\ud800-\udfff]")
"""What stands in a path for bytes that are no UTF-8."""


def print_json(content: object) -> None:
    """Print JSON on stdout that every reader takes: no NaN, and nothing but text."""
    try:
        text = _dumped(content)
    except ValueError:
        text = _dumped(_finite(content))
    typer.echo(_NOT_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _dumped(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=os.fspath)


def _finite(content: object) -> object:
    """The same with null for what is no number, as for all that was not measured."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return content
