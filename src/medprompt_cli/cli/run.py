"""`medprompt run`: the command line of a BIDS App, for those who call many of them.

    medprompt run BIDS OUT participant --participant-label 01 02 -p "left hippocampus"
    medprompt run BIDS OUT group

Source: BIDS Apps specification, https://bids-apps.neuroimaging.io.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from medprompt_cli.cli.documents import print_json
from medprompt_cli.cli.memory import Memory, memory_gb
from medprompt_cli.cli.options import Device, Out, PlanFile, Prompts, print_version
from medprompt_cli.cli.segment import segment_and_tell
from medprompt_cli.errors import UsageError

LISTS = ("--participant-label", "--session-label", "--suffix")
"""Options that take several values in a row."""

ELSEWHERE = {
    **dict.fromkeys(
        ("--nthreads", "--omp-nthreads", "--n-threads", "--n-cpus", "--ncpus", "--num-threads"),
        "Give the cores to use with --nprocs.",
    ),
    **dict.fromkeys(
        ("--mem-mb", "--mem-gb"), "Give the memory with --mem, as in 16G or 16000M."
    ),
    **dict.fromkeys(
        ("--random-seed", "--skull-strip-fixed-seed"),
        "Leave it out: no result depends on a seed.",
    ),
}
"""Options of other BIDS Apps, by their names with dashes, and what to do instead."""

POSITIONALS = 3
"""BIDS OUT LEVEL."""

_LABEL = re.compile(r"((sub|ses)-)?[0-9A-Za-z]+")
_LABELS = re.compile(rf"{_LABEL.pattern}(,({_LABEL.pattern})?)+")


@dataclass
class _Piece:
    """One option with its values, or one positional word."""

    name: str | None
    values: list[str] = field(default_factory=list)


def respelt(words: Sequence[str], valued: Sequence[str]) -> list[str]:
    """A BIDS App's words as our parser takes them.

    Underscores in names of options become dashes, and `--participant-label 01 02` becomes an
    option for each label. A list that swallows BIDS, OUT and LEVEL gives them back.

    Args:
        words: What was typed.
        valued: Names of options that take one value.

    Raises:
        UsageError: If labels are separated by commas, or an option is another App's.
    """
    pieces: list[_Piece] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        name = name.replace("_", "-") if name.startswith("--") else name
        if word == "--":
            return [*_flat(pieces), "--", *rest]
        _refuse(name, [value] if equals else rest[:1])
        if not name.startswith("-"):
            pieces.append(_Piece(None, [word]))
        elif name in LISTS and not equals:
            pieces.append(_Piece(name, _values(rest)))
        elif name in valued and not equals and rest:
            pieces.append(_Piece(name, [rest.pop(0)]))
        elif name in LISTS:
            pieces.append(_Piece(name, value.split()))
        else:
            pieces.append(_Piece(f"{name}={value}" if equals else name))
    return _flat(_with_positionals(pieces))


def _refuse(name: str, words: Sequence[str]) -> None:
    """Refuse another App's option, and `01,02` as the first value of a list."""
    if name in ELSEWHERE:
        raise UsageError(f"No such option: {name}", remedy=ELSEWHERE[name])
    if name in LISTS and words and _LABELS.fullmatch(words[0]):
        labels = " ".join(filter(None, words[0].split(",")))
        raise UsageError(
            f"{name} {words[0]} is no label.",
            remedy=f"Separate them by spaces: {name} {labels}.",
        )


def _values(rest: list[str]) -> list[str]:
    """Take the labels off that follow the name of a list; what can be none ends it."""
    values: list[str] = []
    while rest and all(_LABEL.fullmatch(word) for word in rest[0].split() or [""]):
        values += rest.pop(0).split()
    return values


