"""What was found of one subject's visits, as JSON for programs and Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from medprompt_cli import __version__
from medprompt_cli.cohort.criteria import read_on
from medprompt_cli.cohort.fate_answers import ONE_VISIT
from medprompt_cli.cohort.following import Followed
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.longitudinal.change import Change
from medprompt_cli.longitudinal.ledger import FATES, FateRule, Ledger, LesionRow
from medprompt_cli.longitudinal.readings import lesion_counts
from medprompt_cli.longitudinal.repeatability import Limits
from medprompt_cli.longitudinal.signal_change import SignalChange

RESEARCH = "For research only: not a medical device."
UNCHECKED = " *"
UNCHECKED_SAID = (
    "\\* Not checked: of lesions and of regions made of several structures no interval was held"
    " against truth, and fewer than 95 % may hold it."
)
"""Stands behind an interval that nobody may take for calibrated; and what it means."""

UNTOLD = "cannot be told"
NOTHING = "-"
"""In a cell without a value; the status says why."""


def as_json(followed: Followed, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was found, ready for JSON.

    Args:
        followed: What was found.
        about: What else belongs into the file: provenance, files.
    """
    return {
        "Subject": followed.course.subject,
        "Kind": followed.course.kind,
        "Visits": [
            {
                "Name": visit.name,
                "Acquired": None if visit.when is None else visit.when.isoformat(),
                "Case": visit.case,
                "VoxelSizeMm": [round(step, 6) for step in scan.spacing_mm],
                "ToMidspace": None if move is None else move.tolist(),
            }
            for visit, scan, move in zip(
                followed.course.visits, followed.scans, followed.to_mid, strict=True
            )
        ],
        "Notes": notes_of(followed),
        "Warnings": list(followed.warnings),
        "Asked": [answer.as_json() for answer in followed.answers],
        "Answers": [str(answer) for answer in followed.answers],
        "Registration": _registration(followed),
        "Limits": _limits(followed.limits),
        "FirstToLast": [asdict(change) for change in followed.overall()],
        "Ledger": {region: _ledger(found) for region, found in followed.ledgers.items()},
        "Signal": [_signal(found) for found in followed.signals.values()],
        "Readings": [
            {
                "Name": reading.name,
                "Value": reading.value,
                "Status": reading.status,
                "Reason": reading.reason,
                "Source": reading.source,
                "Numbers": dict(reading.numbers),
                "Notes": list(reading.notes),
            }
            for reading in followed.readings
        ],
        "Version": __version__,
        **about,
    }


def notes_of(followed: Followed) -> list[str]:
    """What a person has to know first, one sentence each."""
    if len(followed.course.visits) == 1:
        return [ONE_VISIT]
    if followed.failure is None:
        return []
    return [
        f"The visits were not all laid over each other: {followed.failure} Lesions of such"
        " visits are not followed; volumes need no registration, and are given."
    ]


def _registration(followed: Followed) -> dict[str, Any]:
    names = [visit.name for visit in followed.course.visits]
    pairs = followed.midspace.pairs if followed.midspace else {}
    return {
        "Failure": followed.failure,
        "RingOpenMm": followed.midspace.open_mm if followed.midspace else None,
        "Pairs": [
            {
                "First": names[first],
                "Second": names[second],
                "Failure": found.failure,
                "StandingOut": round(found.check.standing_out, 2),
                **{key: round(value, 6) for key, value in asdict(found.check).items()},
            }
            for (first, second), found in pairs.items()
        ],
    }


def _limits(limits: Limits | None) -> dict[str, str] | None:
    return None if limits is None else {"Method": limits.method, "Source": limits.source}


