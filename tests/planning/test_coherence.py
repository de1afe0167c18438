"""What does not go together is refused, and put together where that is plain."""

from __future__ import annotations

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.coherence import is_coherent, tidy
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.summary import summarise

CONFLICTS = [
    ({"quantities": ("asymmetry",)}, "asymmetry is of two sides", "Compare sides."),
    ({"quantities": ("change",)}, "change is of two visits", "Compare visits."),
    ({"quantities": ("new-lesions",)}, "new-lesions is of two visits", "Compare visits."),
    (
        {"quantities": ("ratio",)},
        "ratio is of two",
        "Name two targets, or compare sides or images.",
    ),
    (
        {"quantities": ("density",), "images": ("T1w",)},
        "density is of CT, not of T1w",
        "Ask for it on ct.",
    ),
    (
        {"compares": "sides", "quantities": ("volume",)},
        "sides are compared by nothing",
        "Ask for asymmetry, difference or ratio.",
    ),
    (
        {"compares": "sides", "quantities": ("asymmetry",), "targets": ("brainstem",)},
        "brainstem is not divided into left and right",
        "Name what has two sides.",
    ),
    (
        {"compares": "sides", "quantities": ("asymmetry",), "targets": ("left-insula",)},
        "left-insula is not divided into left and right",
        "Name what has two sides.",
    ),
    (
        {"compares": "sides", "quantities": ("asymmetry",), "filters": ("side:left",)},
        "side:left leaves one side",
        "Compare both sides, or look at one.",
    ),
    (
        {"compares": "images", "images": ("FLAIR", "T1w")},
        "images are compared by nothing",
        "Ask for the difference or the ratio.",
    ),
    (
        {"compares": "images", "images": ("FLAIR",), "quantities": ("ratio",)},
        "images are compared in pairs",
        "Name two images.",
    ),
    (
        {"compares": "images", "images": ("ct", "T1w"), "quantities": ("ratio", "density")},
        "density is of CT alone",
        "Compare something else.",
    ),
    (
        {"compares": "visits", "quantities": ("change",)},
        "visits are compared but one is looked at",
        "Choose all or first-last.",
    ),
    (
        {"compares": "visits", "quantities": ("volume",), "visits": "all"},
        "visits are compared by nothing",
        "Ask for the change.",
    ),
    (
        {"compares": "visits", "quantities": ("change", "difference"), "visits": "all"},
        "a difference between visits is a change",
        "Ask for the change.",
    ),
    (
        {"compares": "visits", "visits": "all", "filters": ("new",), "quantities": ("count",)},
        "new ones that are counted are new-lesions",
        "Ask for new-lesions.",
    ),
    (
        {"compares": "visits", "visits": "all", "filters": ("new",), "quantities": ("change",)},
        "change needs both visits and new is of one",
        "Ask for one of them.",
    ),
    (
        {
            "compares": "visits",
            "visits": "all",
            "filters": ("enlarging",),
            "quantities": ("new-lesions",),
        },
        "new-lesions are new",
        "Leave the other fates out.",
    ),
    (
        {
            "compares": "visits",
            "visits": "all",
            "targets": ("csf",),
            "quantities": ("new-lesions",),
        },
        "new-lesions are lesions",
        "Name lesions only.",
    ),
    (
        {"compares": "visits", "visits": "all", "targets": ("csf",), "filters": ("new",)},
        "new is of lesions",
        "Name lesions only.",
    ),
    ({"filters": ("new",)}, "new is of two visits", "Compare visits."),
    (
        {"filters": ("rank:largest", "rank:smallest")},
        "rank:largest and rank:smallest are two answers",
        "Choose one.",
    ),
    ({"filters": ("rank:nearest",)}, "rank:nearest does not say to what", "Add a region."),
    (
        {"filters": ("exclude:lesion",)},
        "exclude:lesion is what is asked for",
        "Leave one of them out.",
    ),
    (
        {"filters": ("where:volume(it) == 1 * mm3",)},
        "where:volume(it) == 1 * mm3 has no words of its own",
        "Write the program by hand.",
    ),
    (
        {"targets": ("hippocampus", "lesion"), "filters": ("side:left",)},
        "side:left is part of the name",
        "Name 'left-hippocampus'.",
    ),
    (
        {"targets": ("right-hippocampus", "lesion"), "filters": ("side:left",)},
        "right-hippocampus is not on the left",
        "Choose one side.",
    ),
    (
        {"targets": ("left-hippocampus",), "filters": ("side:left",)},
        "side:left is part of every name",
        "Leave the filter out.",
    ),
]


@pytest.mark.parametrize(("fields", "why", "remedy"), CONFLICTS, ids=[c[1] for c in CONFLICTS])
def test_what_does_not_go_together_is_refused(fields, why, remedy):
    intent = Intent(**{"targets": ("lesion",), **fields})

    assert not is_coherent(intent)
    with pytest.raises(
        UsageError, match=r"^What is asked for does not go together: "
    ) as caught:
        compose(intent)
    assert str(caught.value).partition(": ")[2] == f"{why}."
    assert caught.value.remedy == remedy


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            Intent(("hippocampus",), filters=("side:left",)),
            Intent(("left-hippocampus",)),
        ),
        (
            Intent(("hippocampus", "lesion"), filters=("side:left",)),
            Intent(("left-hippocampus", "lesion"), filters=("side:left",)),
        ),
        (
            Intent(("lesion",), ("count",), "visits", ("new",), visits="all"),
            Intent(("lesion",), ("new-lesions",), "visits", ("new",), visits="all"),
        ),
        (
            Intent(("csf",), ("difference",), "visits", visits="all"),
            Intent(("csf",), ("change",), "visits", visits="all"),
        ),
    ],
)
def test_a_request_is_put_into_words_that_go_together(said, meant):
    assert not is_coherent(said)
    assert tidy(said) == meant
    assert summarise(compose(meant)) == meant
