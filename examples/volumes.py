"""Segment a folder from Python and print a table of volumes.

python examples/volumes.py BIDS OUT "left and right hippocampus" ventricles
"""

from __future__ import annotations

import sys

from medprompt_cli.api import segment
from medprompt_cli.errors import MedpromptError


def main() -> None:
    """Print one line for each scan and one column for each target."""
    try:
        source, out, first, *more = sys.argv[1:]
    except ValueError:
        sys.exit("usage: volumes.py BIDS OUT PROMPT [PROMPT ...]")
    try:
        summary = segment(source, out, [first, *more])
    except MedpromptError as error:
        sys.exit(f"{error}\n{error.remedy}")
    failed = summary.having("failed")
    if failed:
        print(f"{len(failed)} of {summary.planned} failed:", file=sys.stderr)
    for each in failed:
        print(f"  {each.name}: {each.failure and each.failure.problem}", file=sys.stderr)
    table = summary.table()
    measured = table[table["status"] == "measured"]
    wide = measured.pivot_table(index="name", columns="target", values="volume_ml")
    print(wide.round(2).to_string() if len(wide) else "nothing was measured")
    if summary.stopped is not None:
        sys.exit(f"The run was stopped before its end: {summary.stopped}")
    sys.exit(summary.exit_code)


if __name__ == "__main__":
    main()
