"""Rows of the table of measurements, picked without making Arrow scalars of words.

For these pyarrow loads pandas, which takes longer than all the rest; so there is no `isin`, and
no comparison with a word or a number here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medprompt_cli.reporting.facts import VOLUMES


def volume_rows(measurements: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns, `value` among them, of the rows whose volume is above 0."""
    kinds = _matching(measurements["quantity"], "|".join(VOLUMES))
    rows = measurements.select(columns).filter(kinds).to_pylist()
    return [row for row in rows if (row["value"] or 0.0) > 0]


def rows_other_than(table: pa.Table, column: str, word: str) -> pa.ChunkedArray:
    """For every row whether a column holds another word; null where it holds none."""
    return pc.call_function("invert", [_matching(table[column], word)])


def _matching(words: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    """For every word whether all of it is as in the pattern; null for null."""
    options = pc.MatchSubstringOptions(f"^({pattern})$")
    return pc.call_function("match_substring_regex", [words], options)
