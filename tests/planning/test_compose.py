"""An intent has one program, and the program says the intent."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.language.synonyms import LESIONS, STRUCTURES
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.coherence import (
    can_be_halved,
    is_coherent,
    side_of,
    tidy,
)
from medprompt_cli.planning.compose import FUNCTION_OF, compose
from medprompt_cli.planning.filters import FATES, SIGNALS, TRAITS
from medprompt_cli.planning.functions import FUNCTIONS, LITERALS, WORDS, TextKind
from medprompt_cli.planning.intent import (
    CHANGES,
    IMAGES,
    MEASURES,
    QUANTITIES,
    TRAIT_QUANTITIES,
    Intent,
    merge,
)
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program
from medprompt_cli.planning.summary import summarise

TARGETS = LITERALS[TextKind.TARGET]
PLACES = [n for n in TARGETS if n not in WORDS["lobe"] and n not in WORDS["territory"]]
places = (
    st.sampled_from(WORDS["lobe"]).map("lobe:{}".format)
    | st.sampled_from(WORDS["territory"]).map("territory:{}".format)
    | st.sampled_from(PLACES).map("region:{}".format)
    | st.sampled_from(TARGETS).map("exclude:{}".format)
)
sizes = st.builds(
    "size:{}{}{}".format,
    st.sampled_from([">", ">=", "<", "<="]),
    st.sampled_from(["10", "0.5", "1.25", "100"]),
    st.sampled_from(["mm3", "mL", "mm", "cm"]),
)
others = sizes | st.sampled_from(
    [
        *(f"signal:{signal}" for signal in SIGNALS),
        *("side:left", "side:right", *TRAITS),
        *("rank:largest", "rank:smallest", "rank:nearest"),
    ]
)
measures = st.lists(st.sampled_from((*MEASURES, *TRAIT_QUANTITIES)), max_size=3)
images = st.lists(st.sampled_from([*IMAGES[:5], "T1ce", "ct"]), max_size=3, unique=True)
filters = st.lists(places, max_size=3) | st.lists(places | others, max_size=4)
sights = st.sampled_from(["own", "all", "first-last", "first", "last"])


def some(values, least=1, most=3):
    return st.lists(st.sampled_from(list(values)), min_size=least, max_size=most, unique=True)


@st.composite
def of_one_look(draw):
    targets, said = draw(some(TARGETS)), draw(measures)
    if len(targets) == 2 and draw(st.booleans()):
        said = [*said, draw(st.sampled_from(["ratio", "difference"]))]
    return Intent(
        tuple(targets),
        tuple(said),
        "none",
        tuple(draw(filters)),
        tuple(draw(images)),
        draw(sights),
    )


@st.composite
def of_sides(draw):
    targets = draw(some(filter(can_be_halved, TARGETS), most=2))
    said = [*draw(measures), *draw(some(["asymmetry", "ratio", "difference"]))]
    found = [f for f in draw(filters) if not f.startswith("side:")]
    return Intent(
        tuple(targets), tuple(said), "sides", tuple(found), tuple(draw(images)), draw(sights)
    )


@st.composite
def of_images(draw):
    said = [*draw(measures), *draw(some(["ratio", "difference"]))]
    return Intent(
        tuple(draw(some(TARGETS, most=2))),
        tuple(name for name in said if name != "density"),
        "images",
        tuple(draw(filters)),
        tuple(draw(some(IMAGES, least=2, most=2))),
        draw(sights),
    )


@st.composite
def of_visits(draw):
    visits = draw(st.sampled_from(["all", "first-last"]))
    if draw(st.booleans()):
        targets = draw(some(LESIONS, most=2))
        said = [*draw(measures), *draw(some(["new-lesions"], least=0))]
        fates = draw(some(FATES, least=0 if "new-lesions" in said else 1))
        said = [name for name in said if name != "count" or "new" not in fates]
    else:
        targets, fates = draw(some(TARGETS)), []
        said = [*draw(measures), *draw(some([*CHANGES, "ratio"]))]
        if all(name in LESIONS for name in targets):
            said += draw(some(["new-lesions"], least=0))
    found = [*draw(filters), *fates]
    return Intent(
        tuple(targets), tuple(said), "visits", tuple(found), tuple(draw(images)), visits
    )


def coherent(intent):
    """Take out what cannot go with the rest."""
    found, said = list(intent.filters), set(intent.quantities)
    if not all(side_of(n) is None and not can_be_halved(n) for n in intent.targets):
        found = [f for f in found if not f.startswith("side:")]
    found = [f for f in found if f.removeprefix("exclude:") not in intent.targets]
    ranks = [f for f in found if f.startswith("rank:")]
    near = any(f.startswith("region:") for f in found)
    keep = [f for f in ranks if near or f != "rank:nearest"][:1]
    found = [f for f in found if not f.startswith("rank:")] + keep
    if intent.images and "ct" not in intent.images:
        said -= {"density"}
    return Intent(
        intent.targets, tuple(said), intent.compares, tuple(found), intent.images, intent.visits
    )


intents = (
    (of_one_look() | of_sides() | of_images() | of_visits()).map(coherent).filter(is_coherent)
)


@given(intents)
def test_the_program_of_an_intent_says_the_intent(intent):
    program = compose(intent)

    assert summarise(program) == intent


@given(intents)
def test_the_program_of_an_intent_is_checked_and_printed(intent):
    program = compose(intent)

    assert set(intent.images) <= set(check(program).suffixes)
    assert parse(print_program(program)) == program


@given(st.lists(intents, min_size=2, max_size=3))
def test_a_program_of_several_requests_says_them_all(requests):
    try:
        program = compose(*requests)
    except UsageError:
        assume(False)

    assert summarise(program) == merge(requests)
    assert parse(print_program(program)) == program


def test_every_quantity_can_be_asked_for():
    assert set(FUNCTION_OF) == set(QUANTITIES) - {"new-lesions"}
    assert set(FUNCTION_OF.values()) <= set(FUNCTIONS)


def text_of(*intents):
    return print_program(compose(*intents)).splitlines()


def test_a_mask_that_is_asked_for_is_saved():
    assert text_of(Intent(("left-hippocampus",))) == [
        "scan = image()",
        'left_hippocampus = segment(scan, "left-hippocampus")',
        'save(left_hippocampus, "left-hippocampus")',
    ]


def test_a_measure_is_read_beside_its_mask():
    assert text_of(Intent(("tumor",), ("volume", "lobe"), images=("FLAIR", "T1w"))) == [
        'flair = image("FLAIR")',
        't1w = image("T1w")',
        'tumor = segment([flair, t1w], "tumor")',
        'save(tumor, "tumor")',
        "read(lobe(tumor))",
        "read(volume(tumor))",
    ]


def test_sides_are_segmented_each_and_compared():
    assert text_of(Intent(("hippocampus",), ("asymmetry",), "sides")) == [
        "scan = image()",
        'left_hippocampus = segment(scan, "left-hippocampus")',
        'right_hippocampus = segment(scan, "right-hippocampus")',
        'save(left_hippocampus, "left-hippocampus")',
        'save(right_hippocampus, "right-hippocampus")',
        "read(asymmetry(left_hippocampus, right_hippocampus))",
    ]


def test_a_mask_without_sides_is_cut_in_two():
    assert text_of(Intent(("tumor",), ("difference",), "sides"))[2:] == [
        'left_tumor = side(tumor, "left")',
        'right_tumor = side(tumor, "right")',
        'save(left_tumor, "left-tumor")',
        'save(right_tumor, "right-tumor")',
        "read(difference(volume(left_tumor), volume(right_tumor)))",
    ]


def test_two_visits_are_measured_and_compared():
    assert text_of(
        Intent(("tumor",), ("annualised-change",), "visits", visits="first-last")
    ) == [
        "first_scan = image(visit=first(visits()))",
        'first_tumor = segment(first_scan, "tumor")',
        'save(first_tumor, "tumor")',
        "last_scan = image(visit=last(visits()))",
        'last_tumor = segment(last_scan, "tumor")',
        'save(last_tumor, "tumor")',
        "read(annualised_change(volume(first_tumor), volume(last_tumor), "
        "first(visits()), last(visits())))",
    ]


def test_every_visit_is_compared_with_the_first():
    assert text_of(Intent(("csf",), ("percent-change",), "visits", visits="all")) == [
        "first_scan = image(visit=first(visits()))",
        'first_csf = segment(first_scan, "csf")',
        "for visit in visits():",
        "    scan = image(visit=visit)",
        '    csf = segment(scan, "csf")',
        '    save(csf, "csf")',
        "    read(percent_change(volume(first_csf), volume(csf)))",
    ]


def test_new_lesions_are_counted_and_only_saved_if_asked_for():
    counted = Intent(("lesion",), ("new-lesions",), "visits", visits="first-last")
    shown = Intent(("lesion",), (), "visits", ("new",), visits="first-last")

    assert text_of(counted)[2:] == [
        'last_lesion = segment(last_scan, "lesion")',
        'save(last_lesion, "lesion")',
        'read(count(where(instances(last_lesion), fate(it, first_scan) == "new")))',
    ]
    assert text_of(shown)[2:] == [
        'last_lesion = segment(last_scan, "lesion")',
        'last_new_lesion = where(instances(last_lesion), fate(it, first_scan) == "new")',
        'save(last_new_lesion, "new-lesion")',
    ]


def test_masks_of_one_program_have_names_of_their_own():
    text = text_of(
        Intent(("lesion",), visits="first"),
        Intent(("lesion",), ("change",), "visits", visits="first-last"),
        Intent(("lesion", "left-insula")),
        Intent(("left-insula",), visits="first"),
        Intent(("lesion",), filters=("size:>1mL",)),
        Intent(("lesion",), filters=("size:>2mL",)),
    )

    assert [line for line in text if line.startswith("save")] == [
        'save(first_lesion, "lesion")',
        'save(last_lesion, "lesion")',
        'save(lesion, "lesion-2")',
        'save(left_insula, "left-insula")',
        'save(first_left_insula, "first-left-insula")',
        'save(chosen_lesion, "chosen-lesion")',
        'save(chosen_lesion_2, "chosen-lesion-2")',
    ]


@pytest.mark.parametrize(
    ("filters", "mask"),
    [
        (("exclude:thalamus",), "subtract(lesion, thalamus)"),
        (("side:left",), 'side(instances(lesion), "left")'),
        (("region:csf",), "within(instances(lesion), csf)"),
        (
            ("lobe:right-insula",),
            'where(instances(lesion), lobe(it) == "right-insula")',
        ),
        (
            ("territory:mca-territory",),
            'where(instances(lesion), territory(it) == "mca-territory")',
        ),
        (("signal:hypo",), 'where(instances(lesion), signal(it) == "hypo")'),
        (("size:>10mm3",), "where(instances(lesion), volume(it) > 10 * mm3)"),
        (("size:<=0.5cm",), "where(instances(lesion), max_diameter(it) <= 0.5 * cm)"),
        (("enhancing",), "where(instances(lesion), enhances(it))"),
        (
            ("diffusion-restricting",),
            "where(instances(lesion), restricts_diffusion(it))",
        ),
        (("rank:largest",), "largest(instances(lesion))"),
        (("rank:nearest", "region:csf"), "nearest(instances(lesion), csf)"),
        (
            ("lobe:insula", "lobe:cingulate"),
            'instances(union(where(instances(lesion), lobe(it) == "cingulate"), '
            'where(instances(lesion), lobe(it) == "insula")))',
        ),
        (
            ("rank:smallest", "size:>1mL", "exclude:csf", "side:right"),
            'smallest(where(side(instances(subtract(lesion, csf)), "right"), '
            "volume(it) > 1 * mL))",
        ),
    ],
)
def test_a_filter_of_lesions_looks_at_instances(filters, mask):
    (line,) = [
        line
        for line in text_of(Intent(("lesion",), filters=filters))
        if "(" in line and "segment" not in line and "save" not in line and "image" not in line
    ]

    assert line.partition(" = ")[2] == mask


def test_a_filter_of_structures_cuts_the_mask():
    filters = ("lobe:frontal-lobe", "lobe:insula", "exclude:csf", "region:brain")

    assert text_of(Intent(("gray-matter",), filters=filters))[-2] == (
        "chosen_gray_matter = within(within(subtract(gray_matter, csf), brain), "
        "union(frontal_lobe, insula))"
    )


def test_requests_share_their_images_and_masks():
    assert text_of(
        Intent(("lesion",), ("volume",), visits="all"),
        Intent(("lesion",), ("count",)),
        Intent(("lesion",), filters=("rank:largest",)),
    ) == [
        "scan = image()",
        'lesion = segment(scan, "lesion")',
        'save(lesion, "lesion")',
        "read(count(instances(lesion)))",
        "largest_lesion = largest(instances(lesion))",
        'save(largest_lesion, "largest-lesion")',
        "for visit in visits():",
        "    visit_scan = image(visit=visit)",
        '    visit_lesion = segment(visit_scan, "lesion")',
        '    save(visit_lesion, "visit-lesion")',
        "    read(volume(visit_lesion))",
    ]


@given(intents)
def test_a_coherent_request_is_tidy(intent):
    assert tidy(intent) == intent


def test_what_takes_too_long_a_program_is_refused():
    everything = Intent(TARGETS, MEASURES)

    with pytest.raises(UsageError, match="takes more than 400 statements") as caught:
        compose(everything)
    assert caught.value.remedy == "Ask for less at once, in several prompts."


def test_all_base_structures_fit_into_one_program():
    every = Intent(
        tuple(STRUCTURES), ("volume", "surface-area", "change"), "visits", visits="first-last"
    )

    assert summarise(compose(every)) == every
