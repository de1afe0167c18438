"""A segmenter in another process finds the same, and only with the same weights."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.errors import WeightsError
from medprompt_cli.execution.posing import PosedSegmenter
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.portable import PortableSegmenter


def test_a_segmenter_is_made_anew(lively, save_network):
    weights = save_network(lively, "lively")
    inner = PortableSegmenter(device="cpu", weights=weights, memory_gb=0.5)
    segmenter = PosedSegmenter(inner)
    other = pickle.loads(pickle.dumps(segmenter))
    scan = Volume(
        np.random.default_rng(0).normal(size=(12, 10, 8)).astype(np.float32),
        Geometry((12, 10, 8), np.diag([2.0, 2.0, 2.0, 1.0])),
    )
    found, again = (one.segment(scan, resolve(["brainstem"])) for one in (segmenter, other))

    assert type(other.segmenter) is PortableSegmenter
    assert found.labels.voxels.tobytes() == again.labels.voxels.tobytes()
    assert found.volumes_ml == again.volumes_ml
    assert found.sums == again.sums
    assert other.segmenter.predictor.tile_bytes == inner.predictor.tile_bytes


def test_weights_that_have_changed_are_refused(lively, threshold, save_network):
    weights = save_network(lively, "changing")
    sent = pickle.dumps(PortableSegmenter(device="cpu", weights=weights))
    save_network(threshold(), "changing")

    said = re.escape("Weights changing have changed since the run began.")
    with pytest.raises(WeightsError, match=f"^{said}$") as caught:
        pickle.loads(sent)
    assert caught.value.remedy == "Run the same command again."
