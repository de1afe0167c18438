import json
from dataclasses import asdict, fields, replace
from importlib.metadata import version

import jsonschema
import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.instruction_set import (
    PAIRS,
    mask_path,
    pairs_text,
    read_pairs,
    schema_text,
)
from medprompt_cli.domain.instruction import FORMS, LANGUAGES, TYPES, Instruction
from medprompt_cli.errors import InputError

THERE = Instruction(
    *("a:ko", "basic", "basic", "ko", "뇌간의 종양을 분할해 주세요.", "[SEG] 있습니다."),
    *("tumor", "tumor", "brainstem", "sub-01", "ses-02", "sub-01_ses-02_FLAIR"),
    *(("bids:source:x.nii.gz",), ("bids:source:y.nii.gz",), 2, 1.25, "mask.nii.gz"),
)
NOT_THERE = replace(
    THERE, pair_id="b", type="absence", form="global", place=None, pieces=0, volume_ml=0.0,
    mask=None, session_id=None,
)  # fmt: skip


@pytest.fixture
def valid():
    """Raises unless a line is a pair, by the published schema."""
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def write(folder, text):
    (folder / PAIRS).write_text(text, encoding="utf-8")
    return folder


def test_what_is_written_is_read(tmp_path):
    assert read_pairs(write(tmp_path, pairs_text([THERE, NOT_THERE]))) == [THERE, NOT_THERE]


def test_korean_is_written_as_it_is():
    assert "뇌간의" in pairs_text([THERE])


def test_the_schema_has_the_fields_of_a_pair_and_their_choices():
    schema = json.loads(schema_text())

    assert schema["required"] == [field.name for field in fields(Instruction)]
    assert list(schema["properties"]) == schema["required"]
    assert tuple(schema["properties"]["type"]["enum"]) == TYPES
    assert tuple(schema["properties"]["form"]["enum"]) == FORMS
    assert tuple(schema["properties"]["language"]["enum"]) == LANGUAGES
    assert int(version("jsonschema").split(".")[0]) >= 4  # knows draft 2020-12


@pytest.mark.parametrize("pair", [THERE, NOT_THERE], ids=["there", "not-there"])
def test_lines_fit_the_schema(valid, pair):
    valid(json.loads(pairs_text([pair])))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "absence"},
        {"mask": None},
        {"place": None},
        {"answer": "Yes."},
        {"pieces": 0},
        {"images": []},
        {"more": 1},
    ],
)
def test_the_schema_refuses_what_the_class_refuses(valid, change):
    with pytest.raises(jsonschema.ValidationError):
        valid(json.loads(json.dumps({**asdict(THERE), **change})))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no pair"),
        ("{", "has no JSON on line 1: "),
        ('{"pair_id": "a"}', "has other keys on line 1 than a pair: answer, "),
        (pairs_text([THERE]) * 2, "has the pair 'a:ko' twice"),
        (pairs_text([THERE]).replace("1.25", '"1"'), "has '1' for volume_ml on line 1"),
        (pairs_text([THERE]).replace("1.25", "NaN"), "has nan for volume_ml on line 1"),
    ],
)
def test_a_damaged_set_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=f"^{tmp_path / PAIRS} {said}"):
        read_pairs(write(tmp_path, text))


def test_a_folder_without_a_set_is_refused(tmp_path):
    with pytest.raises(InputError, match=f"^{tmp_path} holds no instruction set: "):
        read_pairs(tmp_path)


def test_masks_are_named_as_bids_derivatives_are(tmp_path):
    entities = {"sub": "01", "ses": "02"}
    entry = ImageEntry(tmp_path / "x.nii.gz", "sub-01", "ses-02", "FLAIR", entities)

    assert str(mask_path(entry, "ms-lesion", "left-frontal-lobe")) == (
        "sub-01/ses-02/anat/"
        "sub-01_ses-02_space-orig_label-MsLesionLeftFrontalLobe_desc-FLAIR_mask.nii.gz"
    )
