"""What was not assessed says why, and a lesion outside of every lobe is still described."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.reporting.text.conftest import finding, number

from medprompt_cli.domain.finding import no_image_note
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.passages import NO_PLACES
from medprompt_cli.reporting.report import Report
from medprompt_cli.reporting.verify import verify

LANGUAGES = ("en", "ko")
OUTSIDE = json.dumps({"share-no-lobe": {"value": 90.0, "unit": "%"}})


def held(facts: Facts, language: Any = "en", mode: Any = "global") -> Report:
    """A report that passes the lock."""
    report = compose(facts, language, Scope(mode))
    assert verify(report.text, facts) == []
    return report


def texts_of(report: Report) -> list[str]:
    return [sentence.text for sentence in report.sentences]


def of_lesion(instance: int, feature: str, value: str | None, **about: Any) -> dict[str, Any]:
    probability = None if value is None else 0.95
    return finding("lesion", feature, value, probability, instance=instance, **about)


def four_lesions() -> dict[str, list[dict[str, Any]]]:
    """In a lobe, in none, in a territory alone, and of unknown place."""
    sizes = [
        number("lesion", 5.0 / n, kind="FLAIR", instance=n, quantity="volume")
        for n in (1, 2, 3, 4)
    ]
    places = [
        of_lesion(1, "lobe", "right-frontal-lobe"),
        of_lesion(1, "territory", "right-mca-territory"),
        of_lesion(2, "lobe", None, evidence=OUTSIDE),
        of_lesion(3, "lobe", None, evidence=OUTSIDE),
        of_lesion(3, "territory", "vertebrobasilar-territory"),
        of_lesion(4, "lobe", None, status="truncated_fov"),
    ]
    return {"lesions": sizes, "findings": places}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lesion_has_its_passage(build, language):
    report = held(build(**four_lesions()), language, "region")

    lesion = {"en": "Lesion {}:", "ko": "병변 {}:"}[language]
    for n in (1, 2, 3, 4):
        told = [text for text in texts_of(report) if text.startswith(lesion.format(n))]
        assert len(told) == 1, n
    if language == "en":
        titles = [section.title for section in report.sections]
        assert titles == [
            *("Technique", "Right frontal lobe", "Vertebrobasilar territory"),
            *("Other lesions", "Brain and ventricles"),
        ]
        assert [s.text for s in report.sections[3].sentences] == [
            "Lesion 2: 2.50 mL; outside all lobes.",
            "Lesion 4: 1.25 mL; lobe not assessed (outside the field of view).",
            "No tumor (definitely).",
        ]


def test_without_places_there_is_a_passage_for_each_kind(build):
    report = held(build(findings=[]), mode="region")

    assert report.notes == (NO_PLACES,)
    titles = [section.title for section in report.sections]
    assert titles == ["Technique", "Lesion", "Tumor", "Brain and ventricles"]
    told = [text for text in texts_of(report) if text.startswith(("Lesion 1:", "Lesion 2:"))]
    assert len(told) == 2


REASONS = {
    "truncated_fov": ({"status": "truncated_fov"}, "outside the field of view"),
    "not_visible": ({"status": "not_visible"}, "not visible to these weights"),
    "mask": ({"status": "failed_qc"}, "mask not to be trusted"),
    "image": ({"status": "failed_qc", "notes": "Too few voxels."}, "quality check failed"),
    "sequence": ({"notes": no_image_note("T1ce", "ses-02")}, "T1ce was not read"),
    "nothing": ({"status": "absent"}, "nothing of it is there"),
    "other": ({}, "no value"),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_feature_that_was_not_assessed_says_why(build, name):
    about, reason = REASONS[name]
    facts = build(findings=[of_lesion(1, "enhancement", None, **about)])

    [told] = [text for text in texts_of(held(facts)) if "; enhancement" in text]
    assert told.endswith(f"; enhancement not assessed ({reason}).")
    held(facts, "ko")
    for _, other in REASONS.values():
        assert bool(verify(told.replace(reason, other), facts)) == (other != reason)


def test_another_image_is_not_the_one_that_was_missing(build):
    note = no_image_note("T1ce", "ses-02")
    facts = build(findings=[of_lesion(1, "enhancement", None, notes=note)])

    assert not verify("Lesion 1: enhancement not assessed (T1ce was not read).", facts)
    assert verify("Lesion 1: enhancement not assessed (FLAIR was not read).", facts)
    seen = build(findings=[of_lesion(1, "enhancement", "yes")])
    assert not verify("Lesion 1: definitely enhancing.", seen)
    assert verify("Lesion 1: definitely enhancing (outside the field of view).", seen)


def test_features_that_no_image_shows_name_the_image(facts, build):
    said = "Lesion: diffusion restriction not assessed (ADC was not read)."
    assert said in texts_of(held(facts))
    assert verify("Lesion: enhancement not assessed (T1ce was not read).", facts)

    looked = build(findings=[of_lesion(1, "diffusion-restriction", "no")])
    assert verify(said, looked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_asked_for_is_said_not_to_be_there_for_that(build, tables, language):
    rows = [row for row in tables["measurements"] if row["region"] not in {"lesion", "tumor"}]
    others = {"lesions": [], "findings": [], "ledger": [], "changes": tables["changes"][:2]}
    facts = build(measurements=rows, **others)

    texts = texts_of(held(facts, language)) + texts_of(held(facts, language, "region"))
    if language == "en":
        assert texts.count("Lesion: not assessed (not asked for).") == 2
        assert texts.count("Midline shift not assessed (not asked for).") == 2
    assert verify("Lesion: not assessed (outside the field of view).", facts)
    assert verify("Left hippocampus: not assessed (not asked for).", facts)
    assert verify("No lesion (not asked for).", facts)


def test_what_was_asked_for_is_not_said_to_be_unasked(facts):
    for said in (
        "Lesion: not assessed (not asked for).",
        "Left caudate: not assessed (not asked for).",
        "Midline shift not assessed (not asked for).",
        "Change since ses-01 was not assessed (visits were not compared).",
    ):
        assert verify(said, facts), said
