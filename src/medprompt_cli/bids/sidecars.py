"""What JSON files say about an image, after the inheritance principle of BIDS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.entities import ParsedName, parse_name
from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.problems import Problem, reason_of


@dataclass(frozen=True)
class Metadata:
    """What is known about an image beside its voxels.

    Attributes:
        values: Fields by name, e.g. `EchoTime`; the file nearest the image wins.
        sources: The files they came from, farthest first.
        problems: Files that apply and could not be read.
    """

    values: Mapping[str, object]
    sources: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Sidecar:
    path: Path
    stem: str
    name: ParsedName

    def applies_to(self, entry: ImageEntry) -> bool:
        """By the same stem, or by the same suffix and no entity that differs."""
        if self.stem == entry.stem:
            return True
        if self.name.fault or self.name.suffix != entry.suffix:
            return False
        return self.name.entities.items() <= entry.entities.items()


class Sidecars:
    """The JSON files of a dataset, each folder listed and each file read once.

    Attributes:
        root: The dataset; no file above it applies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[Path, tuple[_Sidecar, ...]] = {}
        self._read: dict[Path, dict[str, object] | Problem] = {}

    def metadata(self, entry: ImageEntry) -> Metadata:
        """Gather the fields of every file that applies to `entry`, nearest last."""
        values: dict[str, object] = {}
        sources: list[Path] = []
        problems: list[Problem] = []
        for folder in self._folders(entry.path.parent):
            applying = [s for s in self._list(folder) if s.applies_to(entry)]
            applying.sort(key=lambda s: (s.stem == entry.stem, len(s.name.entities), s.stem))
            if len(applying) > 1:
                problems.append(_ambiguous(applying))
            for sidecar in applying:
                content = self._content(sidecar.path)
                if isinstance(content, Problem):
                    problems.append(content)
                else:
                    values.update(content)
                    sources.append(sidecar.path)
        return Metadata(values, tuple(sources), tuple(problems))

    def _folders(self, nearest: Path) -> list[Path]:
        """From the root down to the image's own folder."""
        if nearest != self.root and self.root not in nearest.parents:
            return [nearest]
        above = [nearest, *nearest.parents]
        return above[above.index(self.root) :: -1]

    def _list(self, folder: Path) -> tuple[_Sidecar, ...]:
        if folder not in self._listed:
            try:
                names = sorted(p.name for p in folder.iterdir() if p.suffix == ".json")
            except OSError:
                names = []  # finding has reported it
            self._listed[folder] = tuple(
                _Sidecar(folder / name, name[:-5], parse_name(name[:-5]))
                for name in names
                if not name.startswith(".")
            )
        return self._listed[folder]

    def _content(self, path: Path) -> dict[str, object] | Problem:
        if path not in self._read:
            self._read[path] = _read_json(path)
        return self._read[path]


def _read_json(path: Path) -> dict[str, object] | Problem:
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        return _bad(path, f"Line {error.lineno}, column {error.colno}: {error.msg}.")
    except OSError as error:
        return _bad(path, reason_of(path, error))
    except (ValueError, RecursionError) as error:
        return _bad(path, f"Cannot be read: {error}.")
    if not isinstance(content, dict):
        return _bad(path, f"Holds a {type(content).__name__} where an object is expected.")
    return content


def _bad(path: Path, message: str) -> Problem:
    return Problem(path, "bad-sidecar", message, "Correct or fetch the JSON file.")


def _ambiguous(sidecars: list[_Sidecar]) -> Problem:
    names = [sidecar.path.name for sidecar in sidecars]
    return Problem(
        sidecars[-1].path,
        "ambiguous-sidecar",
        f"Applies to one image together with {names[:-1]}; this file wins.",
        "Keep one JSON file per image and folder.",
    )
