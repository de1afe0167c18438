"""Whether a volume is a likely one beside those of the rest of the cohort.

A mask that is wrong often shows as a volume that nobody else has. Each volume is held against
those of the same region in scans of the same kind, by the rule of `domain/outliers.py`, which
reports go by, too.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.outliers import FAR, FEWEST, log_centre_and_spread

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
    values = [value for _, value in found]
    centre, spread = log_centre_and_spread(values)
    far = np.abs(np.log(values) - centre) / spread > FAR
    return [found[row][0] for row in np.flatnonzero(far)]
