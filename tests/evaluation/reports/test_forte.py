import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medprompt_cli.evaluation.reports.forte import Count, compare
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, our_lexicon
from medprompt_cli.evaluation.reports.sentences import read_report
from medprompt_cli.evaluation.reports.terms import TermIndex

INDEX = TermIndex(our_lexicon())
DEGREES = ("mild", "severe", "acute", "chronic", "old", "diffuse", "small")
FEATURES = ("hemorrhage", "edema", "infarct", "atrophy", "calcification", "mass effect")
LANDMARKS = ("left thalamus", "right frontal lobe", "pons", "basal ganglia", "cerebellum")


def judged(reference, candidate):
    return compare(read_report(reference, INDEX), read_report(candidate, INDEX))


def counted(reference, candidate):
    return judged(reference, candidate).counts


def total(counts):
    return sum(counts.values(), Count())


def test_a_count_has_its_closed_form():
    count = Count(matched=2, reference=4, candidate=5)

    assert (count.precision, count.recall, count.f1) == (2 / 5, 2 / 4, 4 / 9)
    assert count + Count(1, 1, 1) == Count(3, 5, 6)


@pytest.mark.parametrize(
    ("count", "scores"),
    [
        (Count(0, 0, 0), (None, None, None)),
        (Count(0, 3, 0), (None, 0.0, 0.0)),
        (Count(0, 0, 3), (0.0, None, 0.0)),
    ],
)
def test_what_nobody_said_has_no_score(count, scores):
    assert (count.precision, count.recall, count.f1) == scores


def test_every_category_is_counted():
    counts = counted(
        "Acute infarct in the left thalamus. Hydrocephalus.",
        "Acute infarct in the right thalamus, with edema.",
    )

    assert counts["degree"] == Count(1, 1, 1)  # acute
    assert counts["landmark"] == Count(1, 2, 2)  # thalamus; left is not right
    assert counts["feature"] == Count(1, 1, 2)  # infarct; edema is added
    assert counts["impression"] == Count(1, 2, 1)  # acute infarct; hydrocephalus is missed


def test_synonyms_are_one():
    counts = counted(
        "Slight swelling of both thalami.", "Mild edema of the thalamus bilaterally."
    )

    assert total(counts) == Count(4, 4, 4)


@pytest.mark.parametrize(
    ("reference", "candidate", "matched"),
    [
        ("No midline shift.", "Midline shift is absent.", 1),
        ("No midline shift.", "정중선 편위 없음.", 1),
        ("No midline shift.", "Midline shift.", 0),
        ("Midline shift.", "No midline shift.", 0),
        ("The midline is not shifted.", "No midline shift.", 1),
    ],
)
def test_a_denied_finding_matches_a_denied_one_only(reference, candidate, matched):
    assert counted(reference, candidate)["feature"] == Count(matched, 1, 1)


def test_the_opposite_is_told_from_what_was_forgotten():
    found = judged("No edema. Old fracture.", "Edema. Calcification.")

    assert [
        (k.side, k.hit.words, k.outcome, k.partner)
        for k in found.keywords
        if k.hit.item[0] == "feature"
    ] == [
        ("reference", "edema", "contradicted", 1),
        ("reference", "fracture", "missed", None),
        ("candidate", "Edema", "contradicted", 1),
        ("candidate", "Calcification", "added", None),
    ]


def test_a_sentence_says_a_thing_once():
    found = judged("Edema and edema of the pons.", "Edema.")

    assert found.counts["feature"] == Count(1, 1, 1)
    assert [k.counted for k in found.keywords if k.hit.words.lower() == "edema"] == [
        *(True, False),
        True,
    ]


def test_two_sentences_told_as_one_match():
    counts = counted("No edema. No fracture.", "No edema or fracture.")

    assert counts["feature"] == Count(2, 2, 2)


def test_what_is_said_twice_counts_twice():
    counts = counted("Edema.", "Edema. Edema. Edema.")

    assert counts["feature"] == Count(1, 1, 3)


def test_the_keyword_table_adds_up_to_the_counts():
    found = judged(
        "Old infarct in the pons. No edema.", "Acute infarct. Mild edema of the pons."
    )

    for category in CATEGORIES:
        rows = [k for k in found.keywords if k.counted and k.hit.item[0] == category]
        ours = [k for k in rows if k.side == "reference"]
        count = found.counts[category]
        assert count.reference == len(ours)
        assert count.candidate == len(rows) - len(ours)
        assert count.matched == sum(k.outcome == "matched" for k in ours)


SENTENCE = st.tuples(
    st.sampled_from(["No ", "", "There is ", "Without "]),
    st.sampled_from(DEGREES),
    st.sampled_from(FEATURES),
    st.sampled_from(LANDMARKS),
).map(lambda p: f"{p[0]}{p[1]} {p[2]} in the {p[3]}.")
REPORT = st.lists(SENTENCE, min_size=1, max_size=6)


@given(REPORT)
def test_a_report_against_itself_is_perfect(sentences):
    text = " ".join(sentences)

    assert total(counted(text, text)).f1 == 1


@given(REPORT, REPORT, st.randoms(use_true_random=False))
def test_the_order_of_sentences_does_not_matter(reference, candidate, chance: random.Random):
    before = counted(" ".join(reference), " ".join(candidate))
    chance.shuffle(reference)
    chance.shuffle(candidate)

    assert counted(" ".join(reference), " ".join(candidate)) == before


@given(REPORT, st.data())
def test_denying_a_sentence_lowers_the_score(sentences, data):
    positive = [k for k, text in enumerate(sentences) if text[0].islower()]
    assume(positive)
    denied = data.draw(st.sampled_from(positive))
    changed = [f"No {s}" if k == denied else s for k, s in enumerate(sentences)]
    counts = counted(" ".join(sentences), " ".join(changed))

    score = counts["feature"].f1
    assert score is not None
    assert score < 1


@given(REPORT, REPORT)
def test_reference_and_candidate_are_counted_alike(reference, candidate):
    forth = counted(" ".join(reference), " ".join(candidate))
    back = counted(" ".join(candidate), " ".join(reference))

    for category in CATEGORIES:
        assert forth[category].reference == back[category].candidate
        assert forth[category].matched <= min(
            forth[category].reference, forth[category].candidate
        )
