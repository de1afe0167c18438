"""Subjects made of random numbers: rows as the tables have them, and facts of these rows.

Every kind of row that a report restates occurs: structures that are measured, cut by the image,
not to be trusted or absent; lesions that are there or not, with findings sure and unsure;
limits, a cohort, or neither; one to three visits, changes beyond and within noise, and the
fates of lesions. Same seed, same subject.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.longitudinal.change import change
from medprompt_cli.longitudinal.repeatability import Limits as Noise
from medprompt_cli.longitudinal.repeatability import Repeatability
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.gathering import Scan, Tables, gather
from medprompt_cli.reporting.limits import Expectations, Limits, Norm

VOLUMES_ML = {
    **{"cerebral-white-matter": 235.0, "cerebral-cortex": 260.0, "lateral-ventricle": 11.0},
    **{"inferior-lateral-ventricle": 0.6, "cerebellar-white-matter": 15.0, "thalamus": 7.3},
    **{"cerebellar-cortex": 52.0, "caudate": 3.5, "putamen": 4.8, "pallidum": 1.9},
    **{"hippocampus": 3.9, "amygdala": 1.7, "accumbens": 0.6, "ventral-diencephalon": 4.1},
    **{"third-ventricle": 1.1, "fourth-ventricle": 1.9, "brainstem": 21.0, "csf": 300.0},
}
"""About what structures of an adult measure, one side of those that have two."""

GROUPS_ML = {"brain": 1180.0, "ventricles": 27.0, "intracranial": 1500.0}
STATUSES = ("truncated_fov", "failed_qc", "not_visible", "absent")
LOBES = ("frontal-lobe", "parietal-lobe", "temporal-lobe", "occipital-lobe", "insula")
ODD, DOUBTED, FOUND, NO_NOISE = 0.08, 0.2, 0.85, 0.3
"""Shares of structures that were not measured, of masks to be reviewed, of findings that have a
value, and of subjects whose noise is not known."""

LEAST_SHIFT_MM = 3.0
FATES = ("new", "resolved", "enlarging", "shrinking", "stable")
VERSIONS = {"version": "0.1.0", "weights": "anatomy-small 0.3.0", "method": "medprompt segment"}
FEATURES = {
    "signal": ("hyper", "iso", "hypo"),
    "enhancement": ("yes", "no"),
    "diffusion-restriction": ("yes", "no"),
    "site": ("periventricular", "juxtacortical", "infratentorial", "deep"),
    "midline-crossing": ("yes", "no"),
}


@dataclass
class Subject:
    """A subject in the making.

    Attributes:
        rng: Where its numbers come from.
        name: With its `sub-` prefix.
        visits: Names and days.
        tables: Rows by table.
        volumes: Of regions by visit, for the changes.
    """

    rng: np.random.Generator
    name: str
    visits: dict[str, date]
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    volumes: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict)

    def add(self, table: str, visit: str, **row: object) -> None:
        """Add a row of a visit."""
        case = f"{self.name}_{visit}_{row.pop('kind', 'T1w')}"
        origin = {"participant_id": self.name, "session_id": visit, "case": case, **VERSIONS}
        origin["source"] = f"bids:source:{self.name}/{visit}/anat/{case}.nii.gz"
        self.tables.setdefault(table, []).append({**origin, **row})

    def near(self, value: float, spread: float) -> float:
        """A number not far from another."""
        return float(value * np.exp(self.rng.normal(0, spread)))

    def one_of(self, names: tuple[str, ...]) -> str:
        """Any of some names."""
        return names[int(self.rng.integers(len(names)))]


def make_facts(seed: int) -> Facts:
    """The facts of one random subject."""
    rng = np.random.default_rng(seed)
    begin = date(2019, 1, 1) + timedelta(days=int(rng.integers(1500)))
    count = int(rng.integers(1, 4))
    days = np.cumsum(rng.integers(90, 500, count))
    visits = {f"ses-{n + 1:02}": begin + timedelta(days=int(d)) for n, d in enumerate(days)}
    subject = Subject(rng, f"sub-{seed:03}", visits)
    for visit in visits:
        _structures(subject, visit)
    lesions = [str(name) for name in rng.choice(LESIONS, size=2, replace=False)]
    for visit in visits:
        for lesion in lesions:
            _lesions(subject, visit, lesion)
        _midline(subject, visit)
    _changes(subject)
    _ledger(subject, lesions[0])
    tables = Tables(**subject.tables)
    return gather(subject.name, tables, list(_scans(subject)), visits, _expected(subject))


def _scans(subject: Subject) -> Iterator[Scan]:
    for visit in subject.visits:
        for kind, spacing in (("T1w", (1.0, 1.0, 1.0)), ("FLAIR", (0.5, 0.5, 4.0))):
            edges = tuple(round(subject.near(edge, 0.2), 3) for edge in spacing)
            yield Scan(f"{subject.name}_{visit}_{kind}", visit, kind, edges, (256, 256, 40))


def _expected(subject: Subject) -> Expectations:
    """Limits that somebody gives, or those of a cohort, or none."""
    way = subject.rng.integers(3)
    regions = sorted({region for region, _ in subject.volumes})
    if way == 0:
        return Expectations({}, {})
    wide, norms = {}, {}
    for region in regions:
        usual = subject.volumes[region, "ses-01"]
        value = usual[-1].value
        if value is None or region in LESIONS:
            continue
        centre = subject.near(value, 0.25)
        wide[region, usual[-1].quantity] = Limits(0.8 * centre, 1.25 * centre, "a table")
        norms[region, usual[-1].quantity, "T1w"] = Norm(float(np.log(centre)), 0.06, 24)
    return Expectations(wide, {}) if way == 1 else Expectations({}, norms)


def _structures(subject: Subject, visit: str) -> None:
    """Volumes of everything, soft and hard, with what goes with them."""
    for name, usual in GROUPS_ML.items():
        _region(subject, visit, name, usual, status="measured")
    for structure in BASE_STRUCTURES:
        odd = subject.rng.random() < ODD
        status = subject.one_of(STATUSES) if odd else "measured"
        _region(subject, visit, structure.name, VOLUMES_ML[structure.kind], status)
    for kind in {s.kind for s in BASE_STRUCTURES if s.side == "left"}:
        sides = [subject.volumes[f"{side}-{kind}", visit][-1] for side in ("left", "right")]
        left, right = (side.value for side in sides)
        if left is None or right is None:
            continue
        percent = 200 * (left - right) / (left + right)
        subject.add(
            *("measurements", visit),
            **{"region": kind, "quantity": "soft-volume-asymmetry", "value": percent},
            **{"unit": "%", "status": "measured"},
        )


def _region(subject: Subject, visit: str, name: str, usual: float, status: str) -> None:
    measured = status == "measured"
    before = subject.volumes.get((name, "ses-01"))
    known = before[-1].value if before else None
    soft = subject.near(known, 0.08) if known else subject.near(usual, 0.15)
    hard, spread = subject.near(soft, 0.05), abs(subject.near(0.15, 0.4))
    judged = subject.rng.random() < DOUBTED
    about = {
        **{"region": name, "instance": None, "unit": "mL", "status": status},
        "presence": float(subject.rng.beta(30, 1)),
        "qc": "review" if judged else "pass",
        "qc_reasons": "uncertain" if judged else None,
    }
    if status == "absent":
        about["presence"] = float(subject.rng.beta(1, 20))
    ends = {"lower": soft * (1 - spread), "upper": soft * (1 + spread)} if measured else {}
    for quantity, value in (("volume", hard), ("soft-volume", soft)):
        stated = value if measured else None
        subject.add("measurements", visit, **about, quantity=quantity, value=stated, **ends)
        found = Measurement(name, quantity, stated, "mL", status=status)  # pyright: ignore[reportArgumentType] - one of STATUSES
        if measured and quantity == "soft-volume":
            found = found.with_interval(ends["lower"], ends["upper"])
        subject.volumes.setdefault((name, visit), []).append(found)
    if measured:
        share = {**about, "unit": "%", "quantity": "soft-volume-fraction-of-icv"}
        subject.add("measurements", visit, **share, value=100 * soft / 1500)
    if status == "truncated_fov":
        part = {**about, "status": "measured", "quantity": "visible-volume"}
        subject.add("measurements", visit, **part, value=0.4 * soft)


def _lesions(subject: Subject, visit: str, name: str) -> None:
    """Lesions of one kind on FLAIR: none, some or many."""
    count = int(subject.rng.choice([0, 1, 3, 14]))
    sizes = sorted((subject.near(2.0, 1.2) for _ in range(count)), reverse=True)
    about = {
        **{"kind": "FLAIR", "region": name, "unit": "mL"},
        "status": "measured" if count else "absent",
        "presence": float(
            subject.rng.uniform(0.6, 1) if count else subject.rng.uniform(0, 0.4)
        ),
    }
    total = sum(sizes) if count else None
    ends = {"lower": 0.7 * total, "upper": 1.4 * total} if total else {}
    subject.add("measurements", visit, **about, quantity="soft-volume", value=total, **ends)
    if count:
        number = {**about, "unit": "1", "quantity": "count"}
        subject.add("measurements", visit, **number, value=float(count))
    for instance, size in enumerate(sizes, start=1):
        across = float((6 * size * 1000 / np.pi) ** (1 / 3))
        for quantity, value, unit in (
            ("volume", size, "mL"),
            ("max-diameter", subject.near(across, 0.1), "mm"),
            ("bidimensional", subject.near(across**2, 0.1), "mm2"),
        ):
            row = {**about, "instance": instance, "quantity": quantity, "unit": unit}
            subject.add("lesions", visit, **row, value=value)
        _findings(subject, visit, name, instance)


def _findings(subject: Subject, visit: str, region: str, instance: int) -> None:
    side = subject.one_of(("left", "right"))
    values = {"lobe": f"{side}-{subject.one_of(LOBES)}"}
    values |= {feature: subject.one_of(words) for feature, words in FEATURES.items()}
    for feature, value in values.items():
        known = subject.rng.random() < FOUND
        subject.add(
            *("findings", visit),
            **{"kind": "FLAIR", "region": region, "instance": instance, "feature": feature},
            value=value if known else None,
            probability=float(subject.rng.uniform(0.4, 1)) if known else None,
            status="measured" if known else "failed_qc",
        )


def _midline(subject: Subject, visit: str) -> None:
    shift = float(subject.rng.normal(0, 4))
    value = "none" if abs(shift) <= LEAST_SHIFT_MM else ("right" if shift > 0 else "left")
    known = subject.rng.random() < FOUND
    subject.add(
        *("findings", visit),
        **{"region": "brain", "instance": None, "feature": "midline-shift"},
        value=value if known else None,
        probability=float(subject.rng.uniform(0.5, 1)) if known else None,
        evidence=json.dumps({"shift": {"value": shift, "unit": "mm"}}) if known else None,
        status="measured" if known else "truncated_fov",
    )


def _changes(subject: Subject) -> None:
    """From each visit to the next; noise is known of some structures, of all or of none."""
    names = list(subject.visits)
    known = {} if subject.rng.random() < NO_NOISE else _noise(subject)
    noise = Noise("anatomy-small 0.3.0", "pairs", {"soft-volume": known})
    for first, second in pairwise(names):
        days = float((subject.visits[second] - subject.visits[first]).days)
        for region, visit in list(subject.volumes):
            if visit != first:
                continue
            of = subject.volumes
            for one, other in zip(of[region, first], of[region, second], strict=True):
                found = change(one, other, days, noise)
                row = {name: getattr(found, name) for name in found.__slots__}
                earlier = f"{subject.name}_{first}_T1w"
                subject.add(
                    *("changes", second),
                    **{"earlier_session": first, "earlier_case": earlier, **row},
                )


def _noise(subject: Subject) -> dict[str, Repeatability]:
    spread = subject.rng.choice([1.0, 8.0])
    kinds = [*VOLUMES_ML, *GROUPS_ML]
    return {kind: Repeatability((spread, 0.5 * spread, spread)) for kind in kinds}


def _ledger(subject: Subject, region: str) -> None:
    """What became of a handful of lesions at each visit."""
    names = list(subject.visits)
    for lesion in range(1, int(subject.rng.integers(2, 9))):
        volume: float | None = subject.near(1.0, 0.8)
        for number, visit in enumerate(names):
            fate = None
            if number:
                fate = subject.one_of(FATES[1:]) if volume else subject.one_of(("new",))
            if fate == "resolved":
                volume = None
            elif fate is not None:
                grown = {"enlarging": 1.6, "shrinking": 0.5, "stable": 1.02, "new": 1.0}
                volume = grown[fate] * (volume or subject.near(0.4, 0.5))
            subject.add(
                *("ledger", visit),
                **{"kind": "FLAIR", "region": region, "lesion": lesion, "fate": fate},
                **{"volume_ml": volume, "status": "measured" if volume else "absent"},
                related=None,
            )
