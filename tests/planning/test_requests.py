"""Names are looked up, sentences are compiled, and what is neither is refused."""

from __future__ import annotations

import re
from typing import cast

import pytest

from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.planning import requests
from medprompt_cli.planning.compile import Alternative, Compiled
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.prompt_model import PromptModel
from medprompt_cli.planning.requests import of_program, understand

VOLUME = Intent(("left-hippocampus",), ("volume",))


def model():
    """What is loaded; `compiled` looks at the prompt alone."""
    return cast("PromptModel", None)


def never():
    raise AssertionError("The network was loaded.")


@pytest.fixture
def compiled(monkeypatch):
    """What every sentence compiles to; says which were compiled."""

    def given(**found):
        asked = []

        def compile_prompt(prompt, _):
            asked.append(prompt)
            return Compiled(**{"status": "ok", "prompt": prompt, **found})

        monkeypatch.setattr(requests, "compile_prompt", compile_prompt)
        return asked

    return given


def test_names_need_no_network():
    found = understand(["left hippocampus", "ventricles"], never)

    assert [target.name for target in found.targets] == ["left-hippocampus", "ventricles"]
    assert found.program is None


def test_a_sentence_is_compiled_and_a_name_beside_it_joins_its_program(compiled):
    asked = compiled(intent=VOLUME, unused_words=("asap",))

    found = understand(["HC volume on the left asap", "thalamus"], model)

    assert asked == ["HC volume on the left asap"]
    assert found.program == compose(VOLUME, Intent(("thalamus",)))
    assert {target.name for target in found.targets} == {
        *("left-hippocampus", "left-thalamus", "right-thalamus")
    }
    assert found.unused_words == ("asap",)


def test_a_sentence_that_asks_for_masks_alone_is_as_good_as_names(compiled):
    compiled(intent=Intent(("hippocampus",)))

    found = understand(["please outline both hippocampi for me"], model)

    assert found.program is None
    assert [target.name for target in found.targets] == [
        "left-hippocampus",
        "right-hippocampus",
    ]


def test_one_word_alone_is_a_name():
    with pytest.raises(UsageError, match="Unknown target 'hippocampuss'"):
        understand(["ventricles", "hippocampuss"], never)


def test_an_unknown_name_is_refused_as_a_name(compiled):
    compiled(status="refused", reason="unknown-target")

    with pytest.raises(UsageError, match="Unknown target 'hipocampal sulcus'"):
        understand(["hipocampal sulcus"], model)


@pytest.mark.parametrize(
    ("found", "said", "remedy"),
    [
        (
            {
                "status": "refused",
                "reason": "out-of-scope",
                "explanation": "This is no region.",
            },
            "'will it rain?' is refused: This is no region.",
            "Say what region, and what of it; medprompt plan shows how a sentence is read.",
        ),
        (
            {
                **{"status": "ambiguous", "reason": "ambiguous", "explanation": "Either way."},
                "alternatives": (Alternative(VOLUME, "a"), Alternative(VOLUME, "b")),
            },
            "'will it rain?' is ambiguous: Either way.",
            "Choose one of its 2 readings; medprompt plan shows them.",
        ),
        (
            {
                **{"status": "ambiguous", "reason": "ambiguous", "explanation": "Either way."},
                "suggestions": ("infarct", "hemorrhage"),
            },
            "'will it rain?' is ambiguous: Either way.",
            "Did you mean infarct, hemorrhage?",
        ),
    ],
)
def test_what_is_not_understood_says_why(compiled, found, said, remedy):
    compiled(**found)

    with pytest.raises(InputError, match=re.escape(said)) as caught:
        understand(["will it rain?"], model)
    assert caught.value.remedy == remedy


def test_a_saved_plan_is_plain_if_it_only_saves_masks():
    assert of_program(compose(Intent(("thalamus",))), ["x"]).program is None
    assert of_program(compose(VOLUME), ["x"]).program == compose(VOLUME)
    on_flair = compose(Intent(("tumor",), images=("FLAIR",)))
    assert of_program(on_flair, ["x"]).program == on_flair
