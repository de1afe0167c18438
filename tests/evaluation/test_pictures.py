import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Volume
from medprompt_cli.errors import InputError, OutputError
from medprompt_cli.evaluation.pictures import LETTERS, mosaic, write_png

SHAPE = (40, 30, 20)
YELLOW = [220, 216, 20]


def scene(spacing=(1.0, 1.0, 1.0), flip=False):
    """A cube labelled left-hippocampus, and one bright voxel column at high x."""
    affine = np.diag([*spacing, 1.0])
    image = np.zeros(SHAPE, np.float32)
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:30, 8:22, 5:15] = 17
    image[25:] = 100
    if flip:
        affine[0] = [-spacing[0], 0, 0, spacing[0] * (SHAPE[0] - 1)]
        image, labels = image[::-1], labels[::-1]
    grid = Geometry(SHAPE, affine)
    return Volume(image, grid), LabelMap(labels, grid, {})


def test_three_rows_of_slices():
    picture = mosaic(*scene(), slices=3)

    # all of the 40 x 30 x 20 voxels lie within the margin, two pixels to a mm
    assert picture.dtype == np.uint8
    assert picture.shape == (2 * (30 + 20 + 20), 3 * 80, 3)


def test_the_outline_goes_around_the_label_in_its_colour():
    picture = mosaic(*scene(), slices=1)

    axial = (picture[:60, :80] == YELLOW).all(axis=2)
    rows, columns = np.flatnonzero(axial.any(axis=1)), np.flatnonzero(axial.any(axis=0))
    assert (columns[0], columns[-1]) == (20, 59)
    assert (rows[-1] - rows[0] + 1) == 28
    assert not axial[30, 30]


def test_the_outline_is_closed_on_every_side():
    picture = mosaic(*scene(), slices=1)

    expected = np.zeros((60, 80), bool)
    expected[16:44, 20:60] = True  # the cube, 40 x 28 pixels
    expected[17:43, 21:59] = False
    np.testing.assert_array_equal((picture[:60, :80] == YELLOW).all(axis=2), expected)


def test_both_sides_of_a_border_between_labels_are_drawn():
    volume, labels = scene()
    labels.voxels[20:30, 8:22, 5:15] = 53

    picture = mosaic(volume, labels, slices=1)

    middle = picture[30, :80]
    drawn = np.flatnonzero((middle != middle[:, :1]).any(axis=1))
    assert drawn.tolist() == [20, 39, 40, 59]


def test_right_is_right_whatever_the_order_of_the_voxels():
    picture = mosaic(*scene(), slices=1)

    np.testing.assert_array_equal(picture, mosaic(*scene(flip=True), slices=1))
    assert picture[2, 75, 0] == 255
    assert picture[2, 5, 0] == 0


def test_ct_is_shown_in_a_brain_window():
    grid = Geometry((40, 40, 40), np.eye(4))
    image = np.full(grid.shape, -1000, np.float32)
    image[:, 10:20], image[:, 20:30], image[:, 30:] = 40, 80, 1500
    labels = LabelMap(np.zeros(grid.shape, np.uint8), grid, {})

    axial = mosaic(Volume(image, grid, "CT"), labels, slices=1)[:80, 40, 0]

    assert axial[[70, 50, 30, 10]].tolist() == [0, 127, 255, 255]


def test_letters_stand_beside_axial_and_coronal_slices():
    volume, labels = scene()
    volume.voxels[:] = 0

    picture = mosaic(volume, labels, slices=2)

    white = (picture == 255).all(axis=2)
    expected = np.zeros_like(white)
    for bottom in (60, 100):
        rows = [slice(bottom - 2 * (8 - at), bottom - 2 * (7 - at)) for at in range(7)]
        expected[rows[0].start : rows[-1].stop, 2:4] = True
        expected[rows[-1], 2:12] = True
        for at, line in enumerate(LETTERS["R"]):
            for column, pixel in enumerate(line):
                start = 160 - 12 + 2 * column
                expected[rows[at], start : start + 2] = pixel == "1"
    np.testing.assert_array_equal(white, expected)


def test_thick_slices_keep_their_proportions():
    picture = mosaic(*scene(spacing=(1.0, 1.0, 3.0)), slices=1)

    # the margin of 12 mm is 4 slices: 18 of the 20 are shown
    assert picture.shape == (60 + 2 * round(18 * 3 / 0.5), 80, 3)


def test_without_labels_the_whole_image_is_shown():
    volume, labels = scene()
    empty = LabelMap(np.zeros_like(labels.voxels), labels.geometry, {})

    picture = mosaic(volume, empty, slices=2)

    assert picture.shape == (2 * (30 + 20 + 20), 2 * 80, 3)
    assert (picture[..., 0] == picture[..., 1]).all()


def test_labels_of_another_grid_are_refused():
    volume, _ = scene()
    _, labels = scene(spacing=(1.0, 1.0, 2.0))

    with pytest.raises(InputError, match="the image and its labels have as many voxels"):
        mosaic(volume, labels)


def test_a_png_is_written(tmp_path):
    picture = mosaic(*scene(), slices=2)

    write_png(picture, tmp_path / "new" / "p.png")

    content = (tmp_path / "new" / "p.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20]) == picture.shape[1]
    assert int.from_bytes(content[20:24]) == picture.shape[0]


def test_a_name_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write_png(np.zeros((2, 2, 3), np.uint8), tmp_path / "p.nope")
