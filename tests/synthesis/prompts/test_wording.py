"""How regions, numbers and particles are written."""

from __future__ import annotations

from random import Random

import pytest

from medprompt_cli.synthesis.prompts import english, korean, wording
from medprompt_cli.synthesis.prompts.draft import CLOSE, FIT, OPEN, Draft
from medprompt_cli.synthesis.prompts.finish import settle
from medprompt_cli.synthesis.prompts.lexicon import Entry
from medprompt_cli.synthesis.prompts.nearness import Nearness
from medprompt_cli.synthesis.prompts.request import RedrawError


def drafts(lexicon, *, count=200, terse=False):
    return [Draft(Random(seed), lexicon, "en", terse=terse) for seed in range(count)]


def marked(text):
    return text[text.index(OPEN) + 1 : text.index(CLOSE)]


def test_a_name_keeps_its_capitals_and_finds_its_plural():
    entry = Entry("white-matter-hyperintensity", "lesion", ("wmh", "wmhs"), sided=False)

    assert {surface.text for surface in entry.english} == {
        *("white matter hyperintensity", "WMH", "WMHs"),
    }


@pytest.mark.parametrize("terse", [False, True])
def test_a_side_is_written_with_its_region(lexicon, terse):
    entry = lexicon.entries["hippocampus"]
    for draft in drafts(lexicon, terse=terse):
        text = english.region(draft, entry, "left", article=True).lower()
        assert "right" not in text
        assert "left" in text or {"l", "lt", "lh"} & set(
            text.replace("_", " ")
            .replace("-", " ")
            .replace(".", " ")
            .replace("(", " ")
            .replace(")", " ")
            .replace(OPEN, " ")
            .replace(CLOSE, " ")
            .split()
        )


def test_a_side_that_stands_apart_is_not_marked_with_the_name(lexicon):
    entry = lexicon.entries["hippocampus"]
    for draft in drafts(lexicon, count=400):
        text = english.region(draft, entry, "left", article=False)
        name = draft.notes[0].name
        assert (name == "left-hippocampus") == ("left" in marked(text))


@pytest.mark.parametrize(
    ("form", "before", "fitted"),
    [
        ("을", "해마", "를"),
        ("을", "미상핵", "을"),
        ("이", "뇌간", "이"),
        ("이", "피각이나 해마", "가"),
        ("은", "WMH", "는"),
        ("와", "시상", "과"),
        ("으로", "mL", "로"),
        ("으로", "두개강", "으로"),
        ("으로", "2018", "로"),
        ("이랑", "HC", "랑"),
    ],
)
def test_a_particle_fits_the_sound_before_it(form, before, fitted):
    assert korean.fits(form, before[-1]) == fitted


def test_a_particle_that_is_unknown_is_an_error():
    with pytest.raises(ValueError, match=r"^'도' is no particle that fits itself\.$"):
        korean.fits("도", "해")


def test_articles_and_particles_see_through_marks(lexicon):
    draft = drafts(lexicon, count=1)[0]
    text = f"{FIT}a{FIT} {OPEN}infarct{CLOSE} or {FIT}a{FIT} cyst ,  please . ."

    assert "".join(piece.text for piece in settle(text, draft)) == (
        "an infarct or a cyst, please."
    )


def test_a_bound_is_a_filter_in_units_of_the_language(lexicon):
    filters = set()
    for draft in drafts(lexicon, count=300):
        wording.size(draft, ">", "length")
        wording.size(draft, "<=", "volume")
        filters.update(draft.request.filters)

    assert {"size:>5mm", "size:>30mm", "size:<=10mm3", "size:<=0.5mL"} <= filters
    assert not any(text.endswith("cm") for text in filters)


def test_a_scan_is_not_named_twice(lexicon):
    draft = drafts(lexicon, count=1)[0]
    wording.scan(draft, "ct")

    with pytest.raises(RedrawError):
        wording.scan(draft, "ct")


@pytest.mark.parametrize("wrong", ["putmen", "putaman", "puatmen", "puttamen"])
def test_words_one_error_away_are_near(wrong):
    assert Nearness(["putamen", "thalamus"]).within(wrong, 1) == {"putamen"}


def test_short_words_are_near_by_one_error_only():
    assert not Nearness(["lobe"]).within("load", 2)
