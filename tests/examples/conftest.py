"""The benchmarks are scripts that import each other from their own folder."""

from __future__ import annotations

import importlib

import pytest


@pytest.fixture
def benchmark_module(repository, monkeypatch):
    """Import one of the scripts by its name."""
    monkeypatch.syspath_prepend(str(repository / "examples/benchmarks"))
    return importlib.import_module
