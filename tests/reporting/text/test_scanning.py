"""Sentences in marks: numbers with units, names in two languages, words that are neither."""

from __future__ import annotations

import pytest

from medprompt_cli.reporting.clauses import clauses_of
from medprompt_cli.reporting.scanning import Literal, Scanner
from medprompt_cli.reporting.terms import Term

SCANNER = Scanner([Literal("ses-01", Term("visit", "ses-01"))])


def marks_of(text: str) -> list[tuple[str, str]]:
    return [(mark.kind, mark.value) for mark in SCANNER.scan(text) if mark.kind != "point"]


@pytest.mark.parametrize(
    ("text", "value", "unit", "within"),
    [
        ("3.21 mL", 3.21, "mL", 0.005),
        ("3.2 cm³", 3.2, "mL", 0.05),
        ("3210 mm3", 3.21, "mL", 0.0005),
        ("3.12 cm", 31.2, "mm", 0.05),
        ("2 cm2", 200.0, "mm2", 50.0),
        ("1,180 mL", 1180.0, "mL", 0.5),
        ("-5.5 %", -5.5, "%", 0.05),
        ("\u22125.5 percent", -5.5, "%", 0.05),
        ("369일", 369.0, "d", 0.5),
        ("17개", 17.0, "pieces", 0.5),
        ("three", 3.0, "", 0.0),
    ],
)
def test_a_number_is_read_with_its_unit(text, value, unit, within):
    [mark] = SCANNER.scan(text)

    assert mark.number is not None
    assert mark.number.value == pytest.approx(value)
    assert mark.number.unit == unit
    assert mark.number.within == pytest.approx(within)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("10-12 mm", [10.0, 12.0]),
        ("7.04~18.0 mL", [7.04, 18.0]),
        ("-8.1~-2.9 %", [-8.1, -2.9]),
        ("at ses-01", []),
        ("third ventricle", []),
        ("제3뇌실", []),
    ],
)
def test_a_dash_between_numbers_is_no_sign(text, wanted):
    found = [mark.number.value for mark in SCANNER.scan(text) if mark.number]

    assert found == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Left hippocampi", [("side", "left"), ("region", "hippocampus")]),
        ("tumour", [("region", "tumor")]),
        ("hippocampal", [("region", "hippocampus")]),
        ("좌측해마는", [("side", "left"), ("region", "hippocampus"), ("particle", "는")]),
        ("뇌 전체", [("region", "brain")]),
        ("met", [("unknown", "met")]),
        ("hydrocephalus", [("unknown", "hydrocephalus")]),
        ("뇌수종", [("unknown", "뇌수종")]),
        ("not assessed", [("status", "unknown")]),
        ("→", [("unknown", "→")]),
    ],
)
def test_words_are_names_terms_or_unknown(text, wanted):
    assert marks_of(text) == wanted


def subjects_of(text: str) -> list[list[str]]:
    """Of each clause that says something, what it is about."""
    clauses = clauses_of(SCANNER.scan(text))
    return [
        [name for subject in clause.subjects for name in subject.regions(clause.side)]
        for clause in clauses
        if clause.claims
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Brain: 1180 mL, 78 %.", [["brain"], ["brain"]]),
        (
            "Thalamus: 7 mL (interval 6 to 8 mL) on the left, 8 mL on the right.",
            [["left-thalamus"], ["left-thalamus"], ["right-thalamus"]],
        ),
        ("Left caudate and right putamen: not assessed.", [["left-caudate", "right-putamen"]]),
        ("Smaller: left caudate, brain.", [["left-caudate", "brain"]]),
        (
            "The left caudate is smaller and the brain is larger.",
            [["left-caudate"], ["brain"]],
        ),
    ],
)
def test_a_clause_is_about_the_regions_it_names(text, wanted):
    assert subjects_of(text) == wanted


def test_beside_a_lesion_another_region_is_where_it_lies():
    first, second = clauses_of(SCANNER.scan("Lesion 2: small; in the right frontal lobe."))[1:]

    assert [one.kind for one in second.subjects] == ["lesion"]
    assert (second.subjects[0].first, second.subjects[0].last) == (2, 2)
    assert [(one.kind, one.side) for one in second.places] == [("frontal-lobe", "right")]
    assert first.places == []
