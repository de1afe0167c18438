"""Fixtures for every test, and the settings that keep tests repeatable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans; tests that ask for it are marked `shared`."""
    folder = Path(
        os.environ.get("MEDPROMPT_SHARED_DATA", REPOSITORY.parent / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"no folder of real scans at {folder}; set MEDPROMPT_SHARED_DATA")
    return folder