def _with_positionals(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Give back what lists have swallowed of the positional words, the last list first."""
    lacking = POSITIONALS - sum(piece.name is None for piece in pieces)
    found: list[_Piece] = []
    for piece in reversed(pieces):
        swallowed: list[str] = []
        if piece.name in LISTS:
            while lacking > 0 and len(piece.values) > 1:
                swallowed.insert(0, piece.values.pop())
                lacking -= 1
        found += [_Piece(None, [word]) for word in reversed(swallowed)]
        found.append(piece)
    return found[::-1]


def _flat(pieces: Sequence[_Piece]) -> list[str]:
    words: list[str] = []
    for piece in pieces:
        if piece.name is None:
            words += piece.values
        elif piece.name in LISTS and piece.values:
            words += [f"{piece.name}={value}" for value in piece.values]
        else:
            words += [piece.name, *piece.values]
    return words


class Command(TyperCommand):
    """Reads a BIDS App's command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Parse the words as `respelt`."""
        params: Any = self.params
        options = [p for p in params if p.param_type_name == "option" and not p.is_flag]
        valued = [name for option in options for name in option.opts if name not in LISTS]
        return super().parse_args(ctx, respelt(args, valued))


class Level(StrEnum):
    """What a BIDS App does: every participant, or what needs all of them."""

    participant = "participant"
    group = "group"


def run(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: Annotated[Path, typer.Argument(metavar="BIDS", help="BIDS dataset.")],
    out: Out,
    level: Annotated[Level, typer.Argument(metavar="participant|group", help="What to do.")],
    prompt: Prompts = None,
    plan: PlanFile = None,
    participant_label: Annotated[
        list[str] | None, typer.Option(help="Only these subjects, in a row.")
    ] = None,
    session_label: Annotated[
        list[str] | None, typer.Option(help="Only these sessions, in a row.")
    ] = None,
    suffix: Annotated[
        list[str] | None, typer.Option(help="Only these kinds of scan, e.g. T1w, in a row.")
    ] = None,
    bids_filter_file: Annotated[
        Path | None, typer.Option(help="Only scans that a query of this JSON file describes.")
    ] = None,
    skip_bids_validation: Annotated[
        bool, typer.Option("--skip-bids-validation", help="Take a folder that is not BIDS.")
    ] = False,
    work_dir: Annotated[  # noqa: ARG001 - see its help
        Path | None,
        typer.Option("--work-dir", "-w", help="Accepted; nothing is written there."),
    ] = None,
    nprocs: Annotated[int | None, typer.Option(min=1, help="Cores to use.")] = None,
    mem: Memory = None,
    device: Device = "auto",
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Only the I-th of N parts of the subjects; slurm in an array."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was done as one JSON document.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Segment and measure as a BIDS App: participants one by one, then tables of the group.

    participant does what medprompt segment does; group puts what was measured into tables,
    as medprompt tables does, and prints their paths. Underscores do for dashes in options.
    """
    if level is Level.group:
        _collect(out, as_json=as_json)
        return
    memory = None if mem is None else memory_gb(mem)
    if nprocs is not None:  # before torch is loaded, which looks once
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(nprocs)
    from medprompt_cli.api import SegmentOptions
    from medprompt_cli.bids.dataset import check_is_bids

    if not skip_bids_validation:
        check_is_bids(source)
    options = SegmentOptions(
        participants=participant_label or (),
        sessions=session_label or (),
        suffixes=suffix or (),
        device=device,
        memory_gb=memory,
        plan=plan,
        shard=shard,
        filter_file=bids_filter_file,
    )
    segment_and_tell(source, out, prompt or (), options, as_json=as_json)


def _collect(out: Path, *, as_json: bool) -> None:
    from medprompt_cli.api import tables
    from medprompt_cli.bids.schemas import TABLES

    there = [table for table in TABLES if (out / table).is_dir()]
    files = {table: tables(out, table) for table in there or list(TABLES)[:1]}
    if as_json:
        print_json({"tables": [{"table": name, "files": files[name]} for name in files]})
    else:
        for path in chain.from_iterable(files.values()):
            typer.echo(path)
