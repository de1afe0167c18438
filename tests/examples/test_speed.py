"""The benchmark: its U-Net is the one it says, and its table says what was measured."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest
import torch


@pytest.fixture(scope="module")
def path(repository):
    return repository / "examples" / "benchmarks" / "speed.py"


@pytest.fixture(scope="module")
def script(path):
    return runpy.run_path(str(path))


def test_the_unet_has_the_size_of_synthsegs(script):
    """Counted by hand: 27 weights a pair of channels, widths 24, 48, 96, 192 and 384."""
    network = script["PlainUNet"]()

    convs = [1 * 24, 24 * 24, 24 * 48, 48 * 48, 48 * 96, 96 * 96, 96 * 192, 192 * 192]
    convs += [192 * 384, 384 * 384, 576 * 192, 192 * 192, 288 * 96, 96 * 96]
    convs += [144 * 48, 48 * 48, 72 * 24, 24 * 24]
    widths = [24, 48, 96, 192, 384, 192, 96, 48, 24]
    scales = 2 * sum(widths) + 2 * sum(widths)  # two biases, and gain and offset
    expected = 27 * sum(convs) + scales + 24 * 33 + 33
    assert sum(p.numel() for p in network.parameters()) == expected


@torch.inference_mode()
def test_the_unet_gives_posteriors_on_the_grid_of_the_image(script):
    network = script["PlainUNet"](features=2).eval()

    found = network(torch.rand(1, 1, 32, 16, 48))

    assert found.shape == (1, 33, 32, 16, 48)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(1, 32, 16, 48))


def test_an_image_is_padded_to_whole_cells_of_1_mm_voxels(script):
    size = script["unet_size"]

    assert size((256, 256, 256), (1.0, 1.0, 1.0)) == (256, 256, 256)
    assert size((192, 224, 33), (1.0, 0.9, 5.0)) == (192, 224, 192)


def test_only_what_fits_is_run(script):
    fit, cube, small = script["fitting_size"], (256, 256, 256), (192, 192, 192)

    assert fit(small, "float32", 24e9) == small
    assert fit(small, "float32", 4e9) == (192, 192, 96)
    assert fit(cube, "float32", 1.0) == (256, 256, 32)
    for precision, slabs in (("float32", 96), ("bfloat16", 224)):  # no tensor above 2 GiB
        assert fit(cube, precision, 1e12) == (256, 256, slabs)
        width = {"float32": 4, "bfloat16": 2}[precision]
        assert 72 * width * 256 * 256 * slabs < 2**31


def test_the_table_compares_with_medprompt(script):
    timing = script["Timing"]
    rows = [
        timing("`medprompt`", 8.0, 4.0, 2.25),
        timing("U-Net", 90.0, 80.0, 14.0),
        timing("U-Net", None, 40.0, 7.0, "extrapolated from 256 x 256 x 128 voxels"),
    ]

    assert script["table"](rows).splitlines()[2:] == [
        "| `medprompt` | 8.0 | 4.00 | 2.25 | 1.0 | 0.5 |",
        "| U-Net | 90.0 | 80.00 | 14.00 | 20.0 | 10.0 |",
        "| U-Net (extrapolated from 256 x 256 x 128 voxels) | not run whole | 40.00 | 7.00"
        " | 10.0 | 5.0 |",
    ]


def test_the_median_of_runs_counts(script):
    timing = script["Timing"]
    runs = [timing("a", w, n, p) for w, n, p in [(3, 9, 1), (1, 7, 5), (2, 8, 3)]]

    assert script["median"](runs) == timing("a", 2, 8, 3)
    assert script["median"]([timing("a", None, 1, 1)]).wall_s is None


def test_the_readme_has_a_place_for_the_table(script, repository):
    page = (repository / "README.md").read_text(encoding="utf-8")

    new = script["between_marks"](page, "| table |")

    start, end = script["START"], script["END"]
    assert new.count(start) == new.count(end) == 1
    assert f"{start}\n| table |\n{end}" in new
    assert new.partition(start)[0] == page.partition(start)[0]
    assert new.partition(end)[2] == page.partition(end)[2]
    with pytest.raises(SystemExit, match="has no <!-- speed:start -->"):
        script["between_marks"]("a page", "| table |")


@pytest.mark.slow
@pytest.mark.weights
def test_a_tiny_run_measures_and_writes(path, script, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{script['START']}\nold\n{script['END']}\nafter\n")
    words = [sys.executable, path, "--size", "32", "--repeats", "1", "--readme", page]

    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    printed = done.stdout.strip()
    assert page.read_text() == f"before\n{script['START']}\n{printed}\n{script['END']}\nafter\n"
    heading, *rows = printed.splitlines()
    assert heading.startswith("One image of 32 x 32 x 32 voxels of 1 x 1 x 1 mm, ")
    assert heading.endswith("By `python examples/benchmarks/speed.py --size 32`:")
    assert len(rows) == 6
    for row in rows[3:]:
        wall, network, peak, ratio, _ = (float(cell) for cell in row.split("|")[2:-1])
        assert 0 < network < wall
        assert peak > 0.1
        assert ratio > 0
