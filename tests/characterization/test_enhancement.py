"""Contrast agent, with an uptake set by hand and scales that differ between the images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betainc

from medprompt_cli.characterization.contrast import CORRELATED_VOXELS
from medprompt_cli.characterization.enhancement import (
    ENHANCED_SHARE,
    PRIOR,
    enhances,
    match,
    uptake,
)
from medprompt_cli.domain.volume import Volume

T1 = {"cerebral-white-matter": 100.0, "cerebral-cortex": 60.0}
SLOPE, OFFSET, NOISE = 1.4, 30.0, 2.0
BOX = ((10, 20), (22, 34), (14, 24))


@pytest.fixture
def pair(head):
    """T1 before and after, the second brighter by so much in a mask."""

    def build(where, added):
        before = head.image(T1, NOISE, seed=1)
        clean = head.image(T1).voxels * SLOPE + OFFSET
        noise = np.random.default_rng(2).normal(0, NOISE * SLOPE, clean.shape)
        after = clean + noise + np.where(where, added, 0)
        return before, Volume(after.astype(np.float32), head.geometry)

    return build


def judge(head, images, lesion):
    before, after = images
    added = uptake(before, after, head.structures, lesion)
    return enhances(lesion, added, head.structures, lesion)


def test_uptake_of_known_size(head, pair, certainty):
    lesion = head.lesion(*BOX)

    before, after = pair(lesion.voxels, 50)

    found = judge(head, (before, after), lesion)

    assert (found.value, certainty(found)) == ("yes", "definitely")
    tissue = np.isin(head.labels, (2, 3, 41, 42)) & ~lesion.voxels
    level = float(np.median(after.voxels[tissue]))
    assert found.number("normal-median") == pytest.approx(level)
    assert found.number("difference") == pytest.approx(50, abs=0.5)
    both = np.hypot(NOISE * SLOPE, NOISE * SLOPE)
    assert found.number("normal-spread") == pytest.approx(both, rel=0.1)
    assert found.number("z") == pytest.approx(50 / both, rel=0.1)
    assert found.number("slope") == pytest.approx(SLOPE, rel=0.02)
    assert found.number("enhanced-share") == pytest.approx(100)


def test_a_scanner_that_is_turned_up_is_no_uptake(head, pair, number, certainty):
    lesion = head.lesion(*BOX)

    found = judge(head, pair(lesion.voxels, 0), lesion)

    assert (found.value, certainty(found)) == ("no", "definitely")
    assert found.number("difference") == pytest.approx(0, abs=0.5)
    assert number(found, "enhanced-share") < 1


@pytest.mark.parametrize(("rows", "word"), [(5, "yes"), (0, "no")])
def test_a_part_is_enough(head, pair, rows, word):
    """A rim of 5 of 12 rows enhances by 40, though the median of the lesion does not."""
    lesion = head.lesion(*BOX)
    part = head.lesion(BOX[0], (22, 22 + rows), BOX[2])

    found = judge(head, pair(part.voxels, 40), lesion)

    assert found.value == word
    assert found.number("enhanced-share") == pytest.approx(100 * rows / 12, abs=1)
    assert found.number("difference") == pytest.approx(0, abs=6)


def test_probability_follows_from_share_and_size(head, pair):
    lesion = head.lesion((10, 14), (22, 26), (14, 19))  # 80 voxels, 16 of them enhanced
    part = head.lesion((10, 14), (22, 26), (14, 15))

    found = judge(head, pair(part.voxels, 100), lesion)

    hits, misses = (n / CORRELATED_VOXELS for n in (16, 64))
    wanted = 1 - betainc(hits + PRIOR[0], misses + PRIOR[1], ENHANCED_SHARE)
    assert (found.value, found.probability) == ("yes", pytest.approx(wanted))


def test_a_few_voxels_are_neither_here_nor_there(head, pair, certainty):
    assert betainc(*PRIOR, ENHANCED_SHARE) == pytest.approx(0.5)
    small = head.lesion((12, 14), (26, 28), (18, 19))

    found = judge(head, pair(small.voxels, 0), small)

    assert (found.value, certainty(found)) == ("no", "probably")


@pytest.mark.parametrize(("added", "word"), [(0.02, "no"), (0.05, "yes")])
def test_without_noise_a_percent_counts_as_one_spread(head, painted, added, word):
    lesion, before = head.lesion(*BOX), head.image(T1)
    level = 100.0  # white matter is most of the tissue
    after = painted(before, lesion, added * level)

    found = judge(head, (before, after), lesion)

    assert (found.value, found.number("z")) == (word, pytest.approx(100 * added, rel=1e-3))


def test_images_of_mean_0_and_spread_1_do(head, pair):
    """Their normal tissue may lie at 0, where a part of the signal means nothing."""
    lesion = head.lesion(*BOX)
    images = pair(lesion.voxels, 50)
    scored = [
        Volume((v.voxels - np.median(v.voxels[head.labels > 0])) / 20, head.geometry)
        for v in images
    ]

    plain, found = judge(head, images, lesion), judge(head, scored, lesion)

    assert found.value == plain.value == "yes"
    assert found.number("z") == pytest.approx(plain.number("z"), rel=0.01)


def test_vessels_do_not_bend_the_line(head, pair):
    lesion = head.lesion(*BOX)
    vessels = np.random.default_rng(3).random(head.labels.shape) < 0.04
    vessels &= ~lesion.voxels

    found = judge(head, pair(vessels, 300), lesion)

    assert found.number("slope") == pytest.approx(SLOPE, rel=0.03)
    assert found.value == "no"


def test_images_that_do_not_match_are_refused(head, pair):
    lesion = head.lesion(*BOX)
    before, after = pair(lesion.voxels, 50)
    noise = Volume(np.random.default_rng(4).normal(size=after.voxels.shape), head.geometry)
    flat = Volume(np.ones_like(after.voxels), head.geometry)

    found = judge(head, (before, noise), lesion)
    assert (found.value, found.status) == (None, "failed_qc")
    assert found.notes[0].startswith("The images before and after contrast agent do not match:")
    assert judge(head, (before, flat), lesion).notes[0].endswith("no line fits.")


def test_absent_comes_before_all_else(head, pair):
    nowhere = head.lesion((0, 0), (0, 0), (0, 0))

    assert judge(head, pair(nowhere.voxels, 0), nowhere).status == "absent"


def test_a_line_through_points_on_a_line():
    before = np.arange(1000.0)
    after = 3 * before - 7
    after[::50] += 10_000

    found = match(before, after)

    assert found is not None
    assert (found.slope, found.offset) == (pytest.approx(3), pytest.approx(-7, abs=0.1))
    assert found.correlation == pytest.approx(1)
    assert match(before, np.ones(1000)) is None
