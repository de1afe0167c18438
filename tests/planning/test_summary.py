"""The same meaning gives the same intent, whoever wrote the program."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.functions import FUNCTIONS, TextKind, Type
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.summary import summarise
from medprompt_cli.planning.tree import (
    Call,
    Comparison,
    Do,
    ImageList,
    Name,
    Number,
    Program,
    Text,
)


def intent_of(text):
    return summarise(parse(text))


LESION = 'scan = image()\nlesion = segment(scan, "lesion")\nparts = instances(lesion)\n'
TWO = (
    'a = segment(image("FLAIR", first(visits())), "tumor")\n'
    'b = segment(image("FLAIR", last(visits())), "tumor")\n'
)
CHANGE = Intent(("tumor",), ("change",), "visits", images=("FLAIR",), visits="first-last")

SAID = [
    # Text is an argument of its own; so is what is nested or named.
    ("read(volume(segment(image(), 'csf')))", Intent(("csf",), ("volume",))),
    (
        "a = image()\nb = segment(a, 'csf')\nc = volume(b)\nanswer('It has {c}.')",
        Intent(("csf",), ("volume",)),
    ),
    # Both sides are the bare name, in whatever way they are put together.
    (
        "s = image()\na = segment(s, 'right-insula')\nb = segment(s, 'left-insula')\n"
        "read(volume(union(a, b)))",
        Intent(("insula",), ("volume",)),
    ),
    ("save(side(segment(image(), 'insula'), 'left'), 'x')", Intent(("left-insula",))),
    ("save(side(segment(image(), 'left-insula'), 'left'), 'x')", Intent(("left-insula",))),
    # Regions that only limit are filters.
    (
        f"{LESION}save(within(parts, segment(scan, 'left-insula')), 'x')",
        Intent(("lesion",), filters=("lobe:left-insula",)),
    ),
    (
        f"{LESION}save(where(parts, lobe(it) == 'left-insula'), 'x')",
        Intent(("lesion",), filters=("lobe:left-insula",)),
    ),
    (
        f"{LESION}save(where(parts, 'left-insula' == lobe(it)), 'x')",
        Intent(("lesion",), filters=("lobe:left-insula",)),
    ),
    (
        f"{LESION}save(within(lesion, segment(scan, 'mca-territory')), 'x')",
        Intent(("lesion",), filters=("territory:mca-territory",)),
    ),
    (
        f"{LESION}save(intersect(lesion, rim(segment(scan, 'csf'), 5 * mm)), 'x')",
        Intent(("lesion",), filters=("region:csf",)),
    ),
    # A bound may be named, and stand on either side.
    (
        f"{LESION}least = 10 * mm3\nsave(where(parts, least < volume(it)), 'x')",
        Intent(("lesion",), filters=("size:>10mm3",)),
    ),
    (
        f"{LESION}save(where(where(parts, max_diameter(it) >= 0.5 * cm), enhances(it)), 'x')",
        Intent(("lesion",), filters=("size:>=0.5cm", "enhancing")),
    ),
    # What no filter has a word for keeps its own words.
    (
        f"{LESION}save(where(parts, volume(it) == 1 * mL), 'x')",
        Intent(("lesion",), filters=("where:volume(it) == 1 * mL",)),
    ),
    (
        f"{LESION}save(where(parts, signal(it) != 'iso'), 'x')",
        Intent(("lesion",), filters=('where:signal(it) != "iso"',)),
    ),
    (
        f"{LESION}save(where(parts, volume(it) > 1e-7 * mL), 'x')",
        Intent(("lesion",), filters=("where:volume(it) > 1e-07 * mL",)),
    ),
    (
        f"{LESION}save(where(parts, is_present(it)), 'x')",
        Intent(("lesion",), filters=("where:is_present(it)",)),
    ),
    (
        f"{LESION}save(rim(lesion, 5 * mm), 'x')",
        Intent(("lesion",), filters=("where:rim(5 * mm)",)),
    ),
    # Comparisons, by function or by arithmetic.
    (
        "s = image()\na = volume(segment(s, 'left-insula'))\n"
        "b = volume(segment(s, 'right-insula'))\nread(a - b)",
        Intent(("insula",), ("difference",), "sides"),
    ),
    (
        "s = image()\na = volume(segment(s, 'left-insula'))\n"
        "b = volume(segment(s, 'right-insula'))\nread(a > b)",
        Intent(("insula",), ("volume",), "sides"),
    ),
    (
        "s = image()\na = segment(s, 'left-insula')\nb = segment(s, 'right-insula')\n"
        "read(asymmetry(volume(a), volume(b)))",
        Intent(("insula",), ("asymmetry",), "sides"),
    ),
    (
        "s = image()\nm = segment(s, 'tumor')\n"
        "read(asymmetry(surface_area(side(m, 'left')), surface_area(side(m, 'right'))))",
        Intent(("tumor",), ("asymmetry", "surface-area"), "sides"),
    ),
    (
        "s = image()\nread(volume(segment(s, 'csf')) / volume(segment(s, 'brain')))",
        Intent(("csf", "brain"), ("ratio",)),
    ),
    (
        "a = image('FLAIR')\nb = image('T1w')\nm = segment([a, b], 'tumor')\n"
        "read(ratio(mean(a, m), mean(b, m)))",
        Intent(("tumor",), ("mean-intensity", "ratio"), "images", images=("FLAIR", "T1w")),
    ),
    (f"{TWO}read(change(volume(a), volume(b)))", CHANGE),
    (f"{TWO}read(difference(volume(b), volume(a)))", CHANGE),
    (f"{TWO}read(volume(b) - volume(a))", CHANGE),
    (f"{TWO}x = volume(a)\ny = volume(b)\nread(y - x)", CHANGE),
    (
        f"{TWO}x = volume(a)\ny = volume(b)\nread(y - x)\nread(x)",
        Intent(("tumor",), ("change", "volume"), "visits", (), ("FLAIR",), "first-last"),
    ),
    (
        f"{TWO}read(fate(b))",
        CHANGE,
    ),
    # New lesions.
    (
        f"{LESION}read(count(where(parts, fate(it) == 'new')))",
        Intent(("lesion",), ("new-lesions",), "visits", visits="first-last"),
    ),
    (
        f"{LESION}n = where(parts, fate(it) == 'new')\nsave(n, 'x')\nread(volume(n))",
        Intent(("lesion",), ("volume",), "visits", ("new",), visits="first-last"),
    ),
    # Which visits.
    ("save(segment(image(visit=last(visits())), 'csf'), 'x')", Intent(("csf",), visits="last")),
    (
        "when = first(visits())\nread(volume(segment(image(visit=when), 'csf')))",
        Intent(("csf",), ("volume",), visits="first"),
    ),
    (
        "for v in visits():\n    read(count(instances(segment(image('ct', v), 'cyst'))))",
        Intent(("cyst",), ("count",), images=("ct",), visits="all"),
    ),
    # Branches: what is given out counts, what is only looked at does not.
    (
        "m = segment(image(), 'tumor')\n"
        "if is_present(m):\n    read(volume(m))\nelse:\n    answer('There is none.')",
        Intent(("tumor",), ("volume",)),
    ),
    (
        "m = segment(image(), 'tumor')\nif count(visits()) >= 2:\n"
        "    a = segment(image(visit=first(visits())), 'tumor')\n"
        "    b = segment(image(visit=last(visits())), 'tumor')\n"
        "    n = change(volume(a), volume(b))\n    read(n)\n"
        "else:\n    read(volume(m))",
        Intent(("tumor",), ("change", "volume"), "visits", visits="first-last"),
    ),
    (
        "s = image()\nm = segment(s, 'tumor')\n"
        "if volume(m) > 1 * mL:\n    x = largest(instances(m))\n"
        "else:\n    x = segment(s, 'edema')\nread(volume(x))",
        Intent(("edema", "tumor"), ("volume",), filters=("rank:largest",)),
    ),
    (
        "if count(visits()) > 1:\n    v = first(visits())\nelse:\n    v = last(visits())\n"
        "read(volume(segment(image(visit=v), 'csf')))",
        Intent(("csf",), ("volume",), visits="first-last"),
    ),
    # Functions that are one quantity, and functions that are none.
    (f"{LESION}read(presence(lesion))", Intent(("lesion",), ("presence",))),
    (f"{LESION}read(presence(lesion) > 0.5)", Intent(("lesion",), ("presence",))),
    (f"{LESION}read(std(scan, lesion))", Intent(("lesion",), ("mean-intensity",))),
    (f"{LESION}read(centroid(lesion))", Intent(("lesion",))),
    (
        f"{LESION}read(distance(lesion, segment(scan, 'csf')))",
        Intent(("csf", "lesion")),
    ),
    (f"{LESION}read(volume(lesion) * 2 + 1 * mL)", Intent(("lesion",), ("volume",))),
]


@pytest.mark.parametrize(("text", "intent"), SAID, ids=[text for text, _ in SAID])
def test_a_program_says_what_it_asks_for(text, intent):
    assert intent_of(text) == intent


def test_a_composed_program_and_a_written_one_say_the_same():
    written = f"{TWO}read(volume(b) - volume(a))"

    assert summarise(compose(CHANGE)) == intent_of(written)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("answer('Hello.')", "Nothing is named that could be looked at."),
        ("read(count(visits()))", "Nothing is named that could be looked at."),
        ("x = segment(image(), 'csf')", "Nothing is named that could be looked at."),
        ("read(volume(x))", "Line 1: 'x' has no value here."),
    ],
)
def test_a_program_about_nothing_is_refused(text, problem):
    with pytest.raises(UsageError, match=rf"^{re.escape(problem)}$"):
        intent_of(text)


PLAIN = {
    TextKind.TARGET: st.sampled_from(["lesion", "csf", "insula", "left-insula", "brain"]),
    TextKind.SUFFIX: st.sampled_from(["FLAIR", "T1w", "ct"]),
    TextKind.SIDE: st.sampled_from(["left", "right"]),
}
NUMBERS = {
    "length": Number(5.0, "mm"),
    "percent": Number(5.0, "percent"),
    "bare": Number(5.0),
}


@st.composite
def values(draw, type_, *, about_it=False, depth=3):
    """Any expression of a type, by the table of functions."""
    if type_ == Type.MASK and about_it and (depth <= 0 or draw(st.booleans())):
        return Name("it")
    if type_ == Type.TRUTH and draw(st.booleans()):
        left = draw(values(Type.NUMBER, about_it=about_it, depth=depth - 1))
        return Comparison(">", left, draw(st.sampled_from([left, *NUMBERS.values()])))
    least = {Type.MASK: "segment", Type.IMAGE: "image", Type.VISITS: "visits"}
    fitting = [
        function
        for function in FUNCTIONS.values()
        if function.result and (function.result.type or Type.MASK) == type_
        if depth > 0 or least.get(type_, function.name) == function.name
        if not (about_it and function.name == "where")
    ]
    function = draw(st.sampled_from(fitting))
    given = []
    for parameter in function.parameters:
        kind = draw(st.sampled_from(parameter.types))
        if parameter.default is not None and draw(st.booleans()):
            given.append(None)
        elif parameter.literal:
            given.append(Text(draw(PLAIN[parameter.literal])))
        elif parameter.dimensions:
            given.append(NUMBERS[parameter.dimensions[0]])
        elif kind == Type.IMAGES:
            one = values(Type.IMAGE, about_it=about_it, depth=depth - 1)
            given.append(ImageList(tuple(draw(st.lists(one, min_size=1, max_size=2)))))
        else:
            inside = about_it or parameter.about_it
            given.append(draw(values(kind, about_it=inside, depth=depth - 1)))
    return Call(function.name, tuple(given))


@st.composite
def lines(draw):
    if draw(st.booleans()):
        return Do(Call("save", (draw(values(Type.MASK)), Text("name"))))
    kind = draw(st.sampled_from([Type.NUMBER, Type.TEXT, Type.TRUTH]))
    return Do(Call("read", (draw(values(kind)),)))


@given(lines())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_every_program_with_meaning_says_something(line):
    program = Program((line,))
    try:
        needs = check(program)
    except UsageError:
        assume(False)
    assume(needs.targets)
    intent = summarise(program)

    assert intent.targets
    assert set(intent.images) <= {*needs.suffixes}
    assert parse(print_program(program)) == program
