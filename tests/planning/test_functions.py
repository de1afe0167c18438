"""The table of functions holds together; numbers keep their dimensions."""

from __future__ import annotations

import itertools
import keyword

import pytest

from medprompt_cli.planning.functions import (
    FUNCTIONS,
    LITERALS,
    STATEMENTS,
    WORDS,
    Parameter,
    Result,
    TextKind,
    Type,
)
from medprompt_cli.planning.units import UNITS, Dimension, combined, common
from medprompt_cli.planning.vocabulary import find


def test_the_language_has_the_functions_of_the_design():
    groups = {}
    for function in FUNCTIONS.values():
        groups.setdefault(function.group, set()).add(function.name)

    assert groups == {
        "choose": {"image", "visits", "first", "last"},
        "see": {"segment"},
        "combine": {"union", "intersect", "subtract", "within", "side", "rim"},
        "instances": {"instances", "largest", "smallest", "nearest", "where"},
        "measure": {
            *("volume", "count", "max_diameter", "bidimensional", "width", "surface_area"),
            *("mean", "std", "percentile", "density", "centroid", "distance"),
        },
        "relate": {
            *("asymmetry", "ratio", "fraction_of_icv", "difference", "change"),
            *("percent_change", "annualised_change"),
        },
        "characterize": {
            *("signal", "lobe", "territory", "fate", "enhances", "restricts_diffusion"),
            *("presence", "is_present"),
        },
        "answer": {"save", "read", "answer"},
    }
    assert set(STATEMENTS) == groups["answer"]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_row_of_the_table_is_complete(function):
    optional = [parameter.default is not None for parameter in function.parameters]

    assert optional == sorted(optional)
    assert function.required == optional.count(False)
    assert function.meaning.endswith(".")
    assert function.signature.startswith(f"{function.name}(")
    assert len({p.name for p in function.parameters}) == len(function.parameters)
    assert function.result is None or function.result.words in {None, *WORDS}


def test_a_signature_is_read_as_it_is_written():
    image, where, rim = FUNCTIONS["image"], FUNCTIONS["where"], FUNCTIONS["rim"]

    assert image.parameters == (
        Parameter("suffix", (Type.TEXT,), TextKind.SUFFIX, default="any"),
        Parameter("visit", (Type.VISIT,), default="the case's own"),
    )
    assert where.parameters[1] == Parameter("condition", (Type.TRUTH,), about_it=True)
    assert rim.parameters[1].dimensions == (Dimension.LENGTH,)
    assert FUNCTIONS["percentile"].parameters[2].dimensions == ("percent", "bare")
    assert FUNCTIONS["within"].result == Result(None)
    assert FUNCTIONS["change"].result == Result(Type.NUMBER)
    assert FUNCTIONS["volume"].result == Result(Type.NUMBER, Dimension.VOLUME)
    assert FUNCTIONS["fate"].result == Result(Type.TEXT, words="fate")
    assert FUNCTIONS["fate"].visits == 2
    assert FUNCTIONS["density"].suffix == "ct"


def test_no_word_of_the_language_is_another_or_a_word_of_python():
    words = [*FUNCTIONS, *UNITS, "it"]

    assert len(words) == len(set(words))
    assert not any(keyword.iskeyword(word) for word in words)


def test_lists_of_texts_hold_canonical_names():
    assert all(find(name) for name in LITERALS[TextKind.TARGET])
    assert {"hippocampus", "left-hippocampus", "lesion"} <= set(LITERALS[TextKind.TARGET])
    assert {"insula", "left-insula", "right-insula"} <= set(WORDS["lobe"])
    assert "vertebrobasilar-territory" in WORDS["territory"]


def test_units_of_a_dimension_start_with_their_measure():
    first = {}
    for unit in UNITS.values():
        assert first.setdefault(unit.dimension, unit).factor == 1
        assert unit.factor >= 1
    assert UNITS["mL"].factor == UNITS["cm"].factor ** 3


@pytest.mark.parametrize("pair", list(itertools.product(Dimension, repeat=2)))
def test_dimensions_are_combined_alike_from_both_sides(pair):
    left, right = pair

    assert common(left, right) == common(right, left)
    assert combined("+", left, right) == combined("-", left, right) == common(left, right)
    assert combined("*", left, right) == combined("*", right, left)


@pytest.mark.parametrize(
    ("left", "operator", "right", "result"),
    [
        ("volume", "/", "volume", "ratio"),
        ("volume", "*", "bare", "volume"),
        ("bare", "*", "volume", "volume"),
        ("volume", "*", "volume", None),
        ("volume", "/", "area", "length"),
        ("volume", "/", "length", "area"),
        ("area", "/", "length", "length"),
        ("length", "*", "length", "area"),
        ("length", "*", "area", "volume"),
        ("length", "/", "volume", None),
        ("percent", "/", "time", "rate"),
        ("rate", "*", "time", "percent"),
        ("volume", "/", "count", "volume"),
        ("count", "/", "count", "ratio"),
        ("count", "/", "bare", "ratio"),
        ("count", "*", "bare", "count"),
        ("count", "*", "ratio", "ratio"),
        ("bare", "/", "bare", "bare"),
        ("bare", "*", "bare", "bare"),
        ("bare", "/", "volume", None),
        ("volume", "+", "bare", None),
        ("count", "+", "bare", "count"),
        ("intensity", "-", "bare", "intensity"),
        ("density", "+", "bare", None),
        ("percent", "+", "ratio", None),
        ("percent", "*", "volume", None),
    ],
)
def test_dimensions_of_sums_and_products(left, operator, right, result):
    assert combined(operator, Dimension(left), Dimension(right)) == result
