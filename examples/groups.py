"""Compare volumes between groups of participants, in SQL, with DuckDB.

    python examples/groups.py BIDS OUT sex

Needs `pip install duckdb`. The tables are read as they lie, part by part, and so is
participants.tsv; nothing is put together before.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

VOLUMES = """
    with volumes as (
        -- one number for each participant, whatever the visits and kinds of scan
        select participant_id, region, avg(value) as ml
        from read_parquet($parts)
        where quantity = 'volume' and status = 'measured'
        group by participant_id, region
    ),
    people as (  -- as text: a column of F alone would be read as false
        select * from read_csv($people, delim = '\t', nullstr = 'n/a', all_varchar = true)
    )
    select region, coalesce({column}, 'n/a') as {column}, count(*) as people,
        round(avg(ml), 2) as mean_ml, round(stddev(ml), 2) as sd_ml
    from volumes join people using (participant_id)
    group by all
    order by all
"""


def main() -> None:
    """Print for each region and group how many there are, mean and standard deviation."""
    try:
        bids, out, column = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    except IndexError:
        sys.exit("usage: groups.py BIDS OUT COLUMN")
    people = bids / "participants.tsv"
    if not people.is_file():
        sys.exit(f"{people} is not there.")
    columns = people.read_text(encoding="utf-8-sig").partition("\n")[0].strip().split("\t")
    if column not in columns:
        sys.exit(f"{people} has no column {column!r}; it has {', '.join(columns)}.")
    if not any(out.glob("measurements/*.parquet")):
        sys.exit(f"{out} has no measurements.")
    files = {
        "parts": str(out / "measurements" / "*.parquet"),
        "people": str(people),
    }
    quoted = '"' + column.replace('"', '""') + '"'
    found = duckdb.execute(VOLUMES.format(column=quoted), files)
    print(found.df().to_string(index=False))


if __name__ == "__main__":
    main()
