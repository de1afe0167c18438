"""One table from probabilities to words."""

from __future__ import annotations

import math

import pytest

from medprompt_cli.domain.certainty import CERTAINTIES, certainty_of
from medprompt_cli.errors import InputError


def test_every_probability_has_one_word_and_more_is_never_said_of_less():
    steps = [CERTAINTIES.index(certainty_of(n / 1000)) for n in range(1001)]

    assert steps == sorted(steps, reverse=True)
    assert set(steps) == set(range(len(CERTAINTIES)))
    assert [c.least for c in CERTAINTIES] == sorted(
        (c.least for c in CERTAINTIES), reverse=True
    )


@pytest.mark.parametrize(
    ("probability", "english", "korean"),
    [
        (1.0, "definitely", "확실함"),
        (0.9, "definitely", "확실함"),
        (0.8999, "probably", "가능성 높음"),
        (0.625, "probably", "가능성 높음"),
        (0.5, "possibly", "가능성 있음"),
        (0.25, "less likely", "가능성 낮음"),
        (0.0, "unlikely", "가능성 희박"),
    ],
)
def test_words_at_the_cut_points(probability, english, korean):
    found = certainty_of(probability)

    assert (found.english, found.korean) == (english, korean)


def test_no_two_steps_are_worded_alike():
    assert len({c.english for c in CERTAINTIES}) == len(CERTAINTIES)
    assert len({c.korean for c in CERTAINTIES}) == len(CERTAINTIES)


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan])
def test_what_is_no_probability_has_no_words(probability):
    with pytest.raises(InputError, match=f"probability of {probability} were asked") as caught:
        certainty_of(probability)

    assert caught.value.code == "not-a-probability"
