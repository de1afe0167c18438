"""The slots that functions fill: regions, filters, quantities, scans, unknown names.

| Slot | Writes | Adds |
|---|---|---|
| `T`, `X` | one to four regions; `X` has more lesions | targets |
| `T1`, `T2` | one region; two or three | targets |
| `P`, `P:left`, `P:right`, `P:both` | a region of two sides: bare, or of that side; one sentence speaks of one | target |
| `A`, `PA` | a region before a noun: `hippocampal`; `PA` has two sides | target |
| `G` | a group, for something to be left out | target |
| `Ls`, `l`, `m` | lesions; one lesion; one mass that has diameters | target |
| `E:name` | that region | target |
| `N:name` | that region | nothing |
| `F:lobe`, `F:territory`, `F:region`, `F:exclude` | a region | filter |
| `FA` | a lobe or region before a noun: `frontal`, `periventricular` | filter |
| `F:volume>`, `F:length<=` | a bound | filter |
| `I`, `I:ct` | a kind of scan | image |
| `q:structure`, `qs:lesion` | one quantity; one to three | quantities |
| `unknown`, `nonsense`, `ambiguous` | a name that is not in the vocabulary, or means several regions | a mention |
| `everything` | all base structures | targets |
| `year`, `date`, `id`, `n`, `age` | a number that means nothing | nothing |
"""  # noqa: E501 - a table row is one line

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from medprompt_cli.synthesis.prompts import limits, regions, wording
from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.grammar import Filler, Grammar
from medprompt_cli.synthesis.prompts.request import RedrawError
from medprompt_cli.synthesis.prompts.unknown import nonsense, unknown

QUANTITIES: Mapping[str, Mapping[str, float]] = {
    "structure": {
        **{"volume": 10, "surface-area": 3, "mean-intensity": 3, "max-diameter": 1.5},
        **{"width": 1.2, "fraction-of-icv": 3},
    },
    "pair": {"volume": 8, "surface-area": 2, "mean-intensity": 2, "fraction-of-icv": 2},
    "lesion": {
        **{"volume": 8, "count": 6, "max-diameter": 3, "bidimensional": 1.5, "width": 1},
        **{"surface-area": 1.5, "mean-intensity": 1.5, "density": 1, "fraction-of-icv": 0.5},
    },
    "mass": {
        **{"volume": 8, "max-diameter": 5, "bidimensional": 4, "width": 2, "surface-area": 2},
        **{"mean-intensity": 2, "density": 2},
    },
    "trait": {
        **{"signal": 2, "lobe": 3, "territory": 2, "enhancement": 2},
        "diffusion-restriction": 2,
    },
    "measure": {
        **{"surface-area": 2, "mean-intensity": 3, "max-diameter": 2, "width": 1.2},
        **{"density": 0.6},
    },
}


def scans(_: Grammar, draft: Draft, suffix: str) -> str:
    """Slot `I`: a kind of scan."""
    return wording.scan(draft, suffix)


def quantity(grammar: Grammar, draft: Draft, sort: str) -> str:
    """Slot `q`: one quantity that regions of this sort have."""
    weights = QUANTITIES[sort]
    name = draft.pick(tuple(weights), tuple(weights.values()))
    if name in draft.request.quantities:
        raise RedrawError
    draft.direct(name)
    return grammar.fill(f"q-{name}", "", draft)


def quantities(grammar: Grammar, draft: Draft, sort: str) -> str:
    """Slot `qs`: one to three quantities."""
    count = draft.pick((1, 2, 3), (6, 3, 1))
    items = [quantity(grammar, draft, sort) for _ in range(count)]
    return regions.tongue(draft).join(draft, items)


def two_quantities(grammar: Grammar, draft: Draft, sort: str) -> str:
    """Slot `q2`: two quantities, or three."""
    items = [quantity(grammar, draft, sort) for _ in range(draft.pick((2, 2, 3)))]
    return regions.tongue(draft).join(draft, items)


def idle_number(_: Grammar, draft: Draft, argument: str, *, sort: str) -> str:
    """Slots `year`, `date`, `id`, `n` and `age`: numbers that mean nothing to a program."""
    del argument
    year, month, day = (draft.rng.randint(*span) for span in ((2009, 2025), (1, 12), (1, 28)))
    if sort == "year":
        return wording.held(str(year))
    if sort == "date":
        forms = (
            f"{year}-{month:02}-{day:02}",
            f"{day}/{month}/{year}",
            f"{year}.{month}.{day}",
        )
        return wording.held(draft.pick(forms))
    if sort == "id":
        number = draft.rng.randint(1, 120)
        return wording.held(
            draft.pick((f"sub-{number:02}", f"sub-{number:03}", f"{number:04}"))
        )
    lowest, highest = (18, 91) if sort == "age" else (2, 400)
    return wording.held(str(draft.rng.randint(lowest, highest)))


FILLERS: Mapping[str, Filler] = {
    "T": regions.regions,
    "X": lambda grammar, draft, argument: regions.regions(grammar, draft, argument or "0.35"),
    "T1": regions.one_region,
    "T2": regions.several_regions,
    "P": regions.pair,
    "A": regions.adjective,
    "PA": lambda grammar, draft, _: regions.adjective(grammar, draft, "pair"),
    "G": regions.group,
    "Ls": lambda grammar, draft, _: regions.lesions(grammar, draft, "many"),
    "l": lambda grammar, draft, _: regions.lesions(grammar, draft, "one"),
    "m": lambda grammar, draft, _: regions.lesions(grammar, draft, "mass"),
    "E": regions.named,
    "M": regions.named_many,
    "S": regions.named_one,
    "N": regions.spoken_of,
    "V": regions.volume_of_name,
    "F": limits.filtering,
    "FA": limits.locating,
    "I": scans,
    "q": quantity,
    "qs": quantities,
    "q2": two_quantities,
    "unknown": unknown,
    "nonsense": nonsense,
    "ambiguous": regions.several_meanings,
    "everything": regions.everything,
    **{sort: partial(idle_number, sort=sort) for sort in ("year", "date", "id", "n", "age")},
}
"""What fills the slots that no rule is named after."""
