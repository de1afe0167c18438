"""Which rows a prompt keeps, and what masks as they are cannot tell."""

from __future__ import annotations

import pytest

from medprompt_cli.bids.schemas import MeasurementRow
from medprompt_cli.cohort.wanted import wanted_of
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.requests import of_program


def request(*arguments, **options):
    return of_program(compose(Intent(*arguments, **options)), ["x"])


def row(region, quantity):
    return MeasurementRow(
        participant_id="sub-01",
        session_id=None,
        case="sub-01_T1w",
        method="medprompt measure",
        version="1",
        source=None,
        region=region,
        quantity=quantity,
        value=1.0,
        unit="mL",
        status="measured",
    )


TABLE = [
    row("Left-Hippocampus", "volume"),
    row("left-hippocampus", "soft-volume"),
    row("left-hippocampus", "max-diameter"),
    row("hippocampus", "volume-asymmetry"),
    row("left-amygdala", "volume"),
]


def kept(wanted):
    return [(row.region, row.quantity) for row in wanted.among(TABLE, "x.nii.gz")]


def test_a_quantity_of_a_region_keeps_its_rows():
    assert kept(wanted_of(request(("left-hippocampus",), ("volume",)))) == [
        ("Left-Hippocampus", "volume"),
        ("left-hippocampus", "soft-volume"),
    ]


def test_a_name_alone_keeps_everything_about_it():
    assert kept(wanted_of(request(("left-amygdala",)))) == [("left-amygdala", "volume")]


def test_sides_set_against_each_other_keep_their_asymmetry():
    asked = request(("hippocampus",), ("asymmetry",), "sides")

    assert kept(wanted_of(asked)) == [("hippocampus", "volume-asymmetry")]


def test_a_region_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="holds none of") as caught:
        kept(wanted_of(request(("left-thalamus",))))
    assert str(caught.value) == (
        "x.nii.gz holds none of left-thalamus, thalamus; there: "
        "Left-Hippocampus, hippocampus, left-amygdala, left-hippocampus."
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (request(("tumor",), ("width",)), "width is nothing"),
        (request(("tumor",), ("volume",), filters=("size:>1mL",)), "Visits, images and cond"),
        (request(("tumor",), ("volume",), images=("FLAIR",)), "Visits, images and cond"),
    ],
)
def test_what_masks_as_they_are_cannot_tell_is_refused(asked, said):
    with pytest.raises(UsageError, match=said):
        wanted_of(asked)
