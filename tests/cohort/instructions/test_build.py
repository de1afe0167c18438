"""Masks become pairs; what does not is counted with its reason."""

import json
import re
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.instruction_set import read_pairs
from medprompt_cli.bids.mask_files import source_paths
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.bids.parts import stage_part
from medprompt_cli.bids.schemas import FindingRow
from medprompt_cli.cohort.instruction_build import build_instructions
from medprompt_cli.cohort.instruction_job import BuildJob
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.synthesis.demo import DemoOptions, write_demo
from medprompt_cli.synthesis.instructions.questions import Least

SUMMARY = "summary.json"


def built(folder, out, **options):
    return build_instructions(BuildJob(folder.root, out, **options))


def by_question(out, language="en"):
    pairs = [pair for pair in read_pairs(out) if pair.language == language]
    return {(p.participant_id, p.form, p.target, p.place): p for p in pairs}


def gates(found):
    return {(d.case, d.what, d.target, d.place): d.gate for d in found.dropped}


def test_pairs_of_every_type_come_of_masks(heads, tmp_path):
    found = built(heads, tmp_path / "set", balanced=False)
    pairs = by_question(tmp_path / "set")

    assert found.images == 2
    there = {key for key, pair in pairs.items() if pair.type != "absence"}
    assert there == {
        ("sub-01", "global", "tumor", None),
        ("sub-01", "basic", "tumor", "left-hemisphere"),
        ("sub-01", "basic", "tumor", "left-cerebral-white-matter"),
        ("sub-01", "lesion_inference", "tumor", None),
    }
    tumor = pairs["sub-01", "global", "tumor", None]
    assert (tumor.pieces, tumor.volume_ml) == (1, pytest.approx(48 * 0.008))
    assert pairs["sub-01", "lesion_inference", "tumor", None].asked == "lesion"
    assert pairs["sub-01", "basic", "tumor", "right-hemisphere"].type == "absence"
    assert pairs["sub-01", "global", "infarct", None].type == "absence"
    assert pairs["sub-02", "lesion_inference", "lesion", None].type == "absence"
    assert {target for who, _, target, _ in pairs if who == "sub-02"} == set(LESIONS)


def test_nothing_is_said_of_lesions_that_no_mask_speaks_of(heads, tmp_path):
    built(heads, tmp_path / "set", balanced=False)

    asked = {target for who, _, target, _ in by_question(tmp_path / "set") if who == "sub-01"}
    assert asked == {"tumor", "infarct"}


def test_masks_lie_on_the_image_and_hold_the_target(heads, tmp_path, boxes):
    heads.mask("sub-01", "Tumor", boxes("left"), boxes("right"))
    out = tmp_path / "set"
    built(heads, out, balanced=False)
    pairs = by_question(out)
    image: Any = nib.load(heads.root / "sub-01/anat/sub-01_FLAIR.nii.gz")

    for place, box in (("left-hemisphere", "left"), ("right-hemisphere", "right")):
        pair = pairs["sub-01", "basic", "tumor", place]
        written: Any = nib.load(out / pair.mask)
        assert np.array_equal(written.affine, image.affine)
        expected = np.zeros(image.shape, np.uint8)
        expected[boxes(box)] = 1
        assert np.array_equal(np.asarray(written.dataobj), expected)
        assert pair.volume_ml == pytest.approx(expected.sum() * 0.008)
    whole = read_labels(out / pairs["sub-01", "global", "tumor", None].mask).voxels
    assert whole.sum() == 48 + 60


def test_images_and_truth_are_found_by_their_uris(heads, tmp_path):
    out = tmp_path / "set"
    built(heads, out)
    for pair in read_pairs(out):
        paths = source_paths(out, (*pair.images, *pair.truth))
        assert all(path.is_file() for path in paths)
        assert paths[0].name == f"{pair.participant_id}_FLAIR.nii.gz"


def test_there_and_absent_are_balanced_and_surplus_is_counted(heads, tmp_path):
    found = built(heads, tmp_path / "set")

    types = [pair.type for pair in found.pairs]
    assert types.count("absence") == len(types) / 2 == 8
    everything = built(heads, tmp_path / "all", balanced=False)
    assert found.by_gate["surplus"] == (len(everything.pairs) - len(found.pairs)) / 2


def test_the_same_folder_and_seed_give_the_same_bytes(tmp_path):
    write_demo(tmp_path / "demo", DemoOptions(subjects=1, sessions=1, small=True))
    contents = []
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        out = tmp_path / name
        build_instructions(BuildJob(tmp_path / "demo", out, seed))
        files = (path for path in sorted(out.rglob("*")) if path.is_file())
        contents.append({p.relative_to(out).as_posix(): p.read_bytes() for p in files})

    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    assert any(name.endswith("_mask.nii.gz") for name in contents[0])


