"""What the viewer of a page is given: images, regions in layers, and where to jump.

Volumes are NIfTI files, gzipped, as base64: images in 8 bits, cut to what is shown, layers as
numbers that stand for regions. Places are voxels, so that the viewer needs no other frame.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from isal import igzip

from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.reporting.drawn import Drawn, DrawnRegion

SCANNER = 1
"""NIfTI's code for scanner coordinates."""


@dataclass(frozen=True)
class Viewer:
    """What a page carries for its viewer.

    Attributes:
        settings: Ready for JSON; names its volumes by their keys.
        volumes: Base64 of gzipped NIfTI, by key.
    """

    settings: Mapping[str, Any]
    volumes: Mapping[str, str]


def viewer_of(scans: Sequence[Drawn]) -> Viewer:
    """Everything that the viewer of some scans needs.

    At first it shows the first and the last visit, of the kind that the first scan is of.

    Args:
        scans: In the order of their visits.
    """
    kinds = [kind_of(drawn.case.name) for drawn in scans]
    alike = [n for n, kind in enumerate(kinds) if kind == kinds[0]]
    volumes: dict[str, str] = {}
    panes = []
    with ThreadPoolExecutor() as threads:  # packing takes a third of a second, beside others
        packed = list(threads.map(_volumes_of, scans, range(len(scans))))
    for n, (drawn, (images, layers)) in enumerate(zip(scans, packed, strict=True)):
        volumes |= images | layers
        pane = _pane(drawn, tuple(images), tuple(layers))
        panes.append({**pane, "open": n in {alike[0], alike[-1]}})
    return Viewer({"panes": panes}, volumes)


def _volumes_of(drawn: Drawn, number: int) -> tuple[dict[str, str], dict[str, str]]:
    """Images and layers of a scan."""
    return (
        _packed(drawn.grays, drawn.geometry, f"image-{number}", drawn.windows),
        _packed(drawn.layers, drawn.geometry, f"layer-{number}"),
    )


def _pane(drawn: Drawn, images: Sequence[str], layers: Sequence[str]) -> dict[str, Any]:
    case = drawn.case
    frame = np.eye(4) if case.to_shared is None else case.to_shared
    to_frame = frame @ drawn.geometry.affine
    sources = [image.source.rpartition("/")[2] or case.name for image in case.images]
    return {
        "name": case.name,
        "visit": case.visit,
        # images of one visit lie in the scanner's world, those registered in a shared one
        "frame": f"visit {case.visit}" if case.to_shared is None else "shared",
        "shape": list(drawn.geometry.shape),
        "toWorld": _rounded(drawn.geometry.affine),
        "toFrame": _rounded(to_frame),
        "fromFrame": _rounded(np.linalg.inv(to_frame)),
        "images": [
            {"key": key, "name": name, "low": low, "high": high}
            for key, name, (low, high) in zip(images, sources, drawn.windows, strict=True)
        ],
        "layers": [
            {"key": key, "regions": [_region(r) for r in drawn.regions if r.layer == n]}
            for n, key in enumerate(layers)
        ],
        "places": _places(drawn),
    }


def _region(region: DrawnRegion) -> dict[str, Any]:
    return {
        "name": region.name,
        "value": region.value,
        "color": list(bytes.fromhex(region.color.lstrip("#"))),
        "shown": region.shown,
    }


def _places(drawn: Drawn) -> dict[str, list[int]]:
    """The voxel to jump to for every place of a region that is drawn."""
    by_name = {region.name: region for region in drawn.regions}
    found = {}
    for key, place in drawn.case.places.items():
        region = by_name.get(region_of(key))
        if region is not None:
            found[key] = list(drawn.nearest(region, place))
    return found


def kind_of(case: str) -> str:
    """The kind of a case's images: `T1w` of `sub-01_ses-01_T1w`."""
    return case.rpartition("_")[2]


def region_of(key: str) -> str:
    """The region of a place: `lesion` of `lesion#2` and of `lesion@7`."""
    return key.partition("#")[0].partition("@")[0]


def _packed(
    arrays: Iterable[np.ndarray],
    geometry: Geometry,
    key: str,
    windows: Sequence[tuple[float, float]] = (),
) -> dict[str, str]:
    """Base64 of gzipped NIfTI by key; greys keep the scale of their intensities."""
    packed = {}
    for n, voxels in enumerate(arrays):
        content = nifti_bytes(voxels, geometry, windows[n] if windows else None)
        packed[f"{key}-{n}"] = base64.b64encode(igzip.compress(content, mtime=0)).decode()
    return packed


def nifti_bytes(
    voxels: np.ndarray, geometry: Geometry, window: tuple[float, float] | None = None
) -> bytes:
    """A NIfTI file of unsigned integers.

    Args:
        voxels: (I, J, K).
        geometry: Their grid.
        window: The intensities that 0 and 255 stand for; None of numbers that stand for
            themselves.
    """
    from nibabel.nifti1 import Nifti1Image

    image = Nifti1Image(np.asarray(voxels), geometry.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(geometry.affine, SCANNER)
    image.set_qform(geometry.affine, SCANNER, strip_shears=True)
    if window is not None:
        low, high = window
        image.header.set_slope_inter((high - low) / 255, low)
    header = image.header.copy()
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    start = header.binaryblock.ljust(header.single_vox_offset, b"\0")
    return start + np.asarray(voxels).tobytes(order="F")


def _rounded(matrix: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in matrix]
