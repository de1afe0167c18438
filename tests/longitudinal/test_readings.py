"""What published rules say of made-up changes."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Mask
from medprompt_cli.longitudinal.change import change
from medprompt_cli.longitudinal.ledger import LesionVisit, build_ledger
from medprompt_cli.longitudinal.readings import (
    brain_loss,
    lesion_activity,
    lesion_counts,
    ml_a_year,
    normal_loss,
    ventricle_change,
)
from medprompt_cli.longitudinal.repeatability import Limits, Repeatability

LIMITS = Limits("m", "s", {"soft-volume": {"ventricles": Repeatability((1.0, 1.0, 1.0))}})


def brain_change(percent, days: float | None = 365.25):
    first = Measurement("brain", "soft-volume", 1200.0, "mL")
    last = Measurement("brain", "soft-volume", 1200.0 * (1 + percent / 100), "mL")
    return change(first, last, days)


@pytest.mark.parametrize(
    ("percent", "ms", "neda"),
    [
        (0.2, "above every cut-off", "no more loss than allowed"),
        (-0.36, "above every cut-off", "no more loss than allowed"),
        (-0.38, "below the optimal cut-off", "no more loss than allowed"),
        (-0.42, "below the cut-off of 80 % specificity", "more loss than allowed"),
        (-0.48, "below the cut-off of 90 % specificity", "more loss than allowed"),
        (-0.6, "below the cut-off of 95 % specificity", "more loss than allowed"),
    ],
)
def test_brain_loss_beside_published_cut_offs(percent, ms, neda):
    found = brain_loss(brain_change(percent))

    assert [reading.value for reading in found] == [ms, neda]
    for reading in found:
        assert any("SIENA" in note for note in reading.notes)
        assert any("Imaging only" in note for note in reading.notes)
        assert reading.source


@pytest.mark.parametrize(
    ("age", "mean", "highest"),
    [(45, 0.15, 0.52), (50, 0.225, 0.645), (70, 0.535, 1.25), (75, 0.61, 1.45)],
)
def test_healthy_loss_by_age(age, mean, highest):
    assert normal_loss(age) == pytest.approx((mean, highest))


@pytest.mark.parametrize(
    ("age", "value", "status"),
    [
        (45, "above the 95th percentile", "measured"),
        (65, "within 95 % of healthy", "measured"),
        (30, None, "error"),
    ],
)
def test_brain_loss_for_the_age(age, value, status):
    reading = brain_loss(brain_change(-1.0), age)[2]

    assert (reading.value, reading.status) == (value, status)


def test_a_short_interval_is_warned_of():
    reading = brain_loss(brain_change(-0.4, days=90))[0]

    assert any("Over 90 days" in note for note in reading.notes)


def test_without_days_there_is_no_rate():
    reading = brain_loss(brain_change(-0.4, days=None))[0]

    assert (reading.value, reading.status) == (None, "error")
    assert reading.reason == "the visits have no dates, so there is no loss a year"
    assert brain_loss(brain_change(-0.4))[0].reason is None


def test_a_brain_that_was_not_measured_keeps_its_status():
    cut = Measurement.missing("brain", "soft-volume", "mL", "truncated_fov")

    readings = brain_loss(change(cut, cut, 365), 50)

    assert {reading.status for reading in readings} == {"truncated_fov"}
    assert {reading.value for reading in readings} == {None}


@pytest.mark.parametrize(
    ("after", "value"),
    [(22.0, "enlarged"), (18.0, "smaller"), (20.3, "no change beyond noise")],
)
def test_ventricles_against_the_methods_own_noise(after, value):
    found = change(
        Measurement("ventricles", "soft-volume", 20.0, "mL"),
        Measurement("ventricles", "soft-volume", after, "mL"),
        730.5,
        LIMITS,
    )

    reading = ventricle_change(found)

    assert reading.value == value
    assert reading.numbers["mL a year"] == pytest.approx((after - 20) / 2)


def test_ventricles_whose_noise_is_not_known_are_not_judged(volume_of):
    found = change(volume_of(20.0, "ventricles"), volume_of(25.0, "ventricles"), 365)

    reading = ventricle_change(found)

    assert (reading.value, reading.status) == (None, "error")
    assert "is not known for this structure" in str(reading.reason)
    assert not any("not known" in note for note in reading.notes)  # said once
    assert ml_a_year(found) == pytest.approx(5 * 365.25 / 365)


def visit(name, *boxes, to_mid=True):
    voxels = np.zeros((40, 40, 40), bool)
    for corner, side in boxes:
        voxels[tuple(slice(a, a + side) for a in corner)] = True
    mask = Mask("ms-lesion", voxels, Geometry((40, 40, 40), np.eye(4)))
    return LesionVisit(name, mask, np.eye(4) if to_mid else None)


def test_lesions_are_counted_from_visit_to_visit():
    grows, stays, new, tiny = (2, 2, 2), (20, 2, 2), (2, 20, 20), (30, 30, 30)
    ledger = build_ledger(
        [
            visit("a", (grows, 8), (stays, 5)),
            visit("b", (grows, 9), (stays, 5), (new, 6), (tiny, 2)),
            visit("c", to_mid=False),
            visit("d", (grows, 9), (stays, 5)),
        ]
    )

    first, unknown, also_unknown = lesion_counts(ledger)

    assert first.counts == {"enlarging": 1, "stable": 1, "new": 1}
    assert (first.new_or_enlarging, first.too_small) == (2, 1)
    assert unknown.new_or_enlarging is None
    assert also_unknown.new_or_enlarging is None


def test_activity():
    active = build_ledger([visit("a"), visit("b", ((5, 5, 5), 6))])
    quiet = build_ledger([visit("a", ((5, 5, 5), 6)), visit("b")])
    failed = build_ledger([visit("a"), visit("b", to_mid=False)])

    found = [lesion_activity(lesion_counts(ledger)[0]) for ledger in (active, quiet, failed)]

    assert [reading.value for reading in found] == ["active", "not active", None]
    assert found[0].numbers["new"] == 1
    assert found[2].status == "failed_qc"
    assert str(found[2].reason).startswith("the lesions of a visit could not be followed")
