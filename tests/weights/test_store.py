"""Weights from a file: checked before anything uses them, and every refusal explained."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from safetensors.torch import save

from medprompt_cli.errors import WeightsError
from medprompt_cli.weights import registry, store
from medprompt_cli.weights.store import load_weights

ABOUT = {"network": json.dumps({"name": "small"}), "finest_level": "1"}
TENSORS = {"a.weight": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3)}


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A registry with one entry, `brain`, and the file it is about."""
    raw = save(TENSORS, ABOUT)
    path = tmp_path / "brain.safetensors"
    path.write_bytes(raw)
    fields = {
        "version": "1.2.3",
        "network": "small",
        "file": path.name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "licence": "Apache-2.0",
        "data": "",
        "recipe": [],
        "steps": [],
        "device": "cpu",
        "finest_mm": 2,
    }
    text = "[brain]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in fields.items())
    (tmp_path / "weights.toml").write_text(text)
    monkeypatch.setattr(registry, "registry_path", lambda: tmp_path / "weights.toml")
    monkeypatch.setattr(store, "bundled_folder", lambda: tmp_path)
    return path


def refusal(which):
    with pytest.raises(WeightsError, match=r"\S") as caught:
        load_weights(which)
    return str(caught.value), caught.value.remedy


def test_weights_by_name(bundle):
    loaded = load_weights("brain")

    assert (loaded.name, loaded.version) == ("brain", "1.2.3")
    assert loaded.sha256 == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert loaded.network == {"name": "small"}
    assert loaded.finest_level == 1
    assert torch.equal(loaded.tensors["a.weight"], TENSORS["a.weight"])


def test_weights_by_file_need_no_registry(bundle, monkeypatch):
    monkeypatch.setattr(store, "read_registry", None)

    for which in (bundle, str(bundle)):
        loaded = load_weights(which)
        assert (loaded.name, loaded.version, loaded.finest_level) == ("brain", "file", 1)


def test_unknown_name_is_answered_with_the_known_ones(bundle):
    assert refusal("brian") == (
        "There are no weights called 'brian'; there are: brain.",
        "Name one of these, or give the path of a .safetensors file.",
    )


def test_changed_file_is_refused(bundle):
    raw = bytearray(bundle.read_bytes())
    good = hashlib.sha256(raw).hexdigest()[:12]
    raw[-1] ^= 1
    bundle.write_bytes(raw)
    bad = hashlib.sha256(raw).hexdigest()[:12]

    assert refusal("brain") == (
        f"{bundle}: SHA-256 {bad}… of {len(raw)} bytes, expected {good}… of {len(raw)} bytes:"
        " a damaged or changed file.",
        "Reinstall medprompt; if you changed the file, give its path instead.",
    )


def test_truncated_file_tells_both_sizes(bundle):
    raw = bundle.read_bytes()
    bundle.write_bytes(raw[:-2])

    problem, _ = refusal("brain")

    assert f"of {len(raw) - 2} bytes, expected" in problem
    assert problem.endswith(f"of {len(raw)} bytes: a damaged or changed file.")


def test_missing_file_is_named(bundle):
    bundle.unlink()

    assert (
        refusal("brain")
        == refusal(bundle)
        == (
            f"{bundle}: weights cannot be read: No such file or directory.",
            "Reinstall medprompt, or give the path of a .safetensors file.",
        )
    )


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (save(TENSORS), "no metadata 'network'"),
        (save(TENSORS, {"network": "{}"}), "no metadata 'finest_level'"),
        (
            save(TENSORS, ABOUT | {"network": "{"}),
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            save(TENSORS, ABOUT | {"finest_level": "fine"}),
            "invalid literal for int() with base 10: 'fine'",
        ),
    ],
    ids=["no-metadata", "no-level", "bad-network", "bad-level"],
)
def test_weights_of_others_are_refused(tmp_path, raw, said):
    path = tmp_path / "other.safetensors"
    path.write_bytes(raw)

    assert refusal(path) == (
        f"{path}: not weights of medprompt: {said}.",
        "Make the file with `medprompt weights export`.",
    )


@pytest.mark.parametrize("raw", [b"", b"not weights at all"], ids=["empty", "text"])
def test_other_files_are_refused(tmp_path, raw):
    path = tmp_path / "other.safetensors"
    path.write_bytes(raw)

    problem, remedy = refusal(path)

    assert problem.startswith(f"{path}: not weights of medprompt: ")
    assert "header" in problem
    assert remedy == "Make the file with `medprompt weights export`."
