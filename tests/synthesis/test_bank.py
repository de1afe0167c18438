"""Packed label maps: to a file and back, and every damage named."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace

import numpy as np
import pytest

from medprompt_cli.domain.parcels import PARCELS
from medprompt_cli.errors import InputError
from medprompt_cli.synthesis import bank
from medprompt_cli.synthesis.bank import (
    PackedLabels,
    crop_box,
    read_bank,
    to_positions,
    write_bank,
)
from medprompt_cli.synthesis.classes import PAINT_CLASSES

AGAIN = "Make it again with `medprompt train pack`."


@pytest.fixture
def maps():
    rng = np.random.default_rng(5)
    return tuple(
        PackedLabels(f"{n}.nii.gz", rng.integers(0, 40, shape, np.uint8), (1.0, 1.01, 0.99))
        for n, shape in enumerate([(4, 5, 6), (7, 3, 2), (1, 1, 1)])
    )


@pytest.fixture
def path(tmp_path, maps):
    write_bank(tmp_path / "heads.labels.xz", maps)
    return tmp_path / "heads.labels.xz"


@pytest.fixture
def layered(maps):
    """The same maps; the first has no layer, the second one, the third two."""
    rng = np.random.default_rng(6)
    return tuple(
        replace(
            packed,
            layers=tuple(
                rng.integers(0, len(PARCELS) + 1, packed.voxels.shape, np.uint8)
                for _ in range(n)
            ),
        )
        for n, packed in enumerate(maps)
    )


def rewrite_head(path, **changes):
    """Change keys of a bank's head; a value of None takes the key out."""
    head, _, rest = lzma.decompress(path.read_bytes()).partition(b"\n")
    found = json.loads(head) | changes
    kept = {key: value for key, value in found.items() if value is not None}
    path.write_bytes(lzma.compress(json.dumps(kept).encode() + b"\n" + rest))


def refusal(path):
    with pytest.raises(InputError, match=r"label bank|ends inside") as caught:
        read_bank(path)
    return str(caught.value), caught.value.remedy, caught.value.code


def test_maps_survive_a_file(path, maps):
    found = read_bank(path)

    assert [m.name for m in found] == [m.name for m in maps]
    for one, other in zip(found, maps, strict=True):
        assert one.voxels.dtype == np.uint8
        np.testing.assert_array_equal(one.voxels, other.voxels)
        assert one.spacing == other.spacing
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_layers_survive_a_file(tmp_path, layered):
    path = tmp_path / "heads.labels.xz"
    write_bank(path, layered)

    found = read_bank(path)

    assert [len(packed.layers) for packed in found] == [0, 1, 2]
    for one, other in zip(found, layered, strict=True):
        np.testing.assert_array_equal(one.voxels, other.voxels)
        np.testing.assert_array_equal(one.layers, other.layers)


def test_a_bank_from_before_there_were_layers_is_read(path, maps):
    entries = [{"name": m.name, "shape": m.voxels.shape, "spacing": m.spacing} for m in maps]
    rewrite_head(path, magic="medprompt label bank 1", parcels=None, maps=entries)

    for one, other in zip(read_bank(path), maps, strict=True):
        np.testing.assert_array_equal(one.voxels, other.voxels)
        assert one.layers == ()


def test_a_bank_that_lacks_bytes_of_a_layer_is_refused(tmp_path, layered):
    path = tmp_path / "heads.labels.xz"
    write_bank(path, layered[:2])
    path.write_bytes(lzma.compress(lzma.decompress(path.read_bytes())[:-10]))

    assert refusal(path)[0] == f"{path} ends inside 1.nii.gz: 32 of 42 bytes."


def test_a_bank_of_other_parcels_is_refused(path):
    rewrite_head(path, parcels=[parcel.index for parcel in PARCELS[1:]])

    assert refusal(path)[2] == "wrong-bank"


def test_a_bank_cut_short_is_refused(path):
    path.write_bytes(path.read_bytes()[:-40])

    problem, remedy, code = refusal(path)

    assert problem == (
        f"{path} cannot be read as a label bank: Compressed file ended before the"
        " end-of-stream marker was reached."
    )
    assert (remedy, code) == (AGAIN, "truncated")


def test_a_bank_that_lacks_bytes_is_refused(path):
    path.write_bytes(lzma.compress(lzma.decompress(path.read_bytes())[:-10]))

    assert refusal(path) == (
        f"{path} ends inside 1.nii.gz: 33 of 42 bytes.",
        AGAIN,
        "truncated",
    )


@pytest.mark.parametrize("raw", [b"", b"no xz at all", b"\xfd7zXZ\x00broken"])
def test_what_is_no_xz_is_refused(tmp_path, raw):
    path = tmp_path / "heads.labels.xz"
    path.write_bytes(raw)

    problem, remedy, code = refusal(path)

    assert problem.startswith(f"{path} cannot be read as a label bank: ")
    assert remedy == AGAIN
    assert code in {"truncated", "unreadable"}


def test_a_missing_bank_is_named(tmp_path):
    path = tmp_path / "heads.labels.xz"

    problem, _, code = refusal(path)

    assert problem == (
        f"{path} cannot be read as a label bank: [Errno 2] No such file or directory: '{path}'."
    )
    assert code == "unreadable"


@pytest.mark.parametrize(
    "head",
    [b"\xff\n", b"3\n", b"{}\n", json.dumps({"magic": "medprompt label bank 2"}).encode()],
)
def test_another_xz_is_not_a_bank(tmp_path, head):
    path = tmp_path / "heads.labels.xz"
    path.write_bytes(lzma.compress(head))

    assert refusal(path) == (
        f"{path} is not a label bank of this version.",
        AGAIN,
        "wrong-bank",
    )


def test_a_bank_of_other_classes_is_refused(path, monkeypatch):
    monkeypatch.setattr(bank, "PAINT_CLASSES", PAINT_CLASSES[:-1])

    assert refusal(path)[2] == "wrong-bank"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64])
def test_ids_become_positions_and_back(dtype):
    ids = np.array([[[0, 2, 60], [25, 164, 17]]], dtype)

    positions = to_positions(ids, "head")

    assert positions.dtype == np.uint8
    table = np.array([paint.index for paint in PAINT_CLASSES])
    np.testing.assert_array_equal(table[positions], ids)


def test_ids_outside_the_brain_need_two_bytes():
    assert (
        PAINT_CLASSES[to_positions(np.array([[[530]]], np.uint16), "head").item()].index == 530
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 2, 1, 999], "[1, 999]"),
        ([2**31 - 1, 17, 531], "[531, 2147483647]"),
        ([-1, -530, 17], "[-530, -1]"),
    ],
)
def test_unknown_ids_are_named(values, said):
    with pytest.raises(InputError, match="does not know") as caught:
        to_positions(np.array([[values]], np.int32), "sub-01.nii.gz")

    assert (
        str(caught.value)
        == f"sub-01.nii.gz holds label ids {said} that training does not know."
    )
    assert caught.value.remedy == (
        "Use FreeSurfer ids, or add the ids to synthesis/classes.py."
    )
    assert caught.value.code == "unknown-label"


def test_crop_box_is_the_smallest():
    voxels = np.zeros((6, 7, 8), np.uint8)
    voxels[2, 3:6, 7] = 1
    voxels[4, 4, 0] = 2

    assert crop_box(voxels) == (slice(2, 5), slice(3, 6), slice(0, 8))
