"""Where results may go: never onto the data, never among files of somebody else."""

from __future__ import annotations

from pathlib import Path

from medprompt_cli.bids.atomic import discard, stage
from medprompt_cli.bids.derivatives import DESCRIPTION, SEGMENTATION, read_description
from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.errors import UsageError

SCHEDULER = "slurm"
"""Folder below the records where the logs of a scheduler's jobs lie, before there is anything
else: it opens them before the first job begins."""

_OTHER_FOLDER = "Give an output folder outside the input"


def check_output_folder(out: Path, source: Path, *, is_bids: bool) -> None:
    """Refuse an output folder that would mix results with anything else.

    Inside the input, only `derivatives/NAME` of a BIDS dataset is allowed: that is where
    the standard puts results, and where nobody looks for scans.

    Args:
        out: The output folder; need not be there.
        source: The input, a folder or a file.
        is_bids: Whether the input is a BIDS dataset.

    Raises:
        UsageError: If `out` is a file, is the input or lies inside it, or holds files
            that medprompt did not write.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(
            f"The output folder {out} is a file.",
            remedy="Give the name of a folder; it is made if it is not there.",
        )
    if source.is_dir():
        _check_place(out, source, is_bids=is_bids)
    _check_owner(out)


def _check_place(out: Path, source: Path, *, is_bids: bool) -> None:
    if out.resolve() == source.resolve():
        raise UsageError(
            f"The output folder {out} is the input folder.", remedy=f"{_OTHER_FOLDER}."
        )
    try:
        inside = out.resolve().relative_to(source.resolve()).parts
    except ValueError:
        return
    if is_bids and inside[0] == "derivatives" and len(inside) > 1:
        return
    if is_bids:
        remedy = f"{_OTHER_FOLDER}, or {source / 'derivatives' / SEGMENTATION}."
    else:
        remedy = f"{_OTHER_FOLDER}."
    raise UsageError(f"The output folder {out} lies inside the input {source}.", remedy=remedy)


def _check_owner(out: Path) -> None:
    """Hidden files do not count: file managers leave them, and so does a killed run."""
    if not out.is_dir():
        return
    description = read_description(out)
    if description is not None:
        makers = description.get("GeneratedBy")
        names = [m.get("Name") for m in makers or [] if isinstance(m, dict)]
        if SEGMENTATION in names:
            return
        what = f"its {DESCRIPTION} names {', '.join(map(str, names)) or 'no'} as its maker"
    else:
        visible = sorted(path.name for path in out.iterdir() if path.name[0] != ".")
        if visible == [LOGS] and {path.name for path in (out / LOGS).glob("*")} == {SCHEDULER}:
            return
        if not visible:
            return
        what = f"it holds {visible[0]!r} and no {DESCRIPTION}"
    raise UsageError(
        f"The output folder {out} was not written by medprompt: {what}.",
        remedy="Give an empty folder, or one of an earlier run.",
    )


def check_writable(out: Path) -> None:
    """Try to write where records go, before an hour of work is spent.

    Raises:
        OutputError: If nothing can be written there.
    """
    discard([stage(out / LOGS / "probe", lambda stream: stream.flush())])
