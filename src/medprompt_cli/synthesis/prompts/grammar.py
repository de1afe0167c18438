"""Rules and frames, read from text files, and how a template becomes words.

A file holds sections. A section begins with `== ` and its heading; every other line is one
template, by itself a sentence frame or one alternative of a rule. `@3 ` before a line makes
it three times as likely. `# ` begins a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from medprompt_cli.synthesis.prompts.draft import FIT, Draft
from medprompt_cli.synthesis.prompts.templates import Fit, Maybe, Row, Slot, Words, parse

Filler = Callable[["Grammar", Draft, str], str]
"""Writes what stands in a slot, given its argument."""

REQUESTS = frozenset({"clause", "wish", "bit", "go", "fin", "task", "job"})
"""Rules of which each use is a request of its own."""

DATA = resources.files("medprompt_cli.synthesis.prompts") / "data"


@dataclass(frozen=True, slots=True)
class Line:
    """One template of a file.

    Attributes:
        heading: Of its section, without `== `.
        weight: How likely it is among its neighbours.
        text: As written.
        row: As read.
    """

    heading: str
    weight: float
    text: str
    row: Row


def read_lines(name: str) -> Iterator[Line]:
    """Every template of a file of the folder `data`, in order."""
    heading = ""
    for raw in (DATA / name).read_text(encoding="utf-8").splitlines():
        text = raw.strip()
        if not text or text.startswith("# "):
            continue
        if text.startswith("== "):
            heading = text.removeprefix("== ").strip()
            continue
        weight = 1.0
        if text.startswith("@"):
            said, _, text = text.removeprefix("@").partition(" ")
            weight = float(said)
        text = text.removeprefix("''")
        yield Line(heading, weight, text, parse(text))


@dataclass(frozen=True, slots=True)
class Rule:
    """The ways to fill one slot."""

    rows: tuple[Row, ...]
    weights: tuple[float, ...]


def read_rules(*names: str) -> dict[str, Rule]:
    """The rules of several files; the same heading in two files is one rule."""
    found: dict[str, list[Line]] = {}
    for name in names:
        for line in read_lines(name):
            found.setdefault(line.heading, []).append(line)
    return {
        heading: Rule(tuple(line.row for line in lines), tuple(line.weight for line in lines))
        for heading, lines in found.items()
    }


class Grammar:
    """Writes templates: slots are filled by rules, or by functions where no rule is named so.

    Args:
        rules: By the name of the slot.
        fillers: By the name of the slot.
    """

    def __init__(self, rules: Mapping[str, Rule], fillers: Mapping[str, Filler]) -> None:
        self.rules = rules
        self.fillers = fillers

    def write(self, row: Row, draft: Draft) -> str:
        """The words of a template; what it asks for is added to `draft`."""
        return "".join(self._part(part, draft) for part in row.parts)

    def _part(self, part: object, draft: Draft) -> str:
        if isinstance(part, Words):
            return part.text
        if isinstance(part, Slot):
            return self.fill(part.name, part.argument, draft)
        if isinstance(part, Maybe):
            return self.write(part.body, draft) if draft.chance(0.5) else ""
        if isinstance(part, Fit):
            return f"{FIT}{part.form}{FIT}"
        return self.write(draft.pick(part.bodies), draft)  # pyright: ignore

    def fill(self, name: str, argument: str, draft: Draft) -> str:
        """The words of a slot.

        Raises:
            ValueError: If neither a rule nor a function has this name.
        """
        if name == "+":
            draft.direct(argument)
            return ""
        rule = self.rules.get(name)
        if name in REQUESTS:
            draft.next_request()
        if rule:
            return self.write(draft.pick(rule.rows, rule.weights), draft)
        if name not in self.fillers:
            raise ValueError(f"Nothing fills the slot {name!r}.")
        return self.fillers[name](self, draft, argument)
