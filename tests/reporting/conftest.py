"""Small heads, facts about them, and a browser that has no network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from medprompt_cli.domain.geometry import Geometry, from_canonical
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.reporting.drawn import ShownCase
from medprompt_cli.reporting.gathering import Scan, Tables, gather

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-background-networking", "--disable-component-update"),
    # WebGL without a graphics card
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
)
PATIENCE_MS = 120_000
"""A processor draws what a graphics card should, and may have other work."""

SHAPE = (48, 56, 40)
STEP_MM = (3.0, 3.0, 4.0)
NAMES = {17: "left-hippocampus", 53: "right-hippocampus", 16: "brainstem"}
BOXES = {17: ((10, 16), (24, 32)), 53: ((32, 38), (24, 32)), 16: ((22, 26), (18, 26))}
"""Where each structure is along R and A; all reach from slice 14 to 20."""

LESION = (slice(30, 34), slice(40, 44), slice(26, 30))


def grid_of(letters: str = "RAS") -> Geometry:
    """The grid of the head, stored with axes that point where the letters say."""
    affine = np.diag([*STEP_MM, 1.0])
    affine[:3, 3] = [-70.5, -82.5, -78.0]
    plain = Geometry(SHAPE, affine)
    ends = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    matrix, shape = np.zeros((4, 4)), [0, 0, 0]
    matrix[3, 3] = 1
    for axis, (world, sign) in enumerate(ends[letter] for letter in letters):
        shape[axis] = SHAPE[world]
        matrix[world, axis] = sign
        matrix[world, 3] = SHAPE[world] - 1 if sign < 0 else 0
    return Geometry((shape[0], shape[1], shape[2]), plain.affine @ matrix)


def head(
    letters: str = "RAS", name: str = "sub-01_ses-01_T1w", visit: str = "ses-01"
) -> ShownCase:
    """An egg of brain with three structures and a lesion, its left side brighter."""
    at = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    inside = sum(x**2 for x in at) < 0.8
    image = np.where(inside, 100.0, 5.0) + np.where(inside & (at[0] < 0), 40.0, 0.0)
    ids = np.zeros(SHAPE, np.uint8)
    for index, ((r0, r1), (a0, a1)) in BOXES.items():
        ids[r0:r1, a0:a1, 14:20] = index
    lesion = np.zeros(SHAPE, bool)
    lesion[LESION] = True
    image[lesion] = 200
    grid = grid_of(letters)
    stored = [from_canonical(part, grid) for part in (image.astype(np.float32), ids, lesion)]
    volume = Volume(stored[0], grid, "MR", f"data/{name}.nii.gz")
    labels = LabelMap(stored[1], grid, dict(NAMES))
    return ShownCase(name, visit, (volume,), (labels,), (Mask("lesion", stored[2], grid),))


def rows_of(case: ShownCase) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measurements and lesions of such a head, as tables have them."""
    shared = {
        "participant_id": case.name.partition("_")[0],
        "session_id": case.visit,
        "case": case.name,
        "source": f"bids:source:{case.name}.nii.gz",
        "version": "0.1.0",
        "weights": "test 1.0",
        "status": "measured",
        "qc": "pass",
    }
    [labels], [mask] = case.labels, case.masks
    regions = {name: labels.voxels == index for index, name in labels.names.items()}

    def numbers(region: str, voxels: np.ndarray, instance: int | None) -> list[dict[str, Any]]:
        middle = labels.geometry.to_world(np.argwhere(voxels).mean(axis=0))
        volume = voxels.sum() * labels.geometry.voxel_volume_mm3 / 1000
        values = {
            **{"volume": (volume, "mL"), "centroid-r": (middle[0], "mm")},
            **{"centroid-a": (middle[1], "mm"), "centroid-s": (middle[2], "mm")},
        }
        about = {**shared, "region": region, "instance": instance}
        return [
            {**about, "quantity": q, "value": float(value), "unit": unit}
            for q, (value, unit) in values.items()
        ]

    measured = [row for name, voxels in regions.items() for row in numbers(name, voxels, None)]
    measured.append(
        {
            **shared,
            **{"region": "left-amygdala", "instance": None, "quantity": "volume"},
            **{"value": None, "unit": "mL", "status": "truncated_fov", "qc": None},
        }
    )
    return measured, numbers("lesion", mask.voxels, 1)


@dataclass
class Head:
    """What tests ask of a head."""

    make: Callable[..., ShownCase] = head
    grid: Callable[..., Geometry] = grid_of
    rows: Callable[..., tuple[list[dict[str, Any]], list[dict[str, Any]]]] = rows_of

    def facts(self, *cases: ShownCase, changes: list[dict[str, Any]] | None = None) -> Any:
        """Facts of all of them."""
        both = [self.rows(case) for case in cases]
        scans = [
            Scan(case.name, case.visit, "T1w", STEP_MM, SHAPE) for case in cases if case.images
        ]
        tables = Tables(
            measurements=[row for rows, _ in both for row in rows],
            lesions=[row for _, rows in both for row in rows],
            changes=changes or [],
        )
        return gather("sub-01", tables, scans)


@pytest.fixture(scope="session")
def heads() -> Head:
    """Makes small heads, and facts about them."""
    return Head()


@dataclass
class Opened:
    """A page that was opened from disk without a network.

    Attributes:
        page: The page.
        said: What its console said, and errors.
        asked: Addresses it asked for, but for those within itself.
    """

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium; tests that need it are skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright comes with `test`")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium: install the package chromium, or Chrome")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[[Path], Opened]]:
    """Open a page from disk, with the network off."""
    context = chromium.new_context(
        offline=True, viewport={"width": 1200, "height": 900}, accept_downloads=True
    )
    context.set_default_timeout(PATIENCE_MS)

    def open_it(path: Path) -> Opened:
        opened = Opened(context.new_page())
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: note(opened, request.url))
        opened.page.goto(path.as_uri())
        return opened

    def note(opened: Opened, address: str) -> None:
        if not address.startswith(("data:", "blob:")):
            opened.asked.append(address)

    yield open_it
    context.close()
