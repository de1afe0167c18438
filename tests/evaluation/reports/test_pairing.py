import numpy as np

from medprompt_cli.evaluation.reports.pairing import lexical_similarity, pair
from medprompt_cli.evaluation.reports.sentences import read_report


def numbers(pairs):
    return sorted((first.number, second.number) for first, second, _ in pairs)


def test_similarity_is_dices_coefficient(index):
    (first,) = read_report("Mild edema", index)
    (second,) = read_report("Slight edema", index)

    # Words: mild, edema / slight, edema; terms and what is said of them: two each, the same.
    assert lexical_similarity([first], [second])[0, 0] == 2 * 5 / (6 + 6)


def test_a_synonym_is_as_good_as_the_word(index):
    (reference,) = read_report("Hemorrhage.", index)
    candidates = read_report("Hematoma. Hydrocephalus.", index)

    assert numbers(pair([reference], candidates)) == [(1, 1)]


def test_the_sum_decides_not_the_first_come(index):
    reference = read_report("Mild edema of the pons. Mild edema.", index)
    candidate = read_report("Mild edema. Mild edema of the pons with gliosis.", index)

    assert numbers(pair(reference, candidate)) == [(1, 2), (2, 1)]


def test_a_denied_finding_prefers_a_denied_one(index):
    reference = read_report("No edema. Edema.", index)
    candidate = read_report("Edema. Without edema.", index)

    assert numbers(pair(reference, candidate)) == [(1, 2), (2, 1)]


def test_sentences_with_nothing_in_common_are_no_pair(index):
    assert pair(read_report("Edema.", index), read_report("Fracture.", index)) == []
    assert pair(read_report("Edema.", index), []) == []


def test_another_similarity_can_be_given(index):
    reference = read_report("Edema. Fracture.", index)
    candidate = read_report("Edema. Fracture.", index)

    found = pair(reference, candidate, lambda *_: np.array([[0.0, 0.5], [0.5, 0.0]]))

    assert numbers(found) == [(1, 2), (2, 1)]
    assert {alike for *_, alike in found} == {0.5}
