"""`weights.toml`: every entry is true, and a damaged registry says where."""

from __future__ import annotations

import hashlib
import json

import pytest

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.prompt_config import PROMPT_CONFIGS
from medprompt_cli.weights.registry import (
    DEFAULT,
    bundled_folder,
    read_registry,
    registry_path,
)

BUNDLE_BYTES = 40 * 10**6
REMEDY_KEYS = "Give each table exactly the keys of WeightsEntry."
REMEDY_FILE = "Reinstall medprompt, or restore weights.toml."

GOOD = """
[brain]
version = "1.0.0"
network = "small"
file = "brain.safetensors"
sha256 = "00"
bytes = 12
licence = "Apache-2.0"
data = "label maps"
recipe = ["a.toml", "b.toml"]
steps = [10, 20]
device = "cpu"
finest_mm = 1
"""


@pytest.fixture
def registry(tmp_path):
    def write(text):
        path = tmp_path / "weights.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_an_entry_has_what_its_table_says(registry):
    entries = read_registry(registry(GOOD))

    assert list(entries) == ["brain"]
    assert entries["brain"].name == "brain"
    assert entries["brain"].recipe == ["a.toml", "b.toml"]
    assert entries["brain"].finest_mm == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("steps = [10, 20]\n", ""),
            "table [brain]: WeightsEntry.__init__() missing 1 required positional"
            " argument: 'steps'.",
        ),
        (
            GOOD + 'colour = "red"\n',
            "table [brain]: WeightsEntry.__init__() got an unexpected keyword argument"
            " 'colour'.",
        ),
    ],
    ids=["missing", "unknown"],
)
def test_a_wrong_key_is_named(registry, text, said):
    path = registry(text)

    with pytest.raises(WeightsError, match="table") as caught:
        read_registry(path)

    assert str(caught.value) == f"{path}: {said}"
    assert caught.value.remedy == REMEDY_KEYS


def test_a_key_outside_of_a_table_is_named(registry):
    path = registry("version = 3\n")

    with pytest.raises(WeightsError, match="must be a mapping, not int") as caught:
        read_registry(path)

    assert str(caught.value).startswith(f"{path}: table [version]: ")
    assert caught.value.remedy == REMEDY_KEYS


def test_a_missing_registry_is_named(tmp_path):
    path = tmp_path / "weights.toml"

    with pytest.raises(WeightsError, match="registry") as caught:
        read_registry(path)

    assert str(caught.value) == (
        f"{path}: cannot be read as a registry of weights:"
        f" [Errno 2] No such file or directory: '{path}'."
    )
    assert caught.value.remedy == REMEDY_FILE


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[brain", "Expected ']' at the end of a table declaration"),
        (b"[brain]\ndata = '\xff'", "'utf-8' codec can't decode byte 0xff in position 16"),
    ],
    ids=["no-toml", "no-text"],
)
def test_a_damaged_registry_says_where(tmp_path, raw, said):
    path = tmp_path / "weights.toml"
    path.write_bytes(raw)

    with pytest.raises(WeightsError, match="registry") as caught:
        read_registry(path)

    assert str(caught.value).startswith(
        f"{path}: cannot be read as a registry of weights: {said}"
    )
    assert caught.value.remedy == REMEDY_FILE


def test_every_entry_of_the_registry_matches_its_file():
    entries = read_registry()

    assert DEFAULT in entries
    for entry in entries.values():
        raw = (bundled_folder() / entry.file).read_bytes()
        assert len(raw) == entry.bytes
        assert hashlib.sha256(raw).hexdigest() == entry.sha256
        about = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        assert entry.licence
        assert len(entry.recipe) == len(entry.steps)
        if entry.reads == "prompts":
            assert json.loads(about["prompt_network"])["name"] == entry.network
            assert entry.network in PROMPT_CONFIGS
            assert entry.finest_mm is None
        else:
            assert json.loads(about["network"])["name"] == entry.network
            assert entry.network in CONFIGS
            assert 2 ** int(about["finest_level"]) == entry.finest_mm


def test_recipes_of_the_registry_are_in_the_repository():
    root = registry_path().parent

    for entry in read_registry().values():
        assert [path for path in entry.recipe if not (root / path).is_file()] == []


def test_bundled_files_are_all_registered_and_small_enough():
    files = {path.name: path.stat().st_size for path in bundled_folder().iterdir()}

    assert set(files) == {entry.file for entry in read_registry().values()}
    assert sum(files.values()) <= BUNDLE_BYTES
