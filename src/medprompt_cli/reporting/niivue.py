"""NiiVue, the viewer that pages carry: taken from a package, inlined when a page is built.

The package `ipyniivue` holds the build of NiiVue that NiiVue itself writes into the pages it
saves: one ES module, percent-encoded, by far the longest string of the widget. It is taken out
as it stands; nothing of it is changed, and nothing is loaded from a network.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote

from isal import igzip

PACKAGE = "ipyniivue"
WIDGET = "ipyniivue/static/widget.js"

_VERSION = re.compile(r'"@niivue/niivue",\s*version:\s*"([^"]+)"')
_EXPORTS = re.compile(r"export\s*\{([^}]*)\}\s*;?\s*$")
NEEDED = ("Niivue", "NVImage")
"""What the viewer uses of the module."""


@dataclass(frozen=True)
class Bundle:
    """NiiVue, ready to be inlined.

    Attributes:
        version: Its own version, not that of the package.
        packed: Base64 of the gzipped ES module.
        licence: Its terms, which a copy has to carry.
    """

    version: str
    packed: str
    licence: str


@lru_cache(maxsize=1)
def find_bundle() -> Bundle | None:
    """The viewer; None if the package is not installed, or holds no such module."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    widget = Path(str(package.locate_file(WIDGET)))
    if not widget.is_file():
        return None
    module = standalone_module(widget.read_text(encoding="utf-8"))
    if module is None:
        return None
    version = _VERSION.search(module)
    packed = base64.b64encode(igzip.compress(module.encode(), mtime=0)).decode()
    licence = package.read_text("licenses/LICENSE") or package.read_text("LICENSE") or ""
    return Bundle(version[1] if version else "unknown", packed, licence.strip())


def standalone_module(widget: str) -> str | None:
    """The ES module within the widget of the package; None if there is none of use.

    Args:
        widget: Source of `WIDGET`.
    """
    try:
        module = unquote(max(widget.split('"'), key=len), errors="strict")
    except UnicodeDecodeError:
        return None
    exports = _EXPORTS.search(module)
    names = (
        {name.rpartition(" as ")[2].strip() for name in exports[1].split(",")}
        if exports
        else set()
    )
    return module if names.issuperset(NEEDED) else None
