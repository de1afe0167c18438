"""Made-up prompts: the same every time, right about themselves, and two families apart."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import fields
from random import Random

import pytest

from medprompt_cli.synthesis.prompts.asked import IMAGES, QUANTITIES, Asked
from medprompt_cli.synthesis.prompts.templates import skeletons
from medprompt_cli.training import prompt_corpus

LANGUAGES = ("en", "ko")
FAMILIES = ("training", "evaluation")
SOURCES = tuple(itertools.product(LANGUAGES, FAMILIES))

KEYWORDS = 4
"""Words of the longest note that two people may well type alike."""

LEAST = {
    **{("en", "training"): 150, ("en", "evaluation"): 60},
    **{("ko", "training"): 100, ("ko", "evaluation"): 40},
}
COMPARES = {"none", "sides", "visits", "images"}
VISITS = {"own", "all", "first-last", "first", "last"}
FILTERS = {
    *("side:left", "side:right", "lobe", "territory", "region", "exclude", "size:>"),
    *("size:>=", "size:<", "signal:hyper", "signal:hypo", "rank:largest"),
    *("new", "enlarging", "enhancing"),
}
REASONS = {
    *(("refused", reason) for reason in ("out-of-scope", "unknown-target", "no-target")),
    *(("ambiguous", reason) for reason in ("ambiguous-target", "no-target", "vague")),
    ("ok", ""),
}


@pytest.fixture(scope="module")
def drawn(corpus):
    """Prompts of each language and family."""
    return {
        (language, family): list(corpus.prompts(5000, 1, family, language))
        for language, family in SOURCES
    }


def plainly(text):
    return " ".join(re.findall(r"\w+", text.lower()))


def test_the_same_seed_gives_the_same_prompts(corpus):
    assert list(corpus.prompts(300, 7, "training")) == list(corpus.prompts(300, 7, "training"))
    assert list(corpus.prompts(50, 7, "training")) != list(corpus.prompts(50, 8, "training"))


def test_a_prompt_can_be_drawn_by_its_place(corpus):
    row = list(corpus.prompts(40, 2, "evaluation", "ko"))

    assert [corpus.prompt(n, 2, "evaluation", "ko") for n in range(40)] == row


def test_both_languages_are_drawn_if_none_is_asked_for(corpus):
    languages = Counter(prompt.language for prompt in corpus.prompts(1000, 5, "training"))

    assert languages["en"] > languages["ko"] > 250


@pytest.mark.parametrize("source", SOURCES)
def test_spans_hold_the_names(drawn, source):
    for prompt in drawn[source]:
        spans = [(mention.start, mention.end) for mention in prompt.mentions]
        assert spans == sorted(spans)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
        for mention in prompt.mentions:
            typed = prompt.text[mention.start : mention.end]
            assert typed
            if prompt.text == prompt.clean:
                assert typed == mention.said
        rest = prompt.clean
        for mention in prompt.mentions:
            _, said, rest = rest.partition(mention.said)
            assert said == mention.said


@pytest.mark.parametrize("source", SOURCES)
def test_every_target_and_place_is_mentioned(drawn, source):
    for prompt in drawn[source]:
        if prompt.asked.status != "ok":
            continue
        bare = {re.sub("^(left|right)-", "", mention.name) for mention in prompt.mentions}
        if "everything" in bare:
            continue
        places = [
            value
            for kind, _, value in (text.partition(":") for text in prompt.asked.filters)
            if kind in {"lobe", "territory", "region", "exclude"}
        ]
        for name in (*prompt.asked.targets, *places):
            assert re.sub("^(left|right)-", "", name) in bare


@pytest.mark.parametrize("source", SOURCES)
def test_requests_add_up_to_what_is_asked(drawn, source):
    for prompt in drawn[source]:
        targets = {name for asked in prompt.requests for name in asked.targets}
        quantities = {name for asked in prompt.requests for name in asked.quantities}
        assert quantities == set(prompt.asked.quantities)
        assert {re.sub("^(left|right)-", "", name) for name in targets} == {
            re.sub("^(left|right)-", "", name) for name in prompt.asked.targets
        }


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_not_understood_asks_for_nothing(drawn, source):
    for prompt in drawn[source]:
        asked = prompt.asked
        if asked.status != "ok":
            assert asked == Asked(status=asked.status, reason=asked.reason)
            assert asked.reason
        kinds = {mention.kind for mention in prompt.mentions}
        assert ("unknown" in kinds) == (asked.reason == "unknown-target")
        assert ("ambiguous" in kinds) == (asked.reason == "ambiguous-target")


@pytest.mark.parametrize("source", SOURCES)
def test_everything_that_can_be_asked_occurs(drawn, source):
    asked = [prompt.asked for prompt in drawn[source]]
    filters = {text for a in asked for text in a.filters}
    kinds = {text.partition(":")[0] for text in filters}
    signs = {re.split(r"[0-9]", text)[0] for text in filters if text.startswith("size:")}

    assert {name for a in asked for name in a.quantities} == set(QUANTITIES)
    assert {a.compares for a in asked} == COMPARES
    assert {a.visits for a in asked} == VISITS
    assert {(a.status, a.reason) for a in asked} == REASONS
    assert filters | kinds | signs >= FILTERS
    assert {name for a in asked for name in a.images} == set(IMAGES)
    assert {len(a.targets) for a in asked} >= {1, 2, 3}
    assert {len(a.quantities) for a in asked} >= {0, 1, 2, 3}


@pytest.mark.parametrize("source", SOURCES)
def test_there_are_many_frames_and_each_is_one(corpus, source):
    frames = corpus.frames(*source)

    assert len(frames) >= LEAST[source]
    assert len({frame.text for frame in frames}) == len(frames)
    assert len({frame.name for frame in frames}) == len(frames)


@pytest.mark.parametrize("source", SOURCES)
def test_every_frame_can_be_written_with_the_whole_vocabulary(source):
    corpus = prompt_corpus.corpus()

    for frame in corpus.frames(*source):
        assert corpus.write(frame, Random(frame.name)), frame.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_frame_is_in_both_families(corpus, language):
    def sentences(family):
        found = {
            plainly(skeleton)
            for frame in corpus.frames(language, family)
            for skeleton in skeletons(frame.row)
        }
        return {text for text in found if len(set(text.split()) - {"_"}) > 1}

    assert not sentences("training") & sentences("evaluation")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_drawn_in_both_families(drawn, language):
    training = {plainly(prompt.text) for prompt in drawn[language, "training"]}
    evaluation = {plainly(prompt.text) for prompt in drawn[language, "evaluation"]}
    shared = training & evaluation

    assert [text for text in shared if len(text.split()) > KEYWORDS] == []
    assert len(shared) < len(evaluation) / 20


@pytest.mark.parametrize("source", SOURCES)
def test_no_mark_is_left_in_a_prompt(drawn, source):
    for prompt in drawn[source]:
        assert not re.search("[\ue000-\uf8ff]", prompt.text)
        assert "  " not in prompt.text
        assert prompt.text == prompt.text.strip()


def test_what_is_asked_has_the_fields_of_the_contract():
    assert [field.name for field in fields(Asked)] == [
        *("targets", "quantities", "compares", "filters", "images", "visits"),
        *("status", "reason"),
    ]
