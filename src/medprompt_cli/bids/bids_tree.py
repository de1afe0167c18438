"""Scans of a BIDS dataset, by folder and file names alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, count
from pathlib import Path

from medprompt_cli.bids.entities import (
    DIFFUSION_SUFFIXES,
    LABEL_SUFFIXES,
    SCAN_SUFFIXES,
    ParsedName,
    guess_suffix,
    label_of,
    mended_name,
    parse_name,
)
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.found import Found, Wanted
from medprompt_cli.bids.images import IMAGE_SUFFIXES
from medprompt_cli.bids.listing import Listing, count_images, list_folder, stem_of
from medprompt_cli.bids.problems import Problem, reason_of
from medprompt_cli.bids.tables import dates_of

DIFFUSION = "dwi"
"""The datatype of diffusion images. Taken are those of one volume: see `_is_series`."""

SCAN_FOLDERS = ("anat", "ct", DIFFUSION)
"""Datatypes whose images are taken. Source: BIDS 1.11.2; ct: BEP 024."""

OTHER_DATATYPES = frozenset(
    {"beh", "eeg", "emg", "fmap", "func", "ieeg", "meg", "micr", "motion"}
    | {"mrs", "nirs", "perf", "pet"}
)
"""Datatypes passed over. Source: BIDS 1.11.2."""

MISPLACED = "Move it into the folder of its datatype, such as anat."


def looks_like_bids(root: Path) -> bool:
    """Whether a folder holds `sub-` folders and says, or shows, that it is BIDS."""
    listing = list_folder(root, [])
    subjects = [name for name in listing.folders if name.startswith("sub-")]
    if subjects and "dataset_description.json" in listing.others:
        return True
    return any(_holds_datatype(root / name) for name in subjects)


def _holds_datatype(folder: Path) -> bool:
    datatypes = {*SCAN_FOLDERS, *OTHER_DATATYPES}
    names = list_folder(folder, []).folders
    return any(name in datatypes or name.startswith("ses-") for name in names)


def walk_bids(root: Path, wanted: Wanted) -> Found:
    """Find the scans of a BIDS dataset: sub-*/[ses-*/]{anat,ct,dwi}.

    `derivatives`, `sourcedata`, hidden folders and whatever `.bidsignore` names are
    passed over, and so is what `dwi` holds beside images of one volume.
    """
    found = Found()
    _Walk(root, wanted, found).run()
    return found


@dataclass
class _Visit:
    """One session's folder, or that of a subject without sessions."""

    listing: Listing
    subject: str
    session: str | None
    acquired: date | None = None
    proposed: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """What the names of all its files begin with."""
        return f"{self.subject}_{self.session}" if self.session else self.subject

    @property
    def table(self) -> str:
        """Name of the table of its scans."""
        return f"{self.name}_scans.tsv"


