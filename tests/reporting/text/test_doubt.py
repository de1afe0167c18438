"""What a report says where little is known: our words pass the lock, and say no more."""

from __future__ import annotations

from typing import Any

import pytest
from tests.reporting.text.conftest import changed, lesion_row, number

from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.verify import verify

LANGUAGES = ("en", "ko")
DOUBTFUL = {"percent_low": -50.3, "percent_high": 102.9}


def said(facts, language: Any = "en", mode: Any = "global") -> list[str]:
    """Sentences of a report that passes the lock."""
    report = compose(facts, language, Scope(mode))
    assert verify(report.text, facts) == []
    return [sentence.text for sentence in report.sentences]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_without_a_volume_beside_it_says_what_it_is(build, tables, language):
    failed = {"quantity": "volume-asymmetry", "unit": "%", "status": "failed_qc"}
    rows = [*tables["measurements"], number("caudate", None, **failed)]

    texts = said(build(measurements=rows), language, "prompt")

    if language == "en":
        assert "Caudate: asymmetry not assessed (mask not to be trusted)." in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ratio_says_what_it_is_to_and_once(build, language):
    step = "read(ratio(volume(left_hippocampus), volume(right_hippocampus)))"
    made = {"quantity": "ratio", "unit": "1", "method": f"medprompt segment: {step}"}
    asymmetry = {"quantity": "volume-asymmetry", "unit": "%"}
    rows = [
        *(number("left-hippocampus", 3.2), number("right-hippocampus", 3.6)),
        *(number("hippocampus", -11.8, **asymmetry), number("left-hippocampus", 0.88, **made)),
    ]
    facts = build(measurements=rows, lesions=[], findings=[], changes=[], ledger=[])

    report = compose(facts, language, Scope("prompt", quantities=("ratio",)))

    assert verify(report.text, facts) == []
    assert report.notes == ()
    if language == "en":
        [asked] = report.sections[-1].sentences
        assert asked.text == "Left hippocampus: ratio to the right hippocampus 0.880."
    assert verify("Left hippocampus: ratio to the brain 0.880.", facts)


def test_of_lesions_the_mask_is_said_of_structures_the_soft_volume(build):
    soft = {"quantity": "soft-volume"}
    rows = [
        *(number("lesion", 44.4, kind="FLAIR"), number("lesion", 99.7, kind="FLAIR", **soft)),
        *(number("brainstem", 19.0), number("brainstem", 19.6, **soft)),
    ]
    moved = [changed("lesion", 29.4, 44.4), {**changed("lesion", 81.5, 99.7), **soft}]

    texts = " ".join(said(build(measurements=rows, changes=moved)))

    assert "44.4 mL in all" in texts
    assert "from 29.4 to 44.4 mL" in texts
    assert "99.7" not in texts
    assert "Brainstem: 19.6 mL." in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_that_cannot_be_told_has_no_direction(build, language):
    facts = build(changes=[changed("left-hippocampus", 3.40, 3.33, **DOUBTFUL)])

    texts = said(facts, language)

    if language == "en":
        assert any("no change beyond noise can be told, from 3.40" in one for one in texts)
        assert not any("smaller" in one for one in texts)
    assert verify("Left hippocampus: smaller since ses-01.", facts)


def test_a_change_that_is_told_cannot_be_said_to_be_none(build):
    sure = build(changes=[changed("left-hippocampus", 3.40, 3.21, percent_high=-2.9)])

    assert verify("Left hippocampus: no change beyond noise can be told.", sure)


@pytest.mark.parametrize("language", LANGUAGES)
def test_lesions_whose_fate_cannot_be_told_are_counted(build, tables, language):
    open_ = [lesion_row(4, "ses-01", 0.1, None), lesion_row(4, "ses-02", None, None)]
    never = [lesion_row(5, "ses-01", None, None), lesion_row(5, "ses-02", None, None)]
    disputed = [lesion_row(6, "ses-01", 0.1, None), lesion_row(6, "ses-02", 2.2, None)]
    facts = build(ledger=[*tables["ledger"], *open_, *never, *disputed])

    texts = said(facts, language)

    if language == "en":
        counts = "Lesion, since ses-01: 1 new, 1 enlarging, 1 resolved, 2 cannot be told."
        assert texts.count(counts) == 2
    assert verify("Lesion, since ses-01: 3 cannot be told.", facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_visits_that_were_not_compared_are_said_not_to_be(build, tables, language):
    earlier = number("left-hippocampus", 3.4, visit="ses-01")
    facts = build(measurements=[*tables["measurements"], earlier], changes=[], ledger=[])

    said_so = "Change since ses-01 was not assessed (visits were not compared)."
    assert language != "en" or said_so in said(facts)
    said(facts, language)
    assert verify("Change since ses-01 was not assessed.", build())


def test_masks_of_lesions_are_to_be_reviewed_too(build, tables):
    rows = [
        {**row, "qc": "review", "qc_reasons": "uncertain"} if row["region"] == "lesion" else row
        for row in tables["measurements"]
    ]

    assert "Masks to be reviewed (uncertain): lesion." in said(build(measurements=rows))


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_lesions_of_one_size_have_one_number(build, language):
    rows = [number("lesion", 0.072, instance=n, kind="FLAIR") for n in range(1, 15)]

    texts = said(build(lesions=rows, findings=[]), language)

    assert language != "en" or "Lesions 11 to 14: 0.0720 mL each." in texts


@pytest.mark.parametrize("asked", [(), ("volume", "soft-volume", "voxels")])
def test_of_two_volumes_of_a_region_the_one_that_is_read_is_said(build, asked):
    soft, share = {"quantity": "soft-volume"}, {"unit": "%"}
    rows = [
        *(number("brainstem", 19.0), number("brainstem", 19.6, **soft)),
        number("brainstem", 1.1, quantity="volume-fraction-of-icv", **share),
        number("brainstem", 1.3, quantity="soft-volume-fraction-of-icv", **share),
        *(number("lesion", 44.4, kind="FLAIR"), number("lesion", 99.7, kind="FLAIR", **soft)),
    ]
    facts = build(measurements=rows, lesions=[], findings=[], changes=[], ledger=[])
    report = compose(facts, scope=Scope("prompt", ("brainstem", "lesion"), asked))

    shares = [] if asked else ["Brainstem: share of the intracranial volume 1.3 %."]
    assert [one.text for one in report.sections[-1].sentences] == [
        *("Brainstem: 19.6 mL.", *shares, "Lesion: 44.4 mL."),
    ]
