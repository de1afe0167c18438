"""How JSON is written, and where records lie; nothing that takes long to load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LOGS = "logs"
"""Folder of records within an output folder."""


def to_json(content: Mapping[str, Any]) -> str:
    """JSON as every file of ours is written: readable, and refusing NaN."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
