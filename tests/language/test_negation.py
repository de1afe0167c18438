import pytest

from medprompt_cli.language.negation import denied
from medprompt_cli.language.words import words_of

CASES = {
    "No midline shift.": "midline shift",
    "No hemorrhage, mass effect, or shift is seen.": "hemorrhage mass effect or shift is seen",
    "No edema, mass, and shift are seen.": "edema mass and shift are seen",
    "No acute infarct, the ventricles are enlarged.": "acute infarct",
    "No acute infarct and the ventricles are enlarged.": "acute infarct",
    "No infarct, but mild atrophy.": "infarct",
    "No abnormality other than mild atrophy.": "abnormality",
    "No hemorrhage; mild edema": "hemorrhage",
    "No hemorrhage (mild edema)": "hemorrhage",
    "The ventricles are not dilated.": "dilated",
    "Midline shift is not seen; mild edema.": "Midline shift is",
    "Edema is present, hemorrhage is absent.": "hemorrhage is",
    "Without hemorrhage": "hemorrhage",
    "Neither edema nor infarct": "edema nor infarct",
    "Free of hemorrhage": "hemorrhage",
    "CT without contrast shows edema": "contrast shows",
    "No change in the hematoma.": "",
    "Hemorrhage cannot be excluded.": "",
    "Not only edema": "",
    "Non-enhancing lesion with edema.": "enhancing",
    "출혈은 없고 뇌실 확장이 있음.": "출혈은",
    "뇌실 확장이 있으며 출혈은 없음.": "출혈은",
    "출혈이나 종괴는 보이지 않음.": "출혈이나 종괴는 보이지",
    "출혈, 종괴, 정중선 편위 없음.": "출혈 종괴 정중선 편위",
    "뇌실 확장 있음, 출혈 없음.": "출혈",
    "정중선 편위(-), 출혈 있음": "정중선 편위",
    "만성 경색 외에 급성 출혈 없음.": "급성 출혈",
    "출혈 없이 경미한 위축": "출혈",
    "출혈을 배제할 수 없음.": "",
    "혈종 크기 변화 없음.": "",
}


@pytest.mark.parametrize("text", CASES)
def test_a_cue_denies_up_to_the_end_of_its_clause(text):
    words = words_of(text)
    no = [word.text for word, out in zip(words, denied(words), strict=True) if out]

    assert " ".join(no) == CASES[text]


def test_a_cue_that_is_part_of_a_term_denies_nothing():
    words = words_of("non specific lesion")

    assert denied(words, [(0, 1)]) == [False, False, False]
    assert denied(words) == [False, True, False]


def test_a_term_that_is_the_cue_still_denies():
    words = words_of("no shift")

    assert denied(words, [(0, 0), (1, 1)]) == [False, True]
