"""`medprompt vocabulary` lists what prompts understand, and only that."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.planning.vocabulary import TERMS, resolve


@pytest.fixture
def listed():
    def run(*arguments):
        found = CliRunner().invoke(app, ["vocabulary", *arguments])
        return found.exit_code, found.stdout, found.stderr

    return run


def test_every_term_is_listed_once_with_its_words(listed):
    code, stdout, _ = listed("--json")

    entries = json.loads(stdout)
    assert code == 0
    assert {entry["name"]: tuple(entry["synonyms"]) for entry in entries} == dict(TERMS)
    for entry in entries:
        (target, *_) = resolve([entry["name"]])
        assert entry["visible"] == target.visible
        assert entry["kind"] == target.kind


def test_a_line_is_name_kind_sides_visibility_and_synonyms(listed):
    code, stdout, _ = listed("thalamus")

    assert code == 0
    assert (
        stdout == "thalamus\tstructure\tleft, right\tvisible\tthalami, thalamus proper, 시상\n"
    )


def test_a_korean_word_finds_its_name(listed):
    _, stdout, _ = listed("해마", "--kind", "structure")

    assert stdout.startswith("hippocampus\tstructure\t")
    assert stdout.count("\n") == 1


def test_what_cannot_be_seen_is_said(listed):
    _, stdout, _ = listed("--kind", "territory")

    assert {line.split("\t")[3] for line in stdout.splitlines()} == {"not visible"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--kind", "organ"),
            "Error: There is no kind of region called 'organ'.\n"
            "Try: Use one of structure, group, lesion, lobe, parcel, territory.\n",
        ),
        (
            ("kidney",),
            "Error: Nothing in the vocabulary is called 'kidney'.\n"
            "Try: List everything with medprompt vocabulary.\n",
        ),
    ],
)
def test_what_is_not_there_is_refused(listed, arguments, message):
    code, stdout, stderr = listed(*arguments)

    assert (code, stdout, stderr) == (2, "", message)
