"""The network in numpy says what the one in torch says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medprompt_cli.networks.prompt_config import STATUSES, PromptConfig
from medprompt_cli.networks.prompt_decoder import PromptBatch, PromptDecoder
from medprompt_cli.planning.decoder import NumpyDecoder
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.prompt_features import (
    KINDS,
    SIDES,
    UNIT_NAMES,
    featurise,
    known_names,
    name_rows,
)

SYMBOLS = 12
CONFIG = PromptConfig(
    "tiny",
    width=24,
    blocks=2,
    heads=3,
    hidden=40,
    buckets=64,
    kinds=len(KINDS),
    names=len(known_names()) + 1,
    sides=len(SIDES),
    units=len(UNIT_NAMES),
    symbols=SYMBOLS,
)
PROMPTS = ("volume of the left hippocampus > 10 mm3", "stroke?", "좌측해마 부피")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    network = PromptDecoder(CONFIG).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return network


@pytest.fixture(scope="module")
def decoder(network):
    return NumpyDecoder(CONFIG, {n: p.numpy() for n, p in network.state_dict().items()})


@pytest.fixture(scope="module")
def features():
    rows = name_rows(known_names())
    return [featurise(read_prompt(text), rows, CONFIG.buckets) for text in PROMPTS]


def batched(features, programs):
    longest = max(len(f.traits) for f in features)
    pieces, offsets = [], []
    traits = np.zeros((len(features), longest, 4), np.int64)
    for n, prompt in enumerate(features):
        start = sum(map(len, pieces))
        pieces.append(prompt.pieces)
        offsets += [*(prompt.offsets + start)]
        offsets += [start + len(prompt.pieces)] * (longest - len(prompt.offsets))
        traits[n, : len(prompt.traits)] = prompt.traits
    return PromptBatch(
        torch.from_numpy(np.concatenate(pieces)),
        torch.tensor(np.array(offsets)),
        torch.from_numpy(traits),
        torch.tensor([len(f.traits) for f in features]),
        torch.tensor(programs),
    )


@pytest.fixture(scope="module")
def programs(features):
    draw = np.random.default_rng(3)
    return [
        [0, *draw.integers(1, SYMBOLS + len(prompt.traits), 6).tolist()] for prompt in features
    ]


def test_numpy_and_torch_agree(network, decoder, features, programs):
    with torch.no_grad():
        output = network(batched(features, programs))
    for n, (prompt, program) in enumerate(zip(features, programs, strict=True)):
        places = SYMBOLS + len(prompt.traits)
        reading = decoder.read(prompt, programs=1)
        for t, token in enumerate(program):
            written = decoder.write(reading, np.array([token]))

            expected = output.next[n, t, :places].numpy()
            np.testing.assert_allclose(written.next[0], expected, atol=1e-3)
            np.testing.assert_allclose(written.phi[0], output.phi[n, t].numpy(), atol=1e-3)
            if t == 0:
                np.testing.assert_allclose(
                    written.status[0], output.status[n].numpy(), atol=1e-3
                )


def test_programs_written_together_do_not_touch_each_other(decoder, features, programs):
    prompt = features[0]
    reading = decoder.read(prompt, programs=2)
    lone = decoder.read(prompt, programs=1)
    first = programs[0]
    other = [0, *(1 + token % (SYMBOLS - 1) for token in first[1:])]
    for pair in zip(first, other, strict=True):
        both = decoder.write(reading, np.array(pair))
        alone = decoder.write(lone, np.array(pair[:1]))

        np.testing.assert_allclose(both.next[0], alone.next[0], atol=1e-4)


def test_kept_programs_go_on_as_they_were(decoder, features, programs):
    reading = decoder.read(features[0], programs=3)
    decoder.write(reading, np.array([0, 0, 0]))
    decoder.write(reading, np.array([1, 2, 3]))
    decoder.keep(reading, np.array([2]))
    lone = decoder.read(features[0], programs=1)
    for token in (0, 3):
        decoder.write(lone, np.array([token]))

    kept = decoder.write(reading, np.array([4]))

    expected = decoder.write(lone, np.array([4]))
    np.testing.assert_allclose(kept.next, expected.next, atol=1e-4)


def test_half_precision_hardly_matters(network, decoder, features):
    half = {n: p.numpy().astype(np.float16) for n, p in network.state_dict().items()}
    rounded = NumpyDecoder(CONFIG, half)
    exact, near = (
        d.write(d.read(features[0], 1), np.array([0])).next for d in (decoder, rounded)
    )

    np.testing.assert_allclose(near, exact, atol=0.05)
    assert np.abs(near - exact).max() > 0


def test_a_later_token_does_not_change_what_was_thought_before(network, features, programs):
    changed = [[*program[:-1], 1 + program[-1] % (SYMBOLS - 1)] for program in programs]
    with torch.no_grad():
        before = network(batched(features, programs)).next[:, :-1]
        after = network(batched(features, changed)).next[:, :-1]

    torch.testing.assert_close(before, after)


def test_every_status_has_a_logit(decoder, features):
    written = decoder.write(decoder.read(features[0], 1), np.array([0]))

    assert written.status.shape == (1, len(STATUSES))


def test_features_name_the_region_its_side_and_the_unit(features):
    prompt = features[0]
    rows = name_rows(known_names())

    kinds, names, sides, units = prompt.traits.T
    assert [KINDS[k] for k in kinds] == [
        *("word", "word", "word", "structure", "mark", "number"),
    ]
    assert names.tolist() == [0, 0, 0, rows["hippocampus"], 0, 0]
    assert [SIDES[s] for s in sides][3] == "left"
    assert UNIT_NAMES[units[5]] == "mm3"
    assert prompt.offsets[4] == prompt.offsets[3]


def test_a_misspelt_word_shares_most_pieces_with_the_right_one():
    def of(word):
        offsets = featurise(read_prompt(word), {}, 8192)
        return set(offsets.pieces.tolist())

    assert len(of("measure") & of("measrue")) >= len(of("measure")) / 4
    assert not of("measure") & of("dog") - of("m")