def test_languages_can_be_chosen(heads, tmp_path):
    found = built(heads, tmp_path / "set", languages=("ko",))

    assert {pair.language for pair in found.pairs} == {"ko"}
    assert all(re.search("[가-힣]", pair.instruction + pair.answer) for pair in found.pairs)


def test_what_gives_no_pair_is_counted_with_its_reason(heads, tmp_path, boxes):
    case = "sub-03_FLAIR"
    heads.head("sub-03")
    heads.mask("sub-03", "Cyst", np.s_[:4, 10:14, 4:7])  # the image ends there
    heads.mask("sub-03", "Edema", np.s_[8:10, 8:10, 4:6])  # 8 voxels
    heads.mask("sub-03", "Ventricle", boxes("left"))
    heads.mask("sub-04", "Tumor", boxes("left"))
    found = built(heads, tmp_path / "set", balanced=False)

    counted = gates(found)
    assert counted[case, "mask", "cyst", None] == "truncated"
    assert counted[case, "global", "edema", None] == "too-small"
    assert counted[case, "basic", "edema", "left-hemisphere"] == "too-small"
    name = f"{case.removesuffix('_FLAIR')}_space-orig_label-Ventricle_desc-FLAIR_mask.nii.gz"
    assert counted[case, "mask", name, None] == "not-a-lesion"
    assert counted["sub-04_FLAIR", "image", "", None] == "no-image"
    assert counted[case, "lesion_inference", "lesion", None] == "truncated"
    summary = json.loads((tmp_path / "set" / SUMMARY).read_text())
    assert summary["dropped"]["mask"] == {"not-a-lesion": 1, "truncated": 1}
    rows = (tmp_path / "set" / "dropped.tsv").read_text().splitlines()
    assert len(rows) == 1 + len(found.dropped)
    assert f"{case}\tmask\tcyst\tn/a\ttruncated\tn/a" in rows


def test_the_least_size_can_be_chosen(heads, tmp_path):
    found = built(heads, tmp_path / "set", balanced=False, least=Least(0.0, 49))

    assert gates(found)["sub-01_FLAIR", "global", "tumor", None] == "too-small"


def test_an_image_that_cannot_be_used_leaves_the_others(heads, tmp_path, boxes):
    heads.head("sub-03")
    moved = np.diag([2.0, 2.0, 3.0, 1.0])
    heads.save(heads.drawn("sub-03", "label-Tumor", "mask"), np.ones((40, 30, 12)), moved)
    heads.head("sub-04")
    heads.mask("sub-04", "Tumor", boxes("left")).write_bytes(b"no image")
    found = built(heads, tmp_path / "set")

    assert {d.case: d.gate for d in found.dropped if d.what == "image"} == {
        "sub-03_FLAIR": "grid-mismatch",
        "sub-04_FLAIR": "unreadable",
    }
    assert {pair.case for pair in found.pairs} <= {"sub-01_FLAIR", "sub-02_FLAIR"}


def test_several_kinds_are_no_one_kind(folder, tmp_path, boxes):
    folder.head("sub-01")
    folder.mask("sub-01", "Tumor", boxes("left"))
    folder.mask("sub-01", "Infarct", boxes("right"))
    folder.head("sub-02")
    folder.mask("sub-02", "Lesion", boxes("left"))
    folder.head("sub-03")
    folder.mask("sub-03", "Tumor", boxes("left"))
    folder.mask("sub-03", "Metastasis", boxes("left"))
    found = built(folder, tmp_path / "set", balanced=False)

    told = {(d.case, d.gate) for d in found.dropped if d.what == "lesion_inference"}
    assert told == {("sub-01_FLAIR", "several-kinds"), ("sub-02_FLAIR", "no-kind")}
    named = [p.target for p in found.pairs if p.type == "lesion_inference"]
    assert named == ["metastasis", "metastasis"]


def test_a_set_that_cannot_be_balanced_is_refused(folder, tmp_path, boxes):
    folder.head("sub-01")
    folder.mask("sub-01", "Tumor", boxes("left"))
    folder.drawn("sub-01", "seg-drawn", "dseg").unlink()

    with pytest.raises(InputError, match=r"nothing is known to be absent \(no-anatomy 1\)"):
        built(folder, tmp_path / "set")
    assert len(built(folder, tmp_path / "set", balanced=False).pairs) == 4


def test_folders_that_cannot_be_used_are_refused(heads, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "dataset_description.json").write_text(
        '{"GeneratedBy": [{"Name": "medprompt"}]}'
    )
    with pytest.raises(UsageError, match=r"full is not empty: it holds dataset_description"):
        built(heads, tmp_path / "full")
    with pytest.raises(UsageError, match="lies inside the input"):
        built(heads, heads.root / "set")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no mask"):
        build_instructions(BuildJob(tmp_path / "bare", tmp_path / "set"))
    image = heads.root / "sub-01" / "anat"
    with pytest.raises(InputError, match="holds no file that is named mask or dseg"):
        build_instructions(BuildJob(image, tmp_path / "set"))


