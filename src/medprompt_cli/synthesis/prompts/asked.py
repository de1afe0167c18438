"""What a made-up prompt asks for, in the words of the contract, and where it names targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "ambiguous", "refused"]
Compares = Literal["none", "sides", "visits", "images"]
Visits = Literal["own", "all", "first-last", "first", "last"]
Reason = Literal["", "out-of-scope", "unknown-target", "no-target", "ambiguous-target", "vague"]
Language = Literal["en", "ko"]
Family = Literal["training", "evaluation"]

MEASURES: tuple[str, ...] = (
    *("volume", "count", "max-diameter", "bidimensional", "width", "surface-area"),
    *("mean-intensity", "density", "fraction-of-icv"),
)
TRAITS: tuple[str, ...] = (
    *("signal", "lobe", "territory", "enhancement", "diffusion-restriction", "presence"),
)
CHANGES: tuple[str, ...] = ("change", "percent-change", "annualised-change")
QUANTITIES: tuple[str, ...] = tuple(
    sorted((*MEASURES, *TRAITS, "asymmetry", "ratio", "difference", *CHANGES, "new-lesions"))
)
"""Every quantity of the contract of `medprompt plan --json`."""

FATES: tuple[str, ...] = (
    *("new", "resolved", "enlarging", "shrinking", "stable", "merged", "split"),
)
"""Filters that say what became of a lesion: they need two visits."""

IMAGES: tuple[str, ...] = (
    *("T1w", "T2w", "FLAIR", "PDw", "T2starw", "T1ce", "dwi", "ADC", "swi", "ct"),
)
"""Suffixes that a made-up prompt names."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, whatever its words.

    Attributes:
        targets: Canonical names in the order first named; both sides are the bare name.
        quantities: Of `QUANTITIES`, sorted; empty if only masks were asked for.
        compares: What is set against what.
        filters: As the contract words them, sorted: `side:left`, `size:>10mm3`.
        images: Suffixes in the order named; empty if any image will do.
        visits: Which visits are looked at; `own` is the visit that a case is.
        status: Whether it can be understood, and in one way only.
        reason: Why it cannot; empty if it can.
    """

    targets: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    compares: Compares = "none"
    filters: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    visits: Visits = "own"
    status: Status = "ok"
    reason: Reason = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a prompt names a region.

    Attributes:
        start: Of its first character in the prompt.
        end: After its last character.
        said: Its words before typing errors; those of the prompt if there are none.
        name: Canonical name, e.g. `left-hippocampus`; empty if unknown or ambiguous.
        kind: As the vocabulary says, or `unknown`, or `ambiguous`.
    """

    start: int
    end: int
    said: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class SampledPrompt:
    """A made-up prompt and everything known about it.

    Attributes:
        text: What the person typed.
        clean: The same without typing errors.
        asked: What it asks for.
        requests: The same, request by request: `asked` is all of them together. Empty
            unless its status is ok.
        mentions: Every place where it names a region, in order: targets, regions that only
            limit them, and names that the vocabulary does not have.
        frame: Identifier of its sentence frame, e.g. `en.training.volume.003`.
        language: Of the sentence; names may be English in a Korean one.
        family: Whether its frame is for training or for evaluation.
    """

    text: str
    clean: str
    asked: Asked
    requests: tuple[Asked, ...]
    mentions: tuple[Mention, ...]
    frame: str
    language: Language
    family: Family
