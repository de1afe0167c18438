"""What looking for images collects, and what it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.problems import Problem


@dataclass
class Found:
    """What a walk has found so far.

    Attributes:
        images: In the order of their paths.
        problems: Whatever cannot be used or looks wrong.
        ignored: How many images were passed over, by datatype or suffix.
        subjects: Every subject that has a folder, scanned or not, wanted or not.
    """

    images: list[ImageEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    subjects: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """Which labels to walk into; None wants all. Labels carry their prefix."""

    subjects: Collection[str] | None = None
    sessions: Collection[str] | None = None

    def subject(self, label: str) -> bool:
        """Whether a subject is wanted."""
        return self.subjects is None or label in self.subjects

    def session(self, label: str | None) -> bool:
        """Whether a session is wanted."""
        return self.sessions is None or label in self.sessions

    def of(self, found: Found) -> Found:
        """Leave only wanted images among the images found."""
        found.subjects = sorted({entry.subject for entry in found.images})
        found.images = [
            entry
            for entry in found.images
            if self.subject(entry.subject) and self.session(entry.session)
        ]
        return found
