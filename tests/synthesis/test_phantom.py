import numpy as np
import pytest

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, BILATERAL
from medprompt_cli.domain.geometry import Geometry, to_canonical
from medprompt_cli.synthesis.phantom import draw
from medprompt_cli.synthesis.phantom_frame import make_head

PLAUSIBLE_ML = {
    "cerebral-white-matter": (170, 350),
    "cerebral-cortex": (190, 330),
    "lateral-ventricle": (4, 30),
    "inferior-lateral-ventricle": (0.3, 3),
    "cerebellar-white-matter": (9, 25),
    "cerebellar-cortex": (35, 75),
    "thalamus": (5, 10),
    "caudate": (2.4, 5.5),
    "putamen": (3.3, 7),
    "pallidum": (0.8, 2.2),
    "hippocampus": (2.2, 5.3),
    "amygdala": (0.8, 2.2),
    "accumbens": (0.25, 0.8),
    "ventral-diencephalon": (2.3, 6),
    "third-ventricle": (0.5, 3),
    "fourth-ventricle": (0.7, 3),
    "brainstem": (14, 27),
    "csf": (200, 600),
}
"""Of adults, one side each; wide enough for anyone, too narrow for a misplaced shape."""


def head_grid(spacing):
    shape = np.round(np.array([172, 216, 176]) / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = (-86, -121, -80)
    return Geometry(tuple(shape), affine)


@pytest.fixture(scope="module")
def head():
    return make_head(np.random.default_rng(4))


@pytest.fixture(scope="module")
def drawing(head):
    return draw(head_grid(2.0), head, np.eye(4))


@pytest.mark.parametrize("structure", BASE_STRUCTURES, ids=lambda s: s.name)
def test_every_structure_is_there_at_a_plausible_size(drawing, structure):
    volume = (drawing.tissue == structure.index).sum() * 8 / 1000

    low, high = PLAUSIBLE_ML[structure.kind]
    assert low < volume < high


@pytest.mark.parametrize("kind", BILATERAL)
def test_left_is_left_of_right(drawing, kind):
    left, right = (
        np.argwhere(drawing.tissue == index)[:, 0].mean() for index in BILATERAL[kind]
    )

    assert left < right


def test_what_is_known_of_where_parts_lie(drawing):
    middle = {
        s.name: head_grid(2.0).to_world(np.argwhere(drawing.tissue == s.index)).mean(axis=0)
        for s in BASE_STRUCTURES
    }

    assert middle["left-putamen"][0] < middle["left-pallidum"][0] < middle["left-thalamus"][0]
    assert middle["left-caudate"][1] > middle["left-thalamus"][1]
    assert middle["left-amygdala"][1] > middle["left-hippocampus"][1]
    assert middle["left-lateral-ventricle"][2] > middle["left-inferior-lateral-ventricle"][2]
    assert middle["fourth-ventricle"][1] < middle["brainstem"][1]
    assert middle["left-cerebellar-cortex"][2] < middle["left-cerebral-cortex"][2]


def test_the_brain_is_wrapped_in_fluid_and_that_in_bone(drawing):
    brain = (drawing.tissue > 0) & (drawing.tissue < 100) & (drawing.tissue != 24)
    wrapped = np.zeros_like(brain)
    for axis in range(3):
        for step in (1, -1):
            wrapped |= np.roll(brain, step, axis)
    shell = drawing.tissue[wrapped & ~brain]

    assert (shell == 24).mean() > 0.95
    assert (shell == 0).sum() == 0


def test_a_head_is_the_same_on_a_grid_that_runs_the_other_way(head, drawing):
    grid = head_grid(2.0)
    flip = np.eye(4)
    flip[0, 0], flip[0, 3] = -1, grid.shape[0] - 1
    other = Geometry(grid.shape, grid.affine @ flip)

    turned = draw(other, head, np.eye(4))

    same = to_canonical(turned.tissue, other) == drawing.tissue
    assert same.mean() > 0.999


def test_moving_head_and_grid_together_changes_nothing(head, drawing):
    pose = np.array([[0, -1, 0, 5], [1, 0, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1]], float)
    grid = head_grid(2.0)

    moved = draw(Geometry(grid.shape, pose @ grid.affine), head, pose)

    assert (moved.tissue == drawing.tissue).mean() > 0.999


def test_wanted_counts_are_met_to_the_voxel(head, drawing):
    wanted = {
        "left-lateral-ventricle": round(1.3 * drawing.counts["left-lateral-ventricle"]),
        "right-hippocampus": round(0.8 * drawing.counts["right-hippocampus"]),
        "lesion-1": round(2 * drawing.counts["lesion-1"]),
    }

    changed = draw(head_grid(2.0), head, np.eye(4), counts=wanted)

    assert {name: changed.counts[name] for name in wanted} == wanted
    assert (changed.tissue == 4).sum() == wanted["left-lateral-ventricle"]
    assert (changed.tissue == 53).sum() == wanted["right-hippocampus"]
    assert (changed.lesions == 1).sum() == wanted["lesion-1"]
    assert changed.levels["left-lateral-ventricle"] > 0 > changed.levels["right-hippocampus"]
    assert (changed.tissue == 17).sum() == (drawing.tissue == 17).sum()


def test_levels_found_on_one_grid_give_the_same_volume_on_a_finer_one(head, drawing):
    wanted = {"left-lateral-ventricle": round(1.4 * drawing.counts["left-lateral-ventricle"])}
    levels = draw(head_grid(2.0), head, np.eye(4), counts=wanted).levels

    fine = draw(head_grid(1.5), head, np.eye(4), levels=levels)

    volume = fine.counts["left-lateral-ventricle"] * 1.5**3
    assert volume == pytest.approx(wanted["left-lateral-ventricle"] * 8, rel=0.03)


def test_lesions_lie_in_white_matter(drawing):
    assert set(np.unique(drawing.lesions)) == {0, 1, 2, 3}
    assert set(np.unique(drawing.tissue[drawing.lesions > 0])) <= {2, 41}


def test_people_differ():
    one, two = (
        draw(head_grid(4.0), make_head(np.random.default_rng(n)), np.eye(4)) for n in (1, 2)
    )

    brains = [(d.tissue > 0) & (d.tissue < 100) for d in (one, two)]
    assert 0.75 < (brains[0] & brains[1]).sum() / (brains[0] | brains[1]).sum() < 0.98
