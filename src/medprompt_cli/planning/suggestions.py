"""Names of the vocabulary that are like one that is not in it."""

from __future__ import annotations

from difflib import SequenceMatcher

from medprompt_cli.planning import synonyms
from medprompt_cli.planning.phrases import normalise
from medprompt_cli.planning.vocabulary import LIKENESS, SUGGESTIONS, TERMS, find


def nearest_names(said: str) -> tuple[str, ...]:
    """Canonical names of the words most like what was said, the nearest first.

    >>> nearest_names("left hipocamus")[0]
    'left-hippocampus'
    """
    words = normalise(said).split()
    side = synonyms.SIDES.get(words[0]) if words else None
    wanted = " ".join(words[1:] if side else words)
    matcher = SequenceMatcher(b=wanted)
    likeness: dict[str, float] = {}
    for name, spoken in TERMS.items():
        for word in (name, *spoken):
            matcher.set_seq1(normalise(word))
            if matcher.quick_ratio() >= LIKENESS:
                likeness[name] = max(likeness.get(name, 0.0), matcher.ratio())
    ranked = sorted(likeness, key=likeness.__getitem__, reverse=True)
    near = [name for name in ranked if likeness[name] >= LIKENESS][:SUGGESTIONS]
    return tuple(f"{side}-{name}" if find(f"{side}-{name}") else name for name in near)
