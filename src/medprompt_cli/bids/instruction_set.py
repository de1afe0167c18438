"""The files of an instruction set: pairs as JSON lines, and where their masks lie.

OUT/instructions.jsonl             one pair a line
OUT/instructions.schema.json       what a line holds, as JSON Schema
OUT/sub-01/ses-01/anat/            masks, on the grid of their images
OUT/dropped.tsv  summary.json      what gave no pair, and how much of everything
OUT/README.md                      where it comes from, and under which terms
OUT/dataset_description.json       links to the datasets that hold the images
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from medprompt_cli.bids.derivatives import anat_folder, mask_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.problems import reason_of
from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.errors import InputError

PAIRS = "instructions.jsonl"
SCHEMA = "instructions.schema.json"
DROPPED = "dropped.tsv"
SUMMARY = "summary.json"
CARD = "README.md"
IGNORED = f"{PAIRS}\n{SCHEMA}\n{DROPPED}\n{SUMMARY}\n"
"""What BIDS validation is to pass over."""

_KEYS = frozenset(field.name for field in fields(Instruction))
_AGAIN = "Make the instruction set again with medprompt dataset build."


def schema_text() -> str:
    """The JSON Schema of a line."""
    place = files("medprompt_cli.bids").joinpath("instruction.schema.json")
    return place.read_text(encoding="utf-8")


def mask_path(entry: ImageEntry, target: str, place: str | None) -> PurePosixPath:
    """Where the mask of a target of an image lies, relative to the set."""
    region = f"{target}-{place}" if place else target
    return anat_folder(entry) / f"{mask_name(entry, region)}.nii.gz"


def pairs_text(pairs: Iterable[Instruction]) -> str:
    """Pairs as JSON lines: keys in the order of the class, letters as they are."""
    return "".join(f"{_line(pair)}\n" for pair in pairs)


def _line(pair: Instruction) -> str:
    return json.dumps(asdict(pair), ensure_ascii=False, allow_nan=False)


def read_pairs(root: Path) -> list[Instruction]:
    """The pairs of a set, in its order.

    Raises:
        InputError: If there is no set, or a line is no pair; it names the line.
    """
    path = root / PAIRS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{root} holds no instruction set: {reason_of(path, error)}",
            remedy="Give a folder that medprompt dataset build wrote.",
            code="no-instructions",
        ) from error
    except UnicodeDecodeError as error:
        raise _bad(path, f"is not UTF-8 text: byte {error.start} is not") from error
    pairs = [_pair(path, n, line) for n, line in enumerate(lines, start=1) if line.strip()]
    seen: set[str] = set()
    for pair in pairs:
        if pair.pair_id in seen:
            raise _bad(path, f"has the pair {pair.pair_id!r} twice")
        seen.add(pair.pair_id)
    if not pairs:
        raise _bad(path, "holds no pair")
    return pairs


def _pair(path: Path, number: int, line: str) -> Instruction:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise _bad(path, f"has no JSON on line {number}: {error}") from error
    if not isinstance(content, dict) or content.keys() != _KEYS:
        found = content.keys() if isinstance(content, dict) else set()
        wrong = sorted(found ^ _KEYS)
        raise _bad(path, f"has other keys on line {number} than a pair: {', '.join(wrong)}")
    if wrong := _wrong_kind(content):
        raise _bad(path, f"has {content[wrong]!r} for {wrong} on line {number}")
    lists = {name: tuple(content[name]) for name in ("images", "truth")}
    return Instruction(**{**content, **lists})


def _wrong_kind(content: dict[str, Any]) -> str | None:
    """The first key whose value is of another kind than a pair has there."""
    for key, value in content.items():
        if key in {"images", "truth"}:
            right = isinstance(value, list) and all(isinstance(one, str) for one in value)
        elif key in {"pieces", "volume_ml"}:
            kinds = int if key == "pieces" else (int, float)
            right = isinstance(value, kinds) and not isinstance(value, bool) and value >= 0
        else:
            optional = key in {"place", "session_id", "mask"}
            right = isinstance(value, str) or (optional and value is None)
        if not right:
            return key
    return None


def _bad(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what.rstrip('.')}.", remedy=_AGAIN, code="bad-instruction")
