"""The files that say what became of one subject."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import Staged, discard, stage
from medprompt_cli.bids.derivatives import anat_folder, dseg_name, label_entity, source_uri
from medprompt_cli.bids.followed import ChangeRow, LedgerRow
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.bids.label_image import grid_header, smallest_unsigned, stage_label_image
from medprompt_cli.bids.parts import stage_part
from medprompt_cli.cohort.following import Followed
from medprompt_cli.cohort.longitudinal_page import as_json, as_markdown
from medprompt_cli.cohort.visits import FollowedVisit
from medprompt_cli.domain.volume import LabelMap

METHOD = "medprompt longitudinal"
SUMMARY = "longitudinal"
OWN = "OwnSHA256"
"""Field of a JSON summary: the hash of all the rest, which an edit does not change."""

IDS = "Ids"
"""Follows the region in the `seg` entity of a map of lesions with the ids of the ledger."""

SIGNAL = "SignalChange"
"""The `seg` entity of a map of where the image became brighter or darker since the last."""


@dataclass(frozen=True)
class Written:
    """Where files go, and what they say of how they were made.

    Attributes:
        out: The output folder.
        link: Name of the source dataset in the output's `DatasetLinks`.
        root: Folder that BIDS URIs start from.
        weights: Name and version.
        weights_sha256: Of the weights.
        plan_hash: Of what was asked for.
    """

    out: Path
    link: str
    root: Path
    weights: str
    weights_sha256: str
    plan_hash: str

    def of(self, subject: str) -> dict[str, Any]:
        """What every row of a subject shares."""
        return {
            "participant_id": subject,
            "method": METHOD,
            "version": __version__,
            "weights": self.weights,
            "weights_sha256": self.weights_sha256,
            "plan_hash": self.plan_hash,
        }


def summary_path(out: Path, subject: str, extension: str = ".json") -> Path:
    """Where the summary of a subject lies."""
    return out / f"{subject}_{SUMMARY}{extension}"


def edited_files(out: Path, summary: Mapping[str, Any]) -> list[Path]:
    """Files of a subject that somebody changed after they were written.

    Args:
        out: The output folder.
        summary: What its JSON summary holds; it may have been changed itself.
    """
    known = summary.get("SHA256", {})
    edited = [
        out / name
        for name, sha256 in known.items()
        if (out / name).exists() and _sha256((out / name).read_bytes()) != sha256
    ]
    if OWN in summary and own_sha256(summary) != summary[OWN]:
        edited.append(out / summary["Files"][-1])
    return edited


def own_sha256(summary: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON summary but for its field that holds it."""
    rest = {key: value for key, value in summary.items() if key != OWN}
    return _sha256(json.dumps(rest, sort_keys=True).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stage_followed(
    followed: Followed, written: Written, basis: str
) -> tuple[list[Staged], dict[str, Any]]:
    """Write everything about a subject under temporary names.

    Args:
        followed: What was found.
        written: Where files go.
        basis: Hash of what all of it depends on.

    Returns:
        The files, the JSON summary last, and its content; its `Files` are relative to the
        output folder.

    Raises:
        OutputError: If one cannot be written; then none is left behind.
    """
    subject, out = followed.course.subject, written.out
    staged: list[Staged] = []
    try:
        for one in _maps(followed):
            staged += _stage_map(one, written)
        staged.append(stage_part(out, "changes", subject, _change_rows(followed, written)))
        if followed.ledgers:
            rows = _ledger_rows(followed, written)
            staged.append(stage_part(out, "ledger", subject, rows))
        page = as_markdown(followed, written.weights).encode()
        markdown = stage(summary_path(out, subject, ".md"), lambda file: file.write(page))
        staged.insert(0, markdown)
        path = summary_path(out, subject)
        about = {
            "Weights": {"Name": written.weights, "SHA256": written.weights_sha256},
            "PlanHash": written.plan_hash,
            "Files": [f.final.relative_to(out).as_posix() for f in staged]
            + [path.relative_to(out).as_posix()],
            "Basis": basis,
            "SHA256": {
                f.final.relative_to(out).as_posix(): _sha256(f.temporary.read_bytes())
                for f in staged
            },
        }
        content = as_json(followed, about)
        content[OWN] = own_sha256(content)
        text = to_json(content).encode()
        staged.append(stage(path, lambda file: file.write(text)))
    except BaseException:
        discard(staged)
        raise
    return staged, content


@dataclass(frozen=True, eq=False)
class _Map:
    """A label map of a visit: its `seg` entity, and what it shows."""

    visit: FollowedVisit
    seg: str
    labels: LabelMap
    description: str

    @property
    def path(self) -> PurePosixPath:
        """Relative to the output folder."""
        return _map_path(self.visit, self.seg)


def _maps(followed: Followed) -> Iterator[_Map]:
    """The lesions of every visit that has any, and where its image became another."""
    for region, ledger in followed.ledgers.items():
        labelled = () if ledger is None else ledger.labels
        said = f"Lesions of {region}; an id is one lesion at every visit."
        for visit, labels in zip(followed.course.visits, labelled, strict=False):
            if labels is not None and labels.names:
                yield _Map(visit, f"{label_entity(region)}{IDS}", labels, said)
    places = zip(followed.course.visits, followed.scans, followed.to_mid, strict=True)
    by_name = {visit.name: (visit, scan, move) for visit, scan, move in places}
    for found in followed.signals.values():
        visit, scan, move = by_name[found.second]
        if found.patches and move is not None:
            said = f"Where the image became brighter or darker since {found.first}."
            yield _Map(visit, SIGNAL, found.on_grid(scan.geometry, move), said)


def _map_path(visit: FollowedVisit, seg: str) -> PurePosixPath:
    return anat_folder(visit.entry) / f"{dseg_name(visit.entry, seg)}.nii.gz"


def _stage_map(one: _Map, written: Written) -> list[Staged]:
    """A map of ids, a sidecar, and the table of its ids."""
    path = written.out / one.path
    labels, sources = one.labels, one.visit.sources
    dtype = smallest_unsigned(max(labels.names))
    header, _ = grid_header(sources[0].path, labels.geometry, dtype)
    sidecar = {
        "Description": one.description,
        "Sources": [source_uri(s.path, written.root, written.link) for s in sources],
        "SpatialReference": "orig",
        "Manual": False,
        "Weights": {"Name": written.weights, "SHA256": written.weights_sha256},
    }
    rows = [f"{index}\t{name}" for index, name in sorted(labels.names.items())]
    texts = {
        ".json": to_json(sidecar),
        ".tsv": "\n".join(["index\tname", *rows]) + "\n",
    }
    staged = [stage_label_image(path, labels.voxels, header)]
    try:
        for extension, text in texts.items():
            beside = path.with_name(path.name.removesuffix(".nii.gz") + extension)
            staged.append(_stage_text(beside, text))
    except BaseException:
        discard(staged)
        raise
    return staged


def _stage_text(path: Path, text: str) -> Staged:
    return stage(path, lambda file: file.write(text.encode()))


def _change_rows(followed: Followed, written: Written) -> list[ChangeRow]:
    visits = {visit.name: visit for visit in followed.course.visits}
    shared = written.of(followed.course.subject)
    return [
        ChangeRow(
            **shared,
            **asdict(found.change),
            session_id=visits[found.second].entry.session,
            case=visits[found.second].case,
            earlier_session=visits[found.first].entry.session,
            earlier_case=visits[found.first].case,
            warnings=followed.differences.get((found.first, found.second)),
        )
        for found in followed.changes
    ]


def _ledger_rows(followed: Followed, written: Written) -> list[LedgerRow]:
    visits: Mapping[str, FollowedVisit] = {v.name: v for v in followed.course.visits}
    shared = written.of(followed.course.subject)
    rows: list[LedgerRow] = []
    for region, ledger in followed.ledgers.items():
        for row in () if ledger is None else ledger.rows:
            visit = visits[row.visit]
            is_there = row.status == "measured"
            mask = _map_path(visit, f"{label_entity(region)}{IDS}")
            rows.append(
                LedgerRow(
                    **shared,
                    session_id=visit.entry.session,
                    case=visit.case,
                    region=region,
                    lesion=row.lesion,
                    status=row.status,
                    volume_ml=row.volume_ml,
                    fate=row.fate,
                    related=_joined(row.related),
                    signal_z=row.signal_z,
                    mask=mask.as_posix() if is_there else None,
                )
            )
    return rows


def _joined(ids: Sequence[int]) -> str | None:
    return " ".join(map(str, ids)) or None
