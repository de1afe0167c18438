"""`plan.json`: a compiled prompt, to read, to commit and to run again.

| Key | Holds |
|---|---|
| schema_version | of this table |
| prompt, language | the person's words; `en` or `ko` |
| program | its canonical text |
| program_sha256 | of that text in UTF-8; formatting and comments do not count |
| vocabulary_sha256 | of the regions that names mean, see `VOCABULARY_SHA256` |
| weights | name, version and sha256 of those it was made for |
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, NoReturn

from medprompt_cli.bids.atomic import write_file
from medprompt_cli.errors import InputError, UsageError, WeightsError
from medprompt_cli.planning.checker import Needs, check
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import all_targets

Language = Literal["en", "ko"]

SCHEMA_VERSION = "1"

PLAN_FILE = "plan.json"
"""Its name in an output folder."""

MAX_BYTES = 1_000_000
"""No plan is longer: a program has at most `source.MAX_CHARACTERS`."""

SHA256 = re.compile(r"[0-9a-f]{64}")

_KEYS = (
    *("schema_version", "prompt", "language", "program", "program_sha256"),
    *("vocabulary_sha256", "weights"),
)
_AGAIN = "Compile the prompt again with medprompt plan."


def _vocabulary_sha256() -> str:
    terms = sorted([t.name, t.kind, *sorted(t.members)] for t in all_targets())
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()


VOCABULARY_SHA256 = _vocabulary_sha256()
"""Of every canonical name, its kind and its members; synonyms mean nothing to a program."""


@dataclass(frozen=True, slots=True)
class WeightsUsed:
    """Weights that a plan was made for; as in `weights.toml`."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled prompt.

    Attributes:
        prompt: The person's words.
        program: What they compile to.
        weights: Those it was made for.
        language: Of the prompt.

    Raises:
        UsageError: If the program has no meaning or the prompt is no text.
    """

    prompt: str
    program: Program
    weights: WeightsUsed
    language: Language = "en"

    def __post_init__(self) -> None:
        check(self.program)
        try:
            self.prompt.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"The prompt {self.prompt!a} is no text.", remedy="Write it in UTF-8."
            ) from error

    @property
    def text(self) -> str:
        """The canonical text of its program."""
        return print_program(self.program)

    @property
    def sha256(self) -> str:
        """Of the canonical text: the identity of the plan."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def needs(self) -> Needs:
        """What a case must have."""
        return check(self.program)

    def check_weights(self, used: WeightsUsed) -> None:
        """Make sure that a plan runs with the weights it was made for.

        Raises:
            WeightsError: If others are used.
        """
        if used != self.weights:
            raise WeightsError(
                f"The plan was made for weights {_label(self.weights)}; "
                f"these are {_label(used)}.",
                remedy="Use the weights it was made for, or compile the prompt again.",
            )


def language_of(prompt: str) -> Language:
    """The language of a prompt: Korean if it holds a letter of it."""
    return "ko" if any("\uac00" <= letter <= "\ud7a3" for letter in prompt) else "en"


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan: all of it or nothing.

    Raises:
        OutputError: If it cannot be written.
    """
    content = {
        "schema_version": SCHEMA_VERSION,
        "prompt": plan.prompt,
        "language": plan.language,
        "program": plan.text,
        "program_sha256": plan.sha256,
        "vocabulary_sha256": VOCABULARY_SHA256,
        "weights": asdict(plan.weights),
    }
    write_file(path, f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode())


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        InputError: If the file is damaged, or its program was changed or was made for
            another vocabulary; says which.
    """
    content = _checked(path, _load(path))
    if content["vocabulary_sha256"] != VOCABULARY_SHA256:
        _refuse(path, "was made for another vocabulary", "plan-vocabulary", _AGAIN)
    try:
        plan = Plan(
            content["prompt"],
            parse(content["program"]),
            WeightsUsed(**content["weights"]),
            content["language"],
        )
    except UsageError as error:
        problem = f"holds a program that is refused: {error}"
        _refuse(path, problem.rstrip("."), "plan-program", error.remedy)
    if plan.sha256 != content["program_sha256"]:
        _refuse(
            path,
            f"was changed: its program has the hash {plan.sha256[:12]}…, not "
            f"{content['program_sha256'][:12]}… as it says",
            "plan-changed",
            f"Restore it, or put {plan.sha256} under program_sha256 if the change is yours.",
        )
    return plan


def _load(path: Path) -> object:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}", "plan-unreadable", _AGAIN)
    if len(content) > MAX_BYTES:
        _refuse(path, f"is longer than {MAX_BYTES} bytes", "plan-unreadable", _AGAIN)
    try:
        return json.loads(content.decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is no JSON.", remedy=_AGAIN, code="plan-unreadable"
        ) from error


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("A key stands twice.")
    return dict(pairs)


def _checked(path: Path, content: object) -> dict[str, Any]:
    """Make sure that every key is there and holds what it should."""
    if not isinstance(content, dict):
        _refuse(path, "holds no plan", "plan-unreadable", _AGAIN)
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        why = f"has schema_version {version!r}, not {SCHEMA_VERSION!r}"
        _refuse(path, why, "plan-version", _AGAIN)
    for key in (*_KEYS, *content):
        if key not in content or key not in _KEYS or not _fits(key, content[key]):
            why = f"has no valid {key}" if key in _KEYS else f"has the unknown key {key!r}"
            _refuse(path, why, "plan-unreadable", _AGAIN)
    return content


def _fits(key: str, value: object) -> bool:
    if key == "weights":
        names = {field.name for field in fields(WeightsUsed)}
        return (
            isinstance(value, dict)
            and value.keys() == names
            and all(isinstance(text, str) for text in value.values())
        )
    if not isinstance(value, str):
        return False
    if key.endswith("sha256"):
        return bool(SHA256.fullmatch(value))
    return key != "language" or value in {"en", "ko"}


def _label(weights: WeightsUsed) -> str:
    return f"{weights.name} {weights.version} ({weights.sha256[:12]}…)"


def _refuse(path: Path, why: str, code: str, remedy: str) -> NoReturn:
    raise InputError(f"{path} {why}.", remedy=remedy, code=code)
