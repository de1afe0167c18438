"""What is called true of a synthetic lesion is what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_STRUCTURES
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_NAMES
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.synthesis.bank import write_bank
from medprompt_cli.synthesis.classes import PAINT_CLASSES
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_paint import STEP
from medprompt_cli.synthesis.lesion_parts import PART_INDEX, PARTS

GRID = Geometry((40, 40, 40), np.eye(4))
WHITE = "left-cerebral-white-matter"


@pytest.fixture
def heads(benchmark_module):
    return benchmark_module("characterise_heads")


@pytest.fixture
def images(benchmark_module):
    return benchmark_module("characterise_images")


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("characterise")


def brain(**boxes):
    """White matter of the left hemisphere, and what else is asked for, with its parcels."""
    rows = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
    voxels = np.full(GRID.shape, rows[WHITE], np.uint8)
    parcels = np.zeros(GRID.shape, np.uint8)
    for name, box in boxes.items():
        kind = name.replace("_", "-")
        if kind in rows:
            voxels[box] = rows[kind]
        else:
            voxels[box] = rows["left-cerebral-cortex"]
            parcels[box] = PARCEL_NAMES.index(kind) + 1
    names = {n: name for name, n in rows.items()}
    numbered = dict(enumerate(PARCEL_NAMES, start=1))
    return LabelMap(voxels, GRID, names), LabelMap(parcels, GRID, numbered)


def box(first, last):
    voxels = np.zeros(GRID.shape, bool)
    voxels[first:last, 15:25, 15:25] = True
    return Mask("lesion", voxels, GRID)


def test_the_lobe_is_that_of_most_of_the_cortex_around(heads):
    ends = {"left_precuneus": np.s_[:4], "left_superior_frontal": np.s_[30:]}
    structures, parcels = brain(**ends)

    assert heads.true_lobe(box(3, 8), structures, parcels) == "left-parietal-lobe"
    assert heads.true_lobe(box(25, 33), structures, parcels) == "left-frontal-lobe"
    assert heads.true_lobe(box(14, 20), structures, parcels) is None  # deep: 6 mm to cortex


def test_what_touches_two_lobes_alike_has_no_true_lobe(heads):
    between = {"left_precuneus": np.s_[:10], "left_superior_frontal": np.s_[20:]}
    assert heads.true_lobe(box(12, 18), *brain(**between)) is None


def test_deep_gray_matter_is_in_no_lobe(heads):
    found = brain(left_thalamus=np.s_[10:30], left_precuneus=np.s_[30:])
    assert heads.true_lobe(box(15, 29), *found) == "none"


def test_a_piece_is_whole_and_large_enough(heads):
    parts = np.zeros(GRID.shape, np.uint8)
    parts[10:16, 10:16, 10:16] = PART_INDEX["ms"]
    parts[20:23, 20:23, 20:23] = PART_INDEX["ms"]
    parts[30:, 30:36, 30:36] = PART_INDEX["cyst"]  # ends at the border
    parts[4:6, 4:6, 4:6] = PART_INDEX["wmh"]  # 8 mm3

    where, part = heads.piece(parts, GRID, Draw(0))
    assert (part, np.count_nonzero(where), where[12, 12, 12]) == ("ms", 216, True)
    assert heads.piece(np.where(parts == PART_INDEX["ms"], 0, parts), GRID, Draw(0)) is None


@pytest.mark.parametrize(
    ("step", "wanted"), [(STEP[0], "hyper"), (-STEP[0], "hypo"), (0.1, "iso"), (-0.1, "iso")]
)
def test_the_word_for_a_drawn_step(images, step, wanted):
    assert images.graded(step) == wanted


@pytest.fixture
def painter(images):
    """A lesion of 1000 voxels in white matter."""
    white = next(n for n, p in enumerate(PAINT_CLASSES) if p.index == BASE_INDEX[WHITE])
    labels = torch.full(GRID.shape, white, dtype=torch.uint8)
    lesion = torch.from_numpy(box(15, 25).voxels)
    parts = lesion.to(torch.uint8) * PART_INDEX["ms"]
    return lambda seed: images.Painter(labels, parts, lesion, Draw(seed))


def gap(image, painter):
    """By how much the lesion's median lies above that of the rest, relative to the latter."""
    inside, outside = (image[where].median() for where in (painter.lesion, ~painter.lesion))
    return float(inside / outside - 1)


@pytest.mark.parametrize("seed", range(6))
def test_images_show_what_is_called_true(painter, seed):
    drawn = painter(seed)
    takes_up, before, after = drawn.enhancement()
    added = gap(after, drawn) - gap(before, drawn)
    assert (takes_up == "yes") == (added > 0.05)

    restricted, dwi, adc = drawn.diffusion("ms")
    low = gap(adc, drawn) < -0.25
    assert (restricted == "yes") == low
    assert gap(dwi, drawn) > 0 or restricted == "no"


def test_what_is_acute_is_not_called_unrestricted(images, painter):
    acute = {part.name for part in PARTS if part.look and part.look["dwi"] == (0.95, 1.2)}
    assert acute == images.RESTRICTED


def test_cases_are_drawn_and_judged(script, heads, head, tmp_path, monkeypatch):
    write_bank(tmp_path / "bank", [head])
    monkeypatch.setattr(heads, "BOXES", ((2, 2, 2),))
    judged = script.answers(heads.cases(tmp_path / "bank", 2, 2.0, 0))

    asked = {(a.case, a.task) for a in judged if a.task != "lobe"}
    assert asked == {(n, t) for n in (0, 1) for t in ("signal", "enhancement", "diffusion")}
    assert all(a.right == (a.said == a.truth) for a in judged)
    again = script.answers(heads.cases(tmp_path / "bank", 2, 2.0, 0))
    assert again == judged


def test_the_table_counts_what_is_right(script):
    def one(case, task, said, truth):
        return script.Answer(case, task, "ms", said, truth, 0.9 if said else None)

    judged = [
        *(one(n, "signal", "hyper", "hyper" if n < 3 else "iso") for n in range(4)),
        one(0, "diffusion", "yes", "yes"),
        one(1, "diffusion", None, "no"),
    ]
    lines = script.table(judged).splitlines()

    assert lines[2].startswith("| signal: hyper, iso or hypo | 4 | 75.0 (")
    assert lines[2].endswith("| 90.0 | 0 | 75.0 |")
    assert lines[3].startswith("| diffusion restriction: yes or no | 2 | 50.0 (")
    assert lines[3].endswith("| 90.0 | 1 | 50.0 |")
    assert lines[4].startswith("| **mean of the tasks** | 4 | 62.5 (")
    assert list(script.mistakes(judged)) == [
        "signal: iso was called hyper 1 times",
        "diffusion: no was called nothing 1 times",
    ]


def test_no_lobe_is_said_without_a_value(script):
    evidence = {"share-no-lobe": (80.0, "%")}
    outside = Finding.missing("lesion", "lobe", "error", evidence)  # pyright: ignore - a pair
    assert script.word(outside) == "none"
    assert script.word(Finding.missing("lesion", "signal", "failed_qc")) is None
