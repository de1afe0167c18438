"""The grammar of decoding: which token may follow, so that every program means something.

A walk offers the tokens that may come next and takes one; when it offers none, it holds a
program that parses and that `checker.check` accepts. What may follow is read off the tables
of `planning/functions.py`, with types, dimensions, visits and names kept in mind, and with
room for all that is still open, so each walk ends. Names of values are not tokens: they are
made from what the values hold, by `planning/variables.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from medprompt_cli.planning.builder import VISIT, call
from medprompt_cli.planning.checker import READABLE
from medprompt_cli.planning.functions import Type
from medprompt_cli.planning.grammar_costs import MEASURED, TEXTS, Sort, least
from medprompt_cli.planning.grammar_expressions import Expressions
from medprompt_cli.planning.grammar_symbols import (
    ASSIGN,
    END,
    FOR,
    ID,
    IF,
    IF_ELSE,
    SYMBOLS,
    UNKNOWN,
    VARIABLES,
    Places,
    variable_symbol,
)
from medprompt_cli.planning.grammar_wants import (
    DEEPEST,
    MOST_PER_STATEMENT,
    MOST_TOKENS,
    Choice,
    NotDerivableError,
    Room,
    Situation,
    Steps,
    T,
    Want,
)
from medprompt_cli.planning.tree import (
    Assign,
    Call,
    Do,
    Expression,
    ForVisits,
    If,
    Name,
    Program,
    Statement,
    Text,
)
from medprompt_cli.planning.values import EACH, REGIONS, Value
from medprompt_cli.planning.variables import name_for, output_name

DEEPEST_BLOCK = 3
"""Blocks inside each other."""

SHORTEST_STATEMENT = 2
"""Tokens of `read` of a number."""

SHORTEST_BLOCK = SHORTEST_STATEMENT + 1
SPAN_TOKENS = 3

ANY_VALUE: frozenset[Sort] = frozenset({*MEASURED, *TEXTS, *Type} - {Type.NUMBER, Type.TEXT})
READABLE_SORTS: frozenset[Sort] = frozenset({*MEASURED, *TEXTS, Type.TRUTH})

Maker = Callable[[Statement | None], Steps[Statement]]


class Walk:
    """A program, or a span of words, in the making.

    Args:
        places: What of the prompt can be pointed to.
        span: Whether to choose the words of a name that is not known, instead of writing a
            program.
        most: Tokens that a program may have.
    """

    def __init__(self, places: Places, *, span: bool = False, most: int = MOST_TOKENS) -> None:
        self.program: Program | None = None
        self.span: tuple[int, int] | None = None
        self._steps = self._choose_span(places) if span else self._write(places, most)
        self.allowed: tuple[int, ...] = next(self._steps).allowed

    @property
    def done(self) -> bool:
        """Whether nothing may follow."""
        return not self.allowed

    def take(self, token: int) -> None:
        """Go on with one of the tokens of `allowed`."""
        if token not in self.allowed:
            raise ValueError(f"Token {token} may not follow.")
        try:
            self.allowed = self._steps.send(token).allowed
        except StopIteration:
            self.allowed = ()

    def _write(self, places: Places, most: int) -> Steps[None]:
        self.program = yield from Statements(places, most).program()

    def _choose_span(self, places: Places) -> Steps[None]:
        words = range(len(SYMBOLS), len(SYMBOLS) + places.size)
        yield Choice((ID[UNKNOWN],))
        first = yield Choice(tuple(words))
        last = yield Choice(tuple(word for word in words if word >= first))
        self.span = first - len(SYMBOLS), last + 1 - len(SYMBOLS)


def encode(program: Program, places: Places) -> list[int]:
    """The tokens that a walk makes a program of, without the first, `start`.

    Raises:
        NotDerivableError: If no walk over this prompt makes it.
    """
    tokens, made = followed(Statements(places).program(program))
    if made != program:
        raise NotDerivableError(
            "The program has names that no walk gives.", remedy="Encode programs of compose."
        )
    return tokens


def followed(steps: Steps[T]) -> tuple[list[int], T]:
    """The tokens that a derivation of something given wants, and what it makes of them.

    Raises:
        NotDerivableError: If it wants one that may not come.
    """
    tokens: list[int] = []
    try:
        choice = next(steps)
        while True:
            if choice.wanted is None or choice.wanted not in choice.allowed:
                raise NotDerivableError(
                    f"After {len(tokens)} tokens it goes on as no walk does.",
                    remedy="Encode what compose or the teacher made, with its own prompt.",
                )
            tokens.append(choice.wanted)
            choice = steps.send(choice.wanted)
    except StopIteration as end:
        return tokens, end.value


def encode_span(first: int, last: int) -> list[int]:
    """The tokens for the words of a prompt from `first` up to `last`."""
    return [ID[UNKNOWN], len(SYMBOLS) + first, len(SYMBOLS) + last - 1]


def decode(tokens: Sequence[int], places: Places, *, most: int = MOST_TOKENS) -> Program:
    """The program of tokens."""
    walk = Walk(places, most=most)
    for token in tokens:
        walk.take(token)
    if walk.program is None:
        raise ValueError("The tokens stop before the program does.")
    return walk.program


class Statements:
    """Derives statements.

    Args:
        places: What of the prompt can be pointed to.
        most: Tokens that the program may have.
    """

    def __init__(self, places: Places, most: int = MOST_TOKENS) -> None:
        self.here = Situation(places, most)
        self.expressions = Expressions(self.here)
        self.answers = 0
        self.blocks = 0
        self.in_loop = False
        self.saved: dict[Name, str] = {}
        self.taken: set[tuple[object, ...]] = set()

    def program(self, given: Program | None = None) -> Steps[Program]:
        """A whole program."""
        return Program((yield from self.block(0, given.statements if given else None)))

    def block(
        self, after: int, given: tuple[Statement, ...] | None
    ) -> Steps[tuple[Statement, ...]]:
        """Statements up to `end`; `after` tokens are kept for what follows."""
        statements: list[Statement] = []
        while True:
            makers = self.makers(after + 1)
            allowed: dict[int, object] = dict(makers)
            if statements and (self.blocks or self.answers):
                allowed[ID[END]] = None
            here = given[len(statements)] if given and len(statements) < len(given) else None
            wanted = None if given is None else ID[starter_of(here)]
            token = yield from self.here.ask(allowed, wanted)
            if token == ID[END]:
                return tuple(statements)
            statements.append((yield from makers[token](here)))

    def left(self, after: int) -> int:
        """Tokens for the next statement, its own first one not counted."""
        return self.here.most - self.here.used - after - 1

    def makers(self, after: int) -> dict[int, Maker]:
        """Statements that may come, by their first token."""
        owed = 0 if self.answers or self.blocks else SHORTEST_STATEMENT
        left = self.left(after)
        found: dict[int, Maker] = {}
        if left >= 1:
            found[ID["read"]] = lambda given: self.read(after, given)
        if left >= 1 and self.savable():
            found[ID["save"]] = self.save
        if left >= 1 and self.tellable():
            found[ID["answer"]] = self.answer
        left -= owed
        if left >= 1 and len(self.here.names) < VARIABLES:
            found[ID[ASSIGN]] = lambda given: self.assign(after + owed, given)
        if self.blocks >= DEEPEST_BLOCK:
            return found
        return {**found, **self.blocks_that_fit(left, after + owed)}

    def blocks_that_fit(self, left: int, after: int) -> dict[int, Maker]:
        """Statements with others inside."""
        found: dict[int, Maker] = {}
        free = len(self.here.names) < VARIABLES and VISIT.name not in self.here.scope
        if free and not self.in_loop and left >= SHORTEST_BLOCK:
            found[ID[FOR]] = lambda given: self.loop(after, given)
        condition = int(least()[Type.TRUTH][0])
        for starter, branches in ((IF, 1), (IF_ELSE, 2)):
            if left >= condition + branches * SHORTEST_BLOCK:
                found[ID[starter]] = lambda given, b=branches: self.branch(after, b, given)
        return found

    def room(self, after: int) -> Room:
        """Room for an expression of a statement."""
        used = self.here.used
        return Room(min(self.here.most - after, used + MOST_PER_STATEMENT), DEEPEST)

    def assign(self, after: int, given: Statement | None) -> Steps[Statement]:
        """A value and, made from it, its name."""
        here = self.here
        want, room = Want(ANY_VALUE), self.room(after)
        options = self.expressions.made(want, room)
        value = given.value if isinstance(given, Assign) else None
        wanted = self.expressions.token_of(value, want) if value else None
        token = yield from here.ask(options, wanted)
        expression, known = yield from options[token](value)
        name = name_for(expression, here.defined)
        here.names.append(name)
        here.defined[name] = expression
        here.scope[name] = known
        return Assign(name, expression)

    def read(self, after: int, given: Statement | None) -> Steps[Statement]:
        """A value that is written down."""
        value = given.call.arguments[0] if isinstance(given, Do) else None
        want = Want(READABLE_SORTS)
        expression, _ = yield from self.expressions.derive(want, self.room(after), value)
        self.answers += 1
        return Do(Call("read", (expression,)))

    def savable(self) -> dict[int, str]:
        """Masks that can be saved, by the token of their name."""
        return {
            ID[variable_symbol(self.here.index_of(name))]: name
            for name, value in self.here.scope.items()
            if value.type in REGIONS
            and Name(name) not in self.saved
            and self.key(name) not in self.taken
        }

    def key(self, name: str) -> tuple[object, ...]:
        """What no two saved masks have in common."""
        value = self.here.scope[name]
        return output_name(name, self.saved), value.visit, value.images

    def save(self, given: Statement | None) -> Steps[Statement]:
        """A mask that is saved under its own name."""
        name = yield from self.name_of(self.savable(), given)
        self.taken.add(self.key(name))
        self.saved[Name(name)] = output_name(name, self.saved)
        self.answers += 1
        return Do(Call("save", (Name(name), Text(self.saved[Name(name)]))))

    def tellable(self) -> dict[int, str]:
        """Values that a sentence can hold, by the token of their name."""
        return {
            ID[variable_symbol(self.here.index_of(name))]: name
            for name, value in self.here.scope.items()
            if value.type in READABLE
        }

    def answer(self, given: Statement | None) -> Steps[Statement]:
        """A sentence that says one value."""
        name = yield from self.name_of(self.tellable(), given)
        self.answers += 1
        return Do(Call("answer", (Text(f"{name}: {{{name}}}"),)))

    def name_of(self, options: dict[int, str], given: Statement | None) -> Steps[str]:
        """One of some names."""
        wanted = None
        if isinstance(given, Do):
            said = given.call.arguments[0]
            name = said.name if isinstance(said, Name) else _name_in(said)
            wanted = ID[variable_symbol(self.here.index_of(name))]
        return options[(yield from self.here.ask(options, wanted))]

    def loop(self, after: int, given: Statement | None) -> Steps[Statement]:
        """Statements for every visit."""
        here = self.here
        body = given.body if isinstance(given, ForVisits) else None
        name = VISIT.name
        scope = dict(here.scope)
        here.names.append(name)
        here.defined[name] = call("visits")
        here.scope[name] = Value(Type.VISIT, visit=EACH)
        self.in_loop = True
        statements = yield from self.inner(after, body)
        self.in_loop = False
        here.scope = scope
        return ForVisits(name, statements)

    def branch(self, after: int, branches: int, given: Statement | None) -> Steps[Statement]:
        """A condition and what it leads to; names given inside stay inside."""
        here = self.here
        both = given if isinstance(given, If) else None
        kept = after + branches * SHORTEST_BLOCK
        condition, _ = yield from self.expressions.derive(
            Want(frozenset({Type.TRUTH})), self.room(kept), both.condition if both else None
        )
        scope = dict(here.scope)
        blocks: list[tuple[Statement, ...]] = []
        for n in range(branches):
            following = (branches - 1 - n) * SHORTEST_BLOCK
            inside = (both.otherwise if n else both.then) if both else None
            blocks.append((yield from self.inner(after + following, inside)))
            here.scope = dict(scope)
        then, *otherwise = blocks
        return If(condition, then, otherwise[0] if otherwise else ())

    def inner(
        self, after: int, given: tuple[Statement, ...] | None
    ) -> Steps[tuple[Statement, ...]]:
        """A block inside another."""
        self.blocks += 1
        statements = yield from self.block(after, given)
        self.blocks -= 1
        return statements


def starter_of(statement: Statement | None) -> str:
    """The symbol that a statement begins with; `end` if there is none."""
    if statement is None:
        return END
    if isinstance(statement, Assign):
        return ASSIGN
    if isinstance(statement, ForVisits):
        return FOR
    if isinstance(statement, If):
        return IF_ELSE if statement.otherwise else IF
    return statement.call.function


def _name_in(sentence: Expression | None) -> str:
    text = sentence.value if isinstance(sentence, Text) else ""
    return text.partition("{")[2].partition("}")[0]
