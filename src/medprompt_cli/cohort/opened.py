"""An output folder opened for a notebook: its tables, its masks, how far it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medprompt_cli.bids.parts import EXTENSION, read_parts
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.cohort.agenda import Agenda, current_agenda
from medprompt_cli.cohort.plausibility import with_plausibility
from medprompt_cli.cohort.records import outputs_of, read_record, record_path
from medprompt_cli.cohort.status import Status, status_of
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.planning.vocabulary import resolve

if TYPE_CHECKING:
    import pandas

IMAGE = ".nii.gz"

WITHOUT_VOXELS = frozenset({"absent", "not_visible", "error"})
"""Statuses of targets that no voxel of a file belongs to."""


class CohortTables(Mapping[str, "pandas.DataFrame"]):
    """The tables of an output folder; each is read when it is first asked for.

    `tables["changes"]` and `tables.changes` are the same. Columns have the types of
    bids/schemas.py as pandas knows them with gaps (string, Float64, Int32, boolean): what was
    not measured is NA. A table that nobody wrote is there without rows.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._read: dict[str, pandas.DataFrame] = {}

    def __getitem__(self, name: str) -> pandas.DataFrame:
        if name not in self._read:
            self._read[name] = _frame(self._out, name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)

    @property
    def measurements(self) -> pandas.DataFrame:
        """A row for each number about a region of a case; `medprompt tables` has the same."""
        return self["measurements"]

    @property
    def findings(self) -> pandas.DataFrame:
        """A row for each answer in words, with its probability."""
        return self["findings"]

    @property
    def lesions(self) -> pandas.DataFrame:
        """A row for each number about a single lesion."""
        return self["lesions"]

    @property
    def changes(self) -> pandas.DataFrame:
        """A row for each number at two visits."""
        return self["changes"]

    @property
    def ledger(self) -> pandas.DataFrame:
        """A row for each lesion at each visit, with its fate."""
        return self["ledger"]


def _frame(out: Path, name: str) -> pandas.DataFrame:
    import pandas as pd  # half a second to load, and only notebooks want it
    import pyarrow as pa

    kinds = {
        pa.string(): pd.StringDtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    schema = TABLES[name]
    table = read_parts(out, name) if _has_parts(out, name) else schema.empty_table()
    if name == "measurements":
        table = with_plausibility(table)
    return table.to_pandas(types_mapper=kinds.get)


def _has_parts(out: Path, table: str) -> bool:
    return any(path.name[0] != "." for path in (out / table).glob(f"*{EXTENSION}"))


@dataclass(frozen=True)
class OpenCohort:
    """An output folder of `segment`, `longitudinal` or `measure`.

    Attributes:
        out: The folder.
        tables: What was measured. Open the folder again to see what came since.
    """

    out: Path
    tables: CohortTables = field(repr=False)

    @cached_property
    def _agenda(self) -> Agenda | None:
        return current_agenda(self.out)

    @cached_property
    def cases(self) -> tuple[str, ...]:
        """Names of all cases, done or not, as the column `case` has them, sorted.

        Images that make no case, such as an empty file, are in `status`, as are results of
        earlier runs that tables have and the last run had not.
        """
        if self._agenda is not None:
            return tuple(sorted(self._agenda.cases))
        return tuple(sorted(self.tables.measurements["case"].unique()))

    @property
    def status(self) -> Status:
        """How far the folder is, looked up now.

        Raises:
            InputError: If no run of `segment` or `longitudinal` has begun there.
        """
        return status_of(self.out)

    def image(self, case: str) -> Path:
        """The scan that a case is of: of several read together the first.

        Its voxels lie where those of the masks do.

        Raises:
            InputError: If no run of `segment` or `longitudinal` wrote the folder.
            UsageError: If there is no such case.
        """
        return self.images(case)[0]

    def images(self, case: str) -> tuple[Path, ...]:
        """All scans that were read together for a case; errors as of `image`."""
        if self._agenda is None:
            raise InputError(
                f"{self.out} does not say which images its cases are of.",
                remedy="Open the folder that medprompt segment wrote to.",
                code="no-run",
            )
        if case not in self._agenda.cases:
            raise UsageError(
                f"There is no case {case!r} in {self.out}.",
                remedy=f"Use one of its {len(self.cases)} cases, such as {self.cases[0]!r}.",
            )
        return tuple(Path(self._agenda.root, name) for name in self._agenda.cases[case])

    def masks(
        self,
        *,
        subject: str | None = None,
        session: str | None = None,
        case: str | None = None,
        region: str | None = None,
    ) -> tuple[Path, ...]:
        """The files with masks that were written, case by case.

        Args:
            subject: Only of this one, with or without `sub-`.
            session: Only of this one, with or without `ses-`.
            case: Only of this one.
            region: Only files that hold voxels of it, by a name as a prompt may say it: a mask
                of its own, or the label map that it is in.

        Raises:
            UsageError: If `region` is in no file and in no vocabulary.
        """
        chosen = [
            name
            for name in self.cases
            if case in {None, name}
            and _has_part(name, "sub", subject)
            and _has_part(name, "ses", session)
        ]
        files = [path for name in chosen for path in self._files(name)]
        if region is None:
            return tuple(files)
        return _holding(files, region)

    def _files(self, case: str) -> list[Path]:
        names = outputs_of(read_record(record_path(self.out, case)))
        paths = [self.out / name for name in names if name.endswith(IMAGE)]
        return [path for path in paths if path.is_file()]


def _has_part(case: str, entity: str, label: str | None) -> bool:
    return label is None or f"{entity}-{label.removeprefix(f'{entity}-')}" in case.split("_")


def _holding(files: list[Path], region: str) -> tuple[Path, ...]:
    """The files that hold a region, as their sidecars say."""
    found = {path: _regions_of(path) for path in files}
    names = {region}
    if not any(region in regions for regions in found.values()):
        names = {target.name for target in resolve([region])}
    return tuple(path for path, regions in found.items() if regions & names)


def _regions_of(path: Path) -> set[str]:
    """The regions that a mask or label map of ours has voxels of."""
    beside = path.with_name(path.name.removesuffix(IMAGE) + ".json")
    try:
        content: dict[str, Any] = json.loads(beside.read_bytes())
        targets = content["Targets"].items()
        return {name for name, told in targets if told["Status"] not in WITHOUT_VOXELS}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"{beside} cannot be read: {error}.",
            remedy="Run medprompt segment again, with --force.",
            code="bad-sidecar",
        ) from error


def open_output(out: Path) -> OpenCohort:
    """Open an output folder.

    Raises:
        InputError: If it holds nothing of medprompt.
    """
    if current_agenda(out) is None and not any(_has_parts(out, table) for table in TABLES):
        raise InputError(
            f"{out} holds no results of medprompt.",
            remedy="Give the folder that medprompt segment or longitudinal wrote to.",
            code="no-run",
        )
    return OpenCohort(out, CohortTables(out))
