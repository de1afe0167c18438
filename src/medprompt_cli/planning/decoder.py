"""The network that writes programs, without torch: numpy, float32, keys and values kept.

The same sums as `networks/prompt_decoder.py`, which says what they are for.
Letters: P prompt tokens, N programs written at once, D channels, H heads, G symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medprompt_cli.networks.prompt_config import EPSILON, ROTARY_BASE, PromptConfig
from medprompt_cli.planning.prompt_features import PromptFeatures

Array = np.ndarray

STEEPEST = 60.0
"""Where a sigmoid is 0 in float32: beyond it, its exponential would overflow."""

TABLES = ("kinds", "names", "sides", "units", "symbols")
"""Weights that rows are taken from."""


@dataclass(eq=False)
class Reading:
    """A prompt that was read, and the programs written about it so far.

    Attributes:
        prompt: (P, D). Its tokens as vectors.
        places: (P, D). Keys by which a program points into it.
        keys: Of each block, (P, H, D / H): of the prompt.
        values: The same.
        own_keys: Of each block, (N, T, H, D / H): of the programs.
        own_values: The same.
    """

    prompt: Array
    places: Array
    keys: list[Array]
    values: list[Array]
    own_keys: list[Array]
    own_values: list[Array]


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What the network thinks after one more token of each program.

    Attributes:
        next: (N, G + P). Logits of what follows.
        status: (N, statuses). Logits; they count after the first token only.
        phi: (N, 32).
    """

    next: Array
    status: Array
    phi: Array


