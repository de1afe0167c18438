"""Names of the files of reports: what is not the same report does not take another's place.

    sub-01_report                                        all of the last visit, in English
    sub-01_lang-ko_report                                the same in Korean
    sub-01_ses-01_report                                 of a visit that was asked for
    sub-01_mode-region_report                            where lesions lie
    sub-01_mode-region_label-hippocampus+leftInsula_report

Pages are named alike, without `_report`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from medprompt_cli.reporting.composition import Scope
from medprompt_cli.reporting.report import Language

LONGEST = 60
"""Letters that the regions of a name may have; more are told by a hash of them."""

HASHED = 8
"""Letters of that hash."""


def report_stem(subject: str, language: Language, scope: Scope) -> str:
    """What the names of a report's files begin with; only what is not usual is in it.

    >>> report_stem("sub-01", "ko", Scope("region", ("left-insula", "brain")))
    'sub-01_lang-ko_mode-region_label-brain+leftInsula'
    """
    entities = {
        "ses": (scope.visit or "").removeprefix("ses-"),
        "lang": "" if language == "en" else language,
        "mode": "" if scope.mode == "global" else scope.mode,
        "label": _label(scope.regions),
    }
    return "_".join([subject, *(f"{key}-{value}" for key, value in entities.items() if value)])


def _label(regions: Iterable[str]) -> str:
    names = sorted({_camel(region) for region in regions})
    joined = "+".join(names)
    if len(joined) <= LONGEST:
        return joined
    return hashlib.sha256(joined.encode()).hexdigest()[:HASHED]


def _camel(region: str) -> str:
    """A name without what separates its words, as values of BIDS entities are."""
    first, *rest = re.findall(r"[^\W_]+", region) or ["x"]
    return "".join([first, *(word[:1].upper() + word[1:] for word in rest)])


def pages_of(out: Path) -> dict[str, list[str]]:
    """Names of the pages of every subject in a folder; the usual one, if any, comes first."""
    found: dict[str, list[str]] = {}
    paths = (*out.glob("sub-*.html"),)
    for name in sorted((path.name for path in paths), key=lambda name: (len(name), name)):
        found.setdefault(re.split(r"[_.]", name)[0], []).append(name)
    return found


def page_words(name: str) -> str:
    """What a page is besides the usual one, by its name; empty for that.

    >>> page_words("sub-01_lang-ko_mode-region.html"), page_words("sub-01.html")
    ('ko, region', '')
    """
    entities = name.removesuffix(".html").split("_")[1:]
    return ", ".join(
        one if one.startswith("ses-") else one.partition("-")[2] for one in entities
    )
