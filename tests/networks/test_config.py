"""Sizes as data: to a file and back."""

from __future__ import annotations

import json

import pytest

from medprompt_cli.errors import WeightsError
from medprompt_cli.networks.config import CONFIGS, PAPER, SMALL, config_from_dict


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_config_survives_a_file(config):
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_paper_has_the_widths_of_the_paper():
    assert PAPER.fine_channels[0] == PAPER.embedding == PAPER.attention == 32
    assert set(PAPER.core_channels) == {96}
    assert SMALL.name == "small"


def test_unknown_key_is_named():
    with pytest.raises(WeightsError, match="depth") as caught:
        config_from_dict({"depth": 3})

    assert str(caught.value) == (
        "Network config {'depth': 3} does not fit this version:"
        " NetworkConfig.__init__() got an unexpected keyword argument 'depth'."
    )
    assert caught.value.remedy == "Use weights made for this version of medprompt."
