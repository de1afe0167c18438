"""The table of a dataset's people, and whether it agrees with the folders."""

from __future__ import annotations

from pathlib import Path

from medprompt_cli.bids.entities import label_of
from medprompt_cli.bids.found import Found, Wanted
from medprompt_cli.bids.problems import Problem
from medprompt_cli.bids.tables import Row, bad_table, duplicate_row, read_keyed


def read_participants(root: Path, found: Found, wanted: Wanted) -> dict[str, Row]:
    """Read participants.tsv by subject; {} without one.

    A subject without a row, a row without a folder, and an id that is no label go to the
    problems of `found`. Only subjects that are wanted are looked at.
    """
    path = root / "participants.tsv"
    if not path.exists() and not path.is_symlink():
        return {}
    before = len(found.problems)
    participants: dict[str, Row] = {}
    for name, row in read_keyed(path, "participant_id", found.problems).items():
        label = label_of(name, "sub")
        if label is None:
            said = f"Has the participant_id {name!r}, which is not letters and digits."
            found.problems.append(bad_table(path, said))
        elif label in participants:
            found.problems.append(duplicate_row(path, f"The row of {name!r} names {label}"))
        elif wanted.subject(label):
            participants[label] = row
    if participants or len(found.problems) == before:
        _compare(path, participants, found, wanted)
    return participants


def _compare(path: Path, rows: dict[str, Row], found: Found, wanted: Wanted) -> None:
    folders = [subject for subject in found.subjects if wanted.subject(subject)]
    for subject in sorted(set(folders).difference(rows)):
        said, remedy = f"Has no row for {subject}.", "Add one."
        found.problems.append(Problem(path, "missing-row", said, remedy))
    for subject in sorted(set(rows).difference(folders)):
        said = f"Names {subject}, which has no folder."
        remedy = "Correct the row, or remove it."
        found.problems.append(Problem(path, "unmatched-row", said, remedy))
