"""Words to targets: everything named is found, everything else is refused."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medprompt_cli.domain import parcels
from medprompt_cli.domain.anatomy import BASE_NAMES, GROUPS, LESIONS, VISIBLE_LESIONS
from medprompt_cli.domain.parcels import PARCEL_KINDS, PARCEL_NAMES, REGIONS
from medprompt_cli.errors import UsageError
from medprompt_cli.language import synonyms
from medprompt_cli.language.wider import WIDER
from medprompt_cli.planning.phrases import SEPARATOR, normalise
from medprompt_cli.planning.vocabulary import TERMS, all_targets, find, resolve

TARGETS = all_targets()
WORDS = [(name, word) for name, words in TERMS.items() for word in words]


def names(*prompts):
    return [target.name for target in resolve(prompts)]


def refusal(*prompts):
    try:
        targets = resolve(prompts)
    except UsageError as error:
        return str(error), error.remedy
    return pytest.fail(f"{prompts} was understood as {targets}")


def test_the_vocabulary_has_every_word_of_the_domain():
    assert set(BASE_NAMES) | set(GROUPS) | set(LESIONS) <= {target.name for target in TARGETS}
    assert set(PARCEL_NAMES) <= {target.name for target in TARGETS}
    assert set(synonyms.GROUPS) == set(GROUPS)
    assert set(synonyms.LOBES) == set(parcels.LOBES)
    assert set(synonyms.PARCELS) == {*PARCEL_KINDS, *REGIONS} - {"insula"}
    assert set(synonyms.LESIONS) == set(LESIONS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_canonical_name_is_its_own_target(target):
    assert resolve([target.name]) == (target,)


@pytest.mark.parametrize(("name", "word"), WORDS)
def test_a_synonym_means_the_same_as_its_name(name, word):
    assert resolve([word]) == resolve([name])


def test_no_two_targets_share_a_word():
    owner = {}
    for name, words in TERMS.items():
        for word in dict.fromkeys(map(normalise, (name, *words))):
            assert owner.setdefault(word, name) == name
    special = [*map(normalise, synonyms.AMBIGUOUS), *map(normalise, synonyms.EVERYTHING)]
    assert not owner.keys() & {*special, *synonyms.SIDES}
    assert len(special) == len(set(special))


@pytest.mark.parametrize(("name", "word"), [*WORDS, *((name, name) for name in TERMS)])
def test_no_word_is_cut_by_the_list_or_taken_for_a_side(name, word):
    assert not SEPARATOR.search(word)
    assert not {*normalise(word).split()} & synonyms.SIDES.keys()


@given(
    target=st.sampled_from(TARGETS),
    blank=st.sampled_from([" ", "-", "_", "  ", "\t", " - "]),
    case=st.sampled_from([str.lower, str.upper, str.title, str.swapcase]),
    frame=st.sampled_from(["{}", " {} ", "the {}", "The {}.", '"{}"', "{}s", "({})", "{},"]),
)
def test_case_hyphens_blanks_articles_and_plurals_do_not_matter(target, blank, case, frame):
    if frame == "{}s" and target.name.endswith("s"):
        frame = "{}"
    said = frame.format(case(target.name.replace("-", blank)))

    assert resolve([said]) == (target,)


@given(
    term=st.sampled_from(["hippocampus", "cerebral-cortex", "temporal-lobe", "white-matter"]),
    side=st.sampled_from(["left", "right"]),
    frame=st.sampled_from(
        ["{side} {term}", "{term} {side}", "{term}, {term}", "{term} ({side})"]
    ),
)
def test_a_side_may_stand_before_or_after(term, side, frame):
    said = frame.format(side=side, term=term)
    expected = [f"{side}-{term}"] if "side" in frame else names(term)

    assert names(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        *("hippocampus", "Hippocampi", "both hippocampi", "bilateral HC", "hippo"),
        *("left and right hippocampus", "right & left hippocampus", "L/R hippocampus"),
        *("left hippocampus and right hippocampus", "the left and the right hippocampus"),
        *("hippocampus left and right", "all hippocampi", "all of the hippocampi"),
        *(
            "해마",
            "양측 해마",
            "양쪽해마",
            "왼쪽과 오른쪽 해마",
            "좌우 해마",
            "왼쪽 및 오른쪽 해마",
        ),
    ],
)
def test_a_name_without_side_means_both(said):
    assert sorted(names(said)) == ["left-hippocampus", "right-hippocampus"]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("lh cortex", "left-cerebral-cortex"),
        ("R amygdala", "right-amygdala"),
        ("Left-Thalamus-Proper", "left-thalamus"),
        ("Left-Inf-Lat-Vent", "left-inferior-lateral-ventricle"),
        ("Right-VentralDC", "right-ventral-diencephalon"),
        ("3rd-Ventricle", "third-ventricle"),
        ("Brain-Stem", "brainstem"),
        ("왼쪽 해마", "left-hippocampus"),
        ("좌측해마", "left-hippocampus"),
        ("오른쪽의 편도체", "right-amygdala"),
        ("우 시상", "right-thalamus"),
        ("뇌실", "ventricles"),
        ("종양", "tumor"),
        ("ventricle", "ventricles"),
        ("grey matter", "gray-matter"),
        ("haemorrhage", "hemorrhage"),
        ("WMHs", "white-matter-hyperintensity"),
        ("bilateral infarcts", "infarct"),
        ("left basal ganglia", "left-basal-ganglia"),
        ("right frontal lobe", "right-frontal-lobe"),
        ("left superior frontal gyrus", "left-superior-frontal"),
        ("R entorhinal cortex", "right-entorhinal"),
        ("lh precuneus", "left-precuneus"),
        ("Pars Opercularis (left)", "left-pars-opercularis"),
        ("left Heschl's gyrus", "left-transverse-temporal"),
        ("left insular cortex", "left-insula"),
        ("left cingulate gyrus", "left-cingulate"),
        ("왼쪽 상측두회", "left-superior-temporal"),
        ("우측 쐐기앞소엽", "right-precuneus"),
        ("소뇌 충부", "vermis"),
        ("\uff28ippocampus left", "left-hippocampus"),
        (unicodedata.normalize("NFD", "왼쪽 해마"), "left-hippocampus"),
    ],
)
def test_what_people_write(said, name):
    assert names(said) == [name]


def test_white_matter_is_a_group_and_cerebral_white_matter_a_pair():
    assert names("white matter") == ["white-matter"]
    assert names("cerebral white matter") == [
        "left-cerebral-white-matter",
        "right-cerebral-white-matter",
    ]


def test_a_list_is_cut_and_a_side_stays_with_its_name():
    assert names("left hippocampus, amygdala and ventricles") == [
        "left-hippocampus",
        "left-amygdala",
        "right-amygdala",
        "ventricles",
    ]
    assert names("hippocampus left, right amygdala") == ["left-hippocampus", "right-amygdala"]
    assert names("좌측 해마와 우측 편도체") == ["left-hippocampus", "right-amygdala"]


def test_every_target_comes_once_in_the_order_first_named():
    assert names("right hippocampus", "hippocampus", "csf, HC") == [
        "right-hippocampus",
        "left-hippocampus",
        "csf",
    ]


@pytest.mark.parametrize("said", ["all", "ALL", "all structures", "everything", "모두"])
def test_all_is_every_base_structure(said):
    targets = resolve([said])

    assert tuple(target.name for target in targets) == BASE_NAMES
    assert all(target.members == (target.name,) for target in targets)


def test_a_sided_group_holds_the_structures_of_its_side():
    (target,) = resolve(["left basal ganglia"])

    assert target.kind == "group"
    assert set(target.members) == {
        name for name in GROUPS["basal-ganglia"] if name.startswith("left-")
    }


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ms lesion", "lesion"),
        ("left mca territory", "territory"),
        ("vertebrobasilar territory", "territory"),
    ],
)
def test_what_the_bundled_weights_cannot_see_is_known_but_not_visible(said, kind):
    (target,) = resolve([said])

    assert (target.kind, target.members, target.visible) == (kind, (), False)


@pytest.mark.parametrize(
    ("said", "kind", "kinds"),
    [
        ("left temporal lobe", "lobe", parcels.LOBES["temporal-lobe"]),
        ("left insula", "lobe", ("insula",)),
        ("left precentral", "parcel", ("precentral",)),
        ("left middle frontal gyrus", "parcel", REGIONS["middle-frontal"]),
    ],
)
def test_lobes_and_regions_are_made_of_the_parcels_of_their_side(said, kind, kinds):
    (target,) = resolve([said])

    assert target.kind == kind
    assert sorted(target.members) == sorted(f"left-{name}" for name in kinds)


def test_a_parcel_is_made_of_itself():
    for name in PARCEL_NAMES:
        assert resolve([name])[0].members == (name,)


def test_the_vermis_has_no_sides():
    assert [target.members for target in resolve(["vermis"])] == [REGIONS["vermis"]]
    assert refusal("left vermis") == (
        "'left vermis': vermis is not divided into left and right.",
        "Leave the side out: 'vermis'.",
    )


@pytest.mark.parametrize("visible", [False, True])
def test_one_switch_shows_parcels_and_lobes(visible, monkeypatch):
    monkeypatch.setattr(parcels, "VISIBLE", visible)

    seen = {target.visible for target in all_targets() if target.kind in {"lobe", "parcel"}}

    assert seen == {visible}
    assert not any(t.visible for t in all_targets() if t.kind == "territory")


def test_of_lesions_those_are_visible_that_were_seen_on_real_scans():
    lesions = {target.name: target.visible for target in TARGETS if target.kind == "lesion"}

    assert {name for name, visible in lesions.items() if visible} == set(VISIBLE_LESIONS)
    assert set(VISIBLE_LESIONS) < set(lesions)


def test_there_are_more_than_a_hundred_targets():
    assert len({target.name for target in TARGETS}) == len(TARGETS) > 100


def test_structures_and_groups_are_visible_and_made_of_base_structures():
    for target in TARGETS:
        if target.kind in {"structure", "group"}:
            assert target.visible
            assert target.members
            assert set(target.members) <= set(BASE_NAMES)


def test_unknown_words_are_refused_with_the_nearest_names():
    assert refusal("ventrical") == (
        "Unknown target 'ventrical'.",
        "Use one of the nearest names: 'ventricles', 'third-ventricle' or 'fourth-ventricle'.",
    )
    assert refusal("Left Hipocampus") == (
        "Unknown target 'Left Hipocampus'.",
        "Use one of the nearest names: 'left-hippocampus'.",
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("pons", "brainstem"),
        ("GBM", "tumor"),
        ("left CA1", "left-hippocampus"),
        ("교종", "tumor"),
    ],
)
def test_a_region_that_is_part_of_another_is_answered_with_that(said, name):
    assert refusal(said)[1] == f"Use one of the nearest names: '{name}'."


def test_every_wider_region_is_in_the_vocabulary_and_no_narrower_one_is():
    for name, narrower in WIDER.items():
        assert find(name)
        for word in narrower:
            with pytest.raises(UsageError, match="Unknown target"):
                resolve([word])


def test_a_word_like_no_other_is_answered_with_examples():
    assert refusal("xyzzy") == (
        "Unknown target 'xyzzy'.",
        "Use a name of the vocabulary, such as 'left-hippocampus', 'ventricles' or 'all'.",
    )


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("hippocampus, livr", "livr"),
        ("segment the hippocampus", "segment the hippocampus"),
        ("hippocampus head", "hippocampus head"),
        ("hippocamp", "hippocamp"),
        ("left hippocampus right", "left hippocampus right"),
        ("left left hippocampus", "left left hippocampus"),
        ("gray and white matter", "gray"),
        ("좌측 손", "좌측 손"),
    ],
)
def test_no_word_is_dropped(said, word):
    assert refusal(said)[0] == f"Unknown target {word!r}."


@given(extra=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4))
def test_a_word_beside_a_name_is_never_ignored(extra):
    assume(extra.casefold() not in synonyms.SIDES)

    assert refusal(f"hippocampus {extra}")[0].startswith("Unknown target")


def test_ambiguous_words_are_given_back():
    assert refusal("stroke") == (
        "'stroke' can mean 'infarct' or 'hemorrhage'.",
        "Say which, or name them all.",
    )
    assert refusal("Left ventricle")[0] == (
        "'Left ventricle' can mean 'left-lateral-ventricle' or "
        "'left-inferior-lateral-ventricle'."
    )
    assert refusal("inferior parietal lobule")[0] == (
        "'inferior parietal lobule' can mean 'inferior-parietal' or 'supramarginal'."
    )


@pytest.mark.parametrize("meanings", synonyms.AMBIGUOUS.values(), ids=synonyms.AMBIGUOUS)
def test_what_an_ambiguous_word_offers_is_in_the_vocabulary(meanings):
    assert all(resolve([name]) for name in meanings)


def test_a_side_that_is_not_there_is_refused():
    assert refusal("left brainstem") == (
        "'left brainstem': brainstem is not divided into left and right.",
        "Leave the side out: 'brainstem'.",
    )
    assert refusal("both brainstems")[0].startswith("'both brainstems': brainstem")
    assert refusal("right tumor")[0].startswith("'right tumor': tumor")
    assert refusal("left ventricular system")[0].startswith(
        "'left ventricular system': ventricles"
    )


def test_a_side_alone_is_refused():
    assert refusal("left") == (
        "'left' names a side but no region.",
        "Name the region beside it, as in 'left hippocampus'.",
    )
    assert refusal("left and right")[0] == "'left and right' names a side but no region."


@pytest.mark.parametrize("said", ["", "  ", ",", "and", "...", "-"])
def test_an_empty_prompt_is_refused(said):
    assert refusal(said) == (
        f"The prompt {said!r} names no target.",
        "Name a region, such as 'left-hippocampus', 'ventricles' or 'all'.",
    )


def test_no_prompt_at_all_is_refused():
    assert refusal() == (
        "No target was named.",
        "Name a region, such as 'left-hippocampus', 'ventricles' or 'all'.",
    )


def test_synonyms_are_written_as_they_are_matched():
    odd = [word for _, word in WORDS if not re.fullmatch(r"[a-z0-9가-힣 ]+", word)]

    assert odd == []
