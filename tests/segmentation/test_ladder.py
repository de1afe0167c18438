"""Where memory runs out, less of it is asked for: each rung is tried in turn, and told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medprompt_cli.domain.attempt import Attempt
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.volume import Volume
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation import ladder
from medprompt_cli.segmentation.ladder import Rung, is_out_of_memory, rungs
from medprompt_cli.segmentation.predict import Predictor
from medprompt_cli.segmentation.segmenter import Segmenter

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")
BRAIN = resolve(["brainstem"])

ON_THE_PROCESSOR = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 8589934592 bytes. Error code 12 (Cannot allocate memory)"
)
"""As torch words it."""

ERRORS = {
    "numpy": MemoryError("Unable to allocate 8.00 GiB for an array"),
    "processor": RuntimeError(ON_THE_PROCESSOR),
    "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "library": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
}


@pytest.fixture
def scan(lump):
    return Volume(lump, Geometry(lump.shape, np.eye(4)))


@pytest.fixture
def network_file(threshold, save_network):
    return save_network(threshold(), "ladder")


@pytest.fixture
def float32(monkeypatch):
    """A processor that does not multiply bfloat16."""
    monkeypatch.setattr(
        "medprompt_cli.segmentation.segmenter.choose_precision", lambda device: torch.float32
    )


@pytest.fixture
def starve(monkeypatch):
    """Let the first `times` looks at the brain run out of memory; say what each was given."""

    def starve_of(error, times):
        tried = []
        refine = Predictor.refine

        def refine_or_fail(self, *arguments):
            tried.append((self.dtype, self.tile_bytes, self.device.type))
            if len(tried) <= times:
                raise error
            return refine(self, *arguments)

        monkeypatch.setattr(Predictor, "refine", refine_or_fail)
        return tried

    return starve_of


def test_the_order_of_rungs_on_a_gpu_without_bfloat16():
    tried = [
        (r.device.type, r.dtype, r.tile_bytes) for r in rungs(Rung(CUDA, torch.float32, 1600))
    ]
    cpu = ladder.choose_precision(CPU)

    assert tried == [
        ("cuda", torch.float32, 1600),
        ("cuda", torch.float32, 400),
        ("cuda", torch.float32, 100),
        ("cuda", torch.bfloat16, 100),
        ("cpu", cpu, 1600),
        ("cpu", cpu, 100),
    ]


def test_in_16_bits_on_the_processor_there_are_only_smaller_tiles():
    assert [r.tile_bytes for r in rungs(Rung(CPU, torch.bfloat16, 1600))] == [1600, 400, 100]


@pytest.mark.parametrize(
    ("kind", "times"),
    [("numpy", 1), ("gpu", 1), ("library", 1), *(("processor", times) for times in (1, 2, 3))],
)
@pytest.mark.usefixtures("float32")
def test_each_rung_mends_what_the_one_above_cannot(network_file, scan, starve, kind, times):
    segmenter = Segmenter(device="cpu", weights=network_file, memory_gb=1.0)
    whole = segmenter.segment(scan, BRAIN)
    tried = starve(ERRORS[kind], times)
    found = segmenter.segment(scan, BRAIN)

    np.testing.assert_array_equal(found.labels.voxels, whole.labels.voxels)
    tile = int(0.4 * 2**30)
    ladder = [
        (torch.float32, tile, "cpu"),
        (torch.float32, tile // 4, "cpu"),
        (torch.float32, tile // 16, "cpu"),
        (torch.bfloat16, tile // 16, "cpu"),
    ]
    assert tried == ladder[: times + 1]
    assert [a.ran_out for a in found.attempts] == [True] * times + [False]
    said = {1: "float32 on cpu in tiles of 0.1 GB", 2: "float32 on cpu in tiles of 0.025 GB"}
    last = said.get(times, "bfloat16 on cpu in tiles of 0.025 GB")
    how_often = "once" if times == 1 else f"{times} times"
    assert found.notes == (f"Memory ran out {how_often}; computed in {last}.",)
    assert found.seconds["retries"] > 0


def test_the_next_image_begins_at_the_top_again(network_file, scan, starve):
    segmenter = Segmenter(device="cpu", weights=network_file)
    tried = starve(MemoryError(), 1)
    segmenter.segment(scan, BRAIN)
    after = segmenter.segment(scan, BRAIN)

    assert (after.attempts, after.notes) == ((), ())
    assert tried[2] == tried[0]


@pytest.mark.usefixtures("float32")
def test_what_no_rung_mends_is_a_failure_that_names_them_all(network_file, scan, starve):
    segmenter = Segmenter(device="cpu", weights=network_file, memory_gb=1.0)
    tried = starve(RuntimeError(ON_THE_PROCESSOR), 99)
    with pytest.raises(MemoryError) as caught:
        segmenter.segment(scan, BRAIN)

    assert len(tried) == 4
    assert str(caught.value) == (
        "tried float32 on cpu in tiles of 0.4 GB, float32 on cpu in tiles of 0.1 GB, "
        "float32 on cpu in tiles of 0.025 GB, bfloat16 on cpu in tiles of 0.025 GB"
    )


def test_other_errors_are_no_reason_to_try_again(network_file, scan, starve):
    tried = starve(RuntimeError("shapes do not match"), 1)
    with pytest.raises(RuntimeError, match=r"^shapes do not match$"):
        Segmenter(device="cpu", weights=network_file).segment(scan, BRAIN)

    assert len(tried) == 1
    assert not is_out_of_memory(ValueError("out of memory"))


def test_an_attempt_in_json():
    assert Attempt("cpu", "bfloat16", 0.0251234, ran_out=True).as_json() == {
        "Device": "cpu",
        "Precision": "bfloat16",
        "TileGb": 0.025,
        "RanOut": True,
    }
