"""What lesions are like: programs over a head of boxes, which a segmenter sees by its shine."""

from __future__ import annotations

import numpy as np
import pytest

from medprompt_cli.domain import anatomy
from medprompt_cli.domain.anatomy import BASE_INDEX, LESIONS
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.interpreter import Interpreter
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.operations import Operations
from medprompt_cli.execution.program import run_program, suffixes_of
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.execution.wording import say
from medprompt_cli.measurement.resample import NOTE
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.parser import parse

GRID = Geometry((40, 40, 40), np.diag([1.0, 1.0, 1.0, 1.0]))
OWN = Visit("ses-01", 0)
TUMOR = 5000 + LESIONS.index("tumor")

HEAD = (
    (100 + BASE_INDEX["left-cerebral-white-matter"], np.s_[4:36, 4:36, 4:36]),
    (100 + PARCEL_INDEX["left-superior-frontal"], np.s_[4:7, 20:36, 4:36]),
    (100 + PARCEL_INDEX["left-lingual"], np.s_[4:7, 4:20, 4:36]),
    (100 + BASE_INDEX["left-thalamus"], np.s_[26:36, 4:14, 4:36]),
)
BIG, SMALL = np.s_[10:16, 26:32, 14:22], np.s_[10:14, 8:12, 14:18]
DEEP = np.s_[29:33, 7:11, 14:18]
CUT = np.s_[16:20, 26:30, 36:40]


def scan(suffix, *boxes, grid=GRID):
    """An image of boxes; read anew each time, as one from a file may be."""
    voxels = np.zeros(grid.shape, np.float32)
    for value, box in boxes:
        voxels[box] = value
    volume = Volume(voxels, grid, source=f"{suffix}.nii")
    return Image(suffix, OWN, lambda: volume, f"{suffix}.nii")


def labelled(*lesions):
    """The T1w that shows every label, and some tumors."""
    return scan("T1w", *HEAD, *((TUMOR, box) for box in lesions))


def other(suffix, tissue, *lesions, grid=GRID):
    """Another image of the same head: even tissue, with lesions of their own signal."""
    return scan(suffix, (tissue, np.s_[4:36, 4:36, 4:36]), *lesions, grid=grid)


@pytest.fixture(autouse=True)
def every_lesion_is_visible(monkeypatch):
    monkeypatch.setattr(anatomy, "VISIBLE_LESIONS", LESIONS)


@pytest.fixture
def run(threshold_segmenter):
    """What `medprompt segment` makes of a program in one case."""

    def start(program, *images):
        tree = parse(program)
        check(tree)
        return run_program(tree, images, threshold_segmenter)

    return start


def told(result):
    return [value.said for value in result.values]


def about(result):
    """Region, instance, feature, value and status of every finding."""
    findings = (found.finding for found in result.findings)
    return [(f.region, f.instance, f.feature, f.value, f.status) for f in findings]


SEE = 'tumor = segment(image("T1w"), "tumor")\n'


@pytest.mark.parametrize(
    ("signal", "word"), [(150, "hyper"), (100, "iso"), (50, "hypo")], ids=str
)
def test_signal_on_an_image_that_is_named(run, threshold_segmenter, signal, word):
    flair = other("FLAIR", 100, (signal, BIG))
    found = run(f'{SEE}read(signal(tumor, image("FLAIR")))', labelled(BIG), flair)

    assert told(found) == [word]
    assert threshold_segmenter.seen == ["T1w.nii"]  # once, and what is named alone
    [characterized] = found.findings
    assert characterized.images == (flair,)
    assert characterized.finding.evidence["z"].value == pytest.approx(signal - 100)
    assert characterized.finding.probability > 0.9


def test_signal_is_that_of_the_image_it_was_seen_on(run):
    assert told(run(f"{SEE}read(signal(tumor))", labelled(BIG))) == ["hyper"]


def test_other_lesions_are_not_normal_tissue(run):
    """A tumor among bright lesions is held against the tissue around all of them."""
    around = np.s_[8:24, 22:36, 10:28]
    t1w = scan("T1w", *HEAD, (5000, around), (TUMOR, BIG))
    flair = other("FLAIR", 100, (200, around), (130, BIG))
    found = run(f'{SEE}read(signal(tumor, image("FLAIR")))', t1w, flair)

    assert told(found) == ["hyper"]


