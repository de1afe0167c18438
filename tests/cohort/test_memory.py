"""How much memory images may take, how much they will, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.cohort.memory import (
    GIB,
    STREAM_BYTES,
    WORK_BYTES,
    WORKSPACE,
    Allowance,
    allowance,
    available,
    check_fits,
    demand_of,
)
from medprompt_cli.errors import InputError

MEMINFO = "MemTotal: 24000000 kB\nMemFree: 1000000 kB\nMemAvailable: 8388608 kB\n"
EIGHT = 8 * GIB


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Files as the system has them: what is available, and which control group it is."""
    monkeypatch.delenv("SLURM_MEM_PER_NODE", raising=False)

    def build(cgroup="0::/\n"):
        write(tmp_path / "proc", meminfo=MEMINFO)
        write(tmp_path / "proc/self", cgroup=cgroup)
        return tmp_path / "proc", tmp_path / "cgroup"

    return build


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


def test_without_limits_it_is_what_the_machine_has_left(machine):
    assert available(*machine()) == (EIGHT, "memory available")


def test_the_least_of_all_control_groups_above_counts(machine):
    proc, cgroups = machine("0::/user/job\n")
    write(cgroups, memory__max="max\n", memory__current="1\n")
    write(
        cgroups / "user",
        memory__max=f"{4 * GIB}\n",
        memory__current=f"{3 * GIB}\n",
        memory__stat=f"anon 1\ninactive_file {GIB}\n",
    )
    write(cgroups / "user/job", memory__max=f"{3 * GIB}", memory__current="0")

    assert available(proc, cgroups) == (2 * GIB, f"control group {cgroups}/user/memory.max")


def test_control_groups_of_the_first_version(machine):
    proc, cgroups = machine("4:cpu:/\n9:memory:/job\n")
    write(
        cgroups / "memory/job",
        memory__limit_in_bytes=f"{5 * GIB}",
        memory__usage_in_bytes=f"{2 * GIB}",
        memory__stat=f"total_inactive_file {GIB}\n",
    )
    limit = f"{cgroups}/memory/job/memory.limit_in_bytes"

    assert available(proc, cgroups) == (4 * GIB, f"control group {limit}")


def test_what_slurm_gives_counts(machine, monkeypatch):
    files = machine()
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "2048")

    assert available(*files) == (2 * GIB, "SLURM_MEM_PER_NODE")


def test_what_a_person_allows_goes_before_what_there_is(monkeypatch):
    asked = "medprompt_cli.cohort.memory.available"
    monkeypatch.setattr(asked, lambda: (10 * GIB, "memory available"))

    assert allowance(2.5) == Allowance(int(2.5 * GIB), "--mem")
    assert allowance(None) == Allowance(7 * GIB, "memory available")  # 0.8 x 10 GB, less 1
    monkeypatch.setattr(asked, lambda: (GIB, "memory available"))
    assert allowance(None).gb == 0.5
    assert [Allowance(n * GIB, "").tile_gb for n in (2, 3, 40)] == [2, 3, 3]


@pytest.fixture
def image(tmp_path):
    """An image of some shape and type, as an entry; its content need not be there."""

    def build(shape=(100, 100, 100), dtype="int16", name="scan.nii.gz"):
        header = nib.Nifti1Header()
        header.set_data_dtype(dtype)
        header.set_data_shape(shape)
        header.set_sform(np.eye(4), 1)
        header["vox_offset"] = 352
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        path = tmp_path / name
        path.write_bytes(gzip.compress(header.binaryblock + bytes(4 + size), 1))
        return ImageEntry(path, "sub-01", None, "T1w", {})

    return build


def test_what_an_image_takes_follows_from_its_header(image):
    one = demand_of([image()])
    wide = demand_of([image(dtype="float64", name="wide.nii.gz")])

    assert one.read == 10**6 * (4 + 2)
    assert wide.read == 10**6 * (4 + 8)
    assert one.work == wide.work == 10**6 * WORK_BYTES + WORKSPACE


def test_images_that_are_read_together_add_up(image):
    one, two = image(), image(name="other.nii.gz")
    alone, both = demand_of([one]), demand_of([one, two])

    assert both.read == 10**6 * (4 + 4 + 2)
    assert both.work - alone.work == 10**6 * STREAM_BYTES


def test_a_folder_of_slices_counts_by_its_size(tmp_path):
    (tmp_path / "series").mkdir()
    for n in range(4):
        (tmp_path / "series" / f"{n}.dcm").write_bytes(bytes(500_000))
    entry = ImageEntry(tmp_path / "series", "sub-01", None, "ct", {})

    assert demand_of([entry]).read == 10**6 * (4 + 2)


@pytest.mark.parametrize("content", [None, b"no image"], ids=["missing", "damaged"])
def test_of_an_image_that_cannot_be_read_nothing_is_counted(tmp_path, content):
    path = tmp_path / "scan.nii.gz"
    if content is not None:
        path.write_bytes(content)
    entry = ImageEntry(path, "sub-01", None, "T1w", {})

    assert demand_of([entry]).read == 0
    check_fits([entry], Allowance(GIB, "--mem"))


def test_an_image_that_does_not_fit_is_refused_with_what_it_needs(image):
    scan = image((400, 400, 200), "uint8")
    limit = Allowance(GIB, "memory available")
    with pytest.raises(InputError, match="needs") as caught:
        check_fits([scan], limit)

    needed = (32e6 * WORK_BYTES + WORKSPACE) / GIB
    assert str(caught.value) == (
        f"{scan.path} needs {needed:.1f} GB to be segmented, and images may take 1.0 GB "
        "(memory available)."
    )
    assert caught.value.remedy == (
        f"Give --mem {needed + 1.1:.1f}G or more, where there is so much, or a coarser image."
    )
    assert caught.value.code == "too-large-for-memory"
    check_fits([scan], Allowance(int(needed * GIB) + 10**6, "--mem"))
