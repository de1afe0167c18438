"""A program that is checked means something; one that does not is refused with a reason."""

from __future__ import annotations

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import Needs, check, names_in
from medprompt_cli.planning.functions import FUNCTIONS, Type
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.tree import Call, Do, Name, Program

START = """\
scan = image(visit=last(visits()))
flair = image("FLAIR", last(visits()))
t1 = image("T1w", first(visits()))
lesion = segment(scan, "lesion")
csf = segment(scan, "csf")
old = segment(t1, "lesion")
parts = instances(lesion)
size = volume(lesion)
"""
LINE = START.count("\n") + 1


def needs(text, **options):
    return check(parse(text), **options)


def refusal(text, **options):
    try:
        found = needs(text, **options)
    except UsageError as error:
        return str(error), error.remedy
    return pytest.fail(f"{text!r} was found to need {found}")


MEANINGFUL = [
    "read(size)",
    "read(size / volume(csf) > 0.5)",
    "read((size + 2 * mL) * 2 < surface_area(csf) * (3 * mm))",
    "read(count(parts) > 3)",
    "read(count(visits()) >= 2)",
    "read(mean(scan, lesion) > 100)",
    "read(percentile(scan, lesion, 95))",
    "read(percentile(scan, lesion, 95 * percent))",
    "read(lobe(largest(parts)) == 'parietal-lobe')",
    "read(volume(parts))",
    "save(within(parts, csf), 'near-csf')",
    "save(largest(side(parts, 'left')), 'left')",
    "m = where(where(parts, volume(it) > 1 * mL), signal(it, flair) == 'hypo')\nsave(m, 'm')",
    "read(change(volume(old), size))",
    "read(annualised_change(volume(old), size, first(visits()), last(visits())))",
    "read(asymmetry(side(lesion, 'left'), side(lesion, 'right')))",
    "read(asymmetry(size, volume(csf)))",
    "read(fate(lesion, t1))",
    "both = [scan, flair]\nsave(segment(both, 'tumor'), 'tumor')",
    "if is_present(lesion): read(size)",
    "if size > 1 * mL:\n    n = 1 * mL\nelse:\n    n = size\nread(n)",
    "if size > 1 * mL:\n    save(csf, 'a')\nelse:\n    save(lesion, 'a')",
    "for v in visits():\n    n = volume(segment(image('T1w', v), 'csf'))\n    read(n)\nn = 1",
    "save(lesion, 'a')\nsave(old, 'a')",
    "answer('{size} in all; the rest is {size}, too')",
    "answer('병변이 없습니다.')",
]


@pytest.mark.parametrize("text", MEANINGFUL)
def test_a_program_with_meaning_is_not_refused(text):
    found = needs(f"{START}{text}\nread(size)")

    assert found.targets[:2] == ("lesion", "csf")


def test_every_function_can_be_called():
    called = {name for name in FUNCTIONS for text in (START, *MEANINGFUL) if f"{name}(" in text}
    more = [
        "read(volume(subtract(intersect(lesion, csf), union(lesion, csf))))",
        "read(volume(nearest(parts, csf)))\nread(volume(smallest(parts)))",
        "read(max_diameter(rim(lesion, 5 * mm)))\nread(bidimensional(lesion))",
        "read(width(csf))\nread(surface_area(csf))\nread(std(scan, csf))",
        "ct = image('ct')\nread(density(ct, segment(ct, 'hemorrhage')))",
        "read(centroid(lesion))\nread(distance(lesion, csf))\nread(ratio(size, size))",
        "read(fraction_of_icv(csf))\nread(difference(size, size))\nread(presence(csf))",
        "read(percent_change(volume(old), size))\nread(territory(lesion))",
        "read(enhances(lesion))\nread(restricts_diffusion(lesion))",
    ]
    for text in more:
        assert needs(START + text).targets
        called |= {name for name in FUNCTIONS if f"{name}(" in text}

    assert called == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("save(segment(image(), 'csf'), 'csf')", Needs(("csf",), (), 1)),
        (
            "m = segment([image('FLAIR'), image('T1w')], 'lesion')\nread(enhances(m))",
            Needs(("lesion",), ("FLAIR", "T1ce", "T1w"), 1),
        ),
        (
            "m = segment(image(), 'left-hippocampus')\nread(density(image(), m))",
            Needs(("left-hippocampus",), ("ct",), 1),
        ),
        (
            "a = image('T1w', first(visits()))\nb = image('T1w', last(visits()))\n"
            "read(volume(segment(a, 'csf')))\nread(volume(segment(b, 'csf')))",
            Needs(("csf",), ("T1w",), 2),
        ),
        (
            "for v in visits():\n    read(fate(segment(image(visit=v), 'tumor')))",
            Needs(("tumor",), (), 2),
        ),
        (
            "for v in visits():\n    read(volume(segment(image('PDw', v), 'tumor')))",
            Needs(("tumor",), ("PDw",), 1),
        ),
        (
            "a = image(visit=first(visits()))\nread(volume(segment(a, 'csf')))",
            Needs(("csf",), (), 1),
        ),
        (
            "m = segment(image(), 'tumor')\n"
            "if count(visits()) >= 2:\n"
            "    a = segment(image('FLAIR', first(visits())), 'edema')\n"
            "    b = segment(image('FLAIR', last(visits())), 'edema')\n"
            "    read(change(volume(a), volume(b)))\n"
            "    read(enhances(m))\n"
            "else:\n"
            "    answer('There is one visit only.')\n",
            Needs(("tumor", "edema"), (), 1),
        ),
    ],
)
def test_what_a_case_must_have(text, found):
    assert needs(text) == found


def test_a_program_has_to_answer_something():
    text = "x = volume(segment(image(), 'csf'))"

    assert refusal(text) == (
        "The program answers nothing.",
        "End it with save, read or answer.",
    )
    assert refusal("")[0] == "The program answers nothing."
    assert needs(text, whole=False) == Needs(("csf",), (), 1)


def test_an_error_of_a_program_that_was_not_written_has_no_line():
    bare = Program((Do(Call("read", (Name("x"),))),))

    with pytest.raises(UsageError, match=r"^'x' has no value here\.$"):
        check(bare)


def test_names_in_a_sentence():
    assert names_in("no name") == ()
    assert names_in("{a} {b_2}{a}") == ("a", "b_2")


def test_types_are_those_of_the_language():
    assert len(Type) == 9