def _ledger(ledger: Ledger | None) -> dict[str, Any] | None:
    if ledger is None:
        return None
    return {
        "Lesions": len({row.lesion for row in ledger.rows}),
        "Rule": asdict(ledger.rule),
        "Between": [
            {
                "First": counts.first,
                "Second": counts.second,
                "Fates": None if counts.counts is None else dict(counts.counts),
                "NotInBothImages": counts.unseen,
                "TooSmallToCount": counts.too_small,
                "CannotBeTold": counts.untold,
                "ByMasksAlone": dict(counts.unsure),
            }
            for counts in lesion_counts(ledger)
        ],
    }


def _signal(found: SignalChange) -> dict[str, Any]:
    return {
        "First": found.first,
        "Second": found.second,
        "NoisePercent": round(100 * found.noise, 3),
        "WhiteMatterMl": round(found.white_ml, 1),
        "Rule": asdict(found.rule),
        "Patches": [
            {
                "Number": patch.number,
                "Way": patch.way,
                "VolumeMl": round(patch.volume_ml, 4),
                "MeanZ": round(patch.mean_z, 2),
                "PeakZ": round(patch.peak_z, 2),
                "CentreMm": [round(mm, 1) for mm in patch.centre_mm],
            }
            for patch in found.patches
        ],
    }


def as_markdown(followed: Followed, weights: str) -> str:
    """The same for people: what changed from the first to the last visit, and every lesion."""
    course = followed.course
    lines = [f"# {course.subject}: what changed", "", RESEARCH, ""]
    for note in notes_of(followed):
        lines += [note, ""]
    lines += _table(
        ("visit", "date", "image", "voxels, mm"),
        [
            (
                visit.name,
                NOTHING if visit.when is None else visit.when.date().isoformat(),
                visit.case,
                " x ".join(f"{step:.3g}" for step in scan.spacing_mm),
            )
            for visit, scan in zip(course.visits, followed.scans, strict=True)
        ],
    )
    if followed.answers:
        lines += ["## Asked", "", *(f"- {answer}" for answer in followed.answers), ""]
    if followed.warnings:
        lines += ["## Warnings", "", *(f"- {said}" for said in followed.warnings), ""]
    lines += _changes(followed)
    for region, ledger in followed.ledgers.items():
        lines += _lesions(region, ledger)
    lines += _signals(followed.signals.values())
    lines += _readings(followed)
    lines += [f"Measured with medprompt {__version__} and the weights {weights}.", ""]
    return "\n".join(lines)


def _changes(followed: Followed) -> list[str]:
    changes = followed.overall()
    read = read_on((change.region, change.quantity) for change in changes)
    volumes = [change for change in changes if read.get(change.region) == change.quantity]
    if not volumes:
        return []
    first, last = followed.course.visits[0].name, followed.course.visits[-1].name
    limits = followed.limits
    known = "No change is held against noise." if limits is None else _noise(limits)
    if any(_is_unchecked(change) for change in volumes):
        known = f"{UNCHECKED_SAID} {known}"
    return [
        f"## Volumes, {first} to {last}",
        "",
        *_table(
            ("region", "first, mL", "last, mL", "%", "95 %", "% a year", "noise, %", "read as"),
            [_change_cells(change) for change in volumes],
        ),
        f"{known} Other quantities and pairs of visits are in the table `changes`.",
        "",
    ]


def _noise(limits: Limits) -> str:
    return (
        f"Noise is the symmetrised change that 95 % of repeated measurements with"
        f" {limits.method} stay within ({limits.source}), with one protocol."
    )


def _change_cells(change: Change) -> tuple[str, ...]:
    low, high = change.percent_low, change.percent_high
    mark = UNCHECKED if _is_unchecked(change) else ""
    verdicts = {True: "beyond noise", False: "within noise", None: "noise not known"}
    said = verdicts[change.exceeds_limit]
    if change.status != "measured":
        both = (change.first is None) == (change.second is None)
        where = "" if both else " at the first" if change.first is None else " at the last"
        said = f"{change.status}{where}"
    if change.exceeds_limit and low is not None and high is not None and low < 0 < high:
        said += f", but 95 %{mark} holds 0"
    return (
        change.region,
        _number(change.first, 3),
        _number(change.second, 3),
        _number(change.percent, 1, sign=True),
        NOTHING if low is None or high is None else f"{low:+.1f} to {high:+.1f}{mark}",
        _number(change.annual_compound_percent, 1, sign=True),
        _number(change.limit_percent, 1),
        said,
    )


