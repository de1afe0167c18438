"""The benchmark of measuring times what it says: every label, in the place it was drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest

from medprompt_cli.domain.geometry import to_canonical
from medprompt_cli.measurement.labels import measure_labels


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("measure")


def test_the_labels_fill_a_third_of_the_grid(script):
    labels, image = script.draw(48, 100, "RAS")
    found = measure_labels(labels, image)

    assert np.count_nonzero(found.voxels) == 100
    assert found.voxels.sum() / 48**3 == pytest.approx(0.3, abs=0.03)
    assert found.intensities is not None
    assert found.intensities.means == pytest.approx(100 + found.ids, abs=5)


def test_another_orientation_shows_the_same_head(script):
    plain, _ = script.draw(16, 10, "RAS")
    turned, _ = script.draw(16, 10, "LIA")

    assert turned.geometry.orientation == "LIA"
    assert np.array_equal(to_canonical(turned.voxels, turned.geometry), plain.voxels)
    assert np.allclose(turned.geometry.canonical().affine, plain.geometry.affine)


def test_a_tiny_run_prints_its_line(script, capsys):
    script.main(size=32, labels=8, orientation="LPS", percentiles=True, repeats=2)

    line = capsys.readouterr().out
    assert re.match(
        r"8 labels in 0\.0 million of 32³ voxels, LPS: volumes, boxes, centroids, means, SDs,"
        r" 3 percentiles in \d\.\d\d s at best, \d\.\d\d s in the median of 2, of which"
        r" computing \d\.\d\d s \(",
        line,
    )