class _Walk:
    """One walk over one dataset; fills `found`."""

    def __init__(self, root: Path, wanted: Wanted, found: Found) -> None:
        self.root = root
        self.wanted = wanted
        self.found = found
        self.problems = found.problems
        self.ignores = read_bidsignore(root, found.problems)

    def run(self) -> None:
        """Walk every wanted subject."""
        listing = self._list(self.root)
        self._report_misplaced(listing)
        self.found.subjects += self._labelled(listing, "sub")
        for name in self.found.subjects:
            if self.wanted.subject(name):
                self._walk_subject(self.root / name)

    def _walk_subject(self, folder: Path) -> None:
        listing = self._list(folder)
        before = len(self.found.images)
        table = f"{folder.name}_sessions.tsv"
        dates: dict[str, date | None] = {}
        if table in listing.others:
            dates = dates_of(folder / table, "session_id", self.problems)
        if self.wanted.session(None):
            self._walk_visit(_Visit(listing, folder.name, None))
        sessions = self._labelled(listing, "ses")
        for name in sessions:
            if self.wanted.session(name):
                inside = self._list(folder / name)
                self._walk_visit(_Visit(inside, folder.name, name, dates.get(name)))
        self.problems += [_unmatched(folder / table, n) for n in dates if n not in sessions]
        if len(self.found.images) == before:
            said = "Holds no usable scan of anatomy."
            remedy = "Leave the subject out, or add its images."
            self.problems.append(Problem(folder, "no-scan", said, remedy))

    def _walk_visit(self, visit: _Visit) -> None:
        listing = visit.listing
        dates: dict[str, date | None] = {}
        if visit.table in listing.others:
            dates = dates_of(listing.path / visit.table, "filename", self.problems)
        self._report_misplaced(listing)
        seen: set[str] = set()
        for name in listing.folders:
            if name == DIFFUSION:
                seen.update(self._walk_diffusion(visit, dates))
            elif name in SCAN_FOLDERS:
                seen.update(self._walk_scans(visit, name, dates))
            elif not name.startswith(("ses-", "sub-")):
                self._pass_over(listing.path / name)
        for row in dates:
            if row.startswith(SCAN_FOLDERS) and row not in seen:
                self.problems.append(_unmatched(listing.path / visit.table, row))

    def _walk_scans(
        self, visit: _Visit, datatype: str, dates: dict[str, date | None]
    ) -> Iterator[str]:
        """Take the scans of one folder; yield each image's name as scans.tsv has it."""
        listing = self._list(visit.listing.path / datatype)
        for name in listing.images:
            row = f"{datatype}/{name}"
            yield row
            self._take(visit, listing.path / name, dates.get(row) or visit.acquired)
        yield from (f"{datatype}/{name}" for name in listing.unusable)

    def _walk_diffusion(self, visit: _Visit, dates: dict[str, date | None]) -> Iterator[str]:
        """Take the diffusion images of one volume, and count all others.

        Few runs look at them: one that is not fetched, say, is no fault of the dataset.
        """
        listing = list_folder(visit.listing.path / DIFFUSION, [])
        shown = [n for n in listing.images if not self._ignored(listing.path / n)]
        for name in shown:
            row = f"{DIFFUSION}/{name}"
            yield row
            path = listing.path / name
            suffix = (parse_name(stem_of(name)).suffix or "").lower()
            known = suffix in {known.lower() for known in DIFFUSION_SUFFIXES}
            if known and not _is_series(path):
                self._take(visit, path, dates.get(row) or visit.acquired)
            else:
                self.found.ignored[DIFFUSION] += 1
        self.found.ignored[DIFFUSION] += len(listing.unusable)
        yield from (f"{DIFFUSION}/{name}" for name in listing.unusable)

    def _take(self, visit: _Visit, path: Path, acquired: date | None) -> None:
        parsed = parse_name(stem_of(path.name))
        if parsed.suffix in LABEL_SUFFIXES:
            self.found.ignored[parsed.suffix] += 1
            return
        problem = _name_problem(path, parsed, visit)
        if problem is not None:
            self.problems.append(problem)
        if problem is None or problem.severity != "skipped":
            entry = ImageEntry(
                path, visit.subject, visit.session, parsed.suffix, parsed.entities, acquired
            )
            self.found.images.append(entry)

    def _pass_over(self, folder: Path) -> None:
        """Count the images of a folder whose images are no scans of anatomy."""
        known = folder.name in OTHER_DATATYPES
        images = count_images(folder, [] if known else self.problems)
        if images:
            self.found.ignored[folder.name] += images
        if images and not known:
            said = f"Holds {images} images, and {folder.name!r} is no datatype of BIDS."
            self.problems.append(Problem(folder, "misplaced", said, MISPLACED))

    def _labelled(self, listing: Listing, key: str) -> list[str]:
        """The folders of subjects or sessions; those with a malformed label are reported."""
        good = []
        for name in listing.folders:
            if not name.startswith(f"{key}-"):
                continue
            if label_of(name, key):
                good.append(name)
            else:
                said = f"Its label {name!r} is not letters and digits after {key}-."
                remedy = f"Rename the folder and its files, as in {key}-01."
                self.problems.append(Problem(listing.path / name, "bad-label", said, remedy))
        return good

    def _report_misplaced(self, listing: Listing) -> None:
        for name in listing.images:
            said = "Lies outside the folder of a datatype."
            self.problems.append(Problem(listing.path / name, "misplaced", said, MISPLACED))

    def _list(self, folder: Path) -> Listing:
        """List a folder without what `.bidsignore` names."""
        if self.ignores is None:
            return list_folder(folder, self.problems)
        problems: list[Problem] = []
        listing = list_folder(folder, problems)
        self.problems += [p for p in problems if not self._ignored(p.path)]
        listing.images = [n for n in listing.images if not self._ignored(folder / n)]
        listing.folders = [
            n for n in listing.folders if not self._ignored(folder / n, slash="/")
        ]
        return listing

    def _ignored(self, path: Path, slash: str = "") -> bool:
        if self.ignores is None or path == self.root:
            return False
        return self.ignores(path.relative_to(self.root).as_posix() + slash)


