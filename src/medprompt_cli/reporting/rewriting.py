"""A report in the words of a language model, if these say nothing but what the facts hold.

The model is given our sentences, never an image, a file name or a subject's label, and what it
writes is held against the facts (`reporting/verify.py`). What is refused goes back to it with
the reasons; what is refused in the end is replaced by our own text, and the report says so. The
section on technique stays ours.

How it is told to write has four levels, after BrainGPT: a role; examples; a template; a list of
words. Source: BrainGPT, Nature Communications 2025, doi:10.1038/s41467-025-57426-0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol, get_args

from medprompt_cli.errors import UsageError
from medprompt_cli.language.chat import Message
from medprompt_cli.reporting.english import TITLES as ENGLISH
from medprompt_cli.reporting.korean import TITLES as KOREAN
from medprompt_cli.reporting.notes import left_out, replaced
from medprompt_cli.reporting.report import Language, Report, Section, Sentence
from medprompt_cli.reporting.verify import Checked, Lock, Problem

Level = Literal["plain", "example", "template", "keyword"]
LEVELS: tuple[Level, ...] = get_args(Level)

TRIES = 3
"""How often a model may write something that is refused."""

MOST_REASONS = 10
"""Reasons that it is told at a time."""

KEPT = frozenset({ENGLISH["technique"], KOREAN["technique"]})
"""Sections that stay ours."""

_HEADING = re.compile(r"^\s*#+\s*(.*?)\s*$")
_LANGUAGES: Mapping[Language, str] = {"en": "English", "ko": "Korean"}

ROLE = (
    "You are a radiologist who writes the report of a brain scan. You are given statements"
    " that were measured, under headings. Write them as the text of a report, in {language},"
    " under the same headings, each as a line that begins with ##, in the same order. Restate"
    " the statements and nothing else: every number with its unit, side and region as given,"
    " every word of certainty (definitely, probably, possibly, less likely, unlikely) beside"
    " what it belongs to. Add no diagnosis, no cause, no advice, no grade. Leave nothing out."
)
"""The level `plain`; every other begins with it."""

EXAMPLES = """
Examples of statements and how they may be written:
Statement: Left hippocampus: 3.21 mL (interval 3.02 to 3.40 mL), below the reference range.
Report: The left hippocampus measures 3.21 mL (interval 3.02 to 3.40 mL), below the reference range.
Statement: Lesion 1: small, 0.412 mL; probably in the right frontal lobe; definitely not enhancing.
Report: Lesion 1 is small and measures 0.412 mL. Lesion 1 lies probably in the right frontal lobe. Lesion 1 is definitely not enhancing.
Statement: No midline shift (definitely): 0.512 mm.
Report: There is definitely no midline shift.
"""  # noqa: E501 - a line of the prompt is one line

TEMPLATE = """
Keep to this order and form, and leave out what no statement is about:
- brain and ventricles: region, volume, interval, share of the intracranial volume
- midline: shift or none
- structures: side, region, volume, limits; what was not assessed, with the reason
- lesions: number of each, size, place, signal, enhancement, diffusion, each with its certainty
- change: direction, from and to, percent, interval, noise
- impression: one statement a line
"""

KEYWORDS = """
Use these words, and for the same things no others:
- Degree: small, medium-sized, large, smaller, larger, stable, new, resolved, enlarging,
  shrinking
- Landmark: the regions as the statements name them, with left or right
- Feature: hyperintense, isointense, hypointense, enhancing, not enhancing, restricted
  diffusion, periventricular, juxtacortical, infratentorial, deep, midline shift
- Impression: below the limits, above the limits, within the limits, beyond the noise of this
  method, within the noise of this method, not assessed
