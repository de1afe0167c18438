"""What can be wrong with a dataset, each with a code that scripts may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from medprompt_cli.errors import InputError

Severity = Literal["skipped", "warning", "note"]
"""skipped: a scan is left out; warning: look at it; note: bookkeeping."""

_FETCH = "Fetch the content with `{}`, or copy it."


@dataclass(frozen=True)
class ProblemKind:
    """One kind of problem that finding can report.

    Attributes:
        severity: Whether the image it concerns is left out.
        meaning: One line for the documentation.
    """

    severity: Severity
    meaning: str


PROBLEM_KINDS: Mapping[str, ProblemKind] = MappingProxyType(
    {
        "not-fetched": ProblemKind(
            "skipped", "a dangling link, or a git-annex or git-lfs placeholder"
        ),
        "empty": ProblemKind("skipped", "a file of zero bytes"),
        "missing": ProblemKind("skipped", "a file is named, or was there, and is not"),
        "no-permission": ProblemKind("skipped", "a file or folder may not be read"),
        "unreadable": ProblemKind("skipped", "the file system reports an error"),
        "not-a-file": ProblemKind("skipped", "a pipe or device is named like an image"),
        "is-directory": ProblemKind("skipped", "a directory is named like an image"),
        "not-an-image": ProblemKind("skipped", "a manifest names something else"),
        "no-such-subject": ProblemKind("skipped", "a wanted subject is not there"),
        "no-such-session": ProblemKind("skipped", "a wanted session is not there"),
        "bad-line": ProblemKind("skipped", "a line of a manifest cannot be understood"),
        "bids-name": ProblemKind("skipped", "a name in a BIDS dataset breaks the standard"),
        "entity-mismatch": ProblemKind("skipped", "a name contradicts its folder"),
        "misplaced": ProblemKind("warning", "an image lies outside a folder such as anat"),
        "duplicate": ProblemKind("skipped", "another image has the same identity"),
        "bad-label": ProblemKind("skipped", "a subject or session is not letters and digits"),
        "too-deep": ProblemKind("warning", "a folder is nested too deeply to be searched"),
        "entity-order": ProblemKind("warning", "entities stand in another order than BIDS's"),
        "unknown-suffix": ProblemKind("warning", "a suffix is not one of BIDS's for scans"),
        "ambiguous-subject": ProblemKind(
            "warning", "one subject's files lie in several folders, so each is its own"
        ),
        "bad-date": ProblemKind("warning", "a date is not ISO 8601; taken as unknown"),
        "bad-table": ProblemKind("warning", "a TSV file, or a line of it, is unreadable"),
        "bad-sidecar": ProblemKind("warning", "a JSON file is unreadable; left out"),
        "ambiguous-sidecar": ProblemKind(
            "warning", "two JSON files of one folder apply to one image"
        ),
        "bad-ignore": ProblemKind("warning", ".bidsignore is unreadable; nothing is ignored"),
        "mended": ProblemKind("note", "reading an image mended something about it"),
        "no-scan": ProblemKind("note", "a subject folder holds no usable scan of anatomy"),
        "unmatched-row": ProblemKind("note", "a table names something that is not there"),
        "missing-row": ProblemKind("note", "participants.tsv does not name a subject"),
        "duplicate-row": ProblemKind("note", "a table names something twice; first kept"),
        "unknown-column": ProblemKind("note", "a manifest has a column nobody reads"),
    }
)
"""Codes of finding. Codes of reading, not listed here, all mean `skipped`."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a dataset.

    Attributes:
        path: The file or folder it concerns.
        code: Stable reason code in kebab-case, e.g. `not-fetched`.
        message: What is wrong, one sentence; the path is not repeated in it.
        remedy: What to do, one imperative sentence.
    """

    path: Path
    code: str
    message: str
    remedy: str

    @property
    def severity(self) -> Severity:
        """Whether the image it concerns is left out."""
        kind = PROBLEM_KINDS.get(self.code)
        return kind.severity if kind else "skipped"

    @property
    def said(self) -> str:
        """The path and what is wrong with it, as one sentence.

        >>> Problem(Path("a.nii"), "empty", "Is empty: 0 bytes.", "Copy it again.").said
        'a.nii: is empty: 0 bytes.'
        """
        start = self.message[:2]  # a name such as NIfTI keeps its letters
        first = start.lower() if start[1:].islower() or start[1:].isspace() else start
        return f"{self.path}: {first}{self.message[2:]}"

    @classmethod
    def from_error(cls, path: Path, error: InputError) -> Problem:
        """The problem that reading `path` ran into; `error` may begin with the path."""
        message = str(error).removeprefix(str(path)).lstrip(": ")
        return cls(path, error.code, message[:1].upper() + message[1:], error.remedy)


def not_fetched(path: Path, target: str = "") -> Problem:
    """A placeholder whose content lies elsewhere.

    Args:
        path: The placeholder.
        target: Where it points, or the text it holds.
    """
    if "git-lfs" in target:
        tool = "git lfs pull"
    elif "annex/objects" in target:
        tool = "datalad get` or `git annex get"
    else:
        return Problem(
            path,
            "not-fetched",
            f"Links to {target!r}, which is not there.",
            "Fetch or copy the file that the link points to.",
        )
    return Problem(
        path, "not-fetched", "Only a pointer to the content is here.", _FETCH.format(tool)
    )


def from_os_error(path: Path, error: OSError) -> Problem:
    """What the file system said when `path` was to be read."""
    message = reason_of(path, error)
    if isinstance(error, PermissionError):
        remedy = "Ask its owner for read permission, or copy it."
        return Problem(path, "no-permission", message, remedy)
    if isinstance(error, FileNotFoundError):
        return Problem(path, "missing", "Is not there.", "Correct the path, or leave it out.")
    remedy = "Check the disk or the network share, then try again."
    return Problem(path, "unreadable", message, remedy)


def reason_of(path: Path, error: OSError) -> str:
    """One sentence on why the file system would not give `path`."""
    if isinstance(error, PermissionError):
        return "May not be read by this user."
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return "Is not fetched: it links to a file that is not there."
    return f"Cannot be read: {error.strerror or error}."
