import random

import pytest

from medprompt_cli.evaluation.reports.forte import Count, compare
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, Lexicon
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published import (
    Difference,
    KeyIndex,
    Synonyms,
    differences,
    synonyms_of,
    take_sentences,
)
from medprompt_cli.evaluation.reports.sentences import read_sentences
from medprompt_cli.evaluation.reports.terms import TermIndex

MILD = {" mild": (" mild", " slight"), " slight": (" mild", " slight"), " low": (" low",)}
TABLES = {
    "degree": {**MILD, " no ": (" no ",)},
    "landmark": {" thalamus": (" thalamus", " thalami"), " thalami": (" thalamus", " thalami")},
    "feature": {" edema": (" edema",), " shift": (" shift",)},
    "impression": {" ich ": (" ich ",)},
}


def lexicon(tables=TABLES):
    groups = {c: tuple(dict.fromkeys(t.values())) for c, t in tables.items()}
    stripped = {c: tuple(tuple(w.strip() for w in g) for g in gs) for c, gs in groups.items()}
    return Lexicon("test", stripped, tables, frozenset())


@pytest.fixture
def small():
    return KeyIndex(lexicon(), TermIndex(lexicon()))


def taken(index, reference, candidate):
    return take_sentences(ReportPair("a", reference, candidate), index)


def scores(row, category, rule="left"):
    ours, theirs = (side[category] for side in row.hits[rule])
    return Synonyms(TABLES[category]).precision_recall(ours, theirs)


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        (["mild"], ["slight"], (1.0, 1.0)),
        (["mild", "slight"], ["mild"], (1.0, 1.0)),
        (["mild", "low"], ["mild"], (1.0, 0.5)),
        (["mild"], ["mild", "low"], (0.5, 1.0)),
        ([], ["mild"], (0.0, None)),
        (["mild"], [], (None, 0.0)),
        ([], [], (None, None)),
    ],
)
def test_the_script_counts_like_this(reference, candidate, expected):
    assert Synonyms(TABLES["degree"]).precision_recall(reference, candidate) == expected


def test_a_left_boundary_is_enough_for_the_script(small):
    (row,) = taken(small, "lower edema", "low edema")

    assert row.hits["left"][0]["degree"] == {"low"}
    assert row.hits["both"][0]["degree"] == set()
    assert scores(row, "degree") == (1.0, 1.0)
    assert scores(row, "degree", "both") == (0.0, None)


def test_stray_spaces_of_keys_are_kept(small):
    (row,) = taken(small, "ich of the pons", "edema and (ich)")

    assert [side["impression"] for side in row.hits["left"]] == [{"ich"}, set()]
    assert [side["impression"] for side in row.hits["both"]] == [{"ich"}, {"ich"}]


def test_a_reference_sentence_takes_the_candidate_most_like_it(small):
    rows = taken(small, "mild edema. edema", "edema. thalami")

    assert [(row.reference.text, row.candidate.text) for row in rows] == [
        ("mild edema", "edema"),
        ("edema", "edema"),
    ]


def test_a_decimal_number_is_torn(small):
    assert len(taken(small, "edema of 1.5 cm", "edema")) == 2


def test_without_sentences_there_are_no_pairs(small):
    assert taken(small, "edema", " . ") == []


def test_pairs_with_no_can_be_dropped(small):
    rows = taken(small, "no shift. mild shift. nodular shift", "mild shift")

    assert [row.negated for row in rows] == [True, False, False]


def test_the_table_of_differences_names_term_word_and_count(small):
    rows = taken(
        small, "lower edema. new thalamus scan (edema)", "low edema. new lower thalamus scan."
    )

    assert differences(rows, small) == [
        Difference("degree", "low", "left", "lower", 2),
        Difference("feature", "edema", "both", "(edema)", 1),
    ]


def by_the_book(reference, candidate, table):
    """Precision and recall of two texts, as facts on the script say; written apart."""

    def main_keys(text):
        stands = [key.strip() for key in table if key in f" {text.lower()} "]
        return {
            next((k for k, same in table.items() if f" {hit}" in same), f" {hit}")
            for hit in stands
        }

    ours, theirs = main_keys(reference), main_keys(candidate)
    if not ours and not theirs:
        return None, None
    if not ours:
        return 0, None
    if not theirs:
        return None, 0
    lists = [next((same for same in table.values() if key in same), (key,)) for key in theirs]
    found = len([key for key in ours if any(key in same for same in lists)])
    return found / len(theirs), found / len(ours)


def made_pairs(lexicon, count=400):
    """Pairs of sentences, made of the lexicon's own terms."""
    chance = random.Random(7)
    terms = {c: [key.strip() for key in keys] for c, keys in lexicon.keys.items()}
    forms = (
        "{degree} {feature} of the {landmark}",
        "{feature} in the {landmark} and {impression} again",
        "there is {degree} {landmark} {feature}, {impression}",
        "{impression} with {degree} {feature} here",
    )

    def sentence():
        words = {c: chance.choice(of) for c, of in terms.items()}
        return chance.choice(forms).format(**words)

    for number in range(count):
        first = sentence()
        yield ReportPair(str(number), first, first if number % 7 == 0 else sentence())


@pytest.mark.shared
def test_counting_agrees_with_the_script_on_its_own_terms(forte):
    index, synonyms = KeyIndex(forte, TermIndex(forte)), synonyms_of(forte)
    seen = set()
    for pair in made_pairs(forte):
        (row,) = take_sentences(pair, index)
        for category in CATEGORIES:
            ours, theirs = (side[category] for side in row.hits["left"])
            expected = by_the_book(pair.reference, pair.candidate, forte.keys[category])
            assert synonyms[category].precision_recall(ours, theirs) == expected
            seen.add(expected)
    assert len(seen) > 8


@pytest.mark.shared
def test_ours_agrees_with_the_script_where_the_boundary_does_not_differ(forte):
    terms = TermIndex(forte)
    index, synonyms = KeyIndex(forte, terms), synonyms_of(forte)
    agreed = differed = 0
    for pair in made_pairs(forte):
        (row,) = take_sentences(pair, index)
        if row.negated:
            continue  # the script drops it; ours keeps it with its polarity
        reference, candidate = (
            read_sentences([text], terms) for text in (pair.reference, pair.candidate)
        )
        ours = compare(reference, candidate).counts
        other = {one.category for one in differences([row], index)}
        for category in CATEGORIES:
            hits = (side[category] for side in row.hits["left"])
            expected = synonyms[category].precision_recall(*hits)
            same = scores_of(ours[category]) == expected
            agreed += same
            differed += category in other
            assert same or category in other, (pair, category)
    assert agreed > 1000
    assert differed > 20


def scores_of(count: Count):
    """Ours, where one side without terms leaves the other's score undefined."""
    if not count.reference or not count.candidate:
        return (0.0 if count.candidate else None), (0.0 if count.reference else None)
    return count.precision, count.recall


@pytest.mark.shared
def test_a_table_shows_where_the_boundary_differs(forte):
    index = KeyIndex(forte, TermIndex(forte))
    pair = ReportPair(
        "a",
        "Lower lobes clear. Oldest scan. ICH. (Hemorrhage)",
        "An infarct. Infarcts of thalamus. No, an intracerebral hemorrhage.",
    )

    found = differences(take_sentences(pair, index), index)

    assert {(one.term, one.rule, one.words) for one in found} >= {
        ("low", "left", "lower"),
        ("old", "left", "oldest"),
        ("hemorrhage", "both", "(hemorrhage)"),
    }
