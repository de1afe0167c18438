"""What the viewer gets: the same voxels in the same places, and the library itself."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Image

from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.domain.volume import Mask
from medprompt_cli.reporting.drawn import draw
from medprompt_cli.reporting.niivue import find_bundle, standalone_module
from medprompt_cli.reporting.viewer import viewer_of


def read_back(viewer, key):
    return Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(viewer.volumes[key])))


def test_images_keep_their_place_and_their_intensities(heads):
    case = heads.make("LIA")
    drawn = draw(case)
    image = read_back(viewer_of([drawn]), "image-0-0")
    at = drawn.geometry.shape
    corner = case.images[0].geometry.canonical().to_voxel(drawn.geometry.affine[:3, 3])
    first = np.rint(corner).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(first, at, strict=True))
    original = to_canonical(case.images[0].voxels, case.images[0].geometry)[box]
    low, high = drawn.windows[0]

    assert np.allclose(np.asarray(image.affine), drawn.geometry.affine)
    assert image.get_data_dtype() == np.uint8
    half_a_step = (high - low) / 255 / 2
    assert np.abs(image.get_fdata() - original.clip(low, high)).max() <= half_a_step * 1.01


def test_layers_hold_every_region_whole(heads):
    case = heads.make()
    grid = case.images[0].geometry
    wide = np.zeros(grid.shape, bool)
    wide[8:40, 10:46, 8:34] = True
    apart = np.zeros(grid.shape, bool)
    apart[2:4, 2:4, 2:4] = True
    masks = (Mask("brain", wide, grid), Mask("edema", apart, grid), *case.masks)
    drawn = draw(replace(case, masks=masks))
    viewer = viewer_of([drawn])
    there = {region.name: drawn.voxels_of(region).sum() for region in drawn.regions}

    # one for labels, one for the brain and what lies outside of it, one for the lesion in it
    assert len(drawn.layers) == 3
    assert there["brain"] == wide.sum()
    assert there["edema"] == apart.sum()
    assert there["lesion"] == case.masks[0].voxels.sum()
    for layer in viewer.settings["panes"][0]["layers"]:
        values = {region["value"] for region in layer["regions"]}
        assert set(np.unique(read_back(viewer, layer["key"]).get_fdata())) == {0, *values}


@given(seed=st.integers(0, 2**16))
def test_the_nearest_voxel_is_the_nearest(heads, seed):
    random = np.random.default_rng(seed)
    case = heads.make()
    grid = case.images[0].geometry
    voxels = random.random(grid.shape) > 0.9995
    voxels[24, 28, 20] = True
    drawn = draw(replace(case, labels=(), masks=(Mask("lesion", voxels, grid),)))
    place = random.uniform(-60, 60, 3)
    [region] = drawn.regions
    every = drawn.geometry.to_world(np.argwhere(drawn.voxels_of(region)))
    found = drawn.geometry.to_world(np.array(drawn.nearest(region, tuple(place))))

    apart = np.linalg.norm(every - place, axis=1).min()
    assert np.linalg.norm(found - place) == pytest.approx(apart)


def test_places_are_voxels_of_their_regions(heads):
    case = heads.make()
    middle = tuple(case.images[0].geometry.to_world(np.array([24.0, 28.0, 17.0])))
    drawn = draw(replace(case, places={"left-hippocampus": middle, "left-amygdala": middle}))
    [pane] = viewer_of([drawn]).settings["panes"]
    region = next(r for r in drawn.regions if r.name == "left-hippocampus")

    assert pane["places"].keys() == {"left-hippocampus"}
    assert drawn.voxels_of(region)[tuple(pane["places"]["left-hippocampus"])]


def test_the_first_and_the_last_visit_are_open_at_first(heads):
    cases = [
        heads.make(name=f"sub-01_{visit}_{kind}", visit=visit)
        for visit in ("ses-01", "ses-02", "ses-03")
        for kind in ("FLAIR", "T1w")
    ]
    panes = viewer_of([draw(case) for case in cases]).settings["panes"]

    assert [pane["name"] for pane in panes if pane["open"]] == [
        "sub-01_ses-01_FLAIR",
        "sub-01_ses-03_FLAIR",
    ]


def test_scans_move_together_in_the_space_they_were_registered_to(heads):
    move = np.eye(4)
    move[:3, 3] = 5, -2, 1
    cases = [heads.make(), replace(heads.make(visit="ses-02"), to_shared=move)]
    one, other = viewer_of([draw(case) for case in cases]).settings["panes"]

    assert (one["frame"], other["frame"]) == ("visit ses-01", "shared")
    there = np.array(other["toFrame"]) @ [1, 2, 3, 1] - np.array(other["toWorld"]) @ [
        1,
        2,
        3,
        1,
    ]
    assert there[:3] == pytest.approx([5, -2, 1])
    assert np.array(other["fromFrame"]) @ np.array(other["toFrame"]) == pytest.approx(
        np.eye(4), abs=1e-4
    )


def test_the_library_comes_from_its_package_whole():
    pytest.importorskip("ipyniivue", reason="the viewer comes with the extra `report`")
    bundle = find_bundle()

    assert bundle is not None
    module = gzip.decompress(base64.b64decode(bundle.packed)).decode()
    assert module.rstrip(";\n ").endswith("}")
    assert bundle.version.split(".")[0].isdecimal()
    assert "Redistribution and use" in bundle.licence


@pytest.mark.parametrize(
    "widget", ["", 'var a="x";', 'a="%FF%FE"', 'a="export%7BOther%7D"', 'b="export%20Niivue"']
)
def test_a_package_without_the_library_is_seen_as_such(widget):
    assert standalone_module(widget) is None


def test_the_module_is_taken_out_as_it_stands():
    widget = (
        'var x="short";var y="var%20a%3D%22%C3%A9%22%3Bexport%7Ba%20as%20Niivue%2CNVImage%7D";'
    )

    assert standalone_module(widget) == 'var a="é";export{a as Niivue,NVImage}'
