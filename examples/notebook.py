"""A notebook in cells: open an output folder, look at its tables, changes and masks.

    python examples/notebook.py OUT

Editors that know `# %%` run it cell by cell.
"""

# %% What lies there, and whether it is all of it
from __future__ import annotations

import sys

import nibabel as nib
import numpy as np

from medprompt_cli.api import open_cohort
from medprompt_cli.errors import MedpromptError

try:
    cohort = open_cohort(sys.argv[1])
except IndexError:
    sys.exit("usage: notebook.py OUT")
except MedpromptError as error:
    sys.exit(f"{error}\n{error.remedy}")
undone = [case.name for case in cohort.status.cases if case.progress != "done"]
print(f"{len(cohort.cases)} cases; not done: {', '.join(undone) or 'none'}")

# %% A row for each case, a column for each region
measurements = cohort.tables.measurements
volumes = measurements.query("quantity == 'volume' and status == 'measured'")
print(volumes.pivot(index="case", columns="region", values="value").round(2).to_string())

# %% What changed most between two visits
changes = cohort.tables.changes.query("quantity == 'volume' and status == 'measured'")
largest = changes.sort_values("percent", key=abs, ascending=False)
columns = ["case", "region", "percent", "percent_low", "percent_high"]
print(largest[columns].head(5).round(1).to_string(index=False))

# %% The scan of a case and its masks, voxel on voxel
case = cohort.cases[0]
scan = np.asanyarray(nib.Nifti1Image.from_filename(cohort.image(case)).dataobj)
for path in cohort.masks(case=case):
    inside = np.asanyarray(nib.Nifti1Image.from_filename(path).dataobj) > 0
    mean = float(scan[inside].mean()) if inside.any() else float("nan")
    print(f"{path.name}: {inside.sum()} voxels, mean intensity {mean:.1f}")
