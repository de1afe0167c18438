"""Training on made-up prompts: it learns, it resumes, it can be exported."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.networks.prompt_config import PROMPT_CONFIGS, STATUSES, PromptConfig
from medprompt_cli.planning.compile import compile_prompt
from medprompt_cli.planning.grammar import decode
from medprompt_cli.planning.grammar_symbols import ID, START, SYMBOLS, places_of
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.prompt_model import load_prompt_model
from medprompt_cli.planning.summary import summarise
from medprompt_cli.synthesis.prompts.asked import Asked, Mention, SampledPrompt
from medprompt_cli.training import prompt_examples, prompt_training
from medprompt_cli.training.prompt_corpus import PromptSample, intent_of
from medprompt_cli.training.prompt_evaluation import THRESHOLDS, best_threshold, judge, rates
from medprompt_cli.training.prompt_examples import (
    NAME,
    NO_TARGET,
    PromptWindows,
    collate,
    example_of,
    remembered_words,
)
from medprompt_cli.training.prompt_export import export_prompts
from medprompt_cli.training.prompt_recipe import PromptRecipe, read_prompt_recipe
from medprompt_cli.training.prompt_training import PromptRun, train_prompts

WORDS = frozenset({"volume", "of", "the", "and"})
BUCKETS = 256


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Known to recipes as `tiny`; few prompts are looked at for words."""
    config = PromptConfig("tiny", width=32, blocks=2, heads=2, hidden=48, buckets=BUCKETS)
    monkeypatch.setitem(PROMPT_CONFIGS, "tiny", config)
    monkeypatch.setattr(prompt_training, "LOG_EVERY", 2)
    monkeypatch.setattr(prompt_examples.remembered_words, "__defaults__", (40,))
    return config


@pytest.fixture
def recipe():
    return PromptRecipe(
        "test", network="tiny", steps=4, batch=4, warmup=2, evaluate_every=100, evaluation=6
    )


def sample(text, asked, mentions=(), requests=None):
    """A prompt of our own, with what it asks for."""
    prompt = SampledPrompt(
        text=text,
        clean=text,
        asked=asked,
        requests=((asked,) if asked.status == "ok" else ()) if requests is None else requests,
        mentions=mentions,
        frame="test",
        language="en",
        family="training",
    )
    intents = tuple(intent_of(request) for request in prompt.requests)
    return PromptSample(prompt, intents, intents[0] if intents else None)


def test_an_example_holds_the_program_and_where_it_names_regions():
    asked = Asked(("left-hippocampus", "csf"), ("volume",))
    text = "volume of the left hippocampus and csf"

    example = example_of(sample(text, asked), WORDS, BUCKETS)

    tokens = read_prompt(text, WORDS)
    assert example is not None
    assert STATUSES[example.status] == "ok"
    assert example.program[0] == ID[START]
    program = decode(example.program[1:], places_of(tokens))
    assert summarise(program) == intent_of(asked)
    assert list(example.regions.values()) == ["left-hippocampus", "csf"]
    for at in example.regions:
        assert example.program[at] >= len(SYMBOLS)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (Asked(status="refused", reason="out-of-scope"), "out-of-scope"),
        (Asked(status="refused", reason="no-target"), "no-target"),
        (Asked(status="ambiguous", reason="vague"), "ambiguous"),
        (Asked(status="ambiguous", reason="ambiguous-target"), "ambiguous"),
    ],
)
def test_what_is_refused_has_no_program(asked, status):
    example = example_of(sample("what is the weather", asked), WORDS, BUCKETS)

    assert example is not None
    assert (STATUSES[example.status], example.program) == (status, (ID[START],))


def test_an_unknown_region_is_pointed_to_word_by_word():
    asked = Asked(status="refused", reason="unknown-target")
    mention = Mention(14, 29, "pituitary gland", "", "unknown")

    example = example_of(sample("volume of the pituitary gland", asked, (mention,)), WORDS, 64)

    first = len(SYMBOLS) + 3
    assert example is not None
    assert STATUSES[example.status] == "unknown-target"
    assert example.program == (ID[START], ID["unknown"], first, first + 1)


