"""A plan is read as it was written, or refused by name."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.errors import InputError, OutputError, UsageError, WeightsError
from medprompt_cli.planning import plan_file
from medprompt_cli.planning.checker import Needs
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.plan_file import (
    MAX_BYTES,
    VOCABULARY_SHA256,
    Plan,
    WeightsUsed,
    read_plan,
    write_plan,
)

WEIGHTS = WeightsUsed("anatomy-small", "0.2.0", "8" * 64)
PROGRAM = 'm = segment(image("FLAIR"), "lesion")\nsave(m, "lesion")\nread(volume(m))\n'
AGAIN = "Compile the prompt again with medprompt plan."


@pytest.fixture
def plan():
    return Plan("How large are the lesions on FLAIR?", parse(PROGRAM), WEIGHTS)


@pytest.fixture
def saved(tmp_path, plan):
    path = tmp_path / "plan.json"
    write_plan(path, plan)
    return path


def refusal(path):
    try:
        plan = read_plan(path)
    except InputError as error:
        return str(error).replace(str(path), "PLAN"), error.remedy, error.code
    return pytest.fail(f"{plan} was read")


def changed(path, **values):
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | values), encoding="utf-8")


def test_a_plan_is_read_as_it_was_written(saved, plan):
    assert read_plan(saved) == plan
    assert plan.needs == Needs(("lesion",), ("FLAIR",), 1)


@given(prompt=st.text(st.characters(codec="utf-8")), language=st.sampled_from(["en", "ko"]))
def test_any_prompt_survives(tmp_path_factory, prompt, language):
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    written = Plan(prompt, parse("answer('예')"), WEIGHTS, language)
    write_plan(path, written)

    assert read_plan(path) == written


def test_the_file_holds_what_anybody_can_check(saved):
    content = json.loads(saved.read_text(encoding="utf-8"))

    assert content == {
        "schema_version": "1",
        "prompt": "How large are the lesions on FLAIR?",
        "language": "en",
        "program": PROGRAM,
        "program_sha256": hashlib.sha256(PROGRAM.encode()).hexdigest(),
        "vocabulary_sha256": VOCABULARY_SHA256,
        "weights": {"name": "anatomy-small", "version": "0.2.0", "sha256": "8" * 64},
    }


def test_korean_is_written_as_it_is_read(tmp_path):
    path = tmp_path / "plan.json"
    write_plan(path, Plan("병변 부피", parse(PROGRAM), WEIGHTS, "ko"))

    assert "병변 부피" in path.read_text(encoding="utf-8")


def test_a_changed_program_with_an_old_hash_is_refused(saved, plan):
    text = PROGRAM.replace("volume", "surface_area")
    changed(saved, program=text)
    new = hashlib.sha256(text.encode()).hexdigest()

    assert refusal(saved) == (
        f"PLAN was changed: its program has the hash {new[:12]}…, not {plan.sha256[:12]}… "
        "as it says.",
        f"Restore it, or put {new} under program_sha256 if the change is yours.",
        "plan-changed",
    )
    changed(saved, program_sha256=new)
    assert read_plan(saved).text == text


def test_comments_and_formatting_are_no_change(saved, plan):
    changed(saved, program="# The same.\n" + PROGRAM.replace(" = ", "="))

    assert read_plan(saved) == plan


def test_a_plan_of_another_vocabulary_is_refused(saved):
    changed(saved, vocabulary_sha256="0" * 64)

    assert refusal(saved) == (
        "PLAN was made for another vocabulary.",
        AGAIN,
        "plan-vocabulary",
    )


def test_the_vocabulary_is_known_by_what_its_names_mean(monkeypatch):
    targets = plan_file.all_targets()
    monkeypatch.setattr(plan_file, "all_targets", lambda: targets[::-1])
    assert plan_file._vocabulary_sha256() == VOCABULARY_SHA256

    monkeypatch.setattr(plan_file, "all_targets", lambda: targets[1:])
    assert plan_file._vocabulary_sha256() != VOCABULARY_SHA256


def test_a_hostile_program_in_a_plan_is_refused(saved):
    changed(saved, program="import os")

    assert refusal(saved) == (
        "PLAN holds a program that is refused: "
        "Line 1: 'import os' is not part of the plan language.",
        "Leave it out: the functions of the language are there without it.",
        "plan-program",
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"schema_version": "2"}, "PLAN has schema_version '2', not '1'."),
        ({"prompt": 1}, "PLAN has no valid prompt."),
        ({"language": "fr"}, "PLAN has no valid language."),
        ({"program": ["x = 1"]}, "PLAN has no valid program."),
        ({"program_sha256": "abc"}, "PLAN has no valid program_sha256."),
        ({"vocabulary_sha256": None}, "PLAN has no valid vocabulary_sha256."),
        ({"weights": {}}, "PLAN has no valid weights."),
        (
            {"weights": {"name": "a", "version": 1, "sha256": "b"}},
            "PLAN has no valid weights.",
        ),
        ({"shell": "rm -rf /"}, "PLAN has the unknown key 'shell'."),
    ],
)
def test_what_a_plan_may_hold_is_checked(saved, values, problem):
    changed(saved, **values)

    assert refusal(saved)[:2] == (problem, AGAIN)


@pytest.mark.parametrize("key", ["prompt", "language", "program", "program_sha256", "weights"])
def test_no_key_may_be_missing(saved, key):
    content = json.loads(saved.read_text(encoding="utf-8"))
    del content[key]
    saved.write_text(json.dumps(content), encoding="utf-8")

    assert refusal(saved)[0] == f"PLAN has no valid {key}."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "PLAN is no JSON."),
        (b"\xff\xfe", "PLAN is no JSON."),
        (b'{"prompt": "a", "prompt": "b"}', "PLAN is no JSON."),
        (b"[" * 500_000, "PLAN is no JSON."),
        (b"9" * 9_000, "PLAN is no JSON."),
        (b"[]", "PLAN holds no plan."),
        (b"null", "PLAN holds no plan."),
        (b"{}", "PLAN has schema_version None, not '1'."),
        (b" " * (MAX_BYTES + 1), "PLAN is longer than 1000000 bytes."),
    ],
    ids=lambda value: value[:12],
)
def test_a_damaged_file_is_refused(tmp_path, content, problem):
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    assert refusal(path)[0] == problem


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "none.json") == (
        "PLAN cannot be read: No such file or directory.",
        AGAIN,
        "plan-unreadable",
    )


def test_a_plan_that_cannot_be_written_is_an_error(tmp_path, plan):
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(OutputError, match=r"plan\.json could not be written"):
        write_plan(tmp_path / "file" / "plan.json", plan)


def test_a_plan_is_valid_once_it_is_made():
    with pytest.raises(UsageError, match=r"^The program answers nothing\.$"):
        Plan("nothing", parse("x = 1"), WEIGHTS)
    with pytest.raises(UsageError, match=re.escape("The prompt '\\ud800' is no text.")):
        Plan("\ud800", parse(PROGRAM), WEIGHTS)


def test_a_plan_runs_with_the_weights_it_was_made_for(plan):
    plan.check_weights(WeightsUsed("anatomy-small", "0.2.0", "8" * 64))

    with pytest.raises(WeightsError) as caught:  # noqa: PT011 - compared below, word for word
        plan.check_weights(WeightsUsed("anatomy-small", "0.3.0", "9" * 64))
    assert str(caught.value) == (
        "The plan was made for weights anatomy-small 0.2.0 (888888888888…); "
        "these are anatomy-small 0.3.0 (999999999999…)."
    )
