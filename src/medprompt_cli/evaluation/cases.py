"""Which scans to judge, by what truth, and the loop over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.tables import Row, Table, read_table
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.masks import Score, check_grid, pair, score
from medprompt_cli.evaluation.schemes import Scheme, find_scheme

REQUIRED = ("name", "truth")
COLUMNS = ("name", "group", "image", "truth", "scheme", "prediction", "brain")
DEFAULT_SCHEME = "freesurfer"

Predict = Callable[[Volume], LabelMap]
"""Takes an image, gives its label map with FreeSurfer's ids on the image's grid."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One scan of a comparison.

    Attributes:
        name: What to call it.
        group: What it is pooled with.
        image: To segment, unless there is a prediction.
        truth: Label map to judge by.
        scheme: What the truth's ids mean.
        prediction: Label map to judge, with FreeSurfer's ids.
        brain: Brain mask that came with the truth.
    """

    name: str
    group: str
    image: Path | None
    truth: Path
    scheme: Scheme
    prediction: Path | None = None
    brain: Path | None = None


def read_cases(manifest: Path, root: Path | None = None) -> list[Judged]:
    """Read a table of COLUMNS, one scan a line.

    Args:
        manifest: Tab-separated. A line has a `prediction`, or an `image` to segment.
        root: Where relative paths start; the manifest's folder if None.

    Raises:
        InputError: If it is no such table, or a line lacks something.
        UsageError: If a line names an unknown scheme.
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

    name, truth = row["name"], path("truth")
    image, prediction = path("image"), path("prediction")
    if not name or truth is None:
        raise _bad(manifest, f"Line {number} lacks a name or a truth.")
    if image is None and prediction is None:
        raise _bad(manifest, f"Line {number} has neither an image nor a prediction.")
    scheme = find_scheme(row.get("scheme") or DEFAULT_SCHEME, manifest.parent)
    group = row.get("group") or name
    return Judged(name, group, image, truth, scheme, prediction, path("brain"))


def judge(
    cases: Iterable[Judged], predict: Predict, *, far: bool = False
) -> Iterator[list[Score]]:
    """Score scan after scan.

    Args:
        cases: What to judge.
        predict: Segments the image of a case that has no prediction.
        far: Whether to compute the 95 % Hausdorff distances, which take seconds.

    Raises:
        InputError: If a file cannot be used, does not lie on the grid of its truth, or
            the truth is of another scheme.
    """
    for case in cases:
        truth = read_labels(case.truth)
        case.scheme.check(truth.voxels, str(case.truth))
        prediction, source = _prediction(case, predict)
        judged = pair(prediction, truth, case.scheme, (str(source), str(case.truth)))
        brain = None
        if case.brain is not None:
            mask = read_labels(case.brain)
            check_grid(mask.geometry, truth.geometry, (str(case.brain), str(case.truth)))
            brain = mask.voxels > 0
        yield score(judged, case.name, case.group, brain=brain, far=far)


def _prediction(case: Judged, predict: Predict) -> tuple[LabelMap, Path]:
    if case.prediction is not None:
        return read_labels(case.prediction), case.prediction
    if case.image is None:
        raise InputError(
            f"{case.name} has neither an image nor a prediction.",
            remedy="Give one of the two.",
            code="missing",
        )
    return predict(read_image(case.image)), case.image
