"""Names of the vocabulary that may have been meant by a phrase that is not in it."""

from __future__ import annotations

from medprompt_cli.language import synonyms
from medprompt_cli.planning.phrases import normalise
from medprompt_cli.planning.vocabulary import names_near


def nearest_names(said: str) -> tuple[str, ...]:
    """Canonical names that may have been meant by what was said, the nearest first.

    >>> nearest_names("left hipocamus")[0], nearest_names("pons")
    ('left-hippocampus', ('brainstem',))
    """
    words = normalise(said).split()
    side = synonyms.SIDES.get(words[0]) if words else None
    return tuple(names_near(" ".join(words[1:] if side else words), side))
