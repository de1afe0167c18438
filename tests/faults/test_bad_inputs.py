"""Every bad input that was tried, and the whole message that came back.

The messages are in `bad_inputs.toml`, for a reader to go through; here each file is made, and
the command is run that meets it. No input may end in a traceback, and none may be passed over.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.freesurfer import mghformat
from typer.testing import CliRunner

from medprompt_cli import api
from medprompt_cli.cli.app import app
from medprompt_cli.cohort import apart
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.plan_file import Plan, WeightsUsed, write_plan
from medprompt_cli.weights import store

LIST = tomllib.loads(Path(__file__).with_name("bad_inputs.toml").read_text(encoding="utf-8"))

Words = list[str]
Make = Callable[[], "Words | None"]
"""Makes a bad input in the working folder; returns the words of a command, if not `SEGMENT`."""

SEGMENT = ["segment", "in", "out", "-p", "brainstem"]
CHECK = ["check", "in"]
SCAN = "in/scan.nii.gz"
HUGE = 3e38
TRIED: dict[str, Make] = {}


def tried(make: Make) -> Make:
    """Add an input to the list, by the name of its function."""
    TRIED[make.__name__.replace("_", "-").strip("-")] = make
    return make


def nifti(shape=(12, 10, 9), dtype="int16", fill=None, **fields) -> bytes:
    """A NIfTI file's bytes, any field of its header overwritten unchecked."""
    voxels = (np.arange(int(np.prod(shape))) % 250).reshape(shape).astype(dtype)
    if fill is not None:
        voxels[...] = fill
    image = nib.Nifti1Image(voxels, np.eye(4), dtype=voxels.dtype)
    header = nib.Nifti1Header(image.header.binaryblock, check=False)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + image.to_bytes()[348:]


def write(path: str | Path, content: bytes | str = b"") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)


def scan(path: str = SCAN, **fields) -> None:
    """Write an image; in a gzip stream, of the same size everywhere, if its name says so."""
    content = nifti(**fields)
    write(path, gzip.compress(content, 0) if path.endswith(".gz") else content)


def dataset() -> None:
    """A BIDS dataset with one good scan."""
    write("in/dataset_description.json", '{"Name": "x", "BIDSVersion": "1.11.0"}')
    scan("in/sub-01/anat/sub-01_T1w.nii.gz")


