"""A program without meaning is refused: with the line, the text and what to write."""

from __future__ import annotations

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.functions import FUNCTIONS, LITERALS, TextKind
from medprompt_cli.planning.parser import parse

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


SUFFIXES = ", ".join(LITERALS[TextKind.SUFFIX])
SIGNATURE = {name: f"Write it as {f.signature}." for name, f in FUNCTIONS.items()}
TARGET = "Use one of the nearest names: 'hippocampus'."

REFUSED = [
    ("read(volume(leson))", "'leson' has no value here", "Write lesion."),
    ("read(volume(zzz))", "'zzz' has no value here", "Give it a value on a line before."),
    ("read(it)", "'it' stands outside of where", "Use it in the condition of where only."),
    ("lesion = 1", "'lesion' has a value already", "Choose another name."),
    ("for scan in visits(): read(size)", "'scan' has a value already", "Choose another name."),
    (
        "read(volume(scan))",
        "'scan' is an Image; volume takes a Mask as its mask",
        SIGNATURE["volume"],
    ),
    (
        "read(lesion)",
        "'lesion' is a Mask; read takes a Number or a Text or a Truth as its value",
        SIGNATURE["read"],
    ),
    (
        "read(scan)",
        "'scan' is an Image; read takes a Number or a Text or a Truth as its value",
        SIGNATURE["read"],
    ),
    (
        "m = largest(lesion)",
        "'lesion' is a Mask; largest takes Instances as its instances",
        SIGNATURE["largest"],
    ),
    (
        "m = count(lesion)",
        "'lesion' is a Mask; count takes Instances or Visits as its instances",
        SIGNATURE["count"],
    ),
    (
        "m = union(lesion, size)",
        "'size' is a Number of volume; union takes a Mask as its other",
        SIGNATURE["union"],
    ),
    (
        "m = rim(lesion, 5)",
        "'5' is a bare Number; rim takes a Number of length as its width",
        SIGNATURE["rim"],
    ),
    (
        "m = rim(lesion, 5 * mm3)",
        "'5 * mm3' is a Number of volume; rim takes a Number of length as its width",
        SIGNATURE["rim"],
    ),
    (
        "m = percentile(scan, lesion, 5 * mm)",
        "'5 * mm' is a Number of length; "
        "percentile takes a Number of percent or a bare Number as its rank",
        SIGNATURE["percentile"],
    ),
    (
        "m = segment(lesion, 'csf')",
        "'lesion' is a Mask; segment takes an Image or Images as its images",
        SIGNATURE["segment"],
    ),
    (
        "m = first(scan)",
        "'scan' is an Image; first takes Visits as its visits",
        SIGNATURE["first"],
    ),
    (
        "m = image('T1w', visits())",
        "'visits()' is Visits; image takes a Visit as its visit",
        SIGNATURE["image"],
    ),
    ("m = [lesion]", "'lesion' is a Mask; a list holds Images", "Use image()."),
    (
        "m = image('T1')",
        "'\"T1\"' is no suffix",
        f"Use one of {', '.join(LITERALS[TextKind.SUFFIX])}.",
    ),
    ("m = side(lesion, 'top')", "'\"top\"' is no side", "Use one of left, right."),
    (
        "where_to = signal(lesion)\nm = side(lesion, where_to)",
        "'where_to' stands where a side has to be written out",
        "Write it in quotes.",
    ),
    (
        "m = segment(scan, size)",
        "'size' stands where a target has to be written out",
        "Write it in quotes.",
    ),
    (
        "m = segment(scan, 1)",
        "'1' stands where a target has to be written out",
        "Write it in quotes.",
    ),
    ("m = segment(scan, 'hipocampus')", "Unknown target 'hipocampus'", TARGET),
    (
        "m = segment(scan, 'HC')",
        "'HC' is not a canonical name",
        "Write 'hippocampus'.",
    ),
    (
        "m = segment(scan, 'hippocampus, csf')",
        "'hippocampus, csf' is not a canonical name",
        "Write 'hippocampus' and 'csf'.",
    ),
    (
        "m = segment(scan, 'left-brainstem')",
        "'left-brainstem': brainstem is not divided into left and right",
        "Leave the side out: 'brainstem'.",
    ),
    (
        "m = segment(scan, '../../etc/passwd')",
        "Unknown target 'etc'",
        None,
    ),
    (
        "save(lesion, '../lesion')",
        "'\"../lesion\"' is no name for an output",
        "Use up to 64 lower-case letters, digits and hyphens.",
    ),
    (
        f"save(lesion, '{'x' * 65}')",
        f"'\"{'x' * 59}…' is no name for an output",
        "Use up to 64 lower-case letters, digits and hyphens.",
    ),
    (
        "save(lesion, 'a')\nsave(csf, 'a')",
        "'\"a\"' is the name of two masks",
        "Choose another name.",
    ),
    (
        "own = segment(image(), 'lesion')\nsave(own, 'a')\nsave(lesion, 'a')",
        "'\"a\"' is the name of two masks",
        "Choose another name.",
    ),
    (
        "if size > 1 * mL:\n    save(lesion, 'a')\nsave(csf, 'a')",
        "'\"a\"' is the name of two masks",
        "Choose another name.",
    ),
    (
        "read(size > 10 * mm)",
        "'size > 10 * mm' compares a volume with a length",
        "Write the other number in mm3.",
    ),
    (
        "read(size > 10)",
        "'size > 10' compares a volume with a bare number",
        "Write the other number in mm3.",
    ),
    (
        "read(count(parts) > 10 * mm)",
        "'count(parts) > 10 * mm' compares a count with a length",
        "Compare it with a bare number.",
    ),
    (
        "read(presence(lesion) > 50 * percent)",
        "'presence(lesion) > 50 * percent' compares a ratio with a percent",
        "Compare it with a bare number.",
    ),
    (
        "read(size > lesion)",
        "'size > lesion' compares a Number of volume with a Mask",
        "Compare two Numbers or two Texts.",
    ),
    (
        "read(signal(lesion) == 1)",
        "'signal(lesion) == 1' compares a Text with a bare Number",
        "Compare two Numbers or two Texts.",
    ),
    (
        "read(is_present(lesion) == is_present(csf))",
        "'is_present(lesion) == is_present(csf)' compares a Truth with a Truth",
        "Compare two Numbers or two Texts.",
    ),
    (
        "read(signal(lesion) < 'iso')",
        "'signal(lesion) < \"iso\"' orders two texts",
        "Use == or !=.",
    ),
    (
        "read(signal(lesion) == 'dark')",
        "'signal(lesion) == \"dark\"' can never be: 'dark' is no signal",
        "Use one of hyper, iso, hypo.",
    ),
    (
        "read('hippocampus' != territory(lesion))",
        "'\"hippocampus\" != territory(lesion)' can never be: 'hippocampus' is no territory",
        None,
    ),
    (
        "read(size + 1)",
        "'size + 1' is of a volume and a bare number",
        "Calculate with numbers that go together.",
    ),
    (
        "read(size * size)",
        "'size * size' is of a volume and a volume",
        "Calculate with numbers that go together.",
    ),
    (
        "read(size + lesion)",
        "'size + lesion' is of a Number of volume and a Mask",
        "Calculate with Numbers.",
    ),
    ("read('a' + 'b')", '\'"a" + "b"\' is of a Text and a Text', "Calculate with Numbers."),
    (
        "read(ratio(size, width(csf)))",
        "'ratio(size, width(csf))' is of a volume and a length",
        "Give it numbers of one dimension.",
    ),
    (
        "read(asymmetry(lesion, size))",
        "'asymmetry(lesion, size)' is of a Mask and a Number",
        "Give it two of one type.",
    ),
    (
        "m = where(parts, size > 10 * mm3)",
        "'size > 10 * mm3' does not speak of it",
        "Measure it: volume(it).",
    ),
    (
        "m = where(parts, volume(it))",
        "'volume(it)' is a Number of volume; where takes a Truth as its condition",
        SIGNATURE["where"],
    ),
    (
        "m = where(parts, count(where(instances(it), volume(it) > 1 * mm3)) > 1)",
        "'count(where(instances(it), volume(it) > 1 * mm3)) > 1' "
        "has a where inside the condition of a where",
        "Put where around where: where(where(...), ...).",
    ),
    ("if size: read(size)", "'size' is a Number of volume; if takes a Truth", None),
    (
        "if count(parts) - 1: read(size)",
        "'count(parts) - 1' is a Number of count; if takes a Truth",
        None,
    ),
    (
        "for v in visits():\n    for w in visits():\n        read(size)",
        "'for w in visits():' goes through the visits inside a loop over the visits",
        "Use one loop.",
    ),
    (
        "for v in visits():\n    n = volume(segment(image('T1w', v), 'csf'))\nread(n)",
        "'n' has no value here",
        "Give it a value on a line before.",
    ),
    ("if size > 1 * mL:\n    n = 1\nread(n)", "'n' has no value here", None),
    (
        "if size > 1 * mL:\n    n = 1\nelse:\n    n = size\nread(n)",
        "'n' has no value here",
        None,
    ),
    (
        "m = union(lesion, old)",
        "'union(lesion, old)' lays images or masks of two visits on each other",
        "Measure at each visit and compare the numbers, as in change(a, b).",
    ),
    (
        "read(mean(t1, lesion))",
        "'mean(t1, lesion)' lays images or masks of two visits on each other",
        "Measure at each visit and compare the numbers, as in change(a, b).",
    ),
    (
        "m = segment([scan, t1], 'csf')",
        "'[scan, t1]' lays images or masks of two visits on each other",
        None,
    ),
    (
        "read(change(size, volume(csf)))",
        "'change(size, volume(csf))' compares a visit with itself",
        "Measure once at each of two visits.",
    ),
    (
        "n = volume(old)\nv = last(visits())\nread(annualised_change(n, size, v, v))",
        "'annualised_change(n, size, v, v)' "
        "names another earlier visit than the one its number is of",
        "Name the visits that were measured.",
    ),
    (
        "read(density(flair, lesion))",
        "'density(flair, lesion)' needs an image of kind ct, not FLAIR",
        'Give it image("ct").',
    ),
    (
        "answer('It is {lesion}.')",
        "'\"It is {lesion}.\"' holds 'lesion', a Mask",
        "Put the name of a Number, a Text or a Truth there.",
    ),
    (
        "answer('It is {leson}.')",
        "'leson' has no value here",
        "Write lesion.",
    ),
    (
        "answer('It is {size.real}.')",
        "'\"It is {size.real}.\"' has a brace that holds no name",
        "Write one name in each pair of braces.",
    ),
    (
        "answer('{size!r:>999999999}')",
        "'\"{size!r:>999999999}\"' has a brace that holds no name",
        "Write one name in each pair of braces.",
    ),
    ("answer('{{size}}')", "'\"{{size}}\"' has a brace that holds no name", None),
    ("answer(size)", "'size' stands where a sentence has to be written out", None),
]


@pytest.mark.parametrize(("text", "why", "remedy"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_program_without_meaning_is_refused(text, why, remedy):
    problem, said = refusal(START + text)

    line, _, rest = problem.partition(": ")
    assert rest == f"{why}."
    assert LINE <= int(line.removeprefix("Line ")) <= LINE + text.count("\n")
    assert said == remedy or (remedy is None and said.endswith("."))
