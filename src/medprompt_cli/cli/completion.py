"""What a shell offers for a word that is begun: names, read without torch or numpy."""

from __future__ import annotations


def regions(incomplete: str) -> list[tuple[str, str]]:
    """Names of regions that begin so, and what they are; with a side where one was begun.

    >>> regions("left-hippoc")
    [('left-hippocampus', 'structure')]
    """
    from medprompt_cli.planning.vocabulary import TERMS, find

    begun = incomplete.lower().replace(" ", "-")
    names = ["all", *TERMS, *(f"{side}-{name}" for side in ("left", "right") for name in TERMS)]
    found = {name: find(name) for name in names if name.startswith(begun)}
    # Without a letter of it the sides would triple the list.
    shown = [name for name in found if begun or not name.startswith(("left-", "right-"))]
    return [
        (name, term[0].kind if (term := found[name]) else "every structure")
        for name in shown
        if found[name] or name == "all"
    ]


def kinds(incomplete: str) -> list[str]:
    """Kinds of regions that begin so."""
    from typing import get_args

    from medprompt_cli.planning.vocabulary import TargetKind

    return [kind for kind in get_args(TargetKind) if kind.startswith(incomplete)]


def weights(incomplete: str) -> list[tuple[str, str]]:
    """Weights of images that begin so, and their version."""
    from medprompt_cli.weights.registry import read_registry

    return [
        (entry.name, entry.version)
        for entry in read_registry().values()
        if entry.reads == "images" and entry.name.startswith(incomplete)
    ]