def test_a_name_that_cannot_be_read_is_taken_for_an_unknown_one():
    asked = Asked(("thalamus",), ("volume",))
    mention = Mention(14, 20, "thalamus", "thalamus", "structure")

    example = example_of(sample("volume of the thhmls", asked, (mention,)), WORDS, BUCKETS)

    assert example is not None
    assert STATUSES[example.status] == "unknown-target"


def test_examples_are_filled_up_and_told_apart(tiny):
    asked = Asked(("thalamus",), ("volume",))
    refused = Asked(status="refused", reason="out-of-scope")
    examples = [
        example_of(sample("volume of the thalamus", asked), WORDS, BUCKETS),
        example_of(sample("hello", refused), WORDS, BUCKETS),
    ]
    phi = {"thalamus": np.arange(32, dtype=np.float32)}

    labelled = collate([e for e in examples if e], phi, Random(1))

    length = len(examples[0].program) if examples[0] else 0
    assert labelled.batch.program.shape == (2, length)
    assert labelled.batch.lengths.tolist() == [4, 1]
    assert (
        labelled.following[0, : length - 1].tolist() == labelled.batch.program[0, 1:].tolist()
    )
    assert (labelled.following[1] == NO_TARGET).all()
    assert int(labelled.has_phi.sum()) == 1
    assert labelled.phi[labelled.has_phi].tolist() == [phi["thalamus"].tolist()]


def test_names_are_hidden_as_often_as_asked():
    example = example_of(sample("the thalamus", Asked(("thalamus",))), WORDS, BUCKETS)
    rng = Random(2)
    batches = [collate([example] * 50, {}, rng, share) for share in (0.0, 0.3, 1.0)]  # pyright: ignore
    hidden = [float((b.batch.traits[:, 1, NAME] == 0).float().mean()) for b in batches]

    assert hidden[0] == 0
    assert hidden[2] == 1
    assert 0.1 < hidden[1] < 0.5


def test_a_window_is_the_same_each_time_and_holds_a_batch_for_every_step(recipe):
    first, again = (PromptWindows(recipe, WORDS, BUCKETS, {})[0] for _ in range(2))

    assert len(first) == prompt_examples.WINDOW
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one.batch.program, other.batch.program)
    assert sum(len(b.status) for b in first) == recipe.batch * prompt_examples.WINDOW
    assert len(PromptWindows(replace(recipe, steps=17), WORDS, BUCKETS, {})) == 3


def test_remembered_words_are_those_of_sentences_and_not_of_names():
    words = remembered_words(1, 60)

    assert words & {"the", "of", "volume", "부피", "segment"}
    assert not words & {"hippocampus", "thalamus"}


def test_the_loss_falls(recipe, tmp_path):
    rows = []

    train_prompts(
        replace(recipe, steps=24, batch=8, rate=5e-3), PromptRun(tmp_path), rows.append
    )

    assert [row["step"] for row in rows] == list(range(2, 25, 2))
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    assert json.loads((tmp_path / "recipe.json").read_text())["name"] == "test"
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == len(rows)


def test_a_run_that_is_resumed_ends_as_one_that_was_not(recipe, tmp_path):
    whole = train_prompts(recipe, PromptRun(tmp_path / "whole"))
    train_prompts(recipe, PromptRun(tmp_path / "parts", minutes=0))
    parts = train_prompts(recipe, PromptRun(tmp_path / "parts"))

    assert whole.step == parts.step == recipe.steps
    for name, weight in whole.average.items():
        torch.testing.assert_close(parts.average[name], weight)


def test_phi_is_drawn_to_what_it_is_given(recipe, tmp_path):
    from medprompt_cli.planning.vocabulary import all_targets

    phi = {target.name: np.ones(32, np.float32) for target in all_targets()}
    phi |= {name.removeprefix("left-"): value for name, value in phi.items()}
    rows = []

    train_prompts(
        replace(recipe, steps=16, batch=8, rate=5e-3), PromptRun(tmp_path, phi=phi), rows.append
    )

    assert rows[-1]["phi"] < rows[0]["phi"]
    assert rows[0]["phi"] > 0