def test_hyperintense_lesions_are_kept_and_the_others_are_not(run):
    program = f"""{SEE}bright = where(instances(tumor), signal(it, image("FLAIR")) == "hyper")
save(bright, "bright")
read(count(bright))
read(signal(bright, image("FLAIR")))
"""
    flair = other("FLAIR", 100, (50, BIG), (150, SMALL))
    found = run(program, labelled(BIG, SMALL), flair)

    assert told(found) == ["1", "hyper"]
    [mask] = found.case.masks
    assert mask.voxels.sum() == 4**3
    assert about(found) == [
        ("tumor", 1, "signal", "hypo", "measured"),
        ("tumor", 2, "signal", "hyper", "measured"),
        ("chosen tumor", None, "signal", "hyper", "measured"),
    ]
    assert found.values[1].region == "bright"


@pytest.fixture
def thalamus_beneath(threshold_segmenter, monkeypatch):
    """A network says what tissue a lesion lies in; shining voxels are the lesion alone."""
    plain = threshold_segmenter.segment

    def segment(volumes, targets):
        found = plain(volumes, targets)
        found.labels.voxels[DEEP] = BASE_INDEX["left-thalamus"]
        return found

    monkeypatch.setattr(threshold_segmenter, "segment", segment)


@pytest.mark.usefixtures("thalamus_beneath")
def test_lobes_with_and_without_side_and_what_lies_in_none(run, threshold_segmenter):
    program = f"""{SEE}found = instances(tumor)
read(lobe(tumor))
read(lobe(smallest(found)))
read(count(where(found, lobe(it) == "left-frontal-lobe")))
read(count(where(found, lobe(it) == "frontal-lobe")))
read(count(where(found, lobe(it) == "right-frontal-lobe")))
read(count(where(found, lobe(it) != "frontal-lobe")))
"""
    found = run(program, labelled(BIG, DEEP))

    assert told(found) == ["left-frontal-lobe", "none", "1", "1", "0", "1"]
    assert len(threshold_segmenter.seen) == 1
    assert about(found)[1:] == [
        ("tumor", 2, "lobe", None, "error"),
        ("tumor", 1, "lobe", "left-frontal-lobe", "measured"),
    ]  # once each, however often it was asked


def test_no_territory_is_seen(run):
    found = run(f"{SEE}read(territory(tumor))", labelled(BIG))

    assert told(found) == ["not known (the weights do not see arterial territories)"]
    assert about(found) == [("tumor", None, "territory", None, "not_visible")]


def after(added, *lesions, noise=0.0):
    """A T1ce on a scale of its own, brighter by so much in some boxes."""
    plain = labelled(*lesions).read().voxels
    voxels = 1.5 * plain + 20 * (plain > 0)
    for box in lesions[:1]:
        voxels[box] += added
    if noise:
        voxels = np.random.default_rng(0).normal(0, noise, GRID.shape)
    volume = Volume(voxels.astype(np.float32), GRID)
    return Image("T1ce", OWN, lambda: volume, "T1ce.nii")


def test_enhancement_of_each_lesion(run):
    program = f"""{SEE}read(enhances(tumor))
save(where(instances(tumor), enhances(it)), "enhancing")
"""
    with_uptake = run(program, labelled(BIG, SMALL), after(500.0, BIG, SMALL))
    without = run(program, labelled(BIG, SMALL), after(0.0, BIG, SMALL))

    assert (told(with_uptake), told(without)) == (["yes"], ["no"])
    assert [mask.voxels.sum() for mask in with_uptake.case.masks] == [6 * 6 * 8]
    assert without.case.results[-1].status == "absent"


@pytest.mark.parametrize(
    ("dwi", "adc", "said"), [(200, 400, "yes"), (200, 800, "no"), (100, 400, "no")]
)
def test_diffusion_is_restricted_where_dwi_is_bright_and_adc_low(run, dwi, adc, said):
    images = other("dwi", 100, (dwi, BIG)), other("ADC", 800, (adc, BIG))
    found = run(f"{SEE}read(restricts_diffusion(tumor))", labelled(BIG), *images)

    assert told(found) == [said]
    assert found.findings[0].finding.number("adc") == pytest.approx(adc)
    assert found.findings[0].images == images


