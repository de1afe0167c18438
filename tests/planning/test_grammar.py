"""Whatever is decoded means something; what compose writes can be decoded."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.coherence import is_coherent, tidy
from medprompt_cli.planning.compose import compose
from medprompt_cli.planning.functions import FUNCTIONS, LITERALS, WORDS, TextKind
from medprompt_cli.planning.grammar import Walk, decode, encode, encode_span
from medprompt_cli.planning.grammar_symbols import (
    END,
    ID,
    SYMBOLS,
    VARIABLES,
    Places,
    places_of,
    read_as,
    variable_symbol,
)
from medprompt_cli.planning.grammar_wants import MOST_TOKENS, NotDerivableError
from medprompt_cli.planning.intent import COMPARES, IMAGES, QUANTITIES, VISITS, Intent
from medprompt_cli.planning.mentions import read_prompt
from medprompt_cli.planning.parser import parse
from medprompt_cli.planning.printer import print_program

PROMPTS = (
    "x",
    "",
    "volume of the left hippocampus > 10 mm3 and 5",
    "lesions in the right parietal lobe larger than 2 mL",
    "infarct in the mca territory, 3 mm, 20 %, 2 years, -5 HU, 30 days, 1e3",
    "all structures but the brainstem",
    "stroke",
    "좌측 해마 부피",
)


def walked(places, rng, most, ending):
    """Tokens of a random walk; `ending` is how likely it stops a block where it can."""
    walk = Walk(places, most=most)
    tokens = []
    while not walk.done:
        stops = ID[END] in walk.allowed and rng.random() < ending
        tokens.append(ID[END] if stops else rng.choice(walk.allowed))
        walk.take(tokens[-1])
    return walk, tokens


def means_something(walk, tokens, places, most):
    assert walk.program is not None, [SYMBOLS[t] if t < len(SYMBOLS) else t for t in tokens]
    assert len(tokens) <= most
    text = print_program(walk.program)
    parsed = parse(text)
    assert parsed == walk.program, text
    check(parsed)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(PROMPTS), st.randoms(use_true_random=False), st.integers(3, 120))
def test_every_walk_ends_in_a_program_that_parses_and_checks(prompt, rng, most):
    places = places_of(read_prompt(prompt))
    walk, tokens = walked(places, rng, most, rng.choice([0, 0.2, 0.6]))

    means_something(walk, tokens, places, most)


@settings(deadline=None, max_examples=20)
@given(st.text(max_size=60), st.randoms(use_true_random=False))
def test_the_prompt_does_not_matter(prompt, rng):
    places = places_of(read_prompt(prompt))
    walk, tokens = walked(places, rng, 40, 0.2)

    means_something(walk, tokens, places, 40)


@pytest.mark.slow
def test_ten_thousand_walks_end_in_programs_that_parse_and_check():
    rng = random.Random(11)
    places = [places_of(read_prompt(prompt)) for prompt in PROMPTS]
    seen = set()
    for n in range(10_000):
        most = rng.choice([3, 8, 16, 24, 32, 48, 80, MOST_TOKENS if n % 100 == 0 else 64])
        here = rng.choice(places)
        walk, tokens = walked(here, rng, most, rng.choice([0, 0.1, 0.3, 0.6]))
        means_something(walk, tokens, here, most)
        seen.update(tokens)

    assert {ID[name] for name in FUNCTIONS} <= seen


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(PROMPTS), st.randoms(use_true_random=False))
def test_the_same_tokens_make_the_same_program(prompt, rng):
    places = places_of(read_prompt(prompt))
    walk, tokens = walked(places, rng, 60, 0.3)

    assert decode(tokens, places, most=60) == walk.program


REQUESTS = [
    ("left hippocampus", Intent(("left-hippocampus",))),
    ("left hippocampus", Intent(("hippocampus",), ("volume",))),
    ("hippocampus", Intent(("right-hippocampus",), ("volume", "max-diameter"))),
    ("hippocampus", Intent(("hippocampus",), ("asymmetry",), "sides")),
    ("left hippocampus", Intent(("hippocampus",), ("difference",), "sides")),
    ("lesion 10 mm3", Intent(("lesion",), ("count",), filters=("size:>10mm3",))),
    ("lesion 5 mm", Intent(("lesion",), ("count",), filters=("size:<=5mm", "rank:largest"))),
    (
        "lesion right parietal lobe",
        Intent(("lesion",), ("volume",), filters=("lobe:right-parietal-lobe",)),
    ),
    (
        "infarct mca territory",
        Intent(
            ("infarct",), ("presence",), filters=("territory:mca-territory", "signal:hyper")
        ),
    ),
    (
        "lesion lateral ventricle",
        Intent(("lesion",), filters=("region:lateral-ventricle", "rank:nearest")),
    ),
    ("basal ganglia caudate", Intent(("basal-ganglia",), filters=("exclude:caudate",))),
    ("tumor", Intent(("tumor",), ("percent-change",), "visits", visits="first-last")),
    ("tumor", Intent(("tumor",), ("annualised-change",), "visits", visits="all")),
    ("lesion", Intent(("lesion",), ("new-lesions",), "visits", visits="first-last")),
    ("lesion", Intent(("lesion",), filters=("enlarging",), compares="visits", visits="all")),
    ("thalamus", Intent(("thalamus",), ("mean-intensity",), images=("FLAIR", "T1w"))),
    (
        "thalamus",
        Intent(("thalamus",), ("difference", "mean-intensity"), "images", (), ("FLAIR", "T1w")),
    ),
    ("csf brain", Intent(("csf", "brain"), ("ratio",))),
    ("brainstem", Intent(("brainstem",), ("volume",), visits="all")),
    ("hemorrhage", Intent(("hemorrhage",), ("density", "signal", "lobe", "territory"))),
    ("tumor", Intent(("tumor",), ("enhancement", "diffusion-restriction", "fraction-of-icv"))),
    ("anything new?", Intent(("lesion",), ("presence",))),
]


@pytest.mark.parametrize(("prompt", "intent"), REQUESTS)
def test_what_compose_writes_is_encoded_and_decoded_again(prompt, intent):
    program = compose(intent)
    places = places_of(read_prompt(prompt))

    tokens = encode(program, places)

    assert decode(tokens, places) == program


NAMES = LITERALS[TextKind.TARGET]
SIZES = ((10, "mm3"), (0.5, "mL"), (5, "mm"))
EVERY_PLACE = Places(
    {len(SYMBOLS) + n: name for n, name in enumerate(NAMES)},
    {len(SYMBOLS) + len(NAMES) + n: size for n, size in enumerate(SIZES)},
    len(NAMES) + len(SIZES),
)
"""A prompt that names everything there is."""

filters = st.sampled_from(
    [
        *(f"lobe:{name}" for name in WORDS["lobe"]),
        *(f"territory:{name}" for name in WORDS["territory"]),
        *("region:lateral-ventricle", "exclude:left-thalamus", "side:left", "signal:hypo"),
        *("size:>10mm3", "size:<=0.5mL", "size:>=5mm", "rank:largest", "rank:nearest"),
        *("new", "enlarging", "enhancing", "diffusion-restricting"),
    ]
)


@st.composite
def requests(draw):
    try:
        intent = Intent(
            tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))),
            tuple(draw(st.lists(st.sampled_from(QUANTITIES), max_size=3))),
            draw(st.sampled_from(COMPARES)),
            tuple(draw(st.lists(filters, max_size=3))),
            tuple(draw(st.lists(st.sampled_from(IMAGES), max_size=2, unique=True))),
            draw(st.sampled_from(VISITS)),
        )
        return tidy(intent)
    except UsageError:
        return Intent(("thalamus",))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(requests().filter(is_coherent))
def test_every_short_program_of_compose_is_encoded_and_decoded_again(intent):
    program = compose(intent)

    assert decode(encode(program, EVERY_PLACE), EVERY_PLACE) == program


def test_several_requests_are_one_program():
    intents = [Intent(("hippocampus",), ("volume",)), Intent(("lesion",), ("count",))]
    program = compose(*intents)
    places = places_of(read_prompt("hippocampus lesion"))

    assert decode(encode(program, places), places) == program


def test_a_region_that_is_not_in_the_prompt_cannot_be_encoded():
    places = places_of(read_prompt("volume of the thalamus"))

    with pytest.raises(NotDerivableError, match="does not say") as caught:
        encode(compose(Intent(("putamen",))), places)

    assert str(caught.value) == "The prompt does not say 'putamen'."


def test_a_number_that_is_not_in_the_prompt_cannot_be_encoded():
    places = places_of(read_prompt("lesions > 5 mm3"))

    with pytest.raises(NotDerivableError, match="does not say") as caught:
        encode(compose(Intent(("lesion",), filters=("size:>10mm3",))), places)

    assert str(caught.value) == "The prompt does not say 10 mm3."


def test_names_of_its_own_cannot_be_encoded():
    places = places_of(read_prompt("thalamus"))
    program = parse('mine = image()\nread(volume(segment(image(), "thalamus")))\n')

    with pytest.raises(NotDerivableError, match="names that no walk gives") as caught:
        encode(program, places)

    assert str(caught.value) == "The program has names that no walk gives."


def test_a_token_that_may_not_follow_is_not_taken():
    walk = Walk(places_of(read_prompt("thalamus")))

    with pytest.raises(ValueError, match="may not follow") as caught:
        walk.take(ID[END])

    assert str(caught.value) == f"Token {ID[END]} may not follow."


def test_tokens_that_stop_too_early_are_no_program():
    places = places_of(read_prompt("thalamus"))
    tokens = encode(compose(Intent(("thalamus",))), places)

    with pytest.raises(ValueError, match="stop before"):
        decode(tokens[:-1], places)


def test_a_span_is_words_in_order_without_regions():
    tokens = read_prompt("volume of the pituitary gland and the thalamus")
    places = places_of(tokens)
    walk = Walk(places, span=True)
    for token in encode_span(3, 5):
        walk.take(token)

    assert walk.done
    assert walk.span == (3, 5)
    assert len(SYMBOLS) + 7 not in places.numbers


def test_a_span_never_ends_before_it_begins():
    walk = Walk(places_of(read_prompt("a b c")), span=True)
    walk.take(ID["unknown"])
    walk.take(len(SYMBOLS) + 1)

    assert walk.allowed == (len(SYMBOLS) + 1, len(SYMBOLS) + 2)


@pytest.mark.parametrize(
    ("name", "reading", "meant"),
    [
        ("hippocampus", "as-said", "hippocampus"),
        ("hippocampus", "left-of", "left-hippocampus"),
        ("left-hippocampus", "right-of", "right-hippocampus"),
        ("left-hippocampus", "bare", "hippocampus"),
        ("hippocampus", "bare", None),
        ("left-hippocampus", "left-of", None),
        ("csf", "left-of", None),
        ("nonsense", "as-said", None),
    ],
)
def test_a_region_is_read_as_it_was_said_or_with_another_side(name, reading, meant):
    assert read_as(name, reading) == meant


def test_no_two_symbols_are_alike():
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    assert variable_symbol(VARIABLES - 1) in ID
