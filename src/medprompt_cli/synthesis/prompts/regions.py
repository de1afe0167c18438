"""The slots that name what is asked for: regions and lesions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType

from medprompt_cli.synthesis.prompts import english, korean
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.grammar import Grammar
from medprompt_cli.synthesis.prompts.lexicon import Entry
from medprompt_cli.synthesis.prompts.request import RedrawError

NEVER_BY_CHANCE = frozenset({"intracranial", "brain-mask"})
"""Regions whose words sound like a quantity or a step: named only where a frame says so."""

KINDS: Mapping[str, float] = {
    "structure": 6,
    "group": 2.2,
    "lobe": 1,
    "parcel": 2.2,
    "territory": 0.2,
}
MASSES: Mapping[str, float] = {
    **{"tumor": 5, "tumor-core": 1, "enhancing-tumor": 1.5, "edema": 1, "meningioma": 2},
    **{"cyst": 1.5, "infarct": 2, "hemorrhage": 2, "resection-cavity": 1.2, "necrosis": 0.7},
    **{"metastasis": 1.5, "lesion": 2},
}
LESIONS: Mapping[str, float] = {
    **{"lesion": 6, "white-matter-hyperintensity": 5, "ms-lesion": 3, "tumor": 2},
    **{"infarct": 2, "hemorrhage": 2, "cyst": 1, "metastasis": 3, "meningioma": 1.2},
    **{"enhancing-tumor": 0.5, "resection-cavity": 0.4},
}
SINGLE: Mapping[str, float] = {
    **{"lesion": 4, "white-matter-hyperintensity": 2, "ms-lesion": 2, "edema": 2},
    **{"tumor": 4, "tumor-core": 1, "enhancing-tumor": 1.5, "meningioma": 2, "cyst": 2},
    **{"infarct": 3, "hemorrhage": 3, "resection-cavity": 1.2, "necrosis": 1.5},
    **{"metastasis": 2},
}
HOW_MANY = ((1, 2, 3, 4), (55, 25, 14, 6))
LEFT_OUT = 0.08
"""How often a region list is a group with something left out."""

VOLUME_NAME = re.compile(r"volume|ICV|TIV|용적")

LEFT, RIGHT, BOTH, BARE = "left", "right", "both", ""


def tongue(draft: Draft) -> ModuleType:
    """How the draft's language writes regions."""
    return english if draft.language == "en" else korean


def _side(draft: Draft, entry: Entry) -> str:
    if not entry.sided:
        return BARE
    return draft.pick((BARE, LEFT, RIGHT, BOTH), (45, 23, 23, 9))


def _drawn(draft: Draft, weights: Mapping[str, float]) -> Entry:
    entries = draft.lexicon.entries
    named = [name for name in weights if name in entries]
    return draft.take([entries[name] for name in named], [weights[name] for name in named])


def _any(draft: Draft, lesions: float) -> Entry:
    if draft.chance(lesions):
        return _drawn(draft, SINGLE)
    kind = draft.pick(tuple(KINDS), tuple(KINDS.values()))
    fitting = [e for e in draft.lexicon.kinds(kind) if e.name not in NEVER_BY_CHANCE]
    return draft.take(fitting)


def _target(draft: Draft, entry: Entry, side: str, *, article: bool = True) -> str:
    draft.ask(entry, side)
    return tongue(draft).region(draft, entry, side, article=article)


def _list(draft: Draft, count: int, lesions: float) -> str:
    items = []
    for _ in range(count):
        entry = _any(draft, lesions)
        items.append(_target(draft, entry, _side(draft, entry)))
    return tongue(draft).join(draft, items)


def regions(grammar: Grammar, draft: Draft, argument: str) -> str:
    """Slots `T` and `X`: one to four regions, or a group with something left out."""
    if draft.chance(LEFT_OUT):
        return grammar.fill("all-but", "", draft)
    return _list(draft, draft.pick(*HOW_MANY), float(argument or 0))


