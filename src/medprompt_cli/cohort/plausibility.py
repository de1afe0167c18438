"""Whether a volume is a likely one beside those of the rest of the cohort.

A mask that is wrong often shows as a volume that nobody else has. Each volume is held against
the median of the same region, in scans of the same kind, in units of their median absolute
deviation. Volumes are compared by their logarithm: sizes of regions spread by factors.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medprompt_cli.domain.anatomy import LESIONS

FEWEST = 10
"""Cases that have to be there for a median and a spread to mean something."""

FAR = 3.5
"""Robust z from which on a volume is looked at. Source: Iglewicz and Hoaglin, How to detect and
handle outliers, 1993."""

TO_SD = 1.4826
"""Median absolute deviations of a Gaussian in its standard deviation."""

LEAST_SPREAD = 0.02
"""Of the logarithm: 2 %. A cohort that is more alike than that has no outliers."""

REASON = "unusual-volume"


def with_plausibility(table: pa.Table) -> pa.Table:
    """The measurements, with rows of unusual volumes marked for review.

    All rows of a region in a case share its quality, so all of them are marked. What failed
    already stays so. Lesions are left out: theirs may be of any size.
    """
    far = unusual(table)
    if not far:
        return table
    keys = zip(table["case"].to_pylist(), table["region"].to_pylist(), strict=True)
    rows = [row for row, key in enumerate(keys) if key in far]
    qc, reasons = table["qc"].to_pylist(), table["qc_reasons"].to_pylist()
    for row in rows:
        qc[row] = "fail" if qc[row] == "fail" else "review"
        reasons[row] = "; ".join(filter(None, [reasons[row], REASON]))
    for name, values in (("qc", qc), ("qc_reasons", reasons)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), pa.array(values, pa.string()))
    return table


def unusual(table: pa.Table) -> set[tuple[str, str]]:
    """Case and region of every volume that is far from those of the cohort.

    Args:
        table: Measurements.
    """
    volumes = table.filter((pc.field("quantity") == "volume") & (pc.field("value") > 0))
    columns = (volumes[name].to_pylist() for name in ("case", "region", "value"))
    alike: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for case, region, value in zip(*columns, strict=True):
        if region not in LESIONS:
            alike[region, case.rpartition("_")[2]].append((case, value))
    return {(case, region) for (region, _), found in alike.items() for case in _outliers(found)}


def _outliers(found: list[tuple[str, float]]) -> list[str]:
    """Cases whose volume is far from the median of all; none among a few."""
    if len(found) < FEWEST:
        return []
    logs = np.log([value for _, value in found])
    apart = np.abs(logs - np.median(logs))
    spread = max(TO_SD * float(np.median(apart)), LEAST_SPREAD)
    return [found[row][0] for row in np.flatnonzero(apart / spread > FAR)]
