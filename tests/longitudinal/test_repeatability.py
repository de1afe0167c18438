"""Limits learnt of pairs, against a simulation and in closed form."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.domain.anatomy import KINDS
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.errors import InputError
from medprompt_cli.longitudinal.change import change
from medprompt_cli.longitudinal.repeatability import (
    Limits,
    Repeatability,
    default_limits,
    learn,
    read_limits,
    write_limits,
)


def test_one_pair_in_closed_form():
    found = Repeatability((3.0,))

    assert found.variation_percent == pytest.approx(3 / math.sqrt(2))
    assert found.limit_percent == pytest.approx(3 * 12.7062, rel=1e-4)  # t(0.975, 1)


def test_of_many_pairs_it_is_the_repeatability_coefficient():
    differences = np.random.default_rng(0).normal(0, 2 * math.sqrt(2), 20_000)

    found = Repeatability(tuple(differences))

    assert found.variation_percent == pytest.approx(2, rel=0.02)
    assert found.limit_percent == pytest.approx(2.77 * 2, rel=0.02)


@pytest.mark.parametrize("pairs", [2, 4, 15])
def test_95_percent_of_new_differences_stay_within(pairs):
    random = np.random.default_rng(pairs)
    inside = [
        abs(random.normal()) <= Repeatability(tuple(random.normal(size=pairs))).limit_percent
        for _ in range(4000)
    ]

    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_learning_pools_sides_and_leaves_out_what_was_not_measured(volume_of):
    missing = Measurement.missing("third-ventricle", "soft-volume", "mL", "absent")
    first = [
        volume_of(4.0),
        volume_of(2.0, "right-hippocampus"),
        volume_of(1.0, "csf"),
        missing,
    ]
    second = [
        volume_of(4.2),
        volume_of(1.9, "right-hippocampus"),
        volume_of(0.0, "brainstem"),
        volume_of(1.0, "third-ventricle"),
    ]

    found = learn([(first, second)], "weights 1", "two scans")

    assert list(found.entries["soft-volume"]) == ["hippocampus"]
    hippocampus = found.of("left-hippocampus", "soft-volume")
    assert hippocampus is not None
    assert hippocampus.differences_percent == pytest.approx((200 * 0.2 / 8.2, -200 * 0.1 / 3.9))
    assert found.of("right-hippocampus", "soft-volume") is hippocampus
    assert found.percent("left-hippocampus", "volume") is None
    assert found.percent("csf", "soft-volume") is None


def test_what_was_written_is_read():
    limits = Limits(
        'a "name" \\ of 눈',
        "two\nlines",
        {"volume": {"csf": Repeatability((1.5, -0.25)), "brain": Repeatability((0.1,))}},
    )

    assert read_limits(write_limits(limits)) == limits
    of_one_kind = replace(limits, kind="FLAIR", most_mm=4.5)
    assert read_limits(write_limits(of_one_kind)) == of_one_kind


def test_limits_hold_for_the_scans_they_were_learnt_on():
    limits = default_limits()

    assert limits.hold_for("T1w", 1.0)
    assert not limits.hold_for("T1w", 3.0)
    assert not limits.hold_for("FLAIR", 1.0)
    assert replace(limits, kind=None, most_mm=None).hold_for("FLAIR", 9.0)


@pytest.mark.parametrize(
    "text",
    ["method = 1", "what?", 'method = "a"\nsource = "b"\n[differences-percent]\nvolume = 3'],
)
def test_a_table_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="repeatability limits cannot be read"):
        read_limits(text)


def test_no_difference_teaches_nothing():
    with pytest.raises(InputError, match=r"was to be learnt of \[\]"):
        Repeatability(())


def test_the_default_is_what_the_readme_measured(repository):
    readme = (repository / "README.md").read_text(encoding="utf-8")
    measured = readme.split("<!-- retest:start -->")[1].split("| Read as real change")[0]

    limits = default_limits()

    assert f"Weights {limits.method}," in measured
    for kind, found in limits.entries["soft-volume"].items():
        (row,) = re.findall(rf"^\| {kind} \| (.*?) \| (.*?) \|", measured, re.MULTILINE)
        numbers = [re.findall(r"[\d.]+", cell) for cell in row]
        sides = [float(n) for cell in numbers for n in (cell[1:] or cell)]
        assert found.differences_percent == tuple(sides)
    assert set(limits.entries["soft-volume"]) == set(KINDS)


def test_by_default_the_pairs_it_was_learnt_of_show_no_change():
    for kind, found in default_limits().entries["soft-volume"].items():
        for difference in found.differences_percent:
            first = Measurement(kind, "soft-volume", 100.0, "mL")
            factor = (200 + difference) / (200 - difference)
            second = Measurement(kind, "soft-volume", 100.0 * factor, "mL")
            assert change(first, second, limits=default_limits()).exceeds_limit is False


def test_the_demos_changes_are_real_by_default():
    """Hippocampi lose 5 % from visit to visit, lateral ventricles gain 10 %."""
    for region, factor in (("left-hippocampus", 0.95), ("right-lateral-ventricle", 1.1)):
        first = Measurement(region, "soft-volume", 4.0, "mL")
        second = Measurement(region, "soft-volume", 4.0 * factor, "mL")
        assert change(first, second, limits=default_limits()).exceeds_limit is True
