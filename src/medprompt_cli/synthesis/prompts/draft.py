"""A prompt while it is being written: what it asks for so far, and where it names regions.

Text is carried with invisible marks around regions and around words that no typing error
may touch; `finish.py` takes them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar, get_args

from medprompt_cli.synthesis.prompts.asked import Asked, Language, Reason
from medprompt_cli.synthesis.prompts.lexicon import Entry, Lexicon
from medprompt_cli.synthesis.prompts.request import RedrawError, Request, merge

T = TypeVar("T")

OPEN, CLOSE = "\ue000", "\ue001"
"""Around a region; the n-th pair is the n-th note."""

HOLD, RELEASE = "\ue002", "\ue003"
"""Around words that stay as they are."""

FIT = "\ue004"
"""Before and after a particle or an article whose form is fitted later."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a marked region is: its canonical name and kind."""

    name: str
    kind: str


@dataclass(slots=True)
class Draft:
    """What is being written.

    Attributes:
        rng: Of every choice.
        lexicon: The regions.
        language: Of the sentence.
        terse: Whether it is a note rather than a sentence.
        notes: The marked regions, in order.
        request: What is being asked for.
        finished: The requests before it.
        refusal: Status and reason if it is not ok.
        taken: Names without side that have been used.
        kept: Entry that several slots of one sentence speak of, by what it is kept for.
    """

    rng: Random
    lexicon: Lexicon
    language: Language
    terse: bool = False
    notes: list[Note] = field(default_factory=list)
    request: Request = field(default_factory=Request)
    finished: list[Request] = field(default_factory=list)
    refusal: tuple[str, Reason] = ("ok", "")
    taken: set[str] = field(default_factory=set)
    kept: dict[str, Entry] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.rng.random() < probability

    def pick(self, options: Sequence[T], weights: Sequence[float] = ()) -> T:
        """One of several."""
        if not options:
            raise RedrawError
        if not weights:
            return options[int(self.rng.random() * len(options))]
        return self.rng.choices(options, weights)[0]

    def take(self, entries: Sequence[Entry], weights: Sequence[float] = ()) -> Entry:
        """One of several regions, that has not been used in this prompt."""
        entry = self.pick(entries, weights)
        if entry.name in self.taken:
            raise RedrawError
        self.taken.add(entry.name)
        return entry

    def mark(self, text: str, name: str, kind: str) -> str:
        """Mark `text` as naming a region. Texts must be marked in the order they stand."""
        self.notes.append(Note(name, kind))
        return f"{OPEN}{text}{CLOSE}"

    def ask(self, entry: Entry, side: str = "") -> None:
        """Make a region a target."""
        name = f"{side}-{entry.name}" if side in {"left", "right"} else entry.name
        self.request.targets.append(name)

    def limit(self, text: str) -> None:
        """Add a filter."""
        self.request.limit(text)

    def direct(self, directive: str) -> None:
        """Add what a directive of a template says to what is asked for."""
        key, _, value = directive.partition("=")
        if directive == "terse":
            self.terse = True
        elif directive == "next":
            self.next_request()
        elif key in {"refused", "ambiguous"} and value in get_args(Reason):
            self.refusal = key, value  # pyright: ignore[reportAttributeAccessIssue] - from our own rules
        else:
            self.request.direct(directive)

    def next_request(self) -> None:
        """Begin another request, if this one has a target; what it spoke of is forgotten."""
        if self.request.targets:
            self.finished.append(self.request)
            self.request = Request()
            self.kept.clear()

    def requests(self) -> tuple[Asked, ...]:
        """What is asked for, request by request; empty if it is not ok."""
        if self.refusal[0] != "ok":
            return ()
        return tuple(request.asked() for request in (*self.finished, self.request))

    def asked(self, requests: Sequence[Asked]) -> Asked:
        """All that several requests ask for, or why nothing can be asked for."""
        status, reason = self.refusal
        if status != "ok":
            return Asked(status=status, reason=reason)  # pyright: ignore[reportArgumentType] - from our own rules
        return requests[0] if len(requests) == 1 else merge(requests)
