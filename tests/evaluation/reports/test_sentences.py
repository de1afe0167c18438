import pytest

from medprompt_cli.evaluation.reports.sentences import read_report
from medprompt_cli.language.splitting import split_sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("A cyst of 1.5 cm. Stable", ["A cyst of 1.5 cm.", "Stable"]),
        (
            "Old infarct, e.g. in the pons. No shift",
            ["Old infarct, e.g. in the pons.", "No shift"],
        ),
        ("No shift.Ventricles normal.", ["No shift.", "Ventricles normal."]),
        (
            "## Findings\n\n- **Mild** atrophy\n- No shift",
            ["Findings", "Mild atrophy", "No shift"],
        ),
        ("1. Infarct\n2) Atrophy", ["Infarct", "Atrophy"]),
        ("출혈은 없음. 위축이 있음.", ["출혈은 없음.", "위축이 있음."]),
        ("No shift\nMild atrophy", ["No shift", "Mild atrophy"]),
        ("...\n---\n", []),
        ("", []),
    ],
)
def test_a_report_has_sentences(text, parts):
    assert split_sentences(text) == parts


def test_a_long_line_without_an_end_mark_was_wrapped():
    text = (
        "There is no evidence of acute intracranial hemorrhage, mass\n"
        "effect or midline shift.\n"
        "The ventricles and the sulci are normal for the patient's age.\n"
        "No fracture"
    )

    assert split_sentences(text) == [
        "There is no evidence of acute intracranial hemorrhage, mass effect or midline shift.",
        "The ventricles and the sulci are normal for the patient's age.",
        "No fracture",
    ]


def test_a_long_line_ends_before_a_capital_letter():
    first = "Chronic ischemic changes of the periventricular white matter"

    assert split_sentences(f"{first}\nNo shift") == [first, "No shift"]


def test_a_korean_line_ends_with_its_verb():
    first = "양측 대뇌반구의 심부 백질과 뇌실 주위 백질에 다발성 T2 고신호강도 병변들이"

    assert split_sentences(f"{first}\n보임\n출혈은 없음") == [f"{first} 보임", "출혈은 없음"]


def test_a_list_goes_on_after_a_long_line():
    first = "Diffuse and confluent hyperintensity of the periventricular white matter"

    assert split_sentences(f"- {first}\n- No shift") == [first, "No shift"]


def test_terms_have_a_place_and_a_polarity(index):
    (sentence,) = read_report("No hemorrhage in the left thalamus.", index)

    said = {hit.item: sentence.text[hit.start : hit.end] for hit in sentence.hits}
    assert said == {
        ("feature", "hemorrhage", "negative"): "hemorrhage",
        ("landmark", "left", "neutral"): "left",
        ("landmark", "thalamus", "neutral"): "thalamus",
    }
