"""What became of one subject between its visits: changes, lesions, and readings of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from os import cpu_count
from pathlib import Path

import numpy as np

from medprompt_cli.bids.images import read_image
from medprompt_cli.cohort.criteria import read_criteria
from medprompt_cli.cohort.fate_answers import AskedFate, FateAnswer, answer_fates
from medprompt_cli.cohort.signals import find_signals
from medprompt_cli.cohort.visit_results import VisitResults, completed
from medprompt_cli.cohort.visits import Course, Scanned, protocol_differences
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.change import Change, Visit, VisitChange, change_table
from medprompt_cli.longitudinal.evidence import Signals
from medprompt_cli.longitudinal.ledger import Ledger, LesionVisit, build_ledger
from medprompt_cli.longitudinal.midspace import Midspace, find_midspace
from medprompt_cli.longitudinal.readings import Reading
from medprompt_cli.longitudinal.repeatability import Limits
from medprompt_cli.longitudinal.signal_change import SignalChange
from medprompt_cli.longitudinal.transforms import IDENTITY

MOST_WORKERS = 4
"""Pairs of visits that are registered at a time; each takes one core."""


@dataclass(frozen=True)
class Question:
    """What is to be found out of a subject.

    Attributes:
        out: The output folder, where the results of the visits lie.
        limits: This method's own noise; None if not known.
        affine: Let sizes differ when visits are registered.
        age: In years at the first visit; None if not known.
        metadata: Fields of the JSON files of every visit's scan, in order.
        fates: What a prompt asks to be counted.
    """

    out: Path
    limits: Limits | None
    affine: bool = False
    age: float | None = None
    metadata: Sequence[Mapping[str, object]] = ()
    fates: tuple[AskedFate, ...] = ()


@dataclass(frozen=True, eq=False)
class Followed:
    """What was found out of a subject.

    Attributes:
        course: Its visits.
        scans: The scan of each visit, to hold protocols against each other.
        midspace: How visits were registered; None for one visit, or if there was nothing to
            register.
        failure: Why no visit, or not all of them, could be registered; None if all were.
        to_mid: For each visit its move to mid-space; None if it has none.
        changes: From each visit to the next, and from the first to the last.
        ledgers: By region of lesions; None where no two visits could be registered.
        readings: What published criteria say of it.
        warnings: Whatever speaks against taking numbers at their word.
        differences: Of a pair of visits, what differs between their scans, in words.
        limits: The noise that changes were held against; None if against none.
        signals: How the images of two visits differ, by their names; where that was looked at.
        answers: To what a prompt asks to be counted.
    """

    course: Course
    scans: tuple[Scanned, ...]
    midspace: Midspace | None
    failure: str | None
    to_mid: tuple[np.ndarray | None, ...]
    changes: tuple[VisitChange, ...]
    ledgers: Mapping[str, Ledger | None]
    readings: tuple[Reading, ...]
    warnings: tuple[str, ...]
    differences: Mapping[tuple[str, str], str] = field(default_factory=dict)
    limits: Limits | None = None
    signals: Mapping[tuple[str, str], SignalChange] = field(default_factory=dict)
    answers: tuple[FateAnswer, ...] = ()

    def overall(self) -> list[Change]:
        """Every change from the first to the last visit."""
        if len(self.course.visits) < len(("first", "last")):
            return []
        ends = (self.course.visits[0].name, self.course.visits[-1].name)
        return [c.change for c in self.changes if (c.first, c.second) == ends]


def follow(results: Sequence[VisitResults], course: Course, question: Question) -> Followed:
    """Find out what became of a subject.

    Args:
        results: Of each visit of the course.
        course: The subject's visits.
        question: What is to be found out.

    Raises:
        InputError: If an image or a mask cannot be read any more.
    """
    visits = [result.visit for result in results]
    images = [
        read_image(visit.sources[0].path, modality=visit.sources[0].modality)
        for visit in visits
    ]
    metadata = question.metadata or [{}] * len(visits)
    scans = tuple(
        Scanned(image.geometry, visit.entry, about)
        for image, visit, about in zip(images, visits, metadata, strict=True)
    )
    pairs = visit_pairs(len(visits))
    differences = {
        (visits[a].name, visits[b].name): "; ".join(found)
        for a, b in pairs
        if (found := protocol_differences(scans[a], scans[b]))
    }
    midspace, failure = _registered(images, results, question)
    to_mid = _moves(len(visits), midspace)
    limits, doubts = _applicable(question, course, scans)
    measured = [
        Visit(visit.name, visit.when, numbers)
        for visit, numbers in zip(visits, completed(results), strict=True)
    ]
    changes = tuple(
        change
        for a, b in pairs
        for change in change_table(
            # Limits are of one protocol: they do not hold from one to another.
            measured,
            None if (measured[a].name, measured[b].name) in differences else limits,
            [(a, b)],
        )
    )
    found = find_signals(results, images, to_mid, course.kind, question.out)
    ledgers = _ledgers(results, images, to_mid, question.out, found.changes)
    warnings = [
        *course.warnings,
        *doubts,
        *_protocol_warnings([visit.name for visit in visits], differences),
        *_unknown_lesions(results, ledgers),
        *_unsure_absences(results, ledgers),
        *found.warnings,
    ]
    followed = Followed(
        *(course, scans, midspace, failure, to_mid, changes, ledgers),
        *((), tuple(warnings), differences, limits, found.changes),
    )
    readings = read_criteria(
        *(followed.overall(), ledgers, found.changes, results, course.kind, question.age)
    )
    answers = answer_fates(question.fates, results, ledgers, to_mid, found.changes)
    return replace(followed, readings=readings, answers=answers)


def _applicable(
    question: Question, course: Course, scans: Sequence[Scanned]
) -> tuple[Limits | None, list[str]]:
    """The limits, if these scans are such as they were learnt on, or why they are not used."""
    limits = question.limits
    longest = max(max(scan.spacing_mm) for scan in scans)
    if limits is None or len(scans) == 1 or limits.hold_for(course.kind, longest):
        return limits, []
    size = "" if limits.most_mm is None else f" with voxels up to {limits.most_mm:g} mm"
    return None, [
        f"This method's own noise is known for {limits.kind or 'scans'}{size}, not for"
        f" {course.kind} of {longest:.3g} mm: no change is held against it."
    ]


def visit_pairs(count: int) -> list[tuple[int, int]]:
    """Each visit with the next, then the first with the last.

    >>> visit_pairs(1), visit_pairs(2), visit_pairs(3)
    ([], [(0, 1)], [(0, 1), (1, 2), (0, 2)])
    """
    return list(
        dict.fromkeys([*pairwise(range(count)), *([(0, count - 1)] if count > 1 else [])])
    )


def _registered(
    images: Sequence[Volume], results: Sequence[VisitResults], question: Question
) -> tuple[Midspace | None, str | None]:
    """Where the visits lie in mid-space, and why some or all do not."""
    if len(images) == 1:
        return None, None
    brains = [result.brain(question.out) for result in results]
    # A brain known at some visits only would be aligned with a whole head.
    known = [None] * len(brains) if None in brains else brains
    try:
        midspace = find_midspace(
            images, known, affine=question.affine, workers=min(MOST_WORKERS, cpu_count() or 1)
        )
    except InputError as error:
        return None, str(error)
    if midspace.failure:
        return midspace, midspace.failure
    lost = [
        result.visit.name
        for result, move in zip(results, midspace.to_mid, strict=True)
        if move is None
    ]
    return midspace, f"{', '.join(lost)} could not be registered." if lost else None


def _moves(count: int, midspace: Midspace | None) -> tuple[np.ndarray | None, ...]:
    if midspace is not None:
        return midspace.to_mid
    return (IDENTITY,) if count == 1 else (None,) * count


def _ledgers(
    results: Sequence[VisitResults],
    images: Sequence[Volume],
    to_mid: Sequence[np.ndarray | None],
    out: Path,
    signals: Signals,
) -> dict[str, Ledger | None]:
    """A ledger of every region of lesions that was asked for.

    A visit where it is not known whether there are lesions takes no part, as one that could
    not be registered: nothing resolves because it was not seen.
    """
    asked = dict.fromkeys(r for result in results for r in result.statuses if r in LESIONS)
    ledgers: dict[str, Ledger | None] = {}
    for region in asked:
        visits = []
        for result, image, move in zip(results, images, to_mid, strict=True):
            mask = result.lesions(out, region, image.geometry)
            empty = Mask(region, np.zeros(image.geometry.shape, bool), image.geometry)
            there = None if mask is None else move
            unsure = result.limits_ml.get(region, 0.0)
            visits.append(LesionVisit(result.visit.name, mask or empty, there, unsure))
        usable = [visit for visit in visits if visit.to_mid is not None]
        ledgers[region] = build_ledger(visits, signals=signals) if usable else None
    return ledgers


def _protocol_warnings(
    names: Sequence[str], differences: Mapping[tuple[str, str], str]
) -> list[str]:
    return [
        f"The scans of {first} and {second} differ: {differences[first, second]}. Change"
        " between them may come from that."
        for first, second in pairwise(names)
        if (first, second) in differences
    ]


def _unknown_lesions(
    results: Sequence[VisitResults], ledgers: Mapping[str, Ledger | None]
) -> list[str]:
    return [
        f"The {region} at {result.visit.name} is {status}: the ledger passes over that visit."
        for region in ledgers
        for result in results
        if (status := result.statuses.get(region, "not known"))
        not in {"measured", "absent", "truncated_fov"}
    ]


def _unsure_absences(
    results: Sequence[VisitResults], ledgers: Mapping[str, Ledger | None]
) -> list[str]:
    return [
        f"No {region} was found at {result.visit.name}; one of less than"
        f" {result.limits_ml[region]:.3g} mL may be there and not be seen: masks alone do not"
        " tell it to be new or gone."
        for region in ledgers
        for result in results
        if len(results) > 1 and region in result.limits_ml
    ]
