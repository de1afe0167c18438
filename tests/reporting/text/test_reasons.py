"""What was not assessed says why, and a lesion outside of every lobe is still described."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.reporting.text.conftest import finding, number

from medprompt_cli.domain.finding import no_image_note
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.gathering import DETECTION_LIMIT
from medprompt_cli.reporting.notes import NO_PLACES, nothing_known
from medprompt_cli.reporting.report import Report
from medprompt_cli.reporting.verify import verify
from medprompt_cli.reporting.writing import MOST_LESIONS

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

    assert report.notes == (NO_PLACES[report.language],)
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_small_a_lesion_may_be_there_unseen_is_said_with_its_absence(build, language):
    gone = number("tumor", None, status="absent", presence=0.2, kind="FLAIR")
    sizes = [{**gone, DETECTION_LIMIT: 16.38}]
    known = build(measurements=sizes, lesions=[], findings=[], changes=[], ledger=[])
    unknown = build(measurements=[gone], lesions=[], findings=[], changes=[], ledger=[])
    said = {
        "en": "No tumor of 16.4 mL or more (probably); smaller ones may be there and not be"
        " seen.",
        "ko": "16.4 mL 이상의 종양 없음 (가능성 높음); 더 작은 것은 있어도 보이지"
        " 않을 수 있음.",
    }[language]

    report = held(known, language)
    [row] = known.numbers
    told = [one for one in report.sentences if one.text == said]
    assert len(told) == 2, "under lesions, and in the impression"
    assert all(one.references == (row.id,) for one in told)
    assert verify(said, unknown), "where no limit is known"
    assert {"en": "No tumor (probably).", "ko": "종양 없음 (가능성 높음)."}[
        language
    ] in texts_of(held(unknown, language))
    for wrong in ("18.0 mL", "16.4 mm", "1.64 mL"):
        assert verify(said.replace("16.4 mL", wrong), known), wrong
    affirmed = {"en": said.replace("No tumor", "Tumor"), "ko": said.replace("없음", "있음", 1)}
    assert verify(affirmed[language], known)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_lesion_that_is_why_nobody_looked_at_the_midline(build, language):
    sizes = [number("lesion", None, status="absent", presence=0.02, kind="FLAIR")]
    earlier = [number("lesion", 3.8, visit="ses-01", kind="FLAIR")]
    looked = [finding("brain", "midline-shift", "none", 0.95, visit="ses-01")]
    said = {
        "en": "Midline shift not assessed ({}).",
        "ko": "정중선 편위 평가하지 못함 ({}).",
    }[language]
    none, unasked = (
        said.format(words[language])
        for words in (
            {"en": "no lesion was found", "ko": "병변이 발견되지 않음"},
            {"en": "not asked for", "ko": "요청되지 않음"},
        )
    )
    rest = {"lesions": [], "changes": [], "ledger": []}

    with_shift = build(measurements=[*earlier, *sizes], findings=looked, **rest)
    assert none in texts_of(held(with_shift, language))
    assert verify(unasked, with_shift)
    never = build(measurements=[*earlier, *sizes], findings=[], **rest)
    assert unasked in texts_of(held(never, language))
    assert verify(none, never), "a lesion was found, and the midline not looked at"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signal_is_said_with_the_image_it_is_of(build, language):
    lesion = {"kind": "FLAIR", "unit": "1"}
    sizes = [
        number("lesion", 5.31, kind="FLAIR"),
        number("lesion", 144.2, quantity="mean", **lesion),
        number("lesion", 31.0, quantity="mean", **{**lesion, "kind": "T1w"}),
    ]
    facts = build(measurements=sizes, lesions=[], findings=[], changes=[], ledger=[])
    said = {
        "en": "Lesion: mean signal 144 on FLAIR.",
        "ko": "병변: FLAIR 평균 신호 144.",
    }[language]

    assert said in texts_of(held(facts, language, "prompt"))
    assert verify(said.replace("FLAIR", "T1w"), facts)


def test_notes_are_in_the_language_of_the_report():
    for region in ("brainstem", "left-insula"):
        [english], [korean] = (nothing_known([region], one) for one in LANGUAGES)
        assert english.startswith("Nothing is known of ")
        assert "알려진 것이 없음" in korean
        assert not any(letter.isascii() and letter.isalpha() for letter in korean)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesion_that_the_image_cuts_is_listed_with_what_is_in_view(build, language):
    about = {"kind": "FLAIR", "region": "lesion"}
    cut = {n: (None, 0.256 / n) for n in (2, MOST_LESIONS + 3)}
    sizes = []
    for n in range(1, MOST_LESIONS + 6):
        if n not in cut:
            sizes.append(number(value=5.0 / n, instance=n, **about))
            continue
        sizes.append(number(value=None, status="truncated_fov", instance=n, **about))
        sizes.append(number(value=cut[n][1], quantity="visible-volume", instance=n, **about))
    facts = build(lesions=sizes, findings=[], changes=[], ledger=[])

    texts = texts_of(held(facts, language))
    said = {
        "en": ["Lesion 2: at least 0.128 mL inside the field of view.", "Lesions 11 to 12: "],
        "ko": ["병변 2: 영상 범위 안의 부분 적어도 0.128 mL.", "병변 11~12: "],
    }[language]
    assert said[0] in texts
    assert any(text.startswith(said[1]) for text in texts), "13 is not among them"
    later = {
        "en": "Lesion 13: at least 0.0197",
        "ko": "병변 13: 영상 범위 안의 부분 적어도 0.0197",
    }
    assert any(text.startswith(later[language]) for text in texts)
    assert verify(said[0].replace("0.128", "0.256"), facts)
    assert verify(
        {"en": "Lesion 1: at least 5.00 mL.", "ko": "병변 1: 적어도 5.00 mL."}[language], facts
    )
