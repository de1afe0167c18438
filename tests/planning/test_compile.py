"""From a prompt to a program, with a network that thinks what the test tells it to."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.prompt_config import PHI, STATUSES, PromptConfig
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.compile import compile_prompt
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.decoder import NumpyDecoder, Written
from medprompt_cli.planning.everything import ALL, gathered
from medprompt_cli.planning.grammar import encode, encode_span
from medprompt_cli.planning.grammar_symbols import SYMBOLS, places_of
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.prompt_features import MOST_TOKENS, known_names, name_rows
from medprompt_cli.planning.prompt_model import (
    PromptModel,
    load_prompt_model,
    notes,
    sized,
)
from medprompt_cli.planning.suggestions import nearest_names

_WORDS = "volume of the what is and measure how big in this scan larger than"
WORDS = frozenset(_WORDS.split())
SURE = 50.0


@dataclass
class Told:
    """Writes the programs it is told to, row by row."""

    status: str
    programs: list[list[int]]
    rows: list[int] = field(default_factory=list)
    step: int = 0
    config: PromptConfig = field(default_factory=lambda: PromptConfig("told"))

    def read(self, prompt, programs):
        self.rows, self.step, self.places = list(range(programs)), 0, len(prompt.traits)

    def keep(self, _, rows):
        self.rows = [self.rows[row] for row in rows]

    def write(self, _, tokens):
        assert len(tokens) == len(self.rows)
        logits = np.zeros((len(tokens), len(SYMBOLS) + self.places))
        for n, row in enumerate(self.rows):
            program = self.programs[min(row, len(self.programs) - 1)] if self.programs else []
            if self.step < len(program):
                logits[n, program[self.step]] = SURE
        self.step += 1
        status = np.zeros((len(tokens), len(STATUSES)))
        status[:, STATUSES.index(self.status)] = SURE
        phi = np.full((len(tokens), PHI), float(self.step))
        return Written(logits, status, phi)


def told(prompt, *intents, status="ok", agreement=0.5, span=None):
    tokens = read_prompt(prompt, WORDS)
    programs = [
        encode(compose(gathered(intent, tokens)), places_of(tokens)) for intent in intents
    ]
    if span:
        programs = [encode_span(*span)]
    decoder = Told(status, programs)
    return PromptModel(decoder, name_rows(known_names()), WORDS, agreement)  # pyright: ignore


VOLUME = Intent(("left-hippocampus",), ("volume",))
MASK = Intent(("left-hippocampus",))


def test_a_prompt_becomes_a_program():
    prompt = "What is the volume of the left hippocampus?"

    compiled = compile_prompt(prompt, told(prompt, VOLUME))

    assert compiled.status == "ok"
    assert compiled.intent == VOLUME
    assert compiled.program == compose(VOLUME) == parse(compiled.text)
    assert (compiled.unused_words, compiled.reason, compiled.explanation) == ((), "", "")
    assert compiled.agreement == 1
    assert list(compiled.phi) == ["left-hippocampus"]
    assert compiled.phi["left-hippocampus"].shape == (PHI,)


@pytest.mark.parametrize(("own", "status"), [(0.0, "ok"), (100.0, "ambiguous")])
def test_a_phrase_whose_phi_is_that_of_another_region_is_not_understood(own, status):
    prompt = "volume of the left hippocampus"
    table = {"left-hippocampus": np.full(PHI, own), "left-amygdala": np.full(PHI, 50.0)}

    compiled = compile_prompt(prompt, replace(told(prompt, VOLUME), phi=table))

    assert compiled.status == status


def test_programs_that_disagree_are_shown_side_by_side():
    prompt = "left hippocampus"
    model = told(prompt, VOLUME, MASK)

    compiled = compile_prompt(prompt, model)

    assert (compiled.status, compiled.reason) == ("ambiguous", "ambiguous")
    assert compiled.explanation == "It can be read in several ways."
    assert [a.intent for a in compiled.alternatives] == [MASK, VOLUME]
    assert compiled.alternatives[1].text.startswith("scan = image()\n")
    assert (compiled.program, compiled.text, compiled.agreement) == (None, "", 0)


def test_how_many_have_to_agree_is_the_models_to_say():
    prompt = "left hippocampus"

    lenient = compile_prompt(prompt, told(prompt, VOLUME, VOLUME, MASK, agreement=0.25))
    strict = compile_prompt(prompt, told(prompt, VOLUME, VOLUME, MASK, agreement=0.5))

    assert (lenient.status, lenient.agreement) == ("ok", 0.25)
    assert strict.status == "ambiguous"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            "out-of-scope",
            "This asks for nothing that medprompt can see or measure in the brain.",
        ),
        ("no-target", "The prompt names no region."),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(status, said):
    compiled = compile_prompt("how is the weather", told("", status=status))

    assert (compiled.status, compiled.reason) == ("refused", status)
    assert compiled.explanation == said


def test_an_unknown_region_is_answered_with_the_nearest_names():
    prompt = "volume of the left hippocampal sulcus"
    compiled = compile_prompt(prompt, told(prompt, status="unknown-target", span=(3, 5)))

    assert (compiled.status, compiled.reason) == ("refused", "unknown-target")
    assert compiled.explanation == "Unknown target 'left hippocampal sulcus'."
    assert "left-hippocampus" in compiled.suggestions


def test_a_word_of_two_meanings_is_asked_back():
    prompt = "volume of the stroke"
    infarct = Intent(("infarct",), ("volume",))
    model = told("volume of the infarct", infarct)

    compiled = compile_prompt(prompt, model)

    assert (compiled.status, compiled.reason) == ("ambiguous", "ambiguous")
    assert compiled.explanation == "'stroke' can mean 'infarct' or 'hemorrhage'."
    assert compiled.suggestions == ("infarct", "hemorrhage")
    targets = [alternative.intent.targets for alternative in compiled.alternatives]
    assert targets == [("infarct",), ("hemorrhage",)]


def test_two_words_of_two_meanings_are_asked_back_one_by_one():
    prompt = "ratio of the stroke to the ACC " + "stroke " * 20

    compiled = compile_prompt(prompt, told(prompt))

    assert compiled.explanation == "'stroke' can mean 'infarct' or 'hemorrhage'."
    assert compiled.alternatives == ()


def test_a_prompt_that_the_network_finds_vague_is_ambiguous():
    prompt = "left hippocampus"

    compiled = compile_prompt(prompt, told(prompt, MASK, status="ambiguous"))

    assert compiled.status == "ambiguous"
    assert compiled.explanation == "It does not say what exactly."


def test_what_had_no_part_in_the_program_is_listed_as_it_was_written():
    prompt = "measure the Left_Hippocampus volumee in 5 years, zorgified thalamus in this scan"

    compiled = compile_prompt(prompt, told(prompt, VOLUME))

    assert compiled.unused_words == ("5 years", "zorgified", "thalamus")


SIDES = Intent(("hippocampus",), ("difference",), "sides")
CHANGE = Intent(("left-hippocampus",), ("change",), "visits", visits="first-last")
LARGEST = Intent(("meningioma",), ("volume",), filters=("rank:largest",))
EXCLUDED = Intent(("deep-gray-matter",), (), filters=("exclude:thalamus",))


@pytest.mark.parametrize(
    ("prompt", "intent", "why"),
    [
        ("left hippocampus larger than 5 mm", VOLUME, "It does not use '5 mm'."),
        (
            "measure the hippocampus volume on the left side",
            SIDES,
            "Only the left side is named, and both are compared.",
        ),
        (
            "deep gray matter except the thalamus",
            Intent(("deep-gray-matter",)),
            "Something is to be left out, and nothing is.",
        ),
        (
            "volume of the second largest meningioma",
            LARGEST,
            "Of several only the largest can be picked, not 'second largest'.",
        ),
        ("left hippocampus volume at visit 2", VOLUME, "It does not use 'visit 2'."),
    ],
)
def test_a_program_that_is_not_what_the_words_say_is_not_run(prompt, intent, why):
    compiled = compile_prompt(prompt, told(prompt, intent))

    assert (compiled.status, compiled.explanation) == ("ambiguous", why)


@pytest.mark.parametrize(
    ("prompt", "intent"),
    [
        ("deep gray matter except the thalamus", EXCLUDED),
        ("is the left hippocampus larger than the other side?", SIDES),
        ("left hippocampus against right hippocampus", SIDES),
        ("the largest meningioma, how big is it", LARGEST),
        ("change of the left hippocampus volume from visit 1 to visit 2", CHANGE),
        ("kindly exclude a meningioma", Intent(("meningioma",), ("presence",))),
    ],
)
def test_a_program_that_is_what_the_words_say_is_run(prompt, intent):
    assert compile_prompt(prompt, told(prompt, intent)).status == "ok"


@pytest.mark.parametrize(
    ("prompt", "unused"),
    [
        ("volume of each meningioma", ("each",)),
        ("volume of the meningioma", ()),
    ],
)
def test_lesions_that_are_asked_for_one_by_one_are_said_to_be_answered_together(prompt, unused):
    compiled = compile_prompt(prompt, told(prompt, Intent(("meningioma",), ("volume",))))

    assert compiled.unused_words == unused


def test_all_structures_are_spread_out():
    prompt = "volume of all structures and the brainstem"
    everything = Intent(ALL, ("volume",))

    compiled = compile_prompt(prompt, told(prompt, everything))

    assert compiled.intent == everything
    assert compiled.program == compose(everything)


def test_all_structures_but_one():
    prompt = "all structures but the brainstem"
    rest = Intent(tuple(name for name in ALL if name != "brainstem"))

    compiled = compile_prompt(prompt, told(prompt, rest))

    assert compiled.intent == rest


@pytest.mark.parametrize("prompt", ["", "  ", "?!", "12 3.4", ", ; :"])
def test_a_prompt_without_words_is_refused(prompt):
    compiled = compile_prompt(prompt, told("x"))

    assert (compiled.status, compiled.reason) == ("refused", "no-target")
    assert compiled.explanation == "The prompt holds no words."


def test_a_prompt_that_is_too_long_is_refused():
    prompt = "thalamus volume " * MOST_TOKENS

    compiled = compile_prompt(prompt, told("x"))

    assert (compiled.status, compiled.reason) == ("refused", "too-long")
    assert compiled.explanation == (
        f"The prompt has {2 * MOST_TOKENS} words; {MOST_TOKENS} are read at once."
    )


def test_nothing_is_like_nothing():
    assert nearest_names("zzzzzzqqq") == ()
    assert nearest_names("") == ()


@pytest.fixture(scope="module")
def untrained():
    """A model of random numbers: it thinks anything."""
    config = PromptConfig("tiny", width=16, blocks=1, heads=2, hidden=16, buckets=64)
    config = PromptConfig(**{**config.to_dict(), **sized(config)})
    return config, PromptModel(
        NumpyDecoder(config, random_weights(config)), name_rows(known_names()), WORDS, 0.0
    )


def random_weights(config):
    from medprompt_cli.networks.prompt_decoder import PromptDecoder

    draw = np.random.default_rng(4)
    shapes = {n: tuple(p.shape) for n, p in PromptDecoder(config).named_parameters()}
    return {n: draw.normal(size=s).astype(np.float16) for n, s in shapes.items()}


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=40) | st.sampled_from(["left hippocampus volume", "병변 > 3 mm"]))
def test_whatever_a_network_thinks_the_program_parses_and_checks(untrained, prompt):
    compiled = compile_prompt(prompt, untrained[1])

    if compiled.status == "ok":
        assert parse(compiled.text) == compiled.program
        check(parse(compiled.text))
    else:
        assert compiled.explanation
        assert compiled.program is None


def test_the_same_prompt_gives_the_same_program(untrained):
    first, second = (compile_prompt("left hippocampus", untrained[1]) for _ in range(2))

    assert first == second


def test_a_model_is_read_back_from_its_file(untrained, tmp_path):
    from safetensors.numpy import save

    config, model = untrained
    path = tmp_path / "prompt.safetensors"
    raw = save(random_weights(config), metadata=notes(config, WORDS, 0.75))
    path.write_bytes(raw)

    found = load_prompt_model(path)

    assert (found.words, found.agreement, found.names) == (WORDS, 0.75, model.names)
    assert len(found.sha256) == 64
    assert compile_prompt("thalamus", found).prompt == "thalamus"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"symbols": "[]"}, "made for another version of the plan language."),
        ({"words": None}, "not weights that read prompts: no metadata 'words'."),
    ],
)
def test_a_file_of_another_version_is_refused(untrained, tmp_path, change, said):
    from safetensors.numpy import save

    about = {**notes(untrained[0], WORDS, 0.5), **change}
    path = tmp_path / "prompt.safetensors"
    metadata = {key: value for key, value in about.items() if value is not None}
    path.write_bytes(save({"x": np.zeros(1, np.float16)}, metadata=metadata))

    with pytest.raises(WeightsError, match="prompt") as caught:
        load_prompt_model(path)

    assert str(caught.value) == f"{path}: {said}"


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.safetensors"

    with pytest.raises(WeightsError, match="cannot be read") as caught:
        load_prompt_model(path)

    assert str(caught.value) == (f"{path}: weights cannot be read: No such file or directory.")


def test_compiling_does_not_load_torch():
    code = (
        "import sys, medprompt_cli.planning.compile\n"
        "sys.exit(any(name.split('.')[0] == 'torch' for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
