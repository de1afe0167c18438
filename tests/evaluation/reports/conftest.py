"""Lexicons for tests of reports."""

from __future__ import annotations

import pytest

from medprompt_cli.evaluation.reports.lexicon import Lexicon, our_lexicon, read_lexicon
from medprompt_cli.evaluation.reports.terms import TermIndex


@pytest.fixture(scope="session")
def ours() -> Lexicon:
    """The lexicon of the package."""
    return our_lexicon()


@pytest.fixture(scope="session")
def index(ours) -> TermIndex:
    """The same, to be looked up."""
    return TermIndex(ours)


@pytest.fixture(scope="session")
def forte(shared_data) -> Lexicon:
    """FORTE's own lists."""
    return read_lexicon(shared_data / "text" / "FORTE_brain.json")
