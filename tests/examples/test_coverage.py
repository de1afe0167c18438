"""The constants of intervals are found again where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import LabelMap
from medprompt_cli.execution.segment import CaseResult, TargetResult
from medprompt_cli.measurement.interval import volume_sd_ml


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("coverage")


def drawn(script, correlated, share, count=600):
    """Structures whose expected volumes are off as the constants say."""
    random = np.random.default_rng(0)
    spreads = np.exp(random.uniform(np.log(0.05), np.log(50), count))
    errors = [random.normal(0, volume_sd_ml(s, correlated, share)) for s in spreads]
    sums = [PosteriorSums(100.0 + e, 90.0, s) for s, e in zip(spreads, errors, strict=True)]
    dice = [script.expected_dice(100.0, s) for s in sums]
    return [
        script.Told(n // 30, "x", 100.0, 100.0, s, d)
        for n, (s, d) in enumerate(zip(sums, dice, strict=True))
    ]


@pytest.mark.parametrize(("correlated", "share"), [(100.0, 0.3), (400.0, 0.1), (10.0, 0.6)])
def test_the_constants_are_found_again(script, correlated, share):
    told = drawn(script, correlated, share)
    fitted = script.fit(told)

    assert script.coverage(told, *fitted) == pytest.approx(0.95, abs=0.01)
    for spread in (0.1, 1.0, 30.0):
        wanted = volume_sd_ml(spread, correlated, share)
        assert volume_sd_ml(spread, *fitted) == pytest.approx(wanted, rel=0.25)


def test_half_of_the_heads_are_judged_by_the_other_half(script):
    lines = list(script.summary(drawn(script, 100.0, 0.3)))

    held = float(lines[0].partition(": ")[2].partition("%")[0])
    assert held == pytest.approx(95, abs=4)
    assert lines[-1].endswith("correlation 1.00 over 600 structures")


def test_what_is_told_of_a_head(script):
    grid = Geometry((8, 8, 8), np.eye(4))
    found = np.zeros(grid.shape, np.uint8)
    found[1:5, 2:6, 2:6] = 17
    found[6, 2:6, 2:6] = 18
    truth = np.zeros((*grid.shape, 2), np.uint8)
    truth[2:5, 2:6, 2:6] = 17
    truth[1, 2:6, 2:6, 0] = 17
    sums = PosteriorSums(0.06, 0.05, 0.01)
    result = CaseResult(
        LabelMap(found, grid, {17: "left-hippocampus", 18: "left-amygdala"}),
        (),
        (
            TargetResult("left-hippocampus", "measured"),
            TargetResult("left-amygdala", "truncated_fov"),
        ),
        sums={"left-hippocampus": sums, "left-amygdala": sums},
    )
    (told,) = script.told_of(3, result, truth, 0.001)

    assert (told.head, told.name) == (3, "left-hippocampus")
    assert (told.true_ml, told.mask_ml) == pytest.approx((0.056, 0.064))
    assert told.error_ml == pytest.approx(0.004)
    assert told.dice == pytest.approx(2 * 48 / (64 + 48))


def test_the_first_stream_of_a_head_is_the_scan(script, head, recipe):
    from medprompt_cli.synthesis.deform import Draw
    from medprompt_cli.synthesis.generator import Generator

    sample = Generator([head], recipe.generator, Draw(0)).sample()
    volume = script.volume_of(sample)

    assert volume.geometry.spacing == sample.spacing
    assert np.array_equal(volume.voxels, sample.images[0].numpy())