# What a header says, by the name of the fault.
HEADERS = {
    "huge-axes": {"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]},
    "more-voxels-than-bytes": {"dim": [3, 1200, 1200, 1200, 1, 1, 1, 1]},
    "axis-of-no-voxel": {"dim": [3, 12, 0, 9, 1, 1, 1, 1]},
    "negative-axis": {"dim": [3, 12, -10, 9, 1, 1, 1, 1]},
    "no-dimensions": {"dim": [0, 12, 10, 9, 1, 1, 1, 1]},
    "three-hundred-dimensions": {"dim": [300, 12, 10, 9, 1, 1, 1, 1]},
    "negative-offset": {"vox_offset": -16},
    "offset-that-is-no-number": {"vox_offset": np.nan},
    "infinite-offset": {"vox_offset": np.inf},
    "offset-beyond-the-file": {"vox_offset": 1e9},
    "offset-inside-the-header": {"vox_offset": 12},
    "affine-with-nan": {"srow_x": [np.nan, 0, 0, 0]},
    "affine-with-infinity": {"srow_y": [0, np.inf, 0, 0]},
    "affine-of-zeros": {"srow_x": [0] * 4, "srow_y": [0] * 4, "srow_z": [0] * 4},
    "axes-in-one-plane": {"srow_y": [1, 0, 0, 0]},
    "affine-beyond-numbers": {"srow_x": [HUGE, 0, 0, 0]},
    "no-affine": {"sform_code": 0, "qform_code": 0},
    "quaternion-too-long": {"sform_code": 0, "qform_code": 1, "quatern_b": 3},
    "slices-40-mm-apart": {"srow_z": [0, 0, 40, 0]},
    "microscopy": {"srow_x": [1e-3, 0, 0, 0]},
    "rgb": {"datatype": 128},
    "float128": {"datatype": 1536},
    "unknown-type": {"datatype": 31999},
    "complex": {"dtype": "complex64"},
    "scaling-plus-nan": {"scl_slope": 2, "scl_inter": np.nan},
    "scaled-beyond-float32": {
        "dtype": "float32",
        "fill": 1e30,
        "scl_slope": 1e30,
        "scl_inter": 0,
    },
    "half-of-a-pair": {"magic": b"ni1"},
    "analyze": {"magic": b""},
    "five-dimensional": {"shape": (12, 10, 9, 2, 3)},
    "time-series": {"shape": (12, 10, 9, 5)},
    "one-slice": {"shape": (12, 10)},
    "one-line": {"shape": (12, 1, 1)},
    "one-voxel": {"shape": (1, 1, 1)},
    "postage-stamp": {"shape": (12, 7, 7)},
    "voxels-of-nan": {"dtype": "float32", "fill": np.nan},
    "all-zero": {"fill": 0},
    "constant": {"fill": 7},
}
for name, fields in HEADERS.items():
    TRIED[name] = lambda fields=fields: scan(**fields)


# What a file holds, by its name.
DAMAGED = {
    "gzip-cut-off": (SCAN, gzip.compress(nifti(), 0)[:-40]),
    "gzip-of-another-checksum": (SCAN, gzip.compress(nifti())[:-8] + b"sum!\xd0\x09\0\0"),
    "gzip-that-is-noise": (SCAN, b"\x1f\x8b\x08\x00" + bytes(range(1, 250))),
    # thirty kilobytes that hold thirty megabytes of zeros after the voxels
    "gzip-bomb": (SCAN, gzip.compress(nifti() + bytes(30 << 20))),
    "cut-off": ("in/scan.nii", nifti()[:-100]),
    "header-cut-off": ("in/scan.nii", nifti()[:100]),
    "empty-file": (SCAN, b""),
    "text-named-like-an-image": (SCAN, b"hello, I am a text file"),
    "page-named-like-an-image": (SCAN, b"<html>Sign in to download</html>"),
    "git-lfs-pointer": (SCAN, b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n"),
    "name-with-a-line-break": ("in/a b'c\"d\nfailed [none]: 머리.nii.gz", b"no image"),
    "name-that-colours-the-terminal": ("in/\x1b[2Jscan.nii.gz", b"no image"),
    "name-that-is-no-text": (os.fsdecode(b"in/caf\xe9.nii.gz"), b"no image"),
}
for name, (path, content) in DAMAGED.items():
    TRIED[name] = lambda path=path, content=content: write(path, content)

# A file of a BIDS dataset with one good scan, which `medprompt check` reads.
BESIDE = {
    "participants-with-a-path": (
        "participants.tsv",
        "participant_id\tage\nsub-01\t40\n../../etc/passwd\t50\n",
    ),
    "participants-twice": ("participants.tsv", "participant_id\nsub-01\nsub-01\n"),
    "participants-of-bytes": ("participants.tsv", b"participant_id\tage\nsub-01\t\xff\xfe\n"),
    "scans-with-odd-dates": (
        "sub-01/sub-01_scans.tsv",
        "filename\tacq_time\nanat/sub-01_T1w.nii.gz\t2021-02-30T00:00:00\n",
    ),
    "sidecar-that-is-broken": ("sub-01/anat/sub-01_T1w.json", '{"EchoTime": 0.003,'),
    "sidecar-nested-without-end": ("sub-01/anat/sub-01_T1w.json", "[" * 200_000),
    "sidecar-that-is-a-list": ("sub-01/anat/sub-01_T1w.json", "[1, 2]"),
    "same-image-twice": ("sub-01/anat/sub-01_T1w.nii", nifti()),
    "subject-in-the-folder-of-another": ("sub-02/anat/sub-01_T1w.nii", nifti()),
}

# A manifest, with a good image beside it.
MANIFESTS = {
    "manifest-without-its-column": "path\tsubject\ngood.nii.gz\t01\n",
    "manifest-that-leads-out-by-a-label": "image\tsubject\ngood.nii.gz\t../../evil\n",
    "manifest-that-leads-to-no-image": "image\tsubject\n../../../../../../etc/passwd\t01\n",
    "manifest-of-the-same-image-twice": "image\tsubject\ngood.nii.gz\t1\ngood.nii.gz\t1\n",
    "manifest-of-a-missing-image": "image\tsubject\ngone.nii.gz\t01\n",
    "manifest-of-bytes": b"image\n\xff\xfe\n",
    "manifest-that-is-empty": "",
}

# A file in the working folder, and the words of a command on a good dataset that names it.
OPTIONS = {
    "filter-that-is-broken": ('{"t1w": ', [*SEGMENT, "--bids-filter-file", "file"]),
    "plan-that-is-broken": ('{"program": "volume(', ["segment", "in", "out", "--plan", "file"]),
    "prompt-of-nothing-known": ("", ["segment", "in", "out", "-p", "; rm -rf /"]),
    "weights-that-are-none": ("none", [*SEGMENT, "--weights", "file.safetensors"]),
    "weights-of-a-wrong-hash": ("x" * 100, [*SEGMENT, "--weights", "changed"]),
    "output-onto-the-input": ("", ["segment", "in", "in", "-p", "brainstem"]),
    "output-below-a-file": ("", ["segment", "in", "file/out", "-p", "brainstem"]),
    "shard-beyond-the-last": ("", [*SEGMENT, "--shard", "9/4"]),
    "memory-that-is-no-amount": ("", [*SEGMENT, "--mem", "plenty"]),
    "no-such-input": ("", ["segment", "nowhere", "out", "-p", "brainstem"]),
    "input-of-another-kind": ("", ["segment", "file", "out", "-p", "brainstem"]),
}


def beside(path: str, content: bytes | str) -> Words:
    dataset()
    write(f"in/{path}", content)
    return CHECK


def manifest(content: bytes | str) -> Words:
    scan("in/good.nii.gz")
    write("in/list.tsv", content)
    return ["segment", "in/list.tsv", "out", "-p", "brainstem"]


def option(content: str, words: Words) -> Words:
    dataset()
    write("file", content)
    write("file.safetensors", content)
    return words


TRIED |= {name: partial(beside, *made) for name, made in BESIDE.items()}
TRIED |= {name: partial(manifest, made) for name, made in MANIFESTS.items()}
TRIED |= {name: partial(option, *made) for name, made in OPTIONS.items()}


@tried
def folder_named_like_an_image() -> Words:
    write(f"{SCAN}/readme.txt")
    return ["segment", SCAN, "out", "-p", "brainstem"]


@tried
def link_to_nothing() -> None:
    Path("in").mkdir()
    Path(SCAN).symlink_to("../.git/annex/objects/x")


@tried
def links_in_a_circle() -> None:
    Path("in").mkdir()
    Path(SCAN).symlink_to("other.nii.gz")
    Path("in/other.nii.gz").symlink_to("scan.nii.gz")


@tried
def folders_in_a_circle() -> Words:
    dataset()
    Path("in/sub-01/anat/again").symlink_to("..", target_is_directory=True)
    return CHECK


@tried
def pipe_named_like_an_image() -> None:
    Path("in").mkdir()
    os.mkfifo(SCAN)


@tried
def mgh_without_orientation() -> None:
    voxels: Any = np.ones((12, 10, 9), "int16")
    content = bytearray(mghformat.MGHImage(voxels, np.eye(4)).to_bytes())
    np.ndarray((), mghformat.header_dtype, content)["goodRASFlag"] = 0
    write("in/scan.mgz", gzip.compress(bytes(content)))


@tried
def one_dicom_slice() -> Words:
    write("in/slice.dcm", bytes(128) + b"DICM")
    return ["segment", "in/slice.dcm", "out", "-p", "brainstem"]


@tried
def folder_of_damaged_dicom() -> Words:
    for n in range(3):
        write(f"in/{n}.dcm", bytes(128) + b"DICM" + bytes(40))
    return SEGMENT


@tried
def image_that_may_not_be_read() -> None:
    """Root may read all; another user is refused."""
    scan()
    Path(SCAN).chmod(0)
    if os.access(SCAN, os.R_OK):
        pytest.skip("this user may read every file")


@tried
def image_larger_than_memory() -> Words:
    """A sparse file of 700 x 700 x 700 voxels, all of which are there to be read."""
    write("in/scan.nii", nifti(dtype="uint8", dim=[3, 700, 700, 700, 1, 1, 1, 1]))
    os.truncate("in/scan.nii", 352 + 700**3)
    return [*SEGMENT, "--mem", "4G"]


@tried
def empty_folder() -> None:
    Path("in").mkdir()


@tried
def hundred_thousand_files_of_no_use() -> Words:
    """Beside one scan: as many names, all of them empty and none of them an image."""
    scan()
    for n in range(100_000):
        os.close(os.open(f"in/{n:06}.txt", os.O_CREAT | os.O_WRONLY))
    return CHECK


@tried
def image_that_a_run_died_of() -> None:
    """What that run leaves; the process that does the image alone dies of it as well."""
    scan()
    about = {"Name": "x", "BIDSVersion": "1.11.0", "GeneratedBy": [{"Name": "medprompt"}]}
    write("out/dataset_description.json", json.dumps(about))
    write("out/logs/running/sub-scan_image.another-machine.1.hand")


@tried
def plan_of_python() -> Words:
    dataset()
    program = parse('save(segment(image("T1w"), "brainstem"), "a")')
    write_plan(Path("plan.json"), Plan("x", program, WeightsUsed("a", "1", "0" * 64)))
    content = json.loads(Path("plan.json").read_bytes())
    write("plan.json", json.dumps(content | {"program": "__import__('os').system('ls')"}))
    return ["segment", "in", "out", "--plan", "plan.json"]


@tried
def output_among_files_of_others() -> Words:
    dataset()
    write("out/thesis.tex")
    return SEGMENT


@pytest.fixture
def medprompt(tmp_path, monkeypatch, threshold_segmenter):
    """Run a command in an empty folder; its exit code and all that it printed.

    Weights are loaded where they are asked for, and nothing is computed with them.
    """
    monkeypatch.chdir(tmp_path)

    known = store.read_registry()["anatomy-small"]
    changed = {"name": "changed", "file": str(tmp_path / "file")}
    changed |= {"sha256": "0" * 64, "bytes": 123}
    entries = {"changed": replace(known, **changed)}
    monkeypatch.setattr(store, "read_registry", lambda: entries)

    def open_segmenter(options):
        if options.weights is not None:
            store.load_weights(options.weights)
        return threshold_segmenter

    monkeypatch.setattr(api, "_open_segmenter", open_segmenter)
    dies = (sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 11)")
    monkeypatch.setattr(apart, "COMMAND", dies)

    def run(words):
        shown = CliRunner().invoke(app, words)
        assert shown.exception is None or isinstance(shown.exception, SystemExit)
        said = re.sub(r"^\[\d+/\d+\] .*\n", "", shown.output, flags=re.MULTILINE)
        return shown.exit_code, said.replace(str(tmp_path), "HERE")

    return run


def test_there_are_many_and_each_has_its_message():
    assert len(LIST) >= 40
    assert sorted(LIST) == sorted(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_what_comes_back(medprompt, name):
    words = TRIED[name]() or SEGMENT

    assert medprompt(words) == (LIST[name]["exit"], LIST[name]["said"])
