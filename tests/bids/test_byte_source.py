"""Every way a file's bytes can be missing or damaged: words, remedy and reason code."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest
from isal import igzip

from medprompt_cli.bids.byte_source import SLACK_BYTES
from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_header, read_labels, read_volume
from medprompt_cli.errors import InputError

COPY = "Copy or download the file again and compare its size with the original's."
SHAPE = (12, 10, 9)


def test_truncated_gzip(check_refusal, save_nifti):
    path = save_nifti(voxels=np.random.default_rng(0).integers(0, 99, SHAPE, "int16"))
    path.write_bytes(path.read_bytes()[:700])

    problem = "PATH is truncated: its gzip stream breaks off after 700 compressed bytes."
    check_refusal(path, problem, COPY, "truncated")


@pytest.mark.parametrize("lost", [1, 4, 8])
def test_gzip_without_its_checksum(check_refusal, save_nifti, lost):
    path = save_nifti()
    path.write_bytes(path.read_bytes()[:-lost])

    problem = (
        "PATH is truncated: its gzip stream breaks off after "
        f"{path.stat().st_size} compressed bytes."
    )
    check_refusal(path, problem, COPY, "truncated")


def test_whole_gzip_of_a_truncated_image(check_refusal, tmp_path, nifti_bytes, ramp):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes(ramp())[:1000]))

    problem = "PATH is truncated: its content ends after 1000 of 2512 bytes."
    check_refusal(path, problem, COPY, "truncated")


@pytest.mark.parametrize("read", [read_header, read_volume])
def test_truncated_plain_file(check_refusal, save_nifti, read):
    path = save_nifti("scan.nii")
    path.write_bytes(path.read_bytes()[:-1])

    problem = (
        "PATH is truncated: its header promises 2512 bytes, "
        "and its 2511 bytes cannot hold them."
    )
    check_refusal(path, problem, COPY, "truncated", read)


def test_header_promising_what_no_gzip_can_hold(check_refusal, save_nifti):
    path = save_nifti(dim=[3, 1000, 1000, 1000, 1, 1, 1, 1])

    problem = (
        "PATH is truncated: its header promises 2000000352 bytes, "
        f"and its {path.stat().st_size} bytes cannot hold them."
    )
    check_refusal(path, problem, COPY, "truncated", read_header)


def test_one_flipped_bit_in_the_voxels(check_refusal, tmp_path, nifti_bytes, ramp):
    stored = bytearray(gzip.compress(nifti_bytes(ramp()), compresslevel=0))
    stored[-100] ^= 1
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(stored)

    problem = "PATH is damaged: incorrect checksum found in its gzip stream."
    check_refusal(path, problem, COPY, "damaged")


def test_every_flipped_byte_of_a_gzip_body_is_found(tmp_path, nifti_bytes, ramp):
    whole = gzip.compress(nifti_bytes(ramp(dtype="uint8")), 6)
    path = tmp_path / "scan.nii.gz"
    for at in range(10, len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        path.write_bytes(flipped)
        with pytest.raises(
            InputError, match=r" is (damaged|truncated): .* gzip stream"
        ) as caught:
            read_volume(path)
        assert caught.value.code in {"damaged", "truncated"}


def test_gzip_bomb(check_refusal, tmp_path, nifti_bytes, ramp):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(igzip.compress(nifti_bytes(ramp()) + bytes(SLACK_BYTES + 1)))

    check_refusal(
        path,
        "PATH goes on for more than 16777216 bytes after the 2512 bytes that its header "
        "promises.",
        "Re-export the image: header and content do not belong together.",
        "oversized",
    )


@pytest.mark.parametrize("read", [read_header, read_volume, read_labels, read_image])
class TestFileSystem:
    def test_missing(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        check_refusal(path, "PATH does not exist.", "Check the path.", "missing", read)

    def test_directory(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        path.mkdir()
        remedy = "Give the image inside it, or rename the directory."
        problem = "PATH is a directory, not an image file."
        check_refusal(path, problem, remedy, "is-directory", read)

    def test_dangling_link(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        path.symlink_to("../.git/annex/objects/aa/bb/MD5E-s12--0123.nii.gz")
        problem = "PATH is not fetched: only a link to its content is here."
        remedy = "Fetch the content, for example with `datalad get` or `git annex get`."
        check_refusal(path, problem, remedy, "not-fetched", read)

    @pytest.mark.parametrize(
        "text", ["/annex/objects/MD5E-s12--01", "version https://git-lfs.github.com/spec/v1"]
    )
    def test_pointer_file(self, check_refusal, tmp_path, read, text):
        path = tmp_path / "scan.nii.gz"
        path.write_text(text)
        problem = "PATH is not fetched: only a link to its content is here."
        remedy = "Fetch the content, for example with `datalad get` or `git annex get`."
        check_refusal(path, problem, remedy, "not-fetched", read)

    def test_empty(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        path.touch()
        check_refusal(path, "PATH is empty: 0 bytes.", COPY, "empty", read)

    def test_named_pipe(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        os.mkfifo(path)
        remedy = "Copy the image to a regular file."
        check_refusal(path, "PATH is not a regular file.", remedy, "not-a-file", read)

    def test_link_to_itself(self, check_refusal, tmp_path, read):
        path = tmp_path / "scan.nii.gz"
        path.symlink_to(path.name)
        problem = "PATH cannot be read: Too many levels of symbolic links."
        remedy = "Check the disk or the network share, then try again."
        check_refusal(path, problem, remedy, "unreadable", read)

    def test_no_permission(
        self, check_refusal, save_nifti, open_folder, without_privileges, read
    ):
        read(save_nifti("warm.nii.gz"))  # imports what a person without rights may not
        path = save_nifti("scan.nii.gz").rename(open_folder / "scan.nii.gz")
        path.chmod(0)
        problem = "PATH may not be read by this user."
        remedy = "Ask its owner for read permission, or copy it."
        with without_privileges():
            check_refusal(path, problem, remedy, "no-permission", read)
