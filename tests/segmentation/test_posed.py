"""A network that looks at a head in several poses: the same masks, wider intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.measurement import Measurement
from medprompt_cli.domain.volume import Volume
from medprompt_cli.execution.posing import PosedSegmenter
from medprompt_cli.measurement.interval import with_interval
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter


@pytest.fixture(scope="module")
def network(threshold, save_network):
    """Calls brainstem what is bright."""
    return Segmenter(device="cpu", weights=save_network(threshold(), "posed"))


@pytest.fixture(scope="module")
def head():
    at = np.moveaxis(np.indices((40, 40, 40)), 0, -1) - (18, 20, 22)
    inside = np.linalg.norm(at / (1.0, 1.3, 0.8), axis=-1) <= 11
    noise = np.random.default_rng(0).normal(0, 8, inside.shape)
    voxels = (100.0 * inside + noise).astype(np.float32)
    return Volume(voxels, Geometry(inside.shape, np.diag([1.0, 1.0, 1.0, 1.0])))


def test_one_look_and_six(network, head):
    targets = resolve(["brainstem", "brain"])
    once = network.segment(head, targets)
    often = PosedSegmenter(network).segment(head, targets)

    assert np.array_equal(often.labels.voxels, once.labels.voxels)
    assert np.array_equal(often.masks["brain"].voxels, once.masks["brain"].voxels)
    assert often.volumes_ml == once.volumes_ml
    for name in ("brainstem", "brain"):
        own, spread = once.sums[name], often.sums[name].pose_sd_ml
        assert replace(often.sums[name], pose_sd_ml=0.0) == own
        assert 0 < spread < 0.1 * own.total_ml  # nothing of the head leaves the image
        volume = Measurement(name, "soft-volume", own.total_ml, "mL")
        narrow = with_interval(volume, own).interval
        wide = with_interval(volume, often.sums[name]).interval
        assert narrow
        assert wide
        assert wide[0] < narrow[0] < narrow[1] < wide[1]
