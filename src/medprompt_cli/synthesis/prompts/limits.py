"""The slots that limit what is asked for: places, bounds, what is left out."""

from __future__ import annotations

from medprompt_cli.synthesis.prompts import english, korean, wording
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.grammar import Grammar
from medprompt_cli.synthesis.prompts.lexicon import Entry
from medprompt_cli.synthesis.prompts.regions import (
    BARE,
    LEFT,
    NEVER_BY_CHANCE,
    RIGHT,
    any_group,
    entry_of,
    tongue,
)
from medprompt_cli.synthesis.prompts.request import RedrawError

FILTER_KINDS = {"exclude": "exclude", "outside": "exclude", "at": "region"}


def filtering(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `F`: a region or a bound that limits what is asked for."""
    if argument.startswith(("volume", "length")):
        dimension = argument[:6]
        return wording.size(draft, argument.removeprefix(dimension), dimension)
    entry = _limiting(draft, argument)
    argument = FILTER_KINDS.get(argument.partition(":")[0], argument)
    side = draft.pick((BARE, LEFT, RIGHT), (3, 3, 3)) if entry.sided else BARE
    if argument == "exclude" and side and draft.chance(0.6):
        side = BARE
    name = f"{side}-{entry.name}" if side else entry.name
    draft.limit(f"{argument}:{name}")
    return _limit_words(draft, entry, side)


def _limit_words(draft: Draft, entry: Entry, side: str) -> str:
    """As a target, but with its side always beside it."""
    if draft.language == "ko" or not side:
        return tongue(draft).region(draft, entry, side, article=False)
    said = side
    if draft.terse and draft.chance(0.6):
        said = draft.pick((side[0].upper(), *english.SHORT[side]))
    word = english.noun(draft, entry, "one")
    return draft.mark(f"{said} {word}", f"{side}-{entry.name}", entry.kind)


def _limiting(draft: Draft, argument: str) -> Entry:
    if argument.startswith("exclude"):
        return _left_out(draft, argument.partition(":")[2])
    if argument.startswith("at:"):
        return draft.take([entry_of(draft, argument.removeprefix("at:"))])
    if argument in {"region", "outside"}:
        kind = draft.pick(("structure", "group", "parcel"), (6, 2.5, 1.5))
        fitting = [e for e in draft.lexicon.kinds(kind) if e.name not in NEVER_BY_CHANCE]
        return draft.take([e for e in fitting if e.name not in {"brain", "cerebrum", "csf"}])
    return draft.take(draft.lexicon.kinds(argument))


def _left_out(draft: Draft, of: str) -> Entry:
    """A part of the group said before, or of the one that will be said; `of` a region."""
    entries = draft.lexicon.entries
    whole = draft.kept.get("whole") or entries.get(of)
    if whole is None:
        whole = draft.kept["planned"] = any_group(draft)
    if whole.kind == "lesion":
        if whole.name != "lesion":
            raise RedrawError
        return draft.take([e for e in draft.lexicon.kinds("lesion") if e is not whole])
    return draft.take([entries[name] for name in whole.members if name in entries])


def locating(_: Grammar, draft: Draft, argument: str) -> str:
    """Slot `FA`: a place before a noun, as in `left frontal lesions`."""
    del argument
    places = [e for e in draft.lexicon.entries.values() if e.places]
    if draft.language == "ko":
        places = list(draft.lexicon.kinds("lobe"))
    entry = draft.take(places, [4.0 if e.kind == "lobe" else 1.0 for e in places])
    side = draft.pick((BARE, LEFT, RIGHT), (4, 3, 3)) if entry.sided else BARE
    kind = "lobe" if entry.kind == "lobe" else "region"
    draft.limit(f"{kind}:{side}-{entry.name}" if side else f"{kind}:{entry.name}")
    if draft.language == "ko":
        return korean.region(draft, entry, side, article=False)
    word = draft.pick(entry.places)
    name = f"{side}-{entry.name}" if side else entry.name
    return draft.mark(f"{side} {word}" if side else word, name, entry.kind)