def test_a_checkpoint_of_another_network_is_refused(recipe, tmp_path, monkeypatch):
    train_prompts(replace(recipe, steps=1), PromptRun(tmp_path))
    wider = replace(PROMPT_CONFIGS["tiny"], buckets=BUCKETS * 2)
    monkeypatch.setitem(PROMPT_CONFIGS, "tiny", wider)

    with pytest.raises(InputError, match="of another network") as caught:
        train_prompts(recipe, PromptRun(tmp_path))

    assert str(caught.value) == (
        f"Checkpoint {tmp_path / 'step-0000001'} is of another network: pieces.weight is"
        f" ({BUCKETS}, 32), not ({2 * BUCKETS}, 32)."
    )


def test_a_run_is_exported_and_reads_prompts(recipe, tmp_path):
    train_prompts(recipe, PromptRun(tmp_path / "run"))

    record = export_prompts(tmp_path / "run", tmp_path / "out.safetensors", evaluation=4)

    model = load_prompt_model(tmp_path / "out.safetensors")
    assert record["sha256"] == model.sha256
    assert record["bytes"] == (tmp_path / "out.safetensors").stat().st_size
    assert (record["network"], record["steps"]) == ("tiny", recipe.steps)
    assert model.agreement in THRESHOLDS
    assert compile_prompt("left hippocampus", model).status in {"ok", "ambiguous", "refused"}


def test_nothing_is_exported_of_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint") as caught:
        export_prompts(tmp_path, tmp_path / "out.safetensors")

    assert str(caught.value) == f"{tmp_path} holds no checkpoint."


def test_judging_counts_what_came_out_right(recipe, tmp_path):
    state = train_prompts(recipe, PromptRun(tmp_path))
    model = prompt_training.model_of(state, WORDS)

    judged = judge(model, 12)
    shares = rates(judged, best_threshold(judged))

    assert len(judged) == 12
    assert {"all_en", "all_ko"} & set(shares)
    assert all(0 <= share <= 1 for share in shares.values())


def test_agreement_below_the_threshold_counts_as_ambiguous(recipe, tmp_path):
    state = train_prompts(recipe, PromptRun(tmp_path))
    (case,) = judge(prompt_training.model_of(state, WORDS), 1)
    asked = case.sample.intent
    right = replace(
        case, compiled=replace(case.compiled, status="ok", intent=asked, agreement=0.5)
    )

    assert asked is None or right.right(0.5)
    assert not right.right(0.75) or case.sample.prompt.asked.status == "ambiguous"


def test_the_example_is_a_recipe(repository):
    recipe = read_prompt_recipe(repository / "examples" / "training" / "prompt-small.toml")

    assert (recipe.name, recipe.network) == ("prompt-small", "small")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'name = "a"\nbench = 2\n',
            "PromptRecipe.__init__() got an unexpected keyword argument 'bench'.",
        ),
        ('name = "a"\nnetwork = "huge"\n', "network = 'huge' is none of small, paper, tiny."),
        ("name = \n", "Invalid value (at line 1, column 8)."),
    ],
)
def test_a_wrong_recipe_is_told_why(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)

    with pytest.raises(UsageError, match="cannot be used") as caught:
        read_prompt_recipe(path)

    assert str(caught.value) == f"Recipe {path} cannot be used: {said}"


def test_the_command_trains_and_exports(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('name = "c"\nnetwork = "tiny"\nsteps = 2\nbatch = 2\nevaluate_every = 9\n')
    arguments = [path, "-o", tmp_path / "run", "--export", tmp_path / "out.safetensors"]

    shown = CliRunner().invoke(app, ["train", "prompts", *map(str, arguments)])

    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (shown.exit_code, lines[0]["step"]) == (0, 2)
    assert math.isfinite(lines[0]["loss"])
    assert lines[-1]["file"] == "out.safetensors"
    assert load_prompt_model(tmp_path / "out.safetensors").names