def one_region(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `T1`: one region."""
    return _list(draft, 1, float(argument or 0))


def several_regions(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `T2`: two regions, or three."""
    return _list(draft, draft.pick((2, 2, 3)), float(argument or 0))


def pair(_: Grammar, draft: Draft, side: str) -> str:
    """Slot `P`: a region that has two sides, the same all through the sentence."""
    if "pair" not in draft.kept:
        kind = draft.pick(("structure", "lobe", "parcel"), (7, 1, 2))
        fitting = [e for e in draft.lexicon.kinds(kind) if e.sided]
        draft.kept["pair"] = draft.take(fitting)
    entry = draft.kept["pair"]
    if side.endswith("~"):
        draft.ask(entry, side.removesuffix("~"))
        return ""
    if side == "pair":
        draft.ask(entry)
        return tongue(draft).both_sides(draft, entry)
    return _target(draft, entry, side, article=False)


def adjective(_: Grammar, draft: Draft, argument: str) -> str:
    """Slots `A` and `PA`: a region before a noun."""
    known = tuple(e for e in draft.lexicon.entries.values() if e.adjectives)
    wanted = [e for e in known if (e.sided or argument != "pair") and e.kind != "lesion"]
    entry = draft.take(wanted) if draft.chance(0.7) else _any(draft, 0)
    if argument == "pair" and not entry.sided:
        raise RedrawError
    side = BARE if argument == "pair" else _side(draft, entry)
    draft.ask(entry, side)
    return tongue(draft).adjective(draft, entry, side)


def group(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `G`: a group or a lobe, of which something can be left out."""
    del argument
    entry = draft.kept["whole"] = draft.kept.get("planned") or any_group(draft)
    return _target(draft, entry, BARE, article=False)


def any_group(draft: Draft) -> Entry:
    """A group or a lobe of several parts, that has not been used."""
    fitting = [e for e in draft.lexicon.kinds("group", "lobe") if len(e.members) > 1]
    return draft.take([e for e in fitting if e.name not in NEVER_BY_CHANCE])


def lesions(_: Grammar, draft: Draft, argument: str) -> str:
    """Slots `Ls`, `l` and `m`: lesions, without anything that limits them."""
    weights = {"many": LESIONS, "one": SINGLE, "mass": MASSES}[argument]
    entry = _drawn(draft, weights)
    draft.kept["whole"] = entry
    draft.ask(entry)
    if draft.language == "ko":
        word = korean.noun(draft, entry)
    else:
        word = english.noun(draft, entry, "many" if argument == "many" else "one")
    return draft.mark(word, entry.name, entry.kind)


def named(_: Grammar, draft: Draft, name: str) -> str:
    """Slot `E`: one certain region as a target."""
    entry = draft.kept["whole"] = draft.take([entry_of(draft, name)])
    return _target(draft, entry, BARE, article=False)


def named_many(_: Grammar, draft: Draft, name: str) -> str:
    """Slot `M`: one certain lesion as a target, in the plural."""
    return _named_lesion(draft, name, "many")


def named_one(_: Grammar, draft: Draft, name: str) -> str:
    """Slot `S`: one certain lesion as a target, in the singular."""
    return _named_lesion(draft, name, "one")


def _named_lesion(draft: Draft, name: str, number: str) -> str:
    entry = draft.kept["whole"] = draft.take([entry_of(draft, name)])
    draft.ask(entry)
    word = korean.noun(draft, entry)
    if draft.language == "en":
        word = english.noun(draft, entry, number)
    return draft.mark(word, entry.name, entry.kind)


def volume_of_name(_: Grammar, draft: Draft, name: str) -> str:
    """Slot `V`: a target by a name that is a volume too, such as ICV."""
    entry = draft.take([entry_of(draft, name)])
    words = [s.text for s in entry.said(draft.language) if VOLUME_NAME.search(s.text)]
    draft.ask(entry)
    return draft.mark(draft.pick(words), entry.name, entry.kind)


def entry_of(draft: Draft, name: str) -> Entry:
    """The region of a name, if the lexicon has it."""
    if name not in draft.lexicon.entries:
        raise RedrawError
    return draft.lexicon.entries[name]


def spoken_of(_: Grammar, draft: Draft, name: str) -> str:
    """Slot `N`: one certain region that is named and is no target."""
    return tongue(draft).region(draft, entry_of(draft, name), BARE, article=False)


def several_meanings(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `ambiguous`: a word that means one of several regions."""
    del argument
    korean_words = [w for w in draft.lexicon.ambiguous if not w.isascii()]
    english_words = [w for w in draft.lexicon.ambiguous if w.isascii()]
    want_korean = draft.language == "ko" and korean_words and draft.chance(0.7)
    word = draft.pick(korean_words if want_korean else english_words)
    draft.direct("ambiguous=ambiguous-target")
    return draft.mark("ACC" if word == "acc" else word, "", "ambiguous")


def everything(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `everything`: all base structures."""
    del argument
    words = draft.lexicon.everything
    fitting = [w for w in words if w.isascii() == (draft.language == "en")]
    for entry in draft.lexicon.kinds("structure"):
        draft.ask(draft.take([entry]))
    return draft.mark(draft.pick(fitting), "everything", "everything")
