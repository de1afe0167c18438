import pytest

from medprompt_cli.synthesis.instructions.known import (
    GATES,
    PLACES,
    Dropped,
    KnownImage,
    KnownLesion,
    Piece,
)
from medprompt_cli.synthesis.instructions.questions import Least, Question, questions

LEFT, RIGHT = "left-hemisphere", "right-hemisphere"


def piece(number, left, right, voxels=100, ml=0.8):
    return Piece(number, voxels, ml, {LEFT: left, RIGHT: right})


def image(*lesions, places=(LEFT, RIGHT), kind=None, without=None):
    known = tuple(KnownLesion(name, tuple(pieces), ("uri",)) for name, pieces in lesions)
    return KnownImage("c", "sub-01", None, ("i",), known, tuple(places), kind, without)


def asked(known, least=None):
    found = list(questions(known, least or Least()))
    there = {(q.form, q.target, q.place): q for q in found if isinstance(q, Question)}
    gone = {(d.what, d.target, d.place): d.gate for d in found if isinstance(d, Dropped)}
    return there, gone


def test_a_lesion_is_asked_for_everywhere_and_in_every_place():
    there, gone = asked(image(("tumor", [piece(1, "in", "out"), piece(2, "in", "out")])))

    assert there["global", "tumor", None].pieces == (1, 2)
    assert there["basic", "tumor", LEFT].pieces == (1, 2)
    assert there["basic", "tumor", LEFT].volume_ml == pytest.approx(1.6)
    assert there["basic", "tumor", RIGHT].pieces == ()
    assert there["basic", "tumor", RIGHT].elsewhere
    assert gone == {}


def test_what_is_nowhere_is_not_elsewhere():
    there, _ = asked(image(("tumor", [])))

    assert not there["global", "tumor", None].present
    assert not there["basic", "tumor", LEFT].elsewhere


def test_one_piece_that_is_unclear_leaves_the_place_out_and_no_other():
    there, gone = asked(
        image(("tumor", [piece(1, "in", "out"), piece(2, "place-unclear", "out")]))
    )

    assert ("basic", "tumor", LEFT) not in there
    assert gone == {("basic", "tumor", LEFT): "place-unclear"}
    assert not there["basic", "tumor", RIGHT].present
    assert there["global", "tumor", None].pieces == (1, 2)


def test_where_finding_and_labels_differ_nothing_is_asked_of_all():
    there, gone = asked(image(("tumor", [piece(1, "places-differ", "out")])))

    assert list(there) == [("basic", "tumor", RIGHT)]
    assert set(gone.values()) == {"places-differ"}
    assert set(gone) == {("global", "tumor", None), ("basic", "tumor", LEFT)}


@pytest.mark.parametrize(
    ("voxels", "ml", "dropped"),
    [(10, 0.1, False), (9, 0.1, True), (10, 0.02, False), (10, 0.014, True)],
)
def test_a_small_target_is_neither_there_nor_not(voxels, ml, dropped):
    there, gone = asked(image(("tumor", [piece(1, "in", "out", voxels, ml)])))

    assert (("global", "tumor", None) in gone) is dropped
    assert (("basic", "tumor", LEFT) in gone) is dropped
    assert set(gone.values()) <= {"too-small"}
    assert not there["basic", "tumor", RIGHT].present


def test_small_pieces_count_together():
    pieces = [piece(n, "in", "out", 4, 0.01) for n in (1, 2, 3)]
    there, _ = asked(image(("tumor", pieces)))

    assert there["basic", "tumor", LEFT].pieces == (1, 2, 3)


def test_without_anatomy_no_place_is_asked_for():
    there, gone = asked(image(("tumor", [Piece(1, 100, 0.8, {})]), places=()))

    assert list(there) == [("global", "tumor", None)]
    assert gone == {("basic", "tumor", None): "no-anatomy"}


def test_the_kind_is_inferred_from_the_lesion():
    known = image(("lesion", [piece(1, "in", "out")]), ("infarct", [piece(1, "in", "out")]))
    there, _ = asked(image(*((one.name, one.pieces) for one in known.lesions), kind="infarct"))

    found = there["lesion_inference", "infarct", None]
    assert (found.asked, found.pieces) == ("lesion", (1,))


def test_where_nothing_is_wrong_the_kind_is_that_there_is_none():
    there, _ = asked(image(("lesion", []), ("infarct", [])))

    assert not there["lesion_inference", "lesion", None].present


def test_that_one_lesion_is_absent_says_nothing_of_others():
    there, _ = asked(image(("infarct", [])))

    assert not [key for key in there if key[0] == "lesion_inference"]


def test_without_a_kind_the_reason_is_told():
    _, gone = asked(image(("lesion", [piece(1, "in", "out")]), without="no-kind"))

    assert gone["lesion_inference", "lesion", None] == "no-kind"


def test_every_gate_says_what_it_means():
    assert all(text and text[0].isupper() for text in GATES.values())
    assert len(PLACES) == len(set(PLACES)) == 2 + 12 + 9