"""

INSTRUCTIONS: Mapping[Level, str] = {
    "plain": ROLE,
    "example": ROLE + EXAMPLES,
    "template": ROLE + TEMPLATE,
    "keyword": ROLE + TEMPLATE + KEYWORDS,
}


class Chat(Protocol):
    """A language model that holds a conversation."""

    @property
    def model(self) -> str:
        """Its name."""
        ...

    def reply(self, messages: list[Message]) -> str:
        """What it says to a conversation."""
        ...


def rewrite(report: Report, chat: Chat, level: Level = "plain") -> Report:
    """Have a report written anew by a language model.

    Args:
        report: Ours.
        chat: The model.
        level: How it is told to write.

    Returns:
        The report in its words, with what each sentence rests on; or ours with a note, if
        what it wrote was refused every time.

    Raises:
        UsageError: If there is no such level, or the model does not answer.
    """
    if level not in LEVELS:
        raise UsageError(
            f"There is no level of instructions {level!r}.",
            remedy=f"Use one of {', '.join(LEVELS)}.",
        )
    own = tuple(section for section in report.sections if section.title in KEPT)
    given = tuple(section for section in report.sections if section not in own)
    lock = Lock(report.facts, _visit_of(report))
    talk = _begin(given, report.language, level)
    reasons: list[str] = []
    for tries in range(1, TRIES + 1):
        said = chat.reply(talk)
        written, reasons = _read(said, given, lock)
        if written is not None:
            return _written(report, (*own, *written), chat.model, level, tries)
        talk.append({"role": "assistant", "content": said})
        talk.append({"role": "user", "content": _refusal(reasons)})
    return _replaced(report, chat.model, level, reasons)


def _visit_of(report: Report) -> str | None:
    visit = report.provenance.get("Visit")
    return visit if isinstance(visit, str) else None


def _begin(given: Sequence[Section], language: Language, level: Level) -> list[Message]:
    told = INSTRUCTIONS[level].replace("{language}", _LANGUAGES[language])
    parts = []
    for section in given:
        lines = (f"- {sentence.text}" for sentence in section.sentences)
        parts.append("\n".join([f"## {section.title}", *lines]))
    return [
        {"role": "system", "content": told},
        {"role": "user", "content": "\n\n".join(parts)},
    ]


def _read(
    said: str, given: Sequence[Section], lock: Lock
) -> tuple[list[Section] | None, list[str]]:
    """What a model wrote, as sections, or why it is refused."""
    parts = _parts(said)
    titles = [section.title for section in given]
    if [title for title, _ in parts] != titles:
        return None, [f"The headings have to be {', '.join(titles)}, each once, in order."]
    checked = [(title, lock.check(text)) for title, text in parts]
    problems = [one for _, found in checked for each in found for one in each.problems]
    empty = [title for title, found in checked if not found]
    if problems or empty:
        return None, [*map(_reason, problems), *(f"{title} is empty." for title in empty)]
    return [Section(title, tuple(map(_sentence, found))) for title, found in checked], []


def _parts(said: str) -> list[tuple[str, str]]:
    """Headings, and the text below each."""
    parts: list[tuple[str, list[str]]] = []
    for line in said.splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            parts.append((heading[1], []))
        elif parts:
            parts[-1][1].append(line)
    return [(title, "\n".join(lines)) for title, lines in parts]


def _sentence(checked: Checked) -> Sentence:
    return Sentence(checked.text, checked.references)


def _reason(problem: Problem) -> str:
    return f"In {problem.sentence!r}, {problem.word!r} {problem.reason}."


def _refusal(reasons: Sequence[str]) -> str:
    shown = "\n".join(f"- {reason}" for reason in reasons[:MOST_REASONS])
    return f"Refused:\n{shown}\nWrite all of it again, and nothing else."


def _written(
    report: Report, sections: tuple[Section, ...], model: str, level: Level, tries: int
) -> Report:
    about = {"Name": model, "Instructions": level, "Tries": tries, "Accepted": True}
    done = replace(
        report, sections=sections, provenance={**report.provenance, "LanguageModel": about}
    )
    said = {name for sentence in done.sentences for name in sentence.references}
    missing = [
        sentence
        for sentence in report.sentences
        if sentence.references and said.isdisjoint(sentence.references)
    ]
    if not missing:
        return done
    note = left_out(model, len(missing), report.language)
    return replace(done, notes=(*report.notes, note))


def _replaced(report: Report, model: str, level: Level, reasons: Sequence[str]) -> Report:
    about = {"Name": model, "Instructions": level, "Tries": TRIES, "Accepted": False}
    note = replaced(model, TRIES, reasons[0], report.language)
    provenance = {**report.provenance, "LanguageModel": about}
    return replace(report, provenance=provenance, notes=(*report.notes, note))
