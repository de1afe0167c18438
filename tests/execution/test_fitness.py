"""What cases lack for a program, said without reading an image."""

from __future__ import annotations

import pytest

from medprompt_cli.execution.case import Case
from medprompt_cli.execution.fitness import misfits
from medprompt_cli.execution.values import Image, Visit
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.intent import Intent

ONE, TWO = Visit("ses-1", 0), Visit("ses-2", 1)


def never():
    raise AssertionError("An image was read.")


def case(*scans):
    return Case.of("sub-01", [Image(suffix, visit, never, "x") for suffix, visit in scans])


def said(found):
    return [(misfit.case, misfit.reason) for misfit in found]


ON_FLAIR = compose(Intent(("tumor",), ("volume",), images=("FLAIR",)))
GROWTH = compose(Intent(("tumor",), ("change",), "visits", visits="first-last"))
ENHANCES = compose(Intent(("lesion",), ("enhancement",)))


@pytest.mark.parametrize(
    ("program", "scans", "reasons"),
    [
        (ON_FLAIR, [("FLAIR", ONE)], []),
        (
            ON_FLAIR,
            [("T1w", ONE), ("FLAIR", TWO)],
            [("sub-01 ses-1", "has no FLAIR at ses-1; there: T1w.")],
        ),
        (GROWTH, [("T1w", ONE), ("T1w", TWO)], []),
        (GROWTH, [("T1w", ONE)], [("sub-01", "has 1 visit; 2 are compared.")]),
        (ENHANCES, [("T1w", ONE), ("T1ce", ONE)], []),
        (ENHANCES, [("T1w", ONE)], [("sub-01 ses-1", "has no T1ce at ses-1; there: T1w.")]),
    ],
)
def test_what_a_case_lacks_is_named(program, scans, reasons):
    assert said(misfits(case(*scans), program)) == reasons


def test_images_of_the_first_and_the_last_visit_are_looked_for_there():
    growth = compose(
        Intent(("tumor",), ("change",), "visits", visits="first-last", images=("FLAIR",))
    )

    found = misfits(case(("FLAIR", ONE), ("T1w", TWO)), growth)

    assert said(found) == [("sub-01", "has no FLAIR at ses-2; there: T1w.")]
