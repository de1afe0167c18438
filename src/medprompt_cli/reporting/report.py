"""A report: ordered sections of sentences, each of which names the rows it restates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from medprompt_cli.reporting.facts import Facts

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

Mode = Literal["global", "region", "prompt"]
"""What a report is about: the whole scan; given regions, a passage each; what was asked."""

MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence.

    Attributes:
        text: As it is read, with its full stop.
        references: Ids of the facts it restates, as `Facts.rows` has them; none of what
            restates no row, such as a caveat.
    """

    text: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under one title.

    Attributes:
        title: In the language of the report.
        sentences: In order.
    """

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of one subject.

    Attributes:
        subject: With its `sub-` prefix.
        language: One of `LANGUAGES`.
        mode: One of `MODES`.
        sections: In order, none without a sentence.
        facts: What the sentences rest on.
        provenance: What made it: version, weights and their SHA-256, plan hash, prompts.
        notes: What a reader has to know of the report itself, such as that the text of a
            language model was replaced.
    """

    subject: str
    language: Language
    mode: Mode
    sections: tuple[Section, ...]
    facts: Facts
    provenance: Mapping[str, object] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence, in order."""
        return tuple(sentence for section in self.sections for sentence in section.sentences)

    @property
    def text(self) -> str:
        """The sentences alone, a paragraph for each section."""
        return "\n\n".join(
            " ".join(sentence.text for sentence in section.sentences)
            for section in self.sections
        )
