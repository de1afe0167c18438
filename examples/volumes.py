"""Segment a folder from Python and print a table of volumes.

python examples/volumes.py BIDS OUT "left and right hippocampus" ventricles
"""

from __future__ import annotations

import sys

from medprompt_cli.api import segment


def main() -> None:
    """Print one line for each scan and one column for each target."""
    source, out, *prompts = sys.argv[1:]
    table = segment(source, out, prompts).table()
    measured = table[table["status"] == "measured"]
    wide = measured.pivot_table(index="name", columns="target", values="volume_ml")
    print(wide.round(2).to_string())


if __name__ == "__main__":
    main()
