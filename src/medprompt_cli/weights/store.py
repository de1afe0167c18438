"""Weights from a file, checked against their hash before anything uses them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medprompt_cli.errors import WeightsError
from medprompt_cli.weights.registry import (
    DEFAULT,
    WeightsEntry,
    bundled_folder,
    read_registry,
)

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class LoadedWeights:
    """Tensors and what is known about them.

    Attributes:
        name: Registry name, or the file's name for weights from elsewhere.
        version: Registry version, or `file`.
        sha256: Of the file.
        tensors: By parameter name.
        network: The network's config, as written into the file.
        finest_level: Finest level of the pyramid that was trained (0 is 1 mm).
    """

    name: str
    version: str
    sha256: str
    tensors: dict[str, torch.Tensor]
    network: dict[str, Any]
    finest_level: int


def load_weights(which: str | Path | None = None) -> LoadedWeights:
    """Load weights by registry name, or from a safetensors file of your own.

    Raises:
        WeightsError: If they are unknown, missing, damaged, or without a config.
    """
    file = read_weights(which if which is not None else DEFAULT, "images")
    tensors, network, finest_level = _parse(file.path, file.raw)
    return LoadedWeights(
        name=file.name,
        version=file.version,
        sha256=file.sha256,
        tensors=tensors,
        network=network,
        finest_level=finest_level,
    )


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights as it lies, its hash checked.

    Attributes:
        path: Where it is.
        name: Registry name, or the file's name for weights from elsewhere.
        version: Registry version, or `file`.
        sha256: Of the file.
        raw: Its bytes.
    """

    path: Path
    name: str
    version: str
    sha256: str
    raw: bytes


def read_weights(which: str | Path, reads: Literal["images", "prompts"]) -> WeightsFile:
    """Read weights by registry name, or from a safetensors file of your own.

    Raises:
        WeightsError: If they are unknown, missing, damaged, or read something else.
    """
    name = str(which)
    if name.endswith(".safetensors"):
        path, entry = Path(name), None
    else:
        entry = _entry(name, reads)
        path = bundled_folder() / entry.file
    raw = _read(path)
    digest = hashlib.sha256(raw).hexdigest()
    if entry is not None:
        _check(path, len(raw), digest, entry)
    label = (entry.name, entry.version) if entry else (path.stem, "file")
    return WeightsFile(path, *label, digest, raw)


def _entry(name: str, reads: Literal["images", "prompts"]) -> WeightsEntry:
    entries = {n: entry for n, entry in read_registry().items() if entry.reads == reads}
    if name not in entries:
        raise WeightsError(
            f"There are no weights called {name!r}; there are: {', '.join(entries)}.",
            remedy="Name one of these, or give the path of a .safetensors file.",
        )
    return entries[name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path}: weights cannot be read: {error.strerror}.",
            remedy="Reinstall medprompt, or give the path of a .safetensors file.",
        ) from error


def _check(path: Path, size: int, digest: str, entry: WeightsEntry) -> None:
    if digest != entry.sha256:
        raise WeightsError(
            f"{path}: SHA-256 {digest[:12]}… of {size} bytes, expected"
            f" {entry.sha256[:12]}… of {entry.bytes} bytes: a damaged or changed file.",
            remedy="Reinstall medprompt; if you changed the file, give its path instead.",
        )


def _parse(path: Path, raw: bytes) -> tuple[dict[str, torch.Tensor], dict[str, Any], int]:
    """Tensors, the network's config, and the finest level."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(raw)
        size = int.from_bytes(raw[:8], "little")
        about = json.loads(raw[8 : 8 + size]).get("__metadata__", {})
        return tensors, json.loads(about["network"]), int(about["finest_level"])
    except (SafetensorError, ValueError, KeyError) as error:
        reason = f"no metadata {error}" if isinstance(error, KeyError) else error
        raise WeightsError(
            f"{path}: not weights of medprompt: {reason}.",
            remedy="Make the file with `medprompt weights export`.",
        ) from error
