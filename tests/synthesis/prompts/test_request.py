"""What a prompt asks for while it is written."""

from __future__ import annotations

import pytest

from medprompt_cli.synthesis.prompts.asked import Asked
from medprompt_cli.synthesis.prompts.request import RedrawError, Request, merge, only


def test_directives_add_up():
    request = Request(targets=["left-hippocampus", "csf"])
    for directive in ("volume", "count", "compares=visits", "filter=size:>5mm", "image=ct"):
        request.direct(directive)

    assert request.asked() == Asked(
        targets=("left-hippocampus", "csf"),
        quantities=("count", "volume"),
        compares="visits",
        filters=("size:>5mm",),
        images=("ct",),
        visits="first-last",
    )


def test_order_can_be_the_other_way_round():
    request = Request(targets=["brain", "thalamus"])
    request.direct("order=reversed")

    assert request.asked().targets == ("thalamus", "brain")


def test_what_became_of_a_lesion_needs_two_visits():
    request = Request(targets=["lesion"])
    request.limit("enlarging")

    assert (request.asked().compares, request.asked().visits) == ("visits", "first-last")


@pytest.mark.parametrize(
    "directives",
    [
        ("compares=sides", "compares=visits"),
        ("visits=first", "visits=last"),
        ("filter=side:left", "filter=side:right"),
        ("filter=rank:largest", "filter=rank:smallest"),
        ("filter=enlarging", "compares=sides"),
    ],
)
def test_contradictions_are_drawn_again(directives):
    request = Request()
    request.direct(directives[0])

    with pytest.raises(RedrawError):
        request.direct(directives[1])


@pytest.mark.parametrize("directive", ["volumes", "compares=all", "image=xray", "", "visits="])
def test_a_directive_that_says_nothing_is_an_error(directive):
    with pytest.raises(ValueError, match="is no directive") as caught:
        Request().direct(directive)

    assert str(caught.value) == f"{directive!r} is no directive."


def test_density_is_of_ct():
    request = Request(targets=["tumor"], quantities=["density"], images=["FLAIR"])

    with pytest.raises(RedrawError):
        request.asked()


def test_a_request_without_target_is_none():
    with pytest.raises(RedrawError):
        Request(quantities=["volume"]).asked()


def test_several_requests_are_merged_side_by_side():
    one = Asked(("left-thalamus",), ("volume",), images=("T1w",))
    other = Asked(("lesion", "right-thalamus"), ("count",), filters=("size:>5mm",))

    assert merge([one, other]) == Asked(
        targets=("thalamus", "lesion"),
        quantities=("count", "volume"),
        filters=("size:>5mm",),
        images=("T1w",),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Asked(("lesion",), filters=("side:left",)), Asked(("cyst",), filters=("side:right",))),
        (Asked(("lesion",), visits="first"), Asked(("cyst",), visits="last")),
        (Asked(("thalamus",), compares="sides"), Asked(("cyst",), compares="visits")),
    ],
)
def test_requests_that_would_take_back_each_other_are_drawn_again(one, other):
    with pytest.raises(RedrawError):
        merge([one, other])


def test_only_keeps_what_was_wanted():
    assert only("none", "none", "sides") == "sides"
    assert only("sides", "none", "none") == "sides"
