"""Names, sidecars and dataset files, as BIDS wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids import derivatives
from medprompt_cli.bids.atomic import commit
from medprompt_cli.bids.derivatives import Provenance, Regions
from medprompt_cli.bids.entities import parse_name
from medprompt_cli.bids.entry import ImageEntry, joined
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.label_table import parcel_table
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.errors import OutputError, UsageError

PROVENANCE = Provenance(
    ("bids:source:sub-01/anat/sub-01_T1w.nii.gz",),
    ("hippocampus", "ventricles"),
    "a" * 64,
    {"Name": "small", "Version": "1.0.0", "SHA256": "b" * 64},
)


def load(path) -> Any:
    return nib.load(path)


def entry_of(name, folder=Path("bids")):
    parsed = parse_name(name)
    labels = {key: f"{key}-{value}" for key, value in parsed.entities.items()}
    return ImageEntry(
        folder / f"{name}.nii.gz",
        labels["sub"],
        labels.get("ses"),
        parsed.suffix,
        parsed.entities,
    )


@pytest.mark.parametrize(
    ("source", "dseg", "mask"),
    [
        (
            "sub-01_ses-02_T1w",
            "sub-01_ses-02_space-orig_seg-medprompt_desc-T1w_dseg",
            "sub-01_ses-02_space-orig_label-Brain_desc-T1w_mask",
        ),
        (
            "sub-01_acq-hi_run-2_FLAIR",
            "sub-01_acq-hi_run-2_space-orig_seg-medprompt_desc-FLAIR_dseg",
            "sub-01_acq-hi_run-2_space-orig_label-Brain_desc-FLAIR_mask",
        ),
        (
            "sub-01_space-MNI152_desc-preproc_T1w",
            "sub-01_space-MNI152_seg-medprompt_desc-preprocT1w_dseg",
            "sub-01_space-MNI152_label-Brain_desc-preprocT1w_mask",
        ),
    ],
)
def test_names_keep_the_entities_of_the_source(source, dseg, mask):
    entry = entry_of(source)

    assert derivatives.dseg_name(entry) == dseg
    assert derivatives.mask_name(entry, "brain") == mask
    assert derivatives.unit_name(entry) == source
    for name in (dseg, mask):
        assert parse_name(name).fault == ""


def test_an_image_whose_kind_is_unknown_has_no_desc():
    entry = ImageEntry(Path("scan.nii.gz"), "sub-scan", None, None, {"sub": "scan"})

    assert derivatives.dseg_name(entry) == "sub-scan_space-orig_seg-medprompt_dseg"
    assert derivatives.unit_name(entry) == "sub-scan_image"
    assert derivatives.anat_folder(entry).as_posix() == "sub-scan/anat"


@pytest.mark.parametrize(
    ("region", "label"),
    [
        ("ventricles", "Ventricles"),
        ("deep-gray-matter", "DeepGrayMatter"),
        ("left-mca-territory", "LeftMcaTerritory"),
    ],
)
def test_a_region_becomes_a_label_of_letters(region, label):
    assert derivatives.label_entity(region) == label


def write_regions(out, source, **changes):
    entry = entry_of("sub-01_T1w", source.parent)
    geometry = read_image(source).geometry
    labels = np.zeros(geometry.shape, np.uint8)
    labels[3:5, 4:8, 2:6] = 17
    regions = {
        "labels": LabelMap(labels, geometry, {17: "left-hippocampus"}),
        "masks": (Mask("ventricles", labels == 0, geometry),),
        "results": {
            "left-hippocampus": {"Status": "measured", "Presence": 0.9, "VolumeMl": 0.32},
            "right-hippocampus": {"Status": "absent", "Presence": 0.1, "VolumeMl": None},
            "ventricles": {"Status": "measured", "Presence": 1.0, "VolumeMl": 8.4},
            "tumor": {"Status": "not_visible", "Presence": None, "VolumeMl": None},
        },
        "notes": ("Singleton axes of 12 x 14 x 10 x 1 were left out.",),
    }
    staged = derivatives.stage_regions(
        out, entry, Regions(**{**regions, **changes}), PROVENANCE
    )
    for file in staged:
        commit(file)
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


@pytest.fixture
def source(tmp_path, save_scan):
    return save_scan(tmp_path / "bids" / "sub-01_T1w.nii.gz", "left-hippocampus")


def test_one_dseg_and_a_mask_for_what_overlaps_each_with_its_sidecar(tmp_path, source):
    out = tmp_path / "out"
    anat = "sub-01/anat/sub-01_space-orig_"

    assert write_regions(out, source) == [
        f"{anat}label-Ventricles_desc-T1w_mask.json",
        f"{anat}label-Ventricles_desc-T1w_mask.nii.gz",
        f"{anat}seg-medprompt_desc-T1w_dseg.json",
        f"{anat}seg-medprompt_desc-T1w_dseg.nii.gz",
    ]
    dseg = load(out / f"{anat}seg-medprompt_desc-T1w_dseg.nii.gz")
    assert np.unique(np.asarray(dseg.dataobj)).tolist() == [0, 17]
    assert dseg.affine.tobytes() == load(source).affine.tobytes()


def test_no_file_is_written_for_what_is_not_there(tmp_path, source):
    assert write_regions(tmp_path / "out", source, labels=None, masks=()) == []


def test_the_sidecar_of_a_dseg(tmp_path, source):
    out = tmp_path / "out"
    write_regions(out, source)
    path = out / "sub-01/anat/sub-01_space-orig_seg-medprompt_desc-T1w_dseg.json"

    assert json.loads(path.read_text()) == {
        "Description": "Voxel values are the indices of seg-medprompt_dseg.tsv.",
        "Sources": ["bids:source:sub-01/anat/sub-01_T1w.nii.gz"],
        "SpatialReference": "orig",
        "Manual": False,
        "Prompts": ["hippocampus", "ventricles"],
        "PlanHash": "a" * 64,
        "Weights": {"Name": "small", "Version": "1.0.0", "SHA256": "b" * 64},
        "Targets": {
            "left-hippocampus": {"Status": "measured", "Presence": 0.9, "VolumeMl": 0.32},
            "right-hippocampus": {"Status": "absent", "Presence": 0.1, "VolumeMl": None},
            "tumor": {"Status": "not_visible", "Presence": None, "VolumeMl": None},
        },
        "Notes": ["Singleton axes of 12 x 14 x 10 x 1 were left out."],
    }


def test_the_sidecar_of_a_mask_speaks_of_its_region(tmp_path, source):
    out = tmp_path / "out"
    write_regions(out, source)
    path = out / "sub-01/anat/sub-01_space-orig_label-Ventricles_desc-T1w_mask.json"
    content = json.loads(path.read_text())

    assert content["Type"] == "ROI"
    assert content["Description"] == "Voxels of ventricles: 1 inside, 0 outside."
    assert list(content["Targets"]) == ["ventricles"]


def with_parcels(source, *, labels=True):
    geometry = read_image(source).geometry
    voxels = np.zeros(geometry.shape, np.uint16)
    voxels[3:5, 4:8, 2:6] = 1028
    voxels[6:7, 4:8, 2:6] = 2035
    names = {1028: "left-superior-frontal", 2035: "right-insula", 1025: "left-precuneus"}
    return {
        "parcels": LabelMap(voxels, geometry, names),
        "masks": (),
        "results": {
            "left-hippocampus": {"Status": "measured"},
            "left-superior-frontal": {"Status": "measured"},
            "left-precuneus": {"Status": "absent"},
            "ms-lesion": {"Status": "absent"},
        },
        **({} if labels else {"labels": None}),
    }


def test_parcels_are_a_label_map_of_their_own(tmp_path, source):
    out = tmp_path / "out"
    anat = "sub-01/anat/sub-01_space-orig_"

    assert write_regions(out, source, **with_parcels(source)) == [
        f"{anat}seg-dkt_desc-T1w_dseg.json",
        f"{anat}seg-dkt_desc-T1w_dseg.nii.gz",
        f"{anat}seg-medprompt_desc-T1w_dseg.json",
        f"{anat}seg-medprompt_desc-T1w_dseg.nii.gz",
    ]
    dseg = load(out / f"{anat}seg-dkt_desc-T1w_dseg.nii.gz")
    assert dseg.get_data_dtype() == np.uint16
    assert np.unique(np.asarray(dseg.dataobj)).tolist() == [0, 1028, 2035]
    assert dseg.affine.tobytes() == load(source).affine.tobytes()


@pytest.mark.parametrize("labels", [True, False], ids=["with structures", "alone"])
def test_every_answer_stands_in_one_sidecar(tmp_path, source, labels):
    out = tmp_path / "out"
    write_regions(out, source, **with_parcels(source, labels=labels))
    found = {
        path.name.split("_")[2]: json.loads(path.read_text()) for path in out.rglob("*.json")
    }
    parcels = ["left-superior-frontal", "left-precuneus"]
    others = ["left-hippocampus", "ms-lesion"]

    assert found["seg-dkt"]["Description"] == (
        "Voxel values are the indices of seg-dkt_dseg.tsv."
    )
    if labels:
        assert list(found["seg-dkt"]["Targets"]) == parcels
        assert list(found["seg-medprompt"]["Targets"]) == others
    else:
        assert set(found["seg-dkt"]["Targets"]) == {*parcels, *others}


def test_the_mask_of_a_lesion(tmp_path, source):
    out = tmp_path / "out"
    geometry = read_image(source).geometry
    lesion = Mask("ms-lesion", np.ones(geometry.shape, bool), geometry)
    results = {"ms-lesion": {"Status": "measured", "Presence": 0.97, "VolumeMl": 1.3}}
    names = write_regions(out, source, labels=None, masks=(lesion,), results=results)
    stem = "sub-01/anat/sub-01_space-orig_label-MsLesion_desc-T1w_mask"
    content = json.loads((out / f"{stem}.json").read_text())

    assert names == [f"{stem}.json", f"{stem}.nii.gz"]
    assert (content["Type"], content["Targets"]) == ("Lesion", results)


def test_images_read_together_are_named_after_all_of_them():
    flair = entry_of("sub-01_ses-02_run-1_desc-preproc_FLAIR")
    t1w = entry_of("sub-01_ses-02_acq-hi_run-1_desc-preproc_T1w")
    both = joined([flair, t1w])

    assert derivatives.unit_name(both) == "sub-01_ses-02_run-1_desc-preproc_FLAIRT1w"
    assert derivatives.mask_name(both, "ms-lesion") == (
        "sub-01_ses-02_run-1_space-orig_label-MsLesion_desc-preprocFLAIRT1w_mask"
    )
    assert both.path == flair.path


def test_an_image_alone_keeps_its_name():
    t1w = entry_of("sub-01_acq-hi_run-1_T1w")

    assert joined([t1w]) == t1w


def test_rounding_of_the_affine_is_told(tmp_path):
    affine = np.array([[2, 0, 0, 1 / 3], [0, 1, 0, 70.1], [0, 0, 1, 0], [0, 0, 0, 1]])
    geometry = Geometry((4, 5, 6), affine)
    series = ImageEntry(tmp_path / "series", "sub-01", None, None, {"sub": "01"})
    regions = Regions(None, (Mask("brain", np.ones((4, 5, 6), bool), geometry),), {"brain": {}})
    staged = derivatives.stage_regions(tmp_path / "out", series, regions, PROVENANCE)

    assert json.loads(staged[1].temporary.read_text())["Notes"] == [
        "The source holds its affine in 64 bits and the sform of this file in 32: "
        "voxels lie at most 2e-06 mm apart."
    ]


def test_if_one_file_fails_none_is_left(tmp_path, source, monkeypatch):
    def refuse(path, content):
        raise OutputError(f"{path} could not be written.", remedy="Free some space.")

    monkeypatch.setattr(derivatives, "_stage_json", refuse)
    with pytest.raises(OutputError, match=r"dseg\.json could not be written\.$"):
        write_regions(tmp_path / "out", source)

    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_dataset_files(tmp_path):
    out = tmp_path / "study" / "derivatives" / "medprompt"

    assert derivatives.write_dataset_files(out, tmp_path / "study") == "source"

    description = json.loads((out / "dataset_description.json").read_text())
    maker = description.pop("GeneratedBy")
    assert [(m["Name"], set(m)) for m in maker] == [("medprompt", {"Name", "Version"})]
    assert description == {
        "Name": "Regions segmented by medprompt",
        "BIDSVersion": "1.11.0",
        "DatasetType": "derivative",
        "SourceDatasets": [{"URL": "../.."}],
        "DatasetLinks": {"source": "../.."},
    }
    assert (out / ".bidsignore").read_text() == (
        "logs/\nmeasurements*\nfindings*\nlesions*\n"
        "changes*\nledger*\nmodel*\ntrajectories*\n*_longitudinal.*\n"
        "*_report.*\n*.html\n"
    )
    assert (out / "seg-medprompt_dseg.tsv").is_file()
    assert not (out / "seg-dkt_dseg.tsv").exists()


def test_the_table_of_parcels_lies_where_parcels_are_asked_for(tmp_path):
    derivatives.write_dataset_files(tmp_path / "out", tmp_path, parcels=True)

    assert (tmp_path / "out" / "seg-dkt_dseg.tsv").read_text() == parcel_table()


def test_a_second_source_gets_a_link_of_its_own_and_keeps_it(tmp_path):
    out = tmp_path / "out"
    links = [
        derivatives.write_dataset_files(out, tmp_path / name) for name in ("a", "b c", "a")
    ]

    assert links == ["source", "source2", "source"]
    assert (derivatives.read_description(out) or {})["DatasetLinks"] == {
        "source": "../a",
        "source2": "../b%20c",
    }


def test_a_damaged_description_is_not_overwritten(tmp_path):
    path = tmp_path / "dataset_description.json"
    path.write_text("{")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        derivatives.write_dataset_files(tmp_path, tmp_path / "in")

    assert str(caught.value).startswith(f"{path} cannot be read: Expecting property name")
    assert path.read_text() == "{"


def test_uris_of_sources():
    root = Path("/data/bids")

    assert derivatives.source_uri(root / "sub-01" / "a b.nii", root, "source") == (
        "bids:source:sub-01/a%20b.nii"
    )
    assert derivatives.source_uri(Path("/scans/c.nii"), root, "source") == "file:///scans/c.nii"
