"""How JSON is written, and where records lie; nothing that takes long to load."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LOGS = "logs"
"""Folder of records within an output folder."""


_NOT_TEXT = re.compile("[\ud800-\udfff]")
"""What stands in a path for bytes that are no UTF-8; JSON may spell it out."""


def to_json(content: Mapping[str, Any]) -> str:
    """JSON as every file of ours is written: readable, and refusing NaN."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return _NOT_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
