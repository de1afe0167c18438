"""Measure masks, whoever made them, and read the table with pandas and, if it is there, DuckDB.

    python examples/tables.py MASKS OUT

R reads the CSV that is written beside: read.csv("OUT/measurements.csv", na.strings = "").
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from medprompt_cli.api import measure, tables


def main() -> None:
    """Print the mean volume of every region over all cases, both ways."""
    masks, out = map(Path, sys.argv[1:])
    measure(masks, out)
    tables(out, file=out / "measurements.csv")

    table = pd.read_parquet(out / "measurements")  # the folder of parts, as it lies
    volumes = table[(table["quantity"] == "volume") & (table["status"] == "measured")]
    summary = volumes.groupby("region")["value"].agg(["count", "mean", "std"])
    print(summary.round(2).to_string())

    if find_spec("duckdb"):
        query = f"""
            select region, count(*) as cases, round(avg(value), 2) as "mean, mL"
            from '{out}/measurements/*.parquet'
            where quantity = 'volume' and status = 'measured'
            group by region order by region
        """
        print(import_module("duckdb").sql(query).df().to_string(index=False))


if __name__ == "__main__":
    main()
