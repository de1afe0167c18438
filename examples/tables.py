"""Measure masks, whoever made them, and read the table with pandas and with DuckDB.

    python examples/tables.py MASKS OUT

Needs `pip install duckdb`. OUT/measurements.csv, which it writes as well, is for R: see
examples/tables.R.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
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

    query = f"""
        select region, count(*) as cases, avg(value) as mean, stddev(value) as std
        from '{out}/measurements/*.parquet'
        where quantity = 'volume' and status = 'measured'
        group by region order by region
    """
    print(duckdb.execute(query).df().round(2).to_string(index=False))


if __name__ == "__main__":
    main()
