"""How English writes a region, its sides, and lists."""

from __future__ import annotations

from collections.abc import Sequence

from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.lexicon import Entry, Surface

SIDED: tuple[tuple[float, str], ...] = (
    (14, "{side} {noun}"),
    (1, "{noun} on the {side}"),
    (1, "{noun} on the {side} side"),
    (0.5, "{side}-sided {noun}"),
)
BOTH: tuple[tuple[float, str], ...] = (
    (4, "both {noun}"),
    (5, "left and right {noun}"),
    (2, "right and left {noun}"),
    (4, "bilateral {noun}"),
    (1, "{noun} bilaterally"),
    (2, "{noun} on both sides"),
    (1, "left {noun} and right {noun}"),
    (1, "{noun} (left and right)"),
    (0.5, "{noun} in both hemispheres"),
)
TERSE_SIDED: tuple[tuple[float, str], ...] = (
    (6, "{side} {noun}"),
    (6, "{letter} {noun}"),
    (3, "{short} {noun}"),
    (1, "{short}. {noun}"),
    (2, "{noun} {letter}"),
    (1, "{noun} {side}"),
    (1, "{noun} ({letter})"),
    (1, "{noun}_{letter}"),
    (0.7, "{letter}. {noun}"),
    (0.7, "{letter}-{noun}"),
    (0.7, "{letter}_{noun}"),
    (0.7, "{hemi} {noun}"),
    (0.5, "{noun} {short}"),
)
TERSE_BOTH: tuple[tuple[float, str], ...] = (
    (3, "bilateral {noun}"),
    (3, "bilat {noun}"),
    (2, "bilat. {noun}"),
    (2, "both {noun}"),
    (2, "L/R {noun}"),
    (2, "L+R {noun}"),
    (1, "L & R {noun}"),
    (1, "R/L {noun}"),
    (1, "{noun} bilat"),
    (1, "{noun} L/R"),
    (1, "{noun} L+R"),
    (1, "{noun} both sides"),
    (1, "left/right {noun}"),
    (1, "lt & rt {noun}"),
)
INSIDE = frozenset(
    (
        *(
            "{side} {noun}",
            "{noun} on the {side}",
            "{noun} on the {side} side",
            "left and right {noun}",
            "right and left {noun}",
            "both {noun}",
        ),
        *("bilateral {noun}", "left {noun} and right {noun}", "{noun} (left and right)"),
        *(form for _, form in TERSE_SIDED),
        *(form for _, form in TERSE_BOTH if not form.endswith("both sides")),
    )
)
"""Forms whose words of side belong to the name; in the others they stand apart from it."""

SIDE_PAIRS = (("left", "right"), ("left", "right"), ("right", "left"), ("left", "the right"))

THE = 0.6
"""How often a region of a sentence has its article."""

SHORT = {"left": ("Lt", "lt", "LT"), "right": ("Rt", "rt", "RT")}
HEMI = {"left": ("LH", "lh"), "right": ("RH", "rh")}
FULL_STOPS = (",", ";", " and", " +", " &", "/", ",")


def noun(draft: Draft, entry: Entry, number: str = "") -> str:
    """A word for a region, in one number if it has one."""
    surfaces = entry.english
    fitting = [s for s in surfaces if not number or s.number == number] or list(surfaces)
    weights = [_likelihood(surface, n, draft) for n, surface in enumerate(fitting)]
    return draft.pick(fitting, weights).text


def _likelihood(surface: Surface, rank: int, draft: Draft) -> float:
    usual = 2.0 if rank == 0 else 1.0
    if surface.short:
        return usual * (3.0 if draft.terse else 0.7)
    return usual * (0.5 if draft.terse and len(surface.text) > 20 else 1.0)  # noqa: PLR2004 - notes are short


def region(draft: Draft, entry: Entry, side: str, *, article: bool) -> str:
    """A region with its side, marked; the article stands before the mark."""
    if side == "both":
        form = _form(draft, TERSE_BOTH if draft.terse else BOTH)
        number = "many" if form.startswith(("both", "bilat")) else ""
    elif side:
        form, number = _form(draft, TERSE_SIDED if draft.terse else SIDED), "one"
    else:
        form, number = "{noun}", ""
    word = noun(draft, entry, number)
    text = _fill(form, word, side, draft)
    with_article = article and not draft.terse and not form.startswith(("both", "bilateral"))
    the = "the " if with_article and draft.chance(THE) else ""
    name = f"{side}-{entry.name}" if side in {"left", "right"} else entry.name
    if form in INSIDE or not side:
        return the + draft.mark(text, name, entry.kind)
    before, _, after = text.partition(word)
    return f"{the}{before}{draft.mark(word, entry.name, entry.kind)}{after}"


def both_sides(draft: Draft, entry: Entry) -> str:
    """A region with its two sides named one by one, after `the`; marked."""
    left, right = draft.pick(SIDE_PAIRS)
    word = noun(draft, entry, "" if draft.chance(0.5) else "one")
    return draft.mark(f"{left} and {right} {word}", entry.name, entry.kind)


def _form(draft: Draft, forms: tuple[tuple[float, str], ...]) -> str:
    return draft.pick([form for _, form in forms], [weight for weight, _ in forms])


def _fill(form: str, word: str, side: str, draft: Draft) -> str:
    if "{" not in form.replace("{noun}", ""):
        return form.replace("{noun}", word)
    letter = side[0].upper() if draft.chance(0.8) else side[0]
    return form.format(
        side=side,
        noun=word,
        letter=letter,
        short=draft.pick(SHORT[side]),
        hemi=draft.pick(HEMI[side]),
    )


def adjective(draft: Draft, entry: Entry, side: str) -> str:
    """A region before a noun, as in `left hippocampal volume`; marked."""
    plain = [s.text for s in entry.english if s.number == "one"] or [noun(draft, entry)]
    often = draft.chance(0.75)
    word = draft.pick(entry.adjectives) if entry.adjectives and often else draft.pick(plain)
    if side == "both":
        side = draft.pick(("bilateral", "left and right", "bilateral"))
        return draft.mark(f"{side} {word}", entry.name, entry.kind)
    if not side:
        return draft.mark(word, entry.name, entry.kind)
    said = side
    if draft.terse and draft.chance(0.6):
        said = draft.pick((side[0].upper(), side[0].upper(), *SHORT[side]))
    return draft.mark(f"{said} {word}", f"{side}-{entry.name}", entry.kind)


def join(draft: Draft, items: Sequence[str]) -> str:
    """A list: commas and an `and` in a sentence, any mark in a note."""
    if len(items) == 1:
        return items[0]
    if draft.terse:
        return f"{draft.pick(FULL_STOPS)} ".join(items).replace("/ ", "/")
    last = draft.pick((" and ", " and ", " and ", ", and ", " & ", " as well as ", " plus "))
    if len(items) == 2 and last == ", and ":  # noqa: PLR2004 - no comma between two
        last = " and "
    return ", ".join(items[:-1]) + last + items[-1]