def _is_unchecked(change: Change) -> bool:
    """Whether its interval is of a lesion or a union, of which none was held against truth."""
    return change.percent_low is not None and change.region not in BASE_INDEX


def _lesions(region: str, ledger: Ledger | None) -> list[str]:
    title = [f"## Lesions: {region}", ""]
    if ledger is None:
        return [*title, "Not followed: no visit could be used.", ""]
    if not ledger.rows:
        return [*title, "None at any visit that could be used.", ""]
    lines = list(title)
    if len(ledger.visits) > 1:
        counts = [
            (
                f"{found.first} to {found.second}",
                *(
                    NOTHING if found.counts is None else str(found.counts.get(fate, 0))
                    for fate in FATES
                ),
                NOTHING if found.counts is None else str(found.untold),
            )
            for found in lesion_counts(ledger)
        ]
        lines += _table(("between", *FATES, UNTOLD), counts)
    ids = sorted({row.lesion for row in ledger.rows})
    cells = [(str(n), *(_lesion_cell(row) for row in ledger.history(n))) for n in ids]
    lines += _table(("id", *(f"{name}, mL" for name in ledger.visits)), cells)
    return [*lines, *([] if len(ledger.visits) == 1 else [_rule(ledger.rule), ""])]


def _rule(rule: FateRule) -> str:
    """What fates were told by."""
    return (
        f"A lesion is enlarging or shrinking if its volume changed by more than"
        f" {rule.small_percent:g} % ({rule.large_percent:g} % from {rule.large_ml:g} mL on),"
        f" and by {rule.least_ml:g} mL at least. Where masks say that a lesion changed, came or"
        f" went, and the images that nothing did, it {UNTOLD}; nor can it where a lesion may"
        " have been overlooked. What is smaller than that and new is not counted."
    )


def _signals(signals: Iterable[SignalChange]) -> list[str]:
    rows = [
        (
            f"{found.first} to {found.second}",
            *_patch_cells(found, "brighter"),
            *_patch_cells(found, "darker"),
            f"{100 * found.noise:.1f}",
        )
        for found in signals
    ]
    if not rows:
        return []
    heads = ("between", "brighter patches", "mL", "darker patches", "mL")
    return [
        "## Signal of white matter and lesions",
        "",
        *_table((*heads, "noise, % of white matter"), rows),
        "A patch is where the images themselves differ by more than noise and displacement"
        " explain, whatever the masks say.",
        "",
    ]


def _patch_cells(found: SignalChange, way: str) -> tuple[str, str]:
    volumes = [patch.volume_ml for patch in found.patches if patch.way == way]
    return str(len(volumes)), f"{sum(volumes):.3f}"


def _lesion_cell(row: LesionRow) -> str:
    said = _number(row.volume_ml, 3) if row.status == "measured" else row.status
    told = UNTOLD if row.unsure else row.fate
    fate = f" {told}" if told else ""
    others = f" ({', '.join(map(str, row.related))})" if row.related else ""
    return f"{said}{fate}{others}"


def _readings(followed: Followed) -> list[str]:
    if not followed.readings:
        return []
    lines = ["## Read by published criteria", ""]
    for reading in followed.readings:
        why = reading.reason or ("" if reading.status == "error" else reading.status)
        value = reading.value or f"not known{why and f': {why}'}"
        said = " ".join((*reading.notes, f"Source: {reading.source}."))
        lines.append(f"- **{reading.name}**: {value}. {said}")
    return [*lines, ""]


def _number(value: float | None, digits: int, *, sign: bool = False) -> str:
    if value is None:
        return NOTHING
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]
