"""The bytes of an image file, plain or gzip, and every way they can be missing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip_lib

from medprompt_cli.errors import InputError

IsalError = cast("type[Exception]", igzip_lib.IsalError)  # its stub names an instance

GZIP_MAGIC = b"\x1f\x8b"
POINTER_STARTS = (b"/annex/objects/", b"version https://git-lfs")
"""First bytes of the text file that git-annex or git-lfs leaves for absent content."""

CHUNK_BYTES = 1 << 18
"""Read and decompressed at a time; larger is not faster."""

MAX_DEFLATE_RATIO = 1032
"""Bytes one compressed byte can stand for at most. Source: RFC 1951, 258 per 2 bits."""

SLACK_BYTES = 1 << 24
"""Bytes allowed after the voxels: MGH keeps its footer there. More is refused."""

CHECKED_BYTES = 1 << 30
"""Read on, after an unusable header, to learn whether the stream itself is damaged."""

COPY_AGAIN = "Copy or download the file again and compare its size with the original's."


def shown_bytes(content: bytes) -> str:
    """A few bytes for a message: `'hell'` if they are plain text, else `1f 8b 08 00`."""
    if content.isascii() and content.decode("ascii").isprintable():
        return repr(content.decode("ascii"))
    return content.hex(" ")


class ByteSource:
    """The content of a file from first byte to last, decompressed on the way.

    Never holds more than two chunks of CHUNK_BYTES beside what it was asked for.

    Attributes:
        path: The file, for messages.
        compressed: Whether the content is a gzip stream, whatever the name says.
        position: Content bytes handed out so far.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.position = 0
        self._file = file
        self._file_bytes = file.seek(0, 2)
        file.seek(0)
        start = file.read(32)
        file.seek(0)
        self._check_start(start)
        self.compressed = start.startswith(GZIP_MAGIC)
        self._inflater = _new_inflater()
        self._pending = b""
        self._trailing_bytes = 0
        self._ended = False

    def _check_start(self, start: bytes) -> None:
        if not start:
            raise InputError(f"{self.path} is empty: 0 bytes.", remedy=COPY_AGAIN, code="empty")
        if start.startswith(POINTER_STARTS):
            raise not_fetched(self.path)

    def require(self, total: int) -> None:
        """Refuse a file that cannot hold `total` content bytes, before reading them."""
        factor = MAX_DEFLATE_RATIO if self.compressed else 1
        if total > self._file_bytes * factor:
            raise InputError(
                f"{self.path} is truncated: its header promises {total} bytes, "
                f"and its {self._file_bytes} bytes cannot hold them.",
                remedy=COPY_AGAIN,
                code="truncated",
            )

    def take(self, count: int) -> bytes:
        """Return the next `count` content bytes."""
        self.require(self.position + count)
        taken = bytearray(count)
        self.fill(memoryview(taken))
        return bytes(taken)

    def skip(self, count: int) -> None:
        """Pass over the next `count` content bytes."""
        while count > 0:
            count -= len(self.take(min(count, CHUNK_BYTES)))

    def fill(self, target: memoryview) -> None:
        """Fill `target`, bytes, with the next content bytes; refuse a short file."""
        filled = 0
        while filled < len(target):
            chunk = self._next_chunk(len(target) - filled)
            if not chunk:
                raise InputError(
                    f"{self.path} is truncated: its content ends after "
                    f"{self.position + filled} of {self.position + len(target)} bytes.",
                    remedy=COPY_AGAIN,
                    code="truncated",
                )
            target[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        self.position += filled

    def check_stream(self) -> None:
        """Read a gzip stream on, up to CHECKED_BYTES, only to raise if it is damaged."""
        left = CHECKED_BYTES if self.compressed else 0
        while left > 0 and (chunk := self._next_chunk(CHUNK_BYTES)):
            left -= len(chunk)

    def finish(self) -> list[str]:
        """Read to the end, so that the checksum is checked; return notes.

        Raises:
            InputError: If the stream has no end, its checksum is wrong, or more
                than SLACK_BYTES follow the voxels.
        """
        excess = 0
        while chunk := self._next_chunk(CHUNK_BYTES):
            excess += len(chunk)
            if excess > SLACK_BYTES:
                raise InputError(
                    f"{self.path} goes on for more than {SLACK_BYTES} bytes after the "
                    f"{self.position} bytes that its header promises.",
                    remedy="Re-export the image: header and content do not belong together.",
                    code="oversized",
                )
        if not self._trailing_bytes:
            return []
        return [f"{self._trailing_bytes} bytes after the gzip stream were left out."]

    def _next_chunk(self, wanted: int) -> bytes:
        """Up to `wanted` further content bytes; none at the end of the content."""
        limit = min(wanted, CHUNK_BYTES)
        if not self.compressed:
            return self._file.read(limit)
        while not self._ended:
            chunk = self._inflate(limit)
            if self._inflater.eof:
                self._end_member()
            if chunk:
                return chunk
        return b""

    def _inflate(self, limit: int) -> bytes:
        fed = b""
        if self._inflater.needs_input:
            fed = self._pending or self._file.read(CHUNK_BYTES)
            self._pending = b""
            if not fed:
                raise InputError(
                    f"{self.path} is truncated: its gzip stream breaks off "
                    f"after {self._file_bytes} compressed bytes.",
                    remedy=COPY_AGAIN,
                    code="truncated",
                )
        try:
            return self._inflater.decompress(fed, limit)
        except IsalError as error:
            raise InputError(
                f"{self.path} is damaged: {_reason(error)} in its gzip stream.",
                remedy=COPY_AGAIN,
                code="damaged",
            ) from error

    def _end_member(self) -> None:
        """Go on with the next gzip member, or note what follows the last one."""
        self._pending = self._inflater.unused_data
        if len(self._pending) < len(GZIP_MAGIC):
            self._pending += self._file.read(CHUNK_BYTES)
        if self._pending.startswith(GZIP_MAGIC):
            self._inflater = _new_inflater()
            return
        unread = self._file_bytes - self._file.tell()
        self._trailing_bytes = len(self._pending) + unread
        self._ended = True


def _new_inflater() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _reason(error: Exception) -> str:
    """What isal says, without its number: `Error -6 Incorrect checksum found`."""
    words = str(error).split()
    return " ".join(words[2:]).lower() or "an unknown fault"


@contextmanager
def open_source(path: Path) -> Iterator[ByteSource]:
    """Open an image file; any failure of the file system becomes an InputError."""
    check_is_file(path)
    try:
        with path.open("rb") as file:
            yield ByteSource(path, file)
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError as error:
        raise unreadable(path, error) from error


def check_is_file(path: Path) -> None:
    """Raise InputError, with a code of its own for each case, unless a file is there."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        if path.is_symlink():
            raise not_fetched(path) from error
        raise InputError(
            f"{path} does not exist.", remedy="Check the path.", code="missing"
        ) from error
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise InputError(
            f"{path} is a directory, not an image file.",
            remedy="Give the image inside it, or rename the directory.",
            code="is-directory",
        )
    if not stat.S_ISREG(mode):
        raise InputError(
            f"{path} is not a regular file.",
            remedy="Copy the image to a regular file.",
            code="not-a-file",
        )


def not_fetched(path: Path) -> InputError:
    """The error for a placeholder whose content lies elsewhere."""
    return InputError(
        f"{path} is not fetched: only a link to its content is here.",
        remedy="Fetch the content, for example with `datalad get` or `git annex get`.",
        code="not-fetched",
    )


def no_permission(path: Path) -> InputError:
    """The error for a file this user may not read."""
    return InputError(
        f"{path} may not be read by this user.",
        remedy="Ask its owner for read permission, or copy it.",
        code="no-permission",
    )


def unreadable(path: Path, error: OSError) -> InputError:
    """The error for everything else the file system may say."""
    return InputError(
        f"{path} cannot be read: {error.strerror or error}.",
        remedy="Check the disk or the network share, then try again.",
        code="unreadable",
    )
