"""Which scans to judge, by what truth: the manifest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.tables import Row, Table, read_table
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.evaluation.schemes import Scheme, find_scheme

REQUIRED = ("name",)
COLUMNS = (
    *("name", "group", "image", "truth", "scheme", "prediction", "brain"),
    *("targets", "absent", "grid"),
)
DEFAULT_SCHEME = "freesurfer"
SEPARATOR = ";"
"""Between the images, targets or absent lesions of a line."""

ALL_LESIONS = "lesions"
"""In the column `absent`: every lesion of the vocabulary."""

GRIDS = ("world", "voxels")
"""By what the voxels of two files are the same: their place, or their number."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One scan of a comparison.

    Attributes:
        name: What to call it.
        group: What it is pooled with.
        scheme: What the truth's ids mean.
        images: To segment together, unless there is a prediction; on one grid.
        truth: Label map or mask to judge by; None if only `absent` is known.
        prediction: What to judge: a label map with FreeSurfer's ids. For a scheme of
            regions a mask of the one target, or a label map with the scheme's ids.
        brain: Brain mask that came with the truth.
        targets: Regions of the scheme to judge.
        absent: Lesions known not to be in the scan.
        same_voxels: Whether the voxels of the truth are those of the image, by number,
            wherever the two headers put them.
    """

    name: str
    group: str
    scheme: Scheme
    images: tuple[Path, ...] = ()
    truth: Path | None = None
    prediction: Path | None = None
    brain: Path | None = None
    targets: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    same_voxels: bool = False


def read_cases(manifest: Path, root: Path | None = None) -> list[Judged]:
    """Read a table of COLUMNS, one scan a line.

    Args:
        manifest: Tab-separated. A line has a `prediction`, or images to segment, and a
            `truth`, or lesions that are `absent`.
        root: Where relative paths start; the manifest's folder if None.

    Raises:
        InputError: If it is no such table, or a line lacks something.
        UsageError: If a line names an unknown scheme or target.
    """
    problems: list[Problem] = []
    table = read_table(manifest, problems)
    if table is None or problems:
        raise _bad(manifest, problems[0].message)
    _check_columns(manifest, table)
    base = manifest.parent if root is None else root
    cases = [_case(manifest, number, row, base) for number, row in table.rows]
    names = [case.name for case in cases]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _bad(manifest, f"Two lines are called {twice!r}.")
    if not cases:
        raise _bad(manifest, "It names no scan.")
    return cases


def distinct(cases: Iterable[Judged]) -> set[str]:
    """Names of the cases that are scans of their own: of those with one truth the first.

    A person scanned once may stand in several lines, each with other images.
    """
    first: dict[Path | tuple[Path, ...], str] = {}
    for case in cases:
        first.setdefault(case.truth or case.images, case.name)
    return set(first.values())


def choose_targets(asked: str | None, scheme: Scheme) -> tuple[str, ...]:
    """The regions to judge: those asked for, or all of the scheme.

    Args:
        asked: Names between SEPARATORs, or None.
        scheme: Of the truth.

    Raises:
        UsageError: If the scheme has no such region.
    """
    names = _split(asked)
    for name in names:
        if name not in scheme.regions:
            raise UsageError(
                f"The scheme {scheme.name} does not say where {name!r} is.",
                remedy=f"Use {', '.join(scheme.regions)}."
                if scheme.regions
                else "Give a scheme of lesions or parcels, or leave the targets out.",
            )
    return names or tuple(scheme.regions)


def _check_columns(manifest: Path, table: Table) -> None:
    lacking = [name for name in REQUIRED if name not in table.columns]
    if lacking:
        raise _bad(manifest, f"It has no column {lacking[0]!r}.")
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown:
        raise _bad(manifest, f"It has a column {unknown[0]!r}, which is not read.")


def _bad(manifest: Path, what: str) -> InputError:
    return InputError(
        f"{manifest} is no table of scans to judge. {what}",
        remedy=f"Give a tab-separated table with columns out of {', '.join(COLUMNS)}.",
        code="bad-table",
    )


def _case(manifest: Path, number: int, row: Row, base: Path) -> Judged:
    def path(column: str) -> Path | None:
        written = row.get(column)
        return base / written if written else None

    scheme = find_scheme(row.get("scheme") or DEFAULT_SCHEME, manifest.parent)
    case = Judged(
        name=row["name"] or "",
        group=row.get("group") or row["name"] or "",
        scheme=scheme,
        images=tuple(base / image for image in _split(row.get("image"))),
        truth=path("truth"),
        prediction=path("prediction"),
        brain=path("brain"),
        targets=choose_targets(row.get("targets"), scheme),
        absent=_absent(row.get("absent")),
        same_voxels=(row.get("grid") or GRIDS[0]) == GRIDS[1],
    )
    if wrong := _wrong_with(case, row.get("grid") or GRIDS[0]):
        raise _bad(manifest, f"Line {number} {wrong}.")
    return case


def _wrong_with(case: Judged, grid: str) -> str | None:
    overlapping = [name for name in case.absent if case.truth and name in case.targets]
    unknown = [name for name in case.absent if name not in LESIONS]
    checks = {
        "has no name": not case.name,
        "has neither a truth nor absent lesions": not (case.truth or case.absent),
        "has neither an image nor a prediction": not (case.images or case.prediction),
        "has absent lesions, but no image to look for them in": case.absent
        and (not case.images or case.prediction),
        f"says grid {grid!r}, not {' or '.join(GRIDS)}": grid not in GRIDS,
        f"calls {', '.join(unknown)} absent, which is no lesion": unknown,
        f"calls {', '.join(overlapping)} absent, and has a truth for it": overlapping,
    }
    return next((what for what, wrong in checks.items() if wrong), None)


def _absent(asked: str | None) -> tuple[str, ...]:
    names = _split(asked)
    return LESIONS if names == (ALL_LESIONS,) else names


def _split(cell: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (cell or "").split(SEPARATOR) if part.strip())
