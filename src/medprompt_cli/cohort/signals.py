"""How the images of a subject differ from visit to visit, as evidence about its lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.cohort.records import read_record
from medprompt_cli.cohort.visit_results import WHITE_MATTER, VisitResults
from medprompt_cli.cohort.visits import Course
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.signal_change import (
    SignalChange,
    SignalVisit,
    find_signal_change,
)
from medprompt_cli.planning.requests import Request
from medprompt_cli.planning.vocabulary import resolve

T2_LESIONS = frozenset({"ms-lesion", "white-matter-hyperintensity", "lesion"})
"""Lesions that are brighter than white matter on images of T2 contrast."""

T2_KINDS = ("FLAIR", "T2w")

WORKERS = 2
"""Pairs that are compared at a time; each holds some hundred megabytes."""

NOT_HELD = (
    "New and growing lesions are not held against the difference of the images, as white matter"
    " was not segmented: ask for cerebral-white-matter as well."
)


@dataclass(frozen=True)
class SignalsFound:
    """What was found of the pairs of visits.

    Attributes:
        changes: By the names of the earlier and the later visit.
        warnings: Which pairs were not compared, and why.
    """

    changes: Mapping[tuple[str, str], SignalChange]
    warnings: tuple[str, ...] = ()


def shows_t2_lesions(kind: str, regions: Sequence[str]) -> bool:
    """Whether images of a kind show some of the regions by their brightness."""
    return any(name in kind for name in T2_KINDS) and bool(T2_LESIONS.intersection(regions))


def with_white_matter(
    request: Request, courses: Sequence[Course], out: Path, basis_id: str
) -> Request:
    """The request, with white matter as well where lesions are held against it.

    Where results of the request as it is lie in the output folder already, they are gone on
    with: nothing is segmented again for this.

    Args:
        request: What is asked for.
        courses: What is followed.
        out: The output folder.
        basis_id: Hash of the request as it is, as records of its results have it.
    """
    names = [target.name for target in request.targets]
    wanted = request.program is None and any(
        len(course.visits) > 1 and shows_t2_lesions(course.kind, names) for course in courses
    )
    missing = [name for name in WHITE_MATTER if name not in names]
    if not wanted or not missing or _is_begun(out, basis_id):
        return request
    return replace(request, targets=(*request.targets, *resolve(missing)))


def _is_begun(out: Path, basis_id: str) -> bool:
    """Whether some result in the folder answers exactly a request."""
    records = (read_record(path) or {} for path in (out / LOGS).glob("*.json"))
    return any(record.get("basis", {}).get("plan") == basis_id for record in records)


def find_signals(
    results: Sequence[VisitResults],
    images: Sequence[Volume],
    to_mid: Sequence[np.ndarray | None],
    kind: str,
    out: Path,
) -> SignalsFound:
    """Compare each visit that could be registered with the next one that could.

    Args:
        results: Of each visit.
        images: Of each.
        to_mid: The move of each to mid-space; None if there is none.
        kind: Of the images.
        out: The output folder.
    """
    regions = list(dict.fromkeys(r for result in results for r in result.statuses))
    usable = [n for n, move in enumerate(to_mid) if move is not None]
    if len(usable) <= 1 or not shows_t2_lesions(kind, regions):
        return SignalsFound({})
    visits = [_signal_visit(results[n], images[n], to_mid[n], out) for n in usable]
    if not any(visits):
        return SignalsFound({}, (NOT_HELD,))
    pairs = [(a, b) for a, b in pairwise(visits) if a and b]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(_compared, pairs))
    names = {(a.name, b.name) for a, b in pairs}
    every = [results[n].visit.name for n in usable]
    left = [pair for pair in pairwise(every) if pair not in names]
    warnings = [
        *(
            f"{a} and {b} were not compared by their signal: one lacks white matter."
            for a, b in left
        ),
        *(one for one in found if isinstance(one, str)),
    ]
    changes = [one for one in found if isinstance(one, SignalChange)]
    return SignalsFound({(c.first, c.second): c for c in changes}, tuple(warnings))


def _compared(pair: tuple[SignalVisit, SignalVisit]) -> SignalChange | str:
    try:
        return find_signal_change(*pair)
    except InputError as error:
        return str(error)


def _signal_visit(
    result: VisitResults, image: Volume, to_mid: np.ndarray | None, out: Path
) -> SignalVisit | None:
    white = result.white_matter(out)
    if white is None or to_mid is None:
        return None
    lesions = [
        mask
        for region in LESIONS
        if region in result.statuses
        and (mask := result.lesions(out, region, image.geometry)) is not None
    ]
    return SignalVisit(result.visit.name, image, to_mid, white, lesions)
