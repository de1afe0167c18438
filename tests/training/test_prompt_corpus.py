"""Made-up prompts in the vocabulary's words: their intents are valid and coherent."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.planning import filters, intent
from medprompt_cli.planning.coherence import is_coherent
from medprompt_cli.planning.mentions import find_mentions
from medprompt_cli.planning.vocabulary import TERMS, find
from medprompt_cli.planning.words import read_words
from medprompt_cli.synthesis.prompts import asked
from medprompt_cli.training.prompt_corpus import (
    corpus,
    intent_of,
    prompt_samples,
    unseen_mentions,
)

SOURCES = tuple(itertools.product(("training", "evaluation"), ("en", "ko")))

CAN_MEAN_NO_REGION = frozenset(
    {"all", "everything", "all of them", "ventricle", "the ventricle", "모두", "전부", "전체"}
    | {"brain", "brains", "tumor", "tumour", "tumours", "lesion", "lesions", "stroke", "bleed"}
    | {"bleeding", "metastases", "cerebral", "cortical", "cortex", "whole-brain", "whole brain"}
    | {"뇌", "병소", "병변", "종양", "피질", "백질", "출혈", "전이", "뇌졸중"}
)
"""Also words that are said in passing: `for the tumour board`, `the lesion load of`."""
"""Names in sentences that use the word for something else, or vaguely."""


@pytest.fixture(scope="module")
def drawn():
    return {
        (family, language): list(prompt_samples(2500, 9, family, language))
        for family, language in SOURCES
    }


def test_both_packages_speak_of_the_same_things():
    assert set(asked.QUANTITIES) == set(intent.QUANTITIES)
    assert set(asked.MEASURES) == set(intent.MEASURES)
    assert set(asked.TRAITS) == set(intent.TRAIT_QUANTITIES)
    assert asked.CHANGES == intent.CHANGES
    assert asked.FATES == filters.FATES
    assert set(asked.IMAGES) <= set(intent.IMAGES)


def test_every_region_of_the_vocabulary_is_in_the_lexicon():
    entries = corpus().lexicon.entries

    assert set(entries) == set(TERMS)
    assert entries["hippocampus"].sided
    assert not entries["brainstem"].sided
    assert set(entries["deep-gray-matter"].members) > {"thalamus", "putamen"}
    assert "hippocampal" in entries["hippocampus"].adjectives
    assert "frontal" in entries["frontal-lobe"].places


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_asked_is_a_valid_intent_in_its_one_form(drawn, source):
    for sample in drawn[source]:
        said = sample.prompt.asked
        if said.status != "ok":
            assert sample.intent is None
            assert sample.intents == ()
            continue
        assert sample.intent is not None
        made = sample.intent
        assert (made.targets, made.quantities) == (said.targets, said.quantities)
        assert (made.compares, made.filters) == (said.compares, said.filters)
        assert (made.images, made.visits) == (said.images, said.visits)


@pytest.mark.parametrize("source", SOURCES)
def test_every_request_has_a_program(drawn, source):
    for sample in drawn[source]:
        for request in sample.intents:
            assert is_coherent(request), (sample.prompt.text, request)


@pytest.mark.parametrize("source", SOURCES)
def test_all_requests_together_are_the_intent(drawn, source):
    for sample in drawn[source]:
        if sample.intent is not None:
            together = intent.merge(sample.intents)
            assert set(together.targets) == set(sample.intent.targets)
            assert replace(together, targets=sample.intent.targets) == replace(
                sample.intent, images=together.images
            )
            assert set(together.images) == set(sample.intent.images)


@pytest.mark.parametrize("source", SOURCES)
def test_mentions_are_names_of_the_vocabulary(drawn, source):
    for sample in drawn[source]:
        for mention in sample.prompt.mentions:
            if mention.name and mention.kind != "everything":
                found = find(mention.name)
                assert found is not None
                assert found[0].kind == mention.kind


@pytest.mark.parametrize("source", SOURCES)
def test_the_reader_of_names_finds_nearly_all_that_are_typed_right(drawn, source):
    right = [s.prompt for s in drawn[source] if s.prompt.text == s.prompt.clean]
    unseen = [prompt.text for prompt in right if unseen_mentions(prompt)]

    assert len(unseen) < 0.04 * len(right)


@pytest.mark.parametrize("source", SOURCES)
def test_no_name_stands_where_none_is_meant(drawn, source):
    for sample in drawn[source]:
        prompt = sample.prompt
        if prompt.text != prompt.clean or sample.intent is None:
            continue
        for slot in find_mentions(read_words(prompt.text)):
            said = re.sub("^the ", "", prompt.text[slot.start : slot.end].lower())
            known = any(m.start < slot.end and slot.start < m.end for m in prompt.mentions)
            assert known or said in CAN_MEAN_NO_REGION, (prompt.frame, prompt.text, said)


def test_unknown_names_are_unknown_to_the_vocabulary(drawn):
    unknown = {
        mention.said
        for samples in drawn.values()
        for sample in samples
        for mention in sample.prompt.mentions
        if mention.kind == "unknown"
    }

    assert len(unknown) > 100
    assert not [name for name in unknown if corpus().lexicon.knows(name)]


def test_what_was_refused_has_no_intent():
    with pytest.raises(UsageError, match=r"^Nothing is named that could be looked at\.$"):
        intent_of(asked.Asked(status="refused", reason="out-of-scope"))
