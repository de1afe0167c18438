import numpy as np
import pytest
import SimpleITK

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Mask, Volume
from medprompt_cli.longitudinal.registration import Check, Registration
from medprompt_cli.longitudinal.transforms import (
    LPS,
    about,
    degrees_turned,
    inverse,
    moved,
    rotation,
    translation,
)

GOOD = Check(0.99, 1.3, 1.02, 0.005, 1.03, 0.1)
POINTS = np.array([[x, y, z] for x in (-50, 50) for y in (-60, 60) for z in (-40, 40)], float)


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("registration")


def test_what_is_left_of_a_move_in_closed_form(script):
    move = script.a_move(np.zeros(3), np.random.default_rng(1))
    found = Registration(translation((0.3, 0, 0.4)) @ move, GOOD, None)

    error = script.error_of(found, move, POINTS)

    assert error.mm == pytest.approx(0.5)
    assert error.degrees == pytest.approx(0, abs=1e-6)
    assert (error.mean_mm, error.largest_mm) == pytest.approx((0.5, 0.5))
    turned = Registration(move @ rotation((0, 0, 1), 1), GOOD, None)
    error = script.error_of(turned, move, POINTS)
    assert (error.mm, error.degrees) == pytest.approx((0, 1), abs=1e-9)
    assert error.largest_mm == pytest.approx(2 * np.hypot(50, 60) * np.sin(np.pi / 360))


def test_a_move_is_10_mm_and_10_degrees_about_the_middle(script):
    middle = np.array([3.0, -20.0, 8.0])

    for seed in range(5):
        move = script.a_move(middle, np.random.default_rng(seed))
        assert degrees_turned(move) == pytest.approx(10)
        assert np.linalg.norm(moved(middle, move) - middle) == pytest.approx(10)


def test_registrations_that_failed_are_counted_and_not_averaged(script):
    errors = [
        script.Error(0.1, 0.2, 0.3, 0.4),
        script.Error(),
        script.Error(0.3, 0.4, 0.5, 0.6),
    ]

    assert script.moves_line("a", errors, 2.0) == (
        "| a | 3 | 1 | 0.20 (0.30) | 0.30 (0.40) | 0.40 (0.50) | 0.50 (0.60) | 2.0 |"
    )
    assert (
        script.moves_line("b", [script.Error()], 2.0) == "| b | 1 | 1 | - | - | - | - | 2.0 |"
    )


def test_a_visit_shows_the_subject_where_the_pose_puts_it(script):
    ball = np.array([12.0, -5.0, 20.0])

    def scan(pose, grid):
        places = np.indices(grid.shape).reshape(3, -1).T.astype(float)
        world = moved(grid.to_world(places), inverse(pose))
        return (np.linalg.norm(world - ball, axis=1) < 15).reshape(grid.shape) * 100.0

    subject = script.Subject("ball", np.zeros((1, 3)) + ball, scan, 100.0)
    pose = translation((6, 2, -3)) @ about(ball, rotation((1, 1, 0), 10))

    image = script.scanned(subject, pose, 0.001, np.random.default_rng(0))

    bright = np.argwhere(image.voxels > 5)
    weights = image.voxels[tuple(bright.T)]
    seen = np.average(image.geometry.to_world(bright.astype(float)), axis=0, weights=weights)
    np.testing.assert_allclose(seen, moved(ball, pose), atol=0.3)
    assert image.geometry.spacing == pytest.approx((1, 1, 4))


def test_an_affine_of_itk_is_read_as_itk_reads_it(script, tmp_path):
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix([1.01, 0.02, 0, -0.02, 0.99, 0.05, 0, -0.05, 1])
    transform.SetCenter((3, 4, 5))
    transform.SetTranslation((1, -2, 0.5))
    numbers = " ".join(map(repr, transform.GetParameters()))
    path = tmp_path / "move.txt"
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\n"
        "Transform: MatrixOffsetTransformBase_double_3_3\n"
        f"Parameters: {numbers}\nFixedParameters: 3 4 5\n"
    )

    move = script.read_itk(path)

    point = np.array([10.0, -20, 30])
    lps = np.array(transform.TransformPoint(moved(point, LPS).tolist()))
    np.testing.assert_allclose(moved(point, move), moved(lps, LPS))


def test_another_kind_of_file_is_refused(script, tmp_path):
    (tmp_path / "move.txt").write_text("Transform: BSplineTransform_double_3_3\n")

    with pytest.raises(ValueError, match=r"move\.txt holds no affine transform"):
        script.read_itk(tmp_path / "move.txt")


def test_images_correlate_after_the_right_move_alone(script):
    grid = Geometry((20, 20, 20), np.diag([2.0, 2.0, 2.0, 1.0]))
    random = np.random.default_rng(0)
    voxels = random.normal(size=(22, 20, 20)).astype(np.float32)
    first, second = Volume(voxels[:20], grid), Volume(voxels[2:], grid)
    brain = Mask("brain", np.ones(grid.shape, bool), grid)

    assert script.correlation(first, second, translation((-4, 0, 0)), brain) > 0.999
    assert abs(script.correlation(first, second, np.eye(4), brain)) < 0.1
