"""Which images make a case: each by itself, or the scans of a session read together."""

from __future__ import annotations

from collections.abc import Sequence

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.outcome import Failure, Outcome

_ADD_SCAN = "Add the scan, or say in a manifest which scans are of one session."
_ADD = {
    "dwi": "Add a diffusion-weighted image of one volume, named dwi or trace: what has a"
    " table of several b values is passed over.",
    "adc": "Add the map as an image of one volume, named ADC.",
}
"""What to do where a kind of image is missing."""

Sources = tuple[ImageEntry, ...]
"""The images of a case."""


def form_cases(
    images: Sequence[ImageEntry], kinds: Sequence[str] = ()
) -> tuple[list[Sources], list[Outcome]]:
    """Make cases of images.

    Args:
        images: In the order of the dataset; with `kinds`, scans of those kinds only.
        kinds: Suffixes of the scans of a session that are read together, such as `FLAIR`
            and `T1w`; with none, every image is a case of its own.

    Returns:
        The cases, the scans of each in the order of their suffixes, and what is wrong with
        every session that lacks a kind or has it more than once.
    """
    if not kinds:
        return [(image,) for image in images], []
    sessions: dict[str, list[ImageEntry]] = {}
    for image in images:
        sessions.setdefault(_session_name(image), []).append(image)
    cases: list[Sources] = []
    refused = []
    for name, scans in sessions.items():
        failure = _why_no_case(name, scans, kinds)
        if failure is None:
            read = [_alike(scans, kind)[0] for kind in kinds]
            cases.append(tuple(sorted(read, key=_kind)))
        else:
            refused.append(Outcome(name, scans[0].path, "failed", failure=failure))
    return cases, refused


def _session_name(image: ImageEntry) -> str:
    return "_".join(filter(None, (image.subject, image.session)))


def _kind(image: ImageEntry) -> str:
    return (image.suffix or "").lower()


def _alike(scans: Sequence[ImageEntry], kind: str) -> list[ImageEntry]:
    """The scans of a kind: a T1w without a contrast agent, if there is one, for `T1w`."""
    exact = [scan for scan in scans if (scan.kind or "").lower() == kind.lower()]
    return exact or [scan for scan in scans if _kind(scan) == kind.lower()]


def _why_no_case(
    name: str, scans: Sequence[ImageEntry], kinds: Sequence[str]
) -> Failure | None:
    """Why the scans of a session cannot be read together; None if they can."""
    for kind in kinds:
        alike = _alike(scans, kind)
        if not alike:
            return Failure(
                "missing-scan",
                f"{scans[0].path} has no {kind} beside it in {name} to be read together with.",
                _ADD.get(kind.lower(), _ADD_SCAN),
                of_input=True,
            )
        if len(alike) > 1:
            return Failure(
                "several-scans",
                f"{alike[0].path} and {alike[1].path} are both {kind} of {name}: "
                "which one is to be read together with the rest is not known.",
                "List the scans to be read together in a manifest, one of each kind.",
                of_input=True,
            )
    return None
