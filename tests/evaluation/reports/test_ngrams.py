import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.evaluation.reports.ngrams import (
    bleu,
    cider_r,
    common_subsequence,
    rouge_l,
    tokens_of,
)

WORDS = st.lists(st.sampled_from("abcde"), max_size=12).map(tuple)


def test_words_are_lower_case_without_punctuation():
    assert tokens_of("T2-FLAIR: 1.5 cm, 출혈은 없음.") == (
        *("t2", "flair", "1.5", "cm", "출혈은", "없음"),
    )


def test_bleu_clips_counts_as_published():
    """Example 2 of Papineni et al. 2002: a modified unigram precision of 2/7."""
    reference = tokens_of("The cat is on the mat.")
    found = bleu([reference], [tokens_of("the the the the the the the")]).orders

    assert found == pytest.approx((2 / 7, 0, 0, 0))


def test_bleu_has_its_closed_form():
    found = bleu([tuple("abcdef")], [tuple("abcdxy")]).orders

    shares = [4 / 6, 3 / 5, 2 / 4, 1 / 3]
    assert found == pytest.approx([math.prod(shares[:n]) ** (1 / n) for n in (1, 2, 3, 4)])


def test_a_short_candidate_is_penalised():
    found = bleu([tuple("abcdefgh")], [tuple("abcd")]).orders

    assert found == pytest.approx([math.exp(1 - 8 / 4)] * 4)


def test_bleu_of_several_reports_pools_their_ngrams():
    found = bleu([tuple("abcd"), tuple("efgh")], [tuple("abcd"), tuple("xyzw")]).orders

    assert found == pytest.approx((0.5, 0.5, 0.5, 0.5))


def test_an_empty_candidate_scores_nothing():
    reference = tokens_of("no shift")

    assert bleu([reference], [()]).orders == (0, 0, 0, 0)
    assert rouge_l(reference, ()).f1 == 0
    assert cider_r([reference, tokens_of("mild edema")], [(), ()]) == [0, 0]


@pytest.mark.parametrize(
    ("candidate", "score"),
    [("police kill the gunman", 3 / 4), ("the gunman kill police", 2 / 4)],
)
def test_rouge_l_is_as_published(candidate, score):
    """The examples of Lin 2004, section 3.1."""
    found = rouge_l(tokens_of("police killed the gunman"), tokens_of(candidate))

    assert (found.precision, found.recall, found.f1) == (score, score, score)


def test_rouge_l_has_its_closed_form():
    found = rouge_l(tuple("abcdef"), tuple("axcy"))

    assert (found.precision, found.recall, found.f1) == (2 / 4, 2 / 6, 4 / 10)


@given(WORDS, WORDS)
def test_the_common_subsequence_is_the_one_of_the_textbook(first, second):
    lengths = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            longer = max(lengths[i][j + 1], lengths[i + 1][j])
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if one == other else longer

    assert common_subsequence(first, second) == lengths[-1][-1]


def test_cider_r_of_the_reference_itself_is_ten():
    references = [tuple("abcd"), tuple("efgh")]

    assert cider_r(references, references) == pytest.approx([10, 10])


def test_cider_r_agrees_with_the_published_code():
    """The cosine is that of CIDEr-D in pycocoevalcap 1.2, run on these; lengths are equal."""
    references = [
        "no midline shift or mass effect is seen",
        "mild atrophy of both frontal lobes is seen",
        "old infarct in the left basal ganglia with gliosis",
    ]
    candidates = [
        "no midline shift and no mass effect seen",
        "mild atrophy of the frontal lobes is seen",
        "old infarct in the right basal ganglia with gliosis",
    ]
    repeated = (1 / 2) ** (1 / 7)  # `no` once too often, of seven words

    found = cider_r(*([tokens_of(text) for text in side] for side in (references, candidates)))

    assert found == pytest.approx([3.2572449 * repeated**0.8, 5.53659528, 6.35912698])


def test_cider_r_penalises_length_and_repetition():
    """Words once in one reference of two all weigh log 2: the cosine is a ratio of counts."""
    references = [tuple("abcd"), tuple("efgh")]
    (short, _), (long, _) = (
        cider_r(references, [text, tuple("efgh")]) for text in (tuple("ab"), tuple("abcdabcd"))
    )

    cosines = (math.sqrt(2 / 4), math.sqrt(1 / 3))  # of words and pairs; no longer ones
    assert short == pytest.approx(10 * sum(cosines) / 4 * math.exp(-0.2 * (2 / 4) ** 2))
    assert long is not None
    cosines = [_doubled(order) for order in (1, 2, 3, 4)]
    assert long == pytest.approx(10 * sum(cosines) / 4 * (1 / 2) ** 0.8 * math.exp(-0.2))


def _doubled(order: int) -> float:
    """Cosine of abcdabcd with abcd: its n-grams twice, and those across the middle."""
    twice, across = 5 - order, order - 1
    seen = [2] * twice + [1] * across
    return twice / math.sqrt(twice) / math.sqrt(sum(count**2 for count in seen))


def test_one_report_alone_has_no_cider_r():
    assert cider_r([tuple("abcd")], [tuple("abcd")]) == [None]


@given(st.lists(st.tuples(WORDS.filter(bool), WORDS), min_size=2, max_size=5))
def test_scores_stay_in_their_range(pairs):
    references, candidates = map(list, zip(*pairs, strict=True))

    assert all(0 <= value <= 1 for value in bleu(references, candidates).orders)
    assert all(0 <= rouge_l(*pair).f1 <= 1 for pair in pairs)
    for value in cider_r(references, candidates):
        assert value is not None
        assert 0 <= value <= 10 + 1e-9
