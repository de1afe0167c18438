"""BIDS names: taken apart, judged, and put together in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.bids.entities import (
    ENTITY_ORDER,
    INDEX_ENTITIES,
    build_name,
    guess_suffix,
    label_of,
    mended_name,
    parse_name,
)
from medprompt_cli.errors import InputError

LABELS = st.from_regex(r"[0-9a-zA-Z]{1,8}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{1,3}", fullmatch=True)


@st.composite
def entities(draw):
    keys = draw(st.sets(st.sampled_from(ENTITY_ORDER), min_size=1))
    return {key: draw(NUMBERS if key in INDEX_ENTITIES else LABELS) for key in sorted(keys)}


@given(entities())
def test_parsing_undoes_building(given_entities):
    name = build_name(given_entities, "T1w", ".nii.gz")
    parsed = parse_name(name.removesuffix(".nii.gz"))

    assert (parsed.entities, parsed.suffix) == (given_entities, "T1w")
    assert (parsed.fault, parsed.disorder) == ("", "")


def test_a_name_is_built_in_the_order_of_bids():
    name = build_name(
        {"desc": "T1w", "seg": "medprompt", "ses": "02", "space": "orig", "sub": "sub-01"},
        "dseg",
        ".nii.gz",
    )

    assert name == "sub-01_ses-02_space-orig_seg-medprompt_desc-T1w_dseg.nii.gz"


@pytest.mark.parametrize(
    ("entities", "said"),
    [
        ({"sub": "0_1"}, "sub-0_1 cannot be part of a BIDS name: '0_1' is not letters"),
        ({"sub": "é"}, "sub-é cannot be part of a BIDS name: 'é' is not letters"),
        ({"sub": ""}, "sub- cannot be part of a BIDS name: '' is not letters"),
        ({"run": "a"}, "run-a cannot be part of a BIDS name: 'a' is not a number"),
        ({"foo": "a"}, "foo-a cannot be part of a BIDS name: it is no entity of BIDS"),
    ],
)
def test_what_cannot_be_in_a_name_is_refused(entities, said):
    with pytest.raises(InputError, match=said) as caught:
        build_name(entities, "T1w", ".nii")
    assert caught.value.code == "bad-label"


@pytest.mark.parametrize(
    ("stem", "fault"),
    [
        ("T1w", ""),
        ("sub-01_T1w", ""),
        ("sub-01_space-a+b_T1w", ""),
        ("sub-01_T1_w", "has 'T1' where key-value is expected"),
        ("sub-01_foo-2_T1w", "has 'foo-2', and 'foo' is no entity of BIDS"),
        ("sub-01_sub-02_T1w", "has 'sub' twice"),
        ("sub-0.1_T1w", "has 'sub-0.1', and '0.1' is not letters and digits"),
        ("sub-a+b_T1w", "has 'sub-a+b', and 'a+b' is not letters and digits"),
        ("sub-01_run-x_T1w", "has 'run-x', and 'x' is not a number"),
        ("sub-01_ses-02", "ends in 'ses-02', not in a suffix"),
        ("sub-01_T1w.old", "has the suffix 'T1w.old', which is not letters and digits"),
        ("", "has the suffix '', which is not letters and digits"),
    ],
)
def test_the_first_fault_of_a_name_is_said(stem, fault):
    assert parse_name(stem).fault == fault


def test_entities_out_of_order_are_no_fault_but_said():
    parsed = parse_name("sub-01_run-1_acq-x_T1w")

    assert (parsed.fault, parsed.disorder) == ("", "has 'run' before 'acq'")


@pytest.mark.parametrize(
    ("stem", "suffix"),
    [
        ("study1_FLAIR", "FLAIR"),
        ("study1_T1W", "T1w"),
        ("T2", "T2w"),
        ("a_mask", "mask"),
        ("T1POST", None),
        ("scan", None),
    ],
)
def test_a_suffix_is_guessed_only_where_beyond_doubt(stem, suffix):
    assert guess_suffix(stem) == suffix


@pytest.mark.parametrize(
    ("text", "label"),
    [("01", "sub-01"), ("sub-01", "sub-01"), ("", None), ("sub-", None), ("a b", None)],
)
def test_labels_are_accepted_with_and_without_their_key(text, label):
    assert label_of(text, "sub") == label


@given(
    st.one_of(st.text(max_size=30), st.from_regex(r"([a-z]{2,3}-?[0-9a-z+]*_){0,4}[Tt]1w?")),
    st.sampled_from(["sub-01", "sub-01_ses-a"]),
    st.sampled_from([None, 2]),
)
def test_a_mended_name_is_one_of_bids_and_of_its_folder(stem, visit, run):
    parsed = parse_name(mended_name(stem, visit, run))
    said = [f"{key}-{value}" for key, value in parsed.entities.items() if key in {"sub", "ses"}]

    assert "_".join(said) == visit
    assert (parsed.fault, parsed.disorder) == ("", "")
    assert run is None or parsed.entities["run"] == str(run)