class NumpyDecoder:
    """The network as a function of arrays.

    Args:
        config: Its sizes.
        weights: By the names of the torch module's parameters.
    """

    def __init__(self, config: PromptConfig, weights: dict[str, Array]) -> None:
        self.config = config
        self._pieces = weights["pieces.weight"]  # kept as it is: few rows are used
        self._w = {
            name: _ready(name, weight)
            for name, weight in weights.items()
            if name != "pieces.weight"
        }

    def read(self, prompt: PromptFeatures, programs: int) -> Reading:
        """Read a prompt, for `programs` programs to be written about it."""
        config = self.config
        x = embedded = self._embed(prompt)
        turn = _rotation(np.arange(len(x)), config)
        keys, values = [], []
        for block in range(config.blocks):
            query, key, value = self._heads(block, x, turn)
            keys.append(key)
            values.append(value)
            scores = np.einsum("phc,qhc->hpq", query, key) * _scale(config)
            attended = np.einsum("hpq,qhc->phc", _softmax(scores), value)
            x = self._finish(block, x, attended)
        places = self._norm("norm", x) @ self._w["place_key.weight"]
        size = (programs, 0, config.heads, config.width // config.heads)
        empty = np.zeros(size, np.float32)
        rows = range(config.blocks)
        return Reading(
            embedded, places, keys, values, [empty for _ in rows], [empty for _ in rows]
        )

    def write(self, reading: Reading, tokens: Array) -> Written:
        """Put `tokens`, (N,), at the end of the programs; say what may follow."""
        x = self._embed_tokens(reading, tokens)
        position = len(reading.prompt) + reading.own_keys[0].shape[1]
        turn = _rotation(np.array([position]), self.config)
        for block in range(self.config.blocks):
            x = self._step(block, x, turn, reading)
        x = self._norm("norm", x)
        scores = (x @ self._w["to_place.weight"]) @ reading.places.T
        following = [x @ self._w["to_symbol.weight"], scores / self.config.width**0.5]
        return Written(
            np.concatenate(following, axis=-1),
            x @ self._w["to_status.weight"] + self._w["to_status.bias"],
            x @ self._w["to_phi.weight"] + self._w["to_phi.bias"],
        )

    def keep(self, reading: Reading, rows: Array) -> None:
        """Go on with some of the programs only."""
        reading.own_keys = [key[rows] for key in reading.own_keys]
        reading.own_values = [value[rows] for value in reading.own_values]

    def _step(self, block: int, x: Array, turn: tuple[Array, Array], reading: Reading) -> Array:
        query, key, value = self._heads(block, x, turn)
        own_keys = np.concatenate([reading.own_keys[block], key[:, None]], axis=1)
        own_values = np.concatenate([reading.own_values[block], value[:, None]], axis=1)
        reading.own_keys[block], reading.own_values[block] = own_keys, own_values
        there = np.einsum("nhc,phc->nhp", query, reading.keys[block])
        here = np.einsum("nhc,nthc->nht", query, own_keys)
        weight = _softmax(np.concatenate([there, here], axis=-1) * _scale(self.config))
        split = len(reading.prompt)
        attended = np.einsum("nhp,phc->nhc", weight[..., :split], reading.values[block])
        attended += np.einsum("nht,nthc->nhc", weight[..., split:], own_values)
        return self._finish(block, x, attended)

    def _embed(self, prompt: PromptFeatures) -> Array:
        ends = [*prompt.offsets[1:], len(prompt.pieces)]
        rows = self._pieces[prompt.pieces].astype(np.float32)
        words = [
            rows[start:end].sum(axis=0) for start, end in zip(prompt.offsets, ends, strict=True)
        ]
        x = np.array(words, np.float32).reshape(len(words), self.config.width)
        for column, table in enumerate(TABLES[:-1]):
            x = x + self._w[f"{table}.weight"][prompt.traits[:, column]]
        return self._norm("prompt_norm", x)

    def _embed_tokens(self, reading: Reading, tokens: Array) -> Array:
        symbols = self.config.symbols
        x = self._w["symbols.weight"][np.minimum(tokens, symbols - 1)]
        points = tokens >= symbols
        if points.any():
            there = reading.prompt[tokens[points] - symbols]
            x = x.copy()
            x[points] = there @ self._w["from_place.weight"] + self._w["from_place.bias"]
        return self._norm("program_norm", x)

    def _heads(self, block: int, x: Array, turn: tuple[Array, Array]) -> tuple[Array, ...]:
        normed = self._norm(f"blocks.{block}.attention_norm", x)
        mixed = normed @ self._w[f"blocks.{block}.to_query_key_value.weight"]
        query, key, value = mixed.reshape(len(x), 3, self.config.heads, -1).swapaxes(0, 1)
        return _rotate(query, turn), _rotate(key, turn), value

    def _finish(self, block: int, x: Array, attended: Array) -> Array:
        name = f"blocks.{block}"
        x = x + attended.reshape(len(x), -1) @ self._w[f"{name}.to_update.weight"]
        normed = self._norm(f"{name}.hidden_norm", x)
        both = normed @ self._w[f"{name}.to_gate_and_value.weight"]
        gate, up = both[:, : self.config.hidden], both[:, self.config.hidden :]
        gate = gate / (1 + np.exp(np.minimum(-gate, STEEPEST)))
        return x + (gate * up) @ self._w[f"{name}.from_hidden.weight"]

    def _norm(self, name: str, x: Array) -> Array:
        squares = np.einsum("nd,nd->n", x, x)[:, None]
        size = np.sqrt(squares / x.shape[1] + EPSILON)
        return x / size * self._w[f"{name}.weight"]


def _ready(name: str, weight: Array) -> Array:
    """A weight in float32; a matrix lies the way that a few rows are fastest multiplied by."""
    weight = np.asarray(weight, np.float32)
    is_table = name.partition(".")[0] in TABLES
    return weight if weight.ndim == 1 or is_table else np.ascontiguousarray(weight.T)


def _scale(config: PromptConfig) -> float:
    return (config.width // config.heads) ** -0.5


def _softmax(x: Array) -> Array:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def _rotation(position: Array, config: PromptConfig) -> tuple[Array, Array]:
    half = config.width // config.heads // 2
    speed = ROTARY_BASE ** (-np.arange(half, dtype=np.float32) / half)
    angle = position[:, None, None].astype(np.float32) * speed
    return np.cos(angle), np.sin(angle)


def _rotate(x: Array, turn: tuple[Array, Array]) -> Array:
    cosine, sine = turn
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return np.concatenate(
        [first * cosine - second * sine, first * sine + second * cosine], axis=-1
    )
