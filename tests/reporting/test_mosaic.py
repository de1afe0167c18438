"""Slices: the patient's left is on the left, and outlines enclose what they should."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medprompt_cli.domain.volume import Mask
from medprompt_cli.errors import InputError
from medprompt_cli.reporting import drawn as drawing
from medprompt_cli.reporting.drawn import draw
from medprompt_cli.reporting.mosaic import closeup, mosaic, outline

SVG = "{http://www.w3.org/2000/svg}"


def corners_of(path):
    """The corners of each line of a path, in absolute coordinates."""
    lines = []
    for part in path.split("M")[1:]:
        start, moves = part.removesuffix("z").split("l")
        steps = np.array([int(n) for n in re.findall(r"-?\d+", moves)]).reshape(-1, 2)
        first = [int(n) for n in re.findall(r"-?\d+", start)]
        lines.append(np.vstack([first, first + np.cumsum(steps, axis=0)]))
    return lines


def area_of(path):
    """What the lines enclose, holes taken off."""
    total = 0.0
    for corners in corners_of(path):
        x, y = corners.T
        total += float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    return abs(total)


@given(width=st.integers(1, 9), height=st.integers(1, 9), u=st.integers(0, 4))
def test_a_rectangle_is_outlined_but_for_its_corners(width, height, u):
    inside = np.zeros((16, 16), bool)
    inside[u : u + width, 3 : 3 + height] = True
    path = outline(inside)
    [corners] = corners_of(path)

    assert area_of(path) == 4 * width * height - 2
    assert corners.min(axis=0).tolist() == [2 * u, 6]
    assert corners.max(axis=0).tolist() == [2 * (u + width), 6 + 2 * height]


def test_a_hole_and_an_island_have_lines_of_their_own():
    inside = np.zeros((12, 12), bool)
    inside[1:6, 1:6] = True
    inside[3, 3] = False
    inside[9, 9] = True

    assert len(corners_of(outline(inside))) == 3
    # the square without its corners, the hole, the island
    assert area_of(outline(inside)) == (100 - 2) - 2 + 2


def test_nothing_has_no_outline():
    assert outline(np.zeros((3, 3), bool)) == ""


def pictures_of(svg):
    found = []
    for image in ElementTree.fromstring(svg).iter(f"{SVG}image"):
        content = base64.b64decode(image.get("href", "").partition(",")[2])
        found.append(np.asarray(Image.open(io.BytesIO(content))))
    return found


@pytest.mark.parametrize("letters", ["RAS", "LPS", "LIA", "PSR"])
def test_the_patients_left_is_on_the_left(heads, letters):
    drawn = draw(heads.make(letters))
    svg = str(mosaic(drawn, slices=3))
    middle = pictures_of(svg)[1]
    bright = middle > 0.7 * np.median(middle[middle > 60])
    left, right = np.array_split(middle.astype(float) * bright, 2, axis=1)

    assert left.mean() > 1.2 * right.mean()
    texts = [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert texts[:2] == ["L", "R"]
    assert ["P", "A"] in [texts[n : n + 2] for n in range(len(texts))]


def test_slices_are_the_same_however_the_file_is_stored(heads):
    plain, turned = (mosaic(draw(heads.make(letters))) for letters in ("RAS", "LIA"))

    assert plain == turned


def test_every_region_that_a_slice_cuts_has_its_colour(heads):
    drawn = draw(heads.make())
    svg = ElementTree.fromstring(closeup(drawn, (13, 28, 16)))
    named = {path.get("data-r"): path.get("stroke") for path in svg.iter(f"{SVG}path")}
    colors = {region.name: region.color for region in drawn.regions}

    assert named["left-hippocampus"] == colors["left-hippocampus"]
    assert len(list(svg.iter(f"{SVG}image"))) == 3


def test_what_covers_structures_is_there_but_not_drawn_at_first(heads):
    case = heads.make()
    brain = Mask("brain", np.ones(case.images[0].geometry.shape, bool), case.images[0].geometry)
    drawn = draw(replace(case, masks=(brain, *case.masks)))
    shown = {region.name: region.shown for region in drawn.regions}

    assert not shown["brain"]
    assert shown["lesion"]
    assert 'data-r="brain"' not in mosaic(drawn)
    assert draw(replace(case, labels=(), masks=(brain,))).regions[0].shown


def test_a_scan_is_cut_to_its_head(heads):
    case = replace(heads.make(), labels=(), masks=())
    drawn = draw(case)
    ellipsoid = [round(n * np.sqrt(0.8)) for n in case.images[0].geometry.shape]
    margins = [2 * np.ceil(8 / step) for step in case.images[0].geometry.spacing]

    assert np.allclose(drawn.geometry.shape, np.add(ellipsoid, margins), atol=2)


def test_a_large_scan_is_shown_coarser_on_a_grid_that_says_so(heads, monkeypatch):
    case = heads.make()
    fine = draw(case)
    monkeypatch.setattr(drawing, "MOST_VOXELS", 30_000)
    coarse = draw(case)

    assert coarse.coarser == (2, 2, 1)
    assert np.prod(coarse.geometry.shape) <= 30_000
    for one, other in zip(fine.regions, coarse.regions, strict=True):
        centres = [
            drawn.geometry.to_world(np.argwhere(drawn.voxels_of(region)).mean(axis=0))
            for drawn, region in ((fine, one), (coarse, other))
        ]
        assert np.abs(centres[0] - centres[1]).max() <= max(coarse.geometry.spacing) / 2


def test_a_mask_of_another_grid_is_refused(heads):
    case, other = heads.make(), heads.grid("LPS")
    stray = Mask("lesion", np.zeros(other.shape, bool), other)

    with pytest.raises(InputError, match="A mask lesion of sub-01_ses-01_T1w does not lie on"):
        draw(replace(case, masks=(stray,)))


def test_ct_is_shown_in_a_brain_window(heads):
    case = heads.make()
    [image] = case.images
    drawn = draw(replace(case, images=(replace(image, modality="CT"),)))

    assert drawn.windows == ((0.0, 80.0),)
