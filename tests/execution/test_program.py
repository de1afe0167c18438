"""Programs over one case: what is written, what is put down, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import UsageError
from medprompt_cli.execution.program import check_runnable, run_program, suffixes_of
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.parser import parse

GRID = Geometry((40, 40, 40), np.diag([1.0, 1.0, 1.0, 1.0]))
TUMOR = 5000 + LESIONS.index("tumor")
LEFT_CORTEX, RIGHT_CORTEX, LEFT_HIPPOCAMPUS = 103, 142, 117


@pytest.fixture(autouse=True)
def every_lesion_is_visible(monkeypatch):
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)


def scan(*boxes, suffix="T1w"):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[5:20, 5:35, 5:35], voxels[20:35, 5:35, 5:35] = LEFT_CORTEX, RIGHT_CORTEX
    for value, box in boxes:
        voxels[box] = value
    return Image(suffix, Visit(None, 0), lambda: Volume(voxels, GRID, source="x"), "x")


BIG, SMALL = (TUMOR, np.s_[8:14, 10:15, 10:15]), (TUMOR, np.s_[28:30, 10:12, 10:12])


def run(intent, segmenter, *scans):
    return run_program(compose(intent), scans, segmenter)


def test_only_what_is_saved_is_written(threshold_segmenter):
    largest = Intent(("tumor",), ("volume", "count"), filters=("rank:largest",))

    found = run(largest, threshold_segmenter, scan(BIG, SMALL))

    assert [mask.region for mask in found.case.masks] == ["largest-tumor"]
    assert [(r.name, r.status, r.volume_ml) for r in found.case.results] == [
        ("largest-tumor", "measured", 0.15)
    ]
    assert [(v.statement, v.value, v.unit) for v in found.values] == [
        ("read(count(instances(largest_tumor)))", 1.0, "1"),
        ("read(volume(largest_tumor))", 150.0, "mm3"),
    ]
    assert found.case.labels is None


def test_a_named_structure_goes_into_the_label_map(threshold_segmenter):
    asked = Intent(("left-hippocampus",), ("volume",))

    found = run(asked, threshold_segmenter, scan((LEFT_HIPPOCAMPUS, np.s_[8:10, 8:10, 8:10])))

    assert found.case.labels is not None
    assert set(found.case.labels.names.values()) == {"left-hippocampus"}
    assert found.values[0].value == 8.0


def test_what_is_absent_is_absent_and_its_value_is_null(threshold_segmenter):
    asked = Intent(("tumor",), ("volume",), filters=("size:>1mL",))

    found = run(asked, threshold_segmenter, scan(SMALL))

    assert [(r.name, r.status, r.volume_ml) for r in found.case.results] == [
        ("chosen-tumor", "absent", None)
    ]
    assert [(v.value, v.status) for v in found.values] == [(None, "absent")]
    assert not found.case.masks


def test_the_network_runs_once_for_all_that_is_looked_at(threshold_segmenter):
    asked = Intent(("tumor",), ("fraction-of-icv",), filters=("side:left",))

    found = run(asked, threshold_segmenter, scan(BIG, SMALL))

    assert len(threshold_segmenter.seen) == 1
    assert found.values[0].value == pytest.approx(150 / (30**3 - 150 - 8), rel=0.02)


def test_images_given_together_are_read_together(threshold_segmenter):
    asked = Intent(("tumor",), ("volume",))

    found = run(asked, threshold_segmenter, scan(BIG), scan(BIG, suffix="FLAIR"))

    assert found.values[0].value == 150.0
    assert len(threshold_segmenter.seen) == 1


@pytest.mark.parametrize(
    ("intent", "said"),
    [
        (
            Intent(("tumor",), ("change",), "visits", visits="first-last"),
            "This asks about several visits; medprompt segment looks at one at a time.",
        ),
        (
            Intent(("tumor",), ("difference",), "images", images=("FLAIR", "T1w")),
            "This sets images of one visit against each other,"
            " which one label map cannot hold.",
        ),
        (
            Intent(("lesion",), ("new-lesions",), "visits", visits="first-last"),
            "This asks about several visits; medprompt segment looks at one at a time.",
        ),
        (
            Intent(("lesion",), filters=("resolved",), compares="visits", visits="first-last"),
            "A lesion that has resolved is not in the later scan, where this looks for it.",
        ),
    ],
    ids=["visits", "images", "fates", "resolved"],
)
def test_what_one_case_cannot_answer_is_refused_before_any_image(intent, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        check_runnable(compose(intent))


def test_a_kind_that_is_named_is_read_alone(threshold_segmenter):
    flair = Image("FLAIR", Visit(None, 0), scan(BIG).read, "flair")
    mixed = 'tumor = segment(image("FLAIR"), "tumor")\nread(mean(image("T1w"), tumor))\n'
    found = run_program(parse(mixed), [flair, scan()], threshold_segmenter)

    assert threshold_segmenter.seen == ["x"]
    assert found.values[0].value == LEFT_CORTEX


def test_kinds_of_image_are_those_that_are_named():
    assert suffixes_of(compose(Intent(("tumor",)))) == ()
    assert suffixes_of(compose(Intent(("tumor",), images=("FLAIR", "T1w")))) == ("FLAIR", "T1w")
    mixed = 'tumor = segment(image("FLAIR"), "tumor")\nread(mean(image("T1w"), tumor))\n'
    assert suffixes_of(parse(mixed)) == ("FLAIR", "T1w")
