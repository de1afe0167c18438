import numpy as np
import pytest
from scipy import ndimage

from medprompt_cli.longitudinal.repeatability import Limits, Repeatability

SHAPE = (48, 48, 48)
MIDDLE = np.array([23.0, 24.0, 22.0])


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("warped")


def ball(radius):
    apart = np.moveaxis(np.indices(SHAPE), 0, -1) - MIDDLE
    return 0.5 - 0.5 * np.tanh(np.linalg.norm(apart, axis=-1) - radius)


@pytest.mark.parametrize("factor", [0.95, 1.1])
@pytest.mark.parametrize("radius", [7.0, 9.0], ids=["seen-too-large", "seen-too-small"])
def test_a_scaled_ball_has_the_volume_asked_for_wherever_it_was_seen(script, factor, radius):
    """The mask that it is scaled by has a radius of 8."""
    pull = script.scaling(ball(8) > 0.5, (1.0, 1.0, 1.0), factor)
    places = np.indices(SHAPE) + pull

    there = ndimage.map_coordinates(ball(radius), places, order=3)

    assert there.sum() / ball(radius).sum() == pytest.approx(factor, abs=0.003)
    assert not pull[:, :2].any()  # far off nothing moves


def test_nothing_but_noise_is_between_pictures_without_change(script):
    voxels = (100 * ball(15)).astype(np.float32)
    still = np.zeros((3, *SHAPE), np.float32)

    found = script.scanned(voxels, still, np.random.default_rng(0))

    inside = ball(15) > 0.999
    assert found[inside].mean() == pytest.approx(100, abs=1)
    assert found[inside].std() == pytest.approx(2, abs=0.2)


def test_known_and_measured_stand_beside_each_other(script):
    def volumes(hippocampus, ventricle):
        sides = {f"{side}-hippocampus": 4 * hippocampus for side in ("left", "right")}
        return sides | {
            f"{side}-lateral-ventricle": 9 * ventricle for side in ("left", "right")
        }

    found = {
        "": volumes(1, 1),
        "hippocampus": volumes(0.96, 1.01),
        "lateral-ventricle": volumes(1.02, 1.08),
    }
    limits = Limits("m", "s", {"soft-volume": {"hippocampus": Repeatability((1.0,) * 4)}})

    first, second = script.rows("x", found, limits)

    assert first == ("x", "hippocampus", "-5", "-4.0", "-4.0", "+2.0, +2.0", "2.8", "2 of 2")
    assert second[1:] == ("lateral-ventricle", "+10", "+8.0", "+8.0", "+1.0, +1.0", "-", "-")
