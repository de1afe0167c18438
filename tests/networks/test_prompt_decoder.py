"""The network that reads prompts: what sees what, and what does not matter."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.prompt_config import (
    PAPER,
    PHI,
    PROMPT_CONFIGS,
    SMALL,
    STATUSES,
    PromptConfig,
    prompt_config_from_dict,
)
from medprompt_cli.networks.prompt_decoder import (
    PromptBatch,
    PromptDecoder,
    positions,
    rotate,
    rotation,
    visible,
)

CONFIG = PromptConfig(
    "tiny",
    width=16,
    blocks=2,
    heads=2,
    hidden=24,
    buckets=20,
    kinds=3,
    names=4,
    sides=2,
    units=2,
    symbols=7,
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    network = PromptDecoder(CONFIG)
    for parameter in network.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return network.eval()


def batch(lengths, program, filling=0):
    """Prompts of one piece a token; what fills up the shorter ones is `filling`."""
    places = max(lengths)
    traits = torch.zeros(len(lengths), places, 4, dtype=torch.long)
    pieces = torch.full((len(lengths), places), filling)
    for row, length in enumerate(lengths):
        pieces[row, :length] = torch.arange(length) + row + 1
        traits[row, length:, 0] = filling % 3
    offsets = torch.arange(len(lengths) * places)
    return PromptBatch(
        pieces.flatten(), offsets, traits, torch.tensor(lengths), torch.tensor(program)
    )


@torch.no_grad()
def test_shapes_are_those_of_the_letters(network):
    output = network(batch([3, 5], [[0, 1, 8], [0, 2, 3]]))

    assert output.next.shape == (2, 3, CONFIG.symbols + 5)
    assert output.status.shape == (2, len(STATUSES))
    assert output.phi.shape == (2, 3, PHI)


@torch.no_grad()
def test_places_that_a_prompt_does_not_have_cannot_be_pointed_to(network):
    output = network(batch([3, 5], [[0, 1], [0, 2]]))

    assert torch.isinf(output.next[0, :, CONFIG.symbols + 3 :]).all()
    assert torch.isfinite(output.next[1]).all()


@torch.no_grad()
def test_what_fills_a_prompt_up_does_not_matter(network):
    program = [[0, 1, 8], [0, 2, 3]]
    one, other = (network(batch([3, 5], program, filling)) for filling in (0, 13))

    torch.testing.assert_close(one.next, other.next)
    torch.testing.assert_close(one.status, other.status)


@torch.no_grad()
def test_a_prompt_alone_is_read_as_in_a_batch(network):
    together = network(batch([3, 5], [[0, 1, 8], [0, 2, 3]]))
    alone = network(batch([3], [[0, 1, 8]]))

    torch.testing.assert_close(alone.next[0], together.next[0, :, : CONFIG.symbols + 3])
    torch.testing.assert_close(alone.phi[0], together.phi[0])


@torch.no_grad()
def test_the_last_word_of_a_prompt_is_seen_by_the_first_token(network):
    one, other = batch([4], [[0]]), batch([4], [[0]])
    other.pieces[3] = 17

    assert not torch.allclose(network(one).status, network(other).status)


def test_the_prompt_sees_itself_whole_and_the_program_what_came_before():
    seen = visible(torch.tensor([2]), places=3, program=2)[0, 0].int().tolist()

    assert seen == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 1],
    ]


def test_a_program_goes_on_where_its_prompt_ended():
    assert positions(torch.tensor([2, 3]), places=3, program=2).tolist() == [
        [0, 1, 2, 2, 3],
        [0, 1, 2, 3, 4],
    ]


def test_turning_keeps_lengths_and_depends_on_distance_alone():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 2, 8)

    def product(first, second):
        turned = [
            rotate(x, rotation(torch.tensor([[at]]), CONFIG))
            for x, at in ((query, first), (key, second))
        ]
        return (turned[0] * turned[1]).sum(-1)

    torch.testing.assert_close(product(3, 5), product(10, 12))
    turned = rotate(query, rotation(torch.tensor([[7]]), CONFIG))
    torch.testing.assert_close(turned.norm(dim=-1), query.norm(dim=-1))


def test_the_bundled_size_fits_into_ten_megabytes():
    full = dataclasses.replace(SMALL, kinds=20, names=150, sides=4, units=15, symbols=400)
    numbers = sum(p.numel() for p in PromptDecoder(full).parameters())

    assert 2 * numbers < 10 * 2**20


def test_the_size_of_the_paper_is_there():
    assert (PAPER.blocks, PAPER.width, PAPER.heads) == (16, 512, 32)
    assert PROMPT_CONFIGS == {"small": SMALL, "paper": PAPER}


def test_a_config_survives_a_file():
    assert prompt_config_from_dict(CONFIG.to_dict()) == CONFIG


def test_a_config_of_another_version_is_refused():
    with pytest.raises(WeightsError, match="does not fit this version") as caught:
        prompt_config_from_dict({"name": "x", "layers": 3})

    assert str(caught.value) == (
        "Prompt network {'name': 'x', 'layers': 3} does not fit this version:"
        " PromptConfig.__init__() got an unexpected keyword argument 'layers'."
    )