def test_the_card_names_sources_with_their_licences(heads, tmp_path):
    built(heads, tmp_path / "set")
    card = (tmp_path / "set" / "README.md").read_text()

    assert "| source | `../bids` | Heads | CC0-1.0 |" in card
    drawn = "| source2 | `../bids/derivatives/drawn` | Drawn | CC0-1.0, as stated for bids |"
    assert drawn in card
    assert "| absence | any of these, and it is not there" in card


OWN = {"PlanHash": "0" * 64, "Sources": ["bids:source:sub-01/anat/sub-01_FLAIR.nii.gz"]}


@pytest.fixture
def segmented(folder, tmp_path, boxes):
    """What `medprompt segment` might have written; the folder of it, and how to tell of it."""
    folder.head("sub-01")
    out = tmp_path / "out"
    folder.describe(out, DatasetLinks={"source": "../bids"})

    def tell(region, status, presence, box=None, finding=None):
        path = out / "sub-01/anat" / f"sub-01_space-orig_label-{region}_desc-FLAIR_mask.nii.gz"
        voxels = np.zeros((40, 30, 12), np.uint8)
        if box is not None:
            voxels[boxes(box)] = 1
        folder.save(path, voxels)
        told = {region.lower(): {"Status": status, "Presence": presence, "VolumeMl": None}}
        sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
        sidecar.write_text(json.dumps({**OWN, "Targets": told}))
        if finding is not None:
            about = {"participant_id": "sub-01", "session_id": None, "case": "sub-01_FLAIR"}
            made = {"method": "medprompt segment", "version": "0"}
            told = {"source": None, "region": region.lower(), "feature": "lobe"}
            row = FindingRow(**about, **made, **told, **finding)
            staged = stage_part(out, "findings", "sub-01_FLAIR", [row])
            staged.temporary.replace(staged.final)
        return out

    return tell


@pytest.mark.parametrize(
    ("status", "presence", "box", "gate"),
    [
        ("measured", 0.95, "left", None),
        ("measured", 0.6, "left", "presence-unclear"),
        ("absent", 0.02, None, None),
        ("absent", 0.3, None, "presence-unclear"),
        ("truncated_fov", 0.95, "left", "truncated"),
        ("failed_qc", 0.95, "left", "status"),
        ("not_visible", None, None, "status"),
    ],
)
def test_status_and_presence_of_our_own_masks_are_gates(
    segmented, tmp_path, status, presence, box, gate
):
    source = segmented("Tumor", status, presence, box)
    job = BuildJob(source, tmp_path / "set", balanced=False)
    if gate is None:
        pairs = build_instructions(job).pairs
        assert {pair.type == "absence" for pair in pairs} == {box is None}
        assert pairs[0].images == ("bids:source:sub-01/anat/sub-01_FLAIR.nii.gz",)
        return
    with pytest.raises(InputError, match=rf"out gives no pairs \({gate} 2\)\.$"):
        build_instructions(job)  # the mask, and of what kind it is


@pytest.mark.parametrize(
    ("finding", "where"),
    [
        ({"value": "left-frontal-lobe", "probability": 0.95, "status": "measured"}, "in"),
        (
            {"value": "left-frontal-lobe", "probability": 0.7, "status": "measured"},
            "finding-uncertain",
        ),
        ({"value": None, "status": "failed_qc"}, "finding-not-measured"),
    ],
    ids=["certain", "uncertain", "missing"],
)
def test_findings_have_to_be_certain(segmented, tmp_path, finding, where):
    source = segmented("Tumor", "measured", 0.95, "left", finding)
    found = build_instructions(BuildJob(source, tmp_path / "set", balanced=False))

    basic = {p.place: p.type for p in found.pairs if p.form == "basic"}
    if where == "in":
        assert basic["left-frontal-lobe"] == "basic"
        assert set(basic.values()) == {"basic", "absence"}
    else:
        assert basic == {}
        assert {d.gate for d in found.dropped if d.what == "basic"} == {where}


def test_a_mask_that_somebody_drew_stands_above_ours(heads, segmented, tmp_path):
    segmented("Tumor", "measured", 0.95, "right")
    (tmp_path / "out").rename(heads.root / "derivatives" / "out")
    found = built(heads, tmp_path / "set")

    assert found.by_gate["superseded"] == 1
    there = by_question(tmp_path / "set")["sub-01", "global", "tumor", None]
    assert there.volume_ml == pytest.approx(48 * 0.008)
