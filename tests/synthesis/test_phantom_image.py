import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.synthesis.phantom import Drawing
from medprompt_cli.synthesis.phantom_image import (
    FLAIR,
    NOISE,
    T1W,
    fine_slices,
    scan,
    signal,
    thick_slices,
)


def test_fine_slices_fill_the_same_box():
    affine = np.array([[0, -1, 0, 3], [1, 0, 0, 4], [0, 0, 4, 5], [0, 0, 0, 1]], float)
    thick = Geometry((5, 6, 7), affine)

    fine = fine_slices(thick, 3)

    assert fine.shape == (5, 6, 21)
    assert fine.spacing == pytest.approx((1, 1, 4 / 3))
    for k in range(7):
        middle = fine.to_world(np.array([2, 3, 3 * k + 1]))
        assert middle == pytest.approx(thick.to_world(np.array([2, 3, k])))


def test_thick_slices_average_their_parts():
    voxels = np.arange(12, dtype=np.float32).reshape(1, 2, 6)

    assert thick_slices(voxels, 3).tolist() == [[[1, 4], [7, 10]]]


def drawn(tissue):
    voxels = np.full((40, 40, 40), tissue, np.uint8)
    return Drawing(voxels, np.zeros_like(voxels), {}, {})


@pytest.mark.parametrize("contrast", [T1W, FLAIR], ids=["T1w", "FLAIR"])
def test_every_structure_gives_signal(contrast):
    table = contrast.table()

    assert (table[[2, 3, 4, 10, 16, 24, 41, 54, 60]] > 0).all()
    assert table[0] == 0


def test_t1w_is_bright_in_white_matter_and_flair_in_lesions():
    assert T1W.table()[2] > T1W.table()[3] > T1W.table()[24]
    assert FLAIR.lesion > FLAIR.table()[3] > FLAIR.table()[2] > FLAIR.table()[4]


def test_noise_in_air_is_rayleigh():
    rng = np.random.default_rng(0)

    voxels = scan(signal(drawn(0), T1W, rng), 0.0, rng)

    assert voxels.dtype == np.uint8
    assert voxels.mean() == pytest.approx(NOISE * np.sqrt(np.pi / 2), rel=0.03)


def test_blur_keeps_the_sum_of_the_signal():
    point = np.zeros((40, 40, 40), np.float32)
    point[18:22, 18:22, 18:22] = 200
    sharp = scan(point.copy(), 0.0, np.random.default_rng(1)).astype(float)
    soft = scan(point.copy(), 0.2, np.random.default_rng(1)).astype(float)
    air = NOISE * np.sqrt(np.pi / 2)

    core = np.s_[14:26, 14:26, 14:26]
    assert soft[20, 20, 20] < 1.05 * sharp[20, 20, 20]
    assert soft[17, 20, 20] > sharp[17, 20, 20] + 20
    assert (soft[core] - air).sum() == pytest.approx((sharp[core] - air).sum(), rel=0.1)