def _is_series(path: Path) -> bool:
    """Whether a table of b values beside an image has more than one: one for each volume."""
    try:
        values = path.with_name(f"{stem_of(path.name)}.bval").read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return False
    return len(values.split()) > 1


def _name_problem(path: Path, parsed: ParsedName, visit: _Visit) -> Problem | None:
    """What a name in a scan folder breaks, the worst first; None if nothing."""
    if parsed.fault:
        return Problem(path, "bids-name", f"Its name {parsed.fault}.", _rename(path, visit))
    subject, session = parsed.entities.get("sub"), parsed.entities.get("ses")
    if subject is None:
        said = "Its name has no sub- in front."
        return Problem(path, "bids-name", said, _rename(path, visit))
    if (f"sub-{subject}", session and f"ses-{session}") != (visit.subject, visit.session):
        says = f"sub-{subject}" + (f"_ses-{session}" if session else "")
        said = f"Its name says {says}, its folder says {visit.name}."
        return Problem(path, "entity-mismatch", said, "Correct the name, or move the file.")
    if parsed.disorder:
        said = f"Its name {parsed.disorder}."
        return Problem(path, "entity-order", said, "Rename it in the order of BIDS.")
    if parsed.suffix not in {*SCAN_SUFFIXES, *DIFFUSION_SUFFIXES}:
        return _unknown_suffix(path, parsed.suffix)
    return None


def _rename(path: Path, visit: _Visit) -> str:
    """Propose a name that no image of the folder has, and that no other is proposed."""
    stem = stem_of(path.name)
    names = (mended_name(stem, visit.name, run) for run in chain([None], count(2)))
    free = next(name for name in names if not _is_taken(path, name, visit))
    visit.proposed.add(free)
    return f"Rename {path.name}, for example to {free}{path.name.removeprefix(stem)}."


def _is_taken(path: Path, name: str, visit: _Visit) -> bool:
    others = (path.with_name(f"{name}{suffix}") for suffix in IMAGE_SUFFIXES)
    return name in visit.proposed or any(map(os.path.lexists, others))


def _unknown_suffix(path: Path, suffix: str | None) -> Problem:
    meant = guess_suffix(suffix or "")
    remedy = f"Write {meant} instead." if meant else "Use a suffix of BIDS, such as T1w."
    said = f"Its suffix {suffix!r} is none of BIDS's for scans."
    return Problem(path, "unknown-suffix", said, remedy)


def _unmatched(table: Path, name: str) -> Problem:
    said = f"Names {name!r}, which is not there."
    return Problem(table, "unmatched-row", said, "Correct the row, or remove it.")


def read_bidsignore(root: Path, problems: list[Problem]) -> Callable[[str], bool] | None:
    """Read `.bidsignore`, in gitignore's syntax; None without one.

    What is returned says of a path relative to `root`, with `/` after a folder,
    whether to pass over it.
    """
    path = root / ".bidsignore"
    try:
        return _matcher(path.read_text(encoding="utf-8-sig").splitlines())
    except FileNotFoundError:
        return None
    except OSError as error:
        said = reason_of(path, error)
    except ValueError as error:
        said = f"Cannot be read: {error}."
    problems.append(Problem(path, "bad-ignore", said, "Write it as a .gitignore is written."))
    return None


def _matcher(lines: list[str]) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines).match_file
