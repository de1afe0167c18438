"""`medprompt status`: how far an output folder is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json

if TYPE_CHECKING:
    from medprompt_cli.cohort.status import CaseStatus, Status

SHOWN = 20
"""So many failures are listed on the terminal; --json lists all."""

REASONS = {
    "prompts": "of other prompts",
    "weights": "of other weights",
    "image": "of an image that has changed",
    "interrupted": "begun and not finished",
    "removed": "with a file that was removed",
    "gone": "of an image that is gone or makes no case",
}
"""Why a case is stale or to do again, in words."""


def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that segment writes to.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print how far every case is as JSON.")
    ] = False,
) -> None:
    """Say how far OUT is: what is done, failed, to do or stale; also during a run.

    Exits with 0 if all is done, 1 if a case failed, 75 if none failed and some are to do.
    """
    from medprompt_cli.cohort.status import status_of

    found = status_of(out)
    if as_json:
        print_json(_as_json(found))
    else:
        typer.echo(_as_text(found, out))
    raise typer.Exit(found.exit_code)


def _as_text(status: Status, out: Path) -> str:
    counts = _counts(status)
    many = "case" if len(status.cases) == 1 else "cases"
    lines = [
        f"{len(status.cases)} {many}: {counts['done']} done, {counts['failed']} failed,"
        f" {counts['todo']} to do, {counts['stale']} stale. Results: {out}"
    ]
    for progress, name in (("todo", "to do"), ("stale", "stale")):
        why = Counter(case.why for case in status.cases if case.progress == progress)
        lines += [f"{name}: {n} {REASONS[reason]}" for reason, n in why.items() if reason]
    other = Counter(case.why for case in status.others)
    lines += [f"beside them: {_count(n)} {REASONS[why]}" for why, n in other.items()]
    lines += [f"changed by hand: {path}" for case in status.cases for path in case.edited]
    failed = status.having("failed")
    codes = Counter((case.error or {}).get("code", "unknown") for case in failed)
    lines += [f"failed [{code}]: {n}" for code, n in codes.most_common()]
    lines += [_failure_text(case) for case in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"... and {len(failed) - SHOWN} more; --json lists all.")
    return "\n".join(lines)


def _count(results: int) -> str:
    return "1 result" if results == 1 else f"{results} results"


def _failure_text(case: CaseStatus) -> str:
    error = case.error or {}
    return f"  {case.name}: {error.get('problem')}\n    Try: {error.get('remedy')}"


def _counts(status: Status) -> dict[str, int]:
    from medprompt_cli.cohort.status import PROGRESS

    return {progress: len(status.having(progress)) for progress in PROGRESS}


def _as_json(status: Status) -> dict[str, object]:
    return {
        "prompts": list(status.prompts),
        "counts": _counts(status),
        "exit_code": status.exit_code,
        "cases": [
            {
                "name": case.name,
                "status": case.progress,
                "why": case.why or None,
                "error": case.error,
                "edited": list(case.edited),
            }
            for case in status.cases
        ],
        "others": [{"name": case.name, "why": case.why} for case in status.others],
    }
