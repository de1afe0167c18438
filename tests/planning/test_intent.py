"""An intent has one form, and holds nothing unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.filters import Filter, Size, fold_sides, parse_filter
from medprompt_cli.planning.intent import QUANTITIES, Intent, merge

FILTERS = [
    *("side:left", "lobe:right-parietal-lobe", "lobe:insula", "territory:mca-territory"),
    *("territory:vertebrobasilar-territory", "region:lateral-ventricle", "region:csf"),
    *("exclude:thalamus", "exclude:frontal-lobe", "signal:hypo", "size:>10mm3"),
    *("size:<=0.5mL", "size:>=5mm", "size:<1cm", "rank:largest", "rank:nearest"),
    *("new", "enlarging", "resolved", "enhancing", "diffusion-restricting"),
]


def refusal(make, *arguments, **fields):
    try:
        made = make(*arguments, **fields)
    except UsageError as error:
        return str(error), error.remedy
    return pytest.fail(f"{made} was made")


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_is_read_from_its_own_text(text):
    assert str(parse_filter(text)) == text


@given(
    sign=st.sampled_from(["<", "<=", ">", ">="]),
    millionths=st.integers(0, 10**15 - 1),
    unit=st.sampled_from(["mm3", "mL", "mm", "cm"]),
)
def test_a_size_survives_its_text(sign, millionths, unit):
    whole, part = divmod(millionths, 10**6)
    size = parse_filter(f"size:{sign}{whole}.{part:06}{unit}").size

    assert size == Size(sign, float(f"{whole}.{part:06}"), unit)
    assert parse_filter(f"size:{size}").size == size


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("side:top", "Filter 'side:top': 'top' is no side.", "Use one of left, right."),
        ("signal:dark", "Filter 'signal:dark': 'dark' is no signal.", None),
        ("rank:second", "Filter 'rank:second': 'second' is no rank.", None),
        ("fate:new", "Unknown filter 'fate:new'.", None),
        ("newer", "Unknown filter 'newer'.", None),
        ("colour:red", "Unknown filter 'colour:red'.", None),
        ("size:10mm3", "Filter 'size:10mm3' holds no size.", None),
        ("size:>-1mm3", "Filter 'size:>-1mm3' holds no size.", None),
        ("size:>1e9mm3", "Filter 'size:>1e9mm3' holds no size.", None),
        ("size:>1furlong", "Filter 'size:>1furlong' holds no size.", None),
        (
            "lobe:hippocampus",
            "Filter 'lobe:hippocampus': 'hippocampus' is a structure.",
            "Write 'region:hippocampus'.",
        ),
        (
            "region:left-mca-territory",
            "Filter 'region:left-mca-territory': 'left-mca-territory' is a territory.",
            "Write 'territory:left-mca-territory'.",
        ),
        (
            "region:hippocampi",
            "'hippocampi' is not a canonical name.",
            "Write 'hippocampus'.",
        ),
        (
            "exclude:hipocampus",
            "Unknown target 'hipocampus'.",
            "Use one of the nearest names: 'hippocampus'.",
        ),
    ],
)
def test_what_is_no_filter_is_refused(text, problem, remedy):
    said = refusal(parse_filter, text)

    assert said[0] == problem
    assert remedy in {None, said[1]}


def test_an_intent_has_one_form():
    one = Intent(
        targets=("right-hippocampus", "csf", "left-hippocampus", "csf"),
        quantities=("volume", "count", "volume"),
        filters=("size: > 10.0mm3", "lobe:left-insula", "lobe:right-insula", "new"),
        compares="visits",
        images=("T1w", "FLAIR", "T1w"),
        visits="all",
    )

    assert one == Intent(
        targets=("hippocampus", "csf"),
        quantities=("count", "volume"),
        filters=("lobe:insula", "new", "size:>10mm3"),
        compares="visits",
        images=("T1w", "FLAIR"),
        visits="all",
    )
    assert one.conditions[0] == Filter("lobe", "insula")
    assert (one.measures, one.comparisons) == (("count", "volume"), ())


def test_left_and_right_together_limit_nothing():
    assert Intent(("lesion",), filters=("side:left", "side:right")) == Intent(("lesion",))


def test_sides_are_folded():
    assert fold_sides(["left-insula", "csf", "insula"]) == ("insula", "csf")
    assert fold_sides(["left-insula", "right-thalamus"]) == ("left-insula", "right-thalamus")
    assert fold_sides(["left-basal-ganglia", "right-basal-ganglia"]) == ("basal-ganglia",)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"targets": ()}, "Nothing is named that could be looked at."),
        ({"targets": ("liver",)}, "Unknown target 'liver'."),
        ({"targets": ("HC",)}, "'HC' is not a canonical name."),
        ({"quantities": ("weight",)}, "Unknown quantity 'weight'."),
        ({"compares": "people"}, "Unknown comparison 'people'."),
        ({"images": ("T1",)}, "Unknown image suffix 'T1'."),
        ({"visits": "second"}, "Unknown choice of visits 'second'."),
        ({"filters": ("big",)}, "Unknown filter 'big'."),
    ],
)
def test_what_is_unknown_is_refused(fields, problem):
    assert refusal(Intent, **{"targets": ("lesion",), **fields})[0] == problem


def test_json_has_every_field():
    assert Intent(("csf",), ("volume",)).as_json() == {
        "targets": ["csf"],
        "quantities": ["volume"],
        "compares": "none",
        "filters": [],
        "images": [],
        "visits": "own",
    }


def test_the_quantities_are_those_of_the_contract():
    assert len(QUANTITIES) == 22
    assert list(QUANTITIES) == sorted(QUANTITIES)
    assert {"volume", "new-lesions", "fraction-of-icv", "presence"} <= set(QUANTITIES)


def test_several_requests_are_merged():
    merged = merge(
        [
            Intent(("left-hippocampus",), ("volume",)),
            Intent(("hippocampus",), ("asymmetry",), compares="sides"),
            Intent(("lesion",), (), "visits", ("new",), ("FLAIR",), "first-last"),
        ]
    )

    assert merged == Intent(
        ("hippocampus", "lesion"),
        ("asymmetry", "volume"),
        "visits",
        ("new",),
        ("FLAIR",),
        "first-last",
    )


@pytest.mark.parametrize(
    ("chosen", "merged"),
    [
        (("own",), "own"),
        (("own", "last"), "last"),
        (("first", "last"), "first-last"),
        (("first-last", "last"), "first-last"),
        (("all", "first"), "all"),
    ],
)
def test_visits_are_merged(chosen, merged):
    assert merge([Intent(("csf",), visits=visits) for visits in chosen]).visits == merged