@pytest.mark.parametrize(
    ("function", "feature", "kind"),
    [
        ("enhances", "enhancement", "T1ce"),
        ("restricts_diffusion", "diffusion-restriction", "dwi"),
    ],
)
def test_without_the_image_it_is_not_known_and_nothing_is_kept(run, function, feature, kind):
    program = f"""{SEE}read({function}(tumor))
kept = where(instances(tumor), {function}(it))
save(kept, "kept")
read(count(kept))
"""
    found = run(program, labelled(BIG))

    assert told(found) == [
        f"not known (there is no {kind} at ses-01)",
        "not known (no such image or date)",
    ]
    assert [value.status for value in found.values] == ["missing", "missing"]
    assert about(found) == [
        ("tumor", None, feature, None, "error"),
        ("tumor", 1, feature, None, "error"),
    ]
    assert not found.case.masks


def test_images_that_do_not_match_give_no_answer_and_the_reason(run):
    noise = after(0.0, BIG, noise=10.0)
    found = run(f"{SEE}read(enhances(tumor))", labelled(BIG), noise)

    assert found.values[0].status == "failed_qc"
    assert found.values[0].said.startswith(
        "not known (the images before and after contrast agent do not match: they correlate"
    )


def test_an_image_on_another_grid_is_resampled(run):
    coarse = Geometry((20, 20, 20), np.diag([2.0, 2.0, 2.0, 1.0]))
    half = tuple(slice(s.start // 2, s.stop // 2) for s in BIG)
    voxels = np.zeros(coarse.shape, np.float32)
    voxels[2:18, 2:18, 2:18], voxels[half] = 100, 150
    flair = Image("FLAIR", OWN, lambda: Volume(voxels, coarse), "FLAIR.nii")
    program = f"""{SEE}read(signal(tumor, image("FLAIR")))
read(percentile(image("FLAIR"), tumor, 100))
"""
    found = run(program, labelled(BIG), flair)

    assert told(found) == ["hyper", "150"]
    assert found.findings[0].finding.notes[-1] == NOTE


def test_an_image_of_elsewhere_shows_nothing_of_it(run):
    far = np.diag([1.0, 1.0, 1.0, 1.0])
    far[:3, 3] = 500.0
    flair = other("FLAIR", 100, (150, BIG), grid=Geometry((40, 40, 40), far))
    found = run(f'{SEE}read(signal(tumor, image("FLAIR")))', labelled(BIG), flair)

    assert told(found) == ["not known (no voxel of it has a finite signal)"]
    assert found.values[0].status == "failed_qc"


def test_what_the_border_cuts_is_truncated_and_the_rest_is_told(run):
    program = f"""{SEE}bright = where(instances(tumor), signal(it) == "hyper")
save(bright, "bright")
read(count(bright))
"""
    found = run(program, labelled(BIG, CUT))

    assert about(found) == [
        ("tumor", 1, "signal", "hyper", "measured"),
        ("tumor", 2, "signal", None, "truncated_fov"),
    ]
    assert told(found) == ["not known (cut by the edge of the image)"]
    assert found.case.results[0].status == "truncated_fov"


def test_what_is_absent_is_like_nothing(run):
    found = run(f"{SEE}read(signal(tumor))\nread(lobe(tumor))", labelled())

    assert told(found) == ["not known (absent)"] * 2
    assert about(found) == [
        ("tumor", None, "signal", None, "absent"),
        ("tumor", None, "lobe", None, "absent"),
    ]


def test_kinds_of_image_include_those_of_the_functions():
    program = f"{SEE}read(enhances(tumor))\nread(restricts_diffusion(tumor))\n"

    assert suffixes_of(parse(program)) == ("T1w", "T1ce", "dwi", "ADC")


def test_a_dialogue_looks_twice_at_most(threshold_segmenter):
    """It cannot know what will be asked next, but looks for all that goes with it."""
    case = Case.of("sub-01", [labelled(BIG)])
    operations = Operations(case, Looker(threshold_segmenter))
    interpreter = Interpreter(case, operations.table())
    events = []
    for line in (SEE, "read(signal(tumor))", "read(lobe(tumor))", "read(signal(tumor))"):
        events += interpreter.run(parse(line))

    assert [say(event.value) for event in events[1:]] == ["hyper", "left-frontal-lobe", "hyper"]
    assert len(threshold_segmenter.seen) == 2
