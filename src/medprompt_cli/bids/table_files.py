"""A whole table as one file for other programs, and the dictionary of its columns beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from medprompt_cli.bids.atomic import commit, stage, write_file
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.bids.schemas import describe
from medprompt_cli.domain.measurement import UNITS
from medprompt_cli.domain.quantities import FEATURES, QUANTITIES
from medprompt_cli.errors import UsageError

NOT_AVAILABLE = "n/a"
"""What a BIDS table says where there is no value. In CSV such a cell is empty."""

LEVELS = {"quantity": dict(QUANTITIES), "unit": dict(UNITS), "feature": dict(FEATURES)}
"""Of columns with few values: what each of them means."""


def write_table(table: pa.Table, path: Path) -> list[Path]:
    """Write a table as its file's name says: .parquet, .csv or .tsv; and its dictionary.

    Returns:
        The file, and the JSON file beside it that describes the columns. Parquet describes
        them itself: there is none beside it.

    Raises:
        UsageError: If the name ends in nothing of these.
        OutputError: If a file cannot be written.
    """
    fill = _writer(path)
    commit(stage(path, lambda stream: fill(table, stream)))
    if path.suffix.lower() == ".parquet":
        return [path]
    dictionary = path.with_suffix(".json")
    write_file(dictionary, to_json(data_dictionary(table.schema)).encode())
    return [path, dictionary]


def check_extension(path: Path) -> None:
    """Raise UsageError unless a table can be written to a file of this name."""
    _writer(path)


def data_dictionary(schema: pa.Schema) -> dict[str, dict[str, object]]:
    """What every column means, in the words of a BIDS sidecar."""
    return {
        field.name: {
            **describe(field),
            **({"Levels": LEVELS[field.name]} if field.name in LEVELS else {}),
        }
        for field in schema
    }


def _writer(path: Path) -> Callable[[pa.Table, BinaryIO], None]:
    writers = {".parquet": _write_parquet, ".csv": _write_csv, ".tsv": _write_tsv}
    try:
        return writers[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path} names no kind of table: it ends in {path.suffix or 'nothing'!r}.",
            remedy=f"Let the name end in {', '.join(writers)}.",
        ) from None


def _write_parquet(table: pa.Table, stream: BinaryIO) -> None:
    pq.write_table(table, stream)


def _write_csv(table: pa.Table, stream: BinaryIO) -> None:
    pcsv.write_csv(table, stream)


def _write_tsv(table: pa.Table, stream: BinaryIO) -> None:
    """As BIDS wants it: quotes are apostrophes, and what is missing says so."""
    texts = [_as_tsv(column).fill_null(NOT_AVAILABLE) for column in table.columns]
    stream.write("\t".join(table.column_names).encode() + b"\n")
    options = pcsv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pcsv.write_csv(pa.table(texts, names=table.column_names), stream, options)


def _as_tsv(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text without the marks that a TSV is made of."""
    text = column.cast(pa.string())
    for pattern, mark in ((r"[\t\r\n]+", " "), ('"', "'")):
        options = pc.ReplaceSubstringOptions(pattern, mark)
        text = pc.call_function("replace_substring_regex", [text], options)
    return text
