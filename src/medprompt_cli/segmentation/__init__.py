"""Volumes and targets to masks: native grid, network grid, tiles."""

from __future__ import annotations

import os

SPINS = "1000"
"""How often a thread of the network looks whether the others have finished before it sleeps;
300,000 by default. Where two runs shared two cores, a head took 1.7 s each in place of 3.8: a
thread that spins keeps the core from the one it waits for. Alone nothing is lost."""

if "OMP_WAIT_POLICY" not in os.environ:  # read once, as torch is loaded. Source: GNU libgomp
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
