"""`medprompt check`: what a folder holds, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medprompt_cli.cli.documents import print_json
from medprompt_cli.errors import InputError, one_line

if TYPE_CHECKING:
    from collections import Counter

    from medprompt_cli.bids.problems import Problem
    from medprompt_cli.cohort.inspection import Inspected, Inspection

KINDS = {
    "bids": "BIDS dataset",
    "folder": "Folder of images",
    "image": "Image",
    "manifest": "Manifest",
}
"""What was given, by the word that the dataset has for it."""

GIVE_IMAGES = "Give a folder with .nii.gz, .nii, .mgz or DICOM files."

MEND = "Mend what is listed, or give a folder with .nii.gz files."

SHOWN_SPACINGS = 3
"""Spacings listed for one kind of scan, the most frequent first; --json has all."""


def check(
    source: Annotated[
        Path, typer.Argument(metavar="DIR", help="BIDS dataset, folder, image, or manifest.")
    ],
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every voxel, not only the headers.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as one JSON document.")
    ] = False,
) -> None:
    """Print what DIR holds, and each problem with its reason code.

    Exits 0 if there is an image to work on, whatever is wrong with others, and 65 if
    there is none.
    """
    from medprompt_cli.bids.dataset import open_dataset
    from medprompt_cli.cohort.inspection import inspect
    from medprompt_cli.cohort.progress import case_progress

    dataset = open_dataset(source)
    with case_progress(len(dataset.images)) as advance:
        inspection = inspect(dataset, deep=deep, advance=advance)
    if as_json:
        print_json(_as_json(inspection))
    else:
        typer.echo(_as_text(inspection), nl=False)
    if not inspection.usable:
        raise InputError(
            f"{source} holds no usable image.",
            remedy=MEND if inspection.problems else GIVE_IMAGES,
            code="no-images",
        )


def _as_text(inspection: Inspection) -> str:
    lines = [_headline(inspection)]
    for suffix, spacings in sorted(inspection.spacings().items(), key=_by_name):
        entries = [i for i in inspection.images if i.entry.suffix == suffix]
        counted = _count(len(entries), "image")
        lines.append(f"  {suffix or 'other'}: {counted}{_spacing_text(spacings)}")
    if passed := inspection.dataset.ignored:
        listed = ", ".join(f"{number} {kind}" for kind, number in sorted(passed.items()))
        lines.append(f"  passed over: {listed}")
    what = "decoded whole" if inspection.deep else "with a good header"
    total = len(inspection.images)
    if total:
        lines.append(f"{len(inspection.usable)} of {_count(total, 'image')} {what}")
    lines += _problem_lines(inspection)
    return "\n".join(lines) + "\n"


def _headline(inspection: Inspection) -> str:
    dataset = inspection.dataset
    counts = [_count(len(dataset.subjects), "subject")]
    if dataset.sessions:
        counts.append(_count(len(dataset.sessions), "session"))
    counts.append(_count(len(dataset.images), "image"))
    return f"{KINDS[dataset.kind]}: {', '.join(counts)}"


def _by_name(item: tuple[str | None, object]) -> tuple[bool, str]:
    return item[0] is None, item[0] or ""


def _spacing_text(spacings: Counter[tuple[float, float, float]]) -> str:
    """`, 1 x 1 x 1 mm (3), 0.5 x 0.5 x 4 mm (1)`; empty if nothing could be read."""
    ordered = sorted(spacings.items(), key=lambda item: (-item[1], item[0]))
    shown = [
        f", {' x '.join(f'{mm:g}' for mm in spacing)} mm ({number})"
        for spacing, number in ordered[:SHOWN_SPACINGS]
    ]
    if len(ordered) > SHOWN_SPACINGS:
        shown.append(f", {len(ordered) - SHOWN_SPACINGS} more spacings")
    return "".join(shown)


def _problem_lines(inspection: Inspection) -> list[str]:
    """One line for each problem, then one for each thing to do about them."""
    problems, root = inspection.problems, inspection.dataset.root
    if not problems:  # without an image, that is the problem
        return ["No problems"] if inspection.usable else []
    lines = [f"{_count(len(problems), 'problem')}:"]
    lines += [f"{p.code}  {one_line(_below(p, root))}: {one_line(p.message)}" for p in problems]
    lines.append("What to do:")
    remedies = dict.fromkeys((problem.code, problem.remedy) for problem in problems)
    lines += [f"{code}  {one_line(remedy)}" for code, remedy in remedies]
    return lines


def _below(problem: Problem, root: Path) -> str:
    """The path as seen from the dataset, or in full if it lies outside."""
    if problem.path == root or not problem.path.is_relative_to(root):
        return str(problem.path)
    return str(problem.path.relative_to(root))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _as_json(inspection: Inspection) -> dict[str, Any]:
    dataset = inspection.dataset
    return {
        "root": str(dataset.root),
        "kind": dataset.kind,
        "deep": inspection.deep,
        "subjects": list(dataset.subjects),
        "sessions": [{"subject": who, "session": when} for who, when in dataset.sessions],
        "usable": len(inspection.usable),
        "images": [_image_json(image) for image in inspection.images],
        "passed_over": dict(sorted(dataset.ignored.items())),
        "problems": [
            {
                "code": problem.code,
                "severity": problem.severity,
                "path": str(problem.path),
                "message": problem.message,
                "remedy": problem.remedy,
            }
            for problem in inspection.problems
        ],
    }


def _image_json(image: Inspected) -> dict[str, Any]:
    entry, grid = image.entry, image.geometry
    return {
        "path": str(entry.path),
        "subject": entry.subject,
        "session": entry.session,
        "suffix": entry.suffix,
        "acquired": entry.acquired.isoformat() if entry.acquired else None,
        "usable": image.usable,
        "shape": list(grid.shape) if grid else None,
        "spacing_mm": list(grid.spacing) if grid else None,
        "orientation": grid.orientation if grid else None,
    }
