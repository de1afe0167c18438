"""The grammar of a dialogue: statements one by one, each run before the next is written.

After a `read` stands what was told of the value. The network does not choose that token; it
is put there by whoever runs the statements, and the way on is chosen by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medprompt_cli.planning.answers import SENTENCES, TOLD, Told, sentence
from medprompt_cli.planning.grammar import Maker, Statements, followed, starter_of
from medprompt_cli.planning.grammar_symbols import (
    ASSIGN,
    CLOSE,
    END,
    ID,
    MORE,
    Places,
    sentence_symbol,
    told_symbol,
    variable_symbol,
)
from medprompt_cli.planning.grammar_wants import Choice, NotDerivableError, Steps
from medprompt_cli.planning.tree import Call, Do, Statement, Text
from medprompt_cli.planning.values import REGIONS

MOST_STATEMENTS = 20
"""Statements of a dialogue."""

MOST_VALUES = 8
"""Values that one sentence tells."""

RESERVE = 2 * MOST_VALUES + 4
"""Tokens that are kept for the last sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a dialogue.

    Attributes:
        statement: What was asked for.
        told: What was told of the value, after a `read`; None after all others.
    """

    statement: Statement
    told: Told | None = None


class DialogueWalk:
    """A dialogue in the making.

    Args:
        places: What of the prompt can be pointed to.

    Attributes:
        statements: Those that are whole.
        allowed: The tokens that may come next.
        waits: Whether the next token is what is told of the value just read.
    """

    def __init__(self, places: Places) -> None:
        self.statements: list[Statement] = []
        self._steps = Dialogue(places, self.statements).steps()
        self.allowed: tuple[int, ...] = next(self._steps).allowed

    @property
    def done(self) -> bool:
        """Whether nothing may follow."""
        return not self.allowed

    @property
    def waits(self) -> bool:
        """Whether the next token is what is told of the value just read."""
        return self.allowed == TOLD_IDS

    def take(self, token: int) -> None:
        """Go on with one of the tokens of `allowed`."""
        if token not in self.allowed:
            raise ValueError(f"Token {token} may not follow.")
        try:
            self.allowed = self._steps.send(token).allowed
        except StopIteration:
            self.allowed = ()

    def tell(self, told: Told) -> int:
        """Go on with what a value was, and give the token for it."""
        token = ID[told_symbol(told)]
        self.take(token)
        return token


TOLD_IDS: tuple[int, ...] = tuple(ID[told_symbol(told)] for told in TOLD)


def encode_dialogue(given: Sequence[Step], places: Places) -> list[int]:
    """The tokens of a dialogue, without the first.

    Raises:
        NotDerivableError: If no dialogue about this prompt goes like that.
    """
    said: list[Statement] = []
    tokens, _ = followed(Dialogue(places, said).steps(given))
    if said != [step.statement for step in given]:
        raise NotDerivableError(
            "The dialogue has names that no walk gives.",
            remedy="Encode dialogues of the teacher.",
        )
    return tokens


class Dialogue(Statements):
    """Derives statements one by one.

    Args:
        places: What of the prompt can be pointed to.
        said: Where statements go as soon as they are whole.
    """

    def __init__(self, places: Places, said: list[Statement]) -> None:
        super().__init__(places)
        self.said = said
        self.answered = False

    def steps(self, given: Sequence[Step] | None = None) -> Steps[None]:
        """A whole dialogue."""
        while len(self.said) < MOST_STATEMENTS:
            at = len(self.said)
            step = given[at] if given and at < len(given) else None
            makers = self.openings()
            allowed: dict[int, object] = dict(makers)
            if self.answered:
                allowed[ID[END]] = None
            statement = step.statement if step else None
            wanted = None if given is None else ID[starter_of(statement)]
            token = yield from self.here.ask(allowed, wanted)
            if token == ID[END]:
                return
            made = yield from makers[token](statement)
            self.said.append(made)
            if token == ID["read"]:
                yield from self.hear(step)

    def openings(self) -> dict[int, Maker]:
        """Statements that may come, by their first token."""
        is_last = len(self.said) == MOST_STATEMENTS - 1
        speak = {ID["answer"]: self.speak}
        if (is_last and not self.answered) or self.left(RESERVE) < RESERVE:
            return speak
        found: dict[int, Maker] = {
            ID["read"]: lambda given: self.read(RESERVE, given),
            ID[ASSIGN]: lambda given: self.assign(RESERVE, given),
            **speak,
        }
        if self.savable():
            found[ID["save"]] = self.save
        return found

    def hear(self, step: Step | None) -> Steps[None]:
        """What was told of the value just read."""
        wanted = ID[told_symbol(step.told)] if step and step.told else None
        yield Choice(TOLD_IDS, wanted)
        self.here.used += 1

    def speak(self, given: Statement | None) -> Steps[Statement]:
        """A sentence."""
        kinds = {
            ID[sentence_symbol(kind)]: kind
            for kind in SENTENCES
            if SENTENCES[kind].about == "nothing" or self.named(kind)
        }
        known = self.understood(given)
        wanted = ID[sentence_symbol(known[0])] if known else None
        kind = kinds[(yield from self.here.ask(kinds, wanted))]
        names: list[str] = []
        if SENTENCES[kind].about != "nothing":
            names = yield from self.names_for(kind, known[1] if known else None)
        self.answered = True
        text = sentence(kind, names, self.here.defined)
        return Do(Call("answer", (Text(text),)))

    def named(self, kind: str) -> dict[int, str]:
        """What a sentence can be about, by its token."""
        if SENTENCES[kind].about != "mask":
            return self.tellable()
        return {
            ID[variable_symbol(self.here.index_of(name))]: name
            for name, value in self.here.scope.items()
            if value.type in REGIONS
        }

    def names_for(self, kind: str, given: Sequence[str] | None) -> Steps[list[str]]:
        """The names in a sentence."""
        options = self.named(kind)
        names: list[str] = []
        while True:
            left = {token: name for token, name in options.items() if name not in names}
            wanted = None
            if given is not None:
                wanted = ID[variable_symbol(self.here.index_of(given[len(names)]))]
            names.append(left[(yield from self.here.ask(left, wanted))])
            if SENTENCES[kind].about != "values":
                return names
            room = len(names) < min(MOST_VALUES, len(options))
            ways = {ID[CLOSE]: None, **({ID[MORE]: None} if room else {})}
            more = None if given is None else ID[MORE if len(names) < len(given) else CLOSE]
            if (yield from self.here.ask(ways, more)) == ID[CLOSE]:
                return names

    def understood(self, given: Statement | None) -> tuple[str, list[str]] | None:
        """The kind of a sentence, and the names in it."""
        if not isinstance(given, Do):
            return None
        said = given.call.arguments[0]
        text = said.value if isinstance(said, Text) else ""
        for kind, known in SENTENCES.items():
            if known.about == "nothing" and known.text == text:
                return kind, []
            if known.about in {"mask", "value"}:
                for name in self.named(kind).values():
                    if sentence(kind, [name], self.here.defined) == text:
                        return kind, [name]
        names = [part.partition("}")[0] for part in text.split("{")[1:]]
        if names and sentence("values", names, self.here.defined) == text:
            return "values", names
        return None
