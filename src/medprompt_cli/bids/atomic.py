"""The one way a file comes to be: written beside its place, checked, renamed into it.

Whatever happens, a final name holds its old content or its new content, whole. A process
that is killed leaves at most a temporary file, which a later run removes.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from medprompt_cli.errors import OutputError

ABANDONED_AFTER_S = 24 * 3600
"""A temporary file of another machine is taken as left behind after this long."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Causes that the next file would meet as well."""

_REMEDIES = {
    errno.ENOSPC: "Free some space, then run the same command again: what is done is kept.",
    errno.EDQUOT: "Free some space, then run the same command again: what is done is kept.",
    errno.EFBIG: "Raise the limit on file size (ulimit -f), then run the same command again.",
    errno.EACCES: "Choose an output folder that you may write to.",
    errno.EPERM: "Choose an output folder that you may write to.",
    errno.EROFS: "Choose an output folder that you may write to.",
}
_DEFAULT_REMEDY = "Check the output disk, then run the same command again."
_TEMPORARY = re.compile(r"\..+\.(?P<host>[^.]+)\.(?P<process>\d+)\.part")


@dataclass(frozen=True)
class Staged:
    """A file that is complete and safe on disk, under its temporary name.

    Attributes:
        temporary: Where it lies now.
        final: Where `commit` puts it.
    """

    temporary: Path
    final: Path


def stage(
    path: Path,
    fill: Callable[[BinaryIO], object],
    check: Callable[[Path], None] | None = None,
) -> Staged:
    """Write the new content of `path` under a temporary name in the same folder.

    Args:
        path: The final name; its folder is made if it is not there.
        fill: Writes the content to the stream it is given.
        check: Reads the temporary file back and raises if it is not what was meant.

    Raises:
        OutputError: If the file cannot be written; nothing is left behind.
    """
    staged = Staged(_temporary_name(path), path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged.temporary.open("wb") as stream:
            fill(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if check is not None:
            check(staged.temporary)
    except OSError as error:
        discard([staged])
        raise _output_error(path, error) from error
    except BaseException:
        discard([staged])
        raise
    return staged


def commit(staged: Staged) -> None:
    """Give a staged file its final name, replacing what had it.

    Raises:
        OutputError: If it cannot be renamed; the temporary file is removed.
    """
    try:
        staged.temporary.replace(staged.final)
        _sync_folder(staged.final.parent)
    except OSError as error:
        discard([staged])
        raise _output_error(staged.final, error) from error


def discard(staged: Iterable[Staged]) -> None:
    """Remove what is still under a temporary name."""
    for file in staged:
        try:
            file.temporary.unlink(missing_ok=True)
        except OSError:
            continue  # a later run's remove_leftovers gets it


def write_file(path: Path, content: bytes) -> None:
    """Give `path` the content, all of it or none.

    Raises:
        OutputError: If the file cannot be written.
    """
    commit(stage(path, lambda stream: stream.write(content)))


def write_file_if_new(path: Path, content: bytes) -> None:
    """As `write_file`, but leave a file alone that has the content already.

    Raises:
        OutputError: If the file cannot be written.
    """
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass
    write_file(path, content)


def remove_leftovers(root: Path) -> None:
    """Remove temporary files below `root` whose process has ended without cleaning up."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if name.endswith(".part") and _is_abandoned(path):
                discard([Staged(path, path)])


def leaves_no_room(error: BaseException) -> bool:
    """Whether `error` says that nothing more can be written to the output disk."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in NO_ROOM


def process_name() -> str:
    """A name for this process that no other of any machine has at this time."""
    return f"{_host()}.{os.getpid()}"


def is_of_a_running_process(path: Path, name: str) -> bool:
    """Whether the process that wrote a file may still be there.

    Args:
        path: The file.
        name: What `process_name` was there. Of another machine a file's age has to tell.
    """
    host, _, process = name.rpartition(".")
    if host == _host():
        return process.isdigit() and _is_running(int(process))
    try:
        return time.time() - path.stat().st_mtime <= ABANDONED_AFTER_S
    except OSError:
        return True


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{process_name()}.part")


def _host() -> str:
    return re.sub(r"[^0-9A-Za-z]+", "-", socket.gethostname())[:32] or "host"


def _is_abandoned(path: Path) -> bool:
    match = _TEMPORARY.fullmatch(path.name)
    if match is None:
        return False
    return not is_of_a_running_process(path, f"{match['host']}.{match['process']}")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the file system lets us ask for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


def _output_error(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} could not be written: {error.strerror or error}.",
        remedy=_REMEDIES.get(error.errno or 0, _DEFAULT_REMEDY),
    )
