"""Names of regions in a prompt: which, where, on which side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.planning.mentions import Slot, read_prompt
from medprompt_cli.planning.spelling import Speller, distance
from medprompt_cli.planning.vocabulary import TERMS, all_targets, find
from medprompt_cli.planning.words import read_words


def shown(prompt, ordinary=()):
    """Words as they are, slots as their canonical names in brackets."""
    return " ".join(
        f"[{'|'.join(token.names)}]" if isinstance(token, Slot) else token.text
        for token in read_prompt(prompt, ordinary)
    )


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("volume of the left hippocampus", "volume of the [left-hippocampus]"),
        ("both hippocampi", "[hippocampus]"),
        ("both of the hippocampi", "[hippocampus]"),
        ("bilateral thalami", "[thalamus]"),
        ("left and right thalamus", "[thalamus]"),
        ("both the left and the right thalamus", "[thalamus]"),
        ("L + R thalamus", "[thalamus]"),
        ("hippocampus (left) volume", "[left-hippocampus] volume"),
        ("the caudate on the right side", "the [right-caudate]"),
        ("hippocampus left and amygdala right", "[left-hippocampus] and [right-amygdala]"),
        ("left versus right hippocampus", "left versus [right-hippocampus]"),
        ("the thalamus right now", "the [thalamus] right now"),
        ("hippocampal volume left vs right", "[hippocampus] volume left vs right"),
        ("white matter lesion", "[white-matter-hyperintensity]"),
        ("white matter", "[white-matter]"),
        ("cerebral white matter", "[cerebral-white-matter]"),
        ("infarct lesions", "[infarct]"),
        ("3rd ventricle, ventricle 4", "[third-ventricle] , [fourth-ventricle]"),
        ("Heschl's gyrus", "[transverse-temporal]"),
        ("brainstem", "[brainstem]"),
        ("pituitary gland", "pituitary gland"),
        ("L hippocampus", "[left-hippocampus]"),
        ("left-basal-ganglia", "[left-basal-ganglia]"),
        ("stroke", "[infarct|hemorrhage]"),
        ("all structures except the caudate", "[everything] except the [caudate]"),
        ("segment all", "segment [everything]"),
        ("all lesions", "all [lesion]"),
        ("temporal lesions", "[temporal-lobe] [lesion]"),
        ("left frontal infarct", "[left-frontal-lobe] [infarct]"),
        ("temporal resolution", "temporal resolution"),
        ("좌측해마 부피", "[left-hippocampus] 부피"),
        ("왼쪽의 해마", "[left-hippocampus]"),
        ("좌측과 우측 해마", "[hippocampus]"),
        ("양측 해마와 편도체", "[hippocampus] 와 [amygdala]"),
        ("해마 우측", "[right-hippocampus]"),
        ("백질고신호 병변의 개수", "[white-matter-hyperintensity] 의 개수"),
        ("대뇌 백질", "[cerebral-white-matter]"),
        ("시상하부", "시상하부"),
        ("wmh를 분할", "[white-matter-hyperintensity] 를 분할"),
        ("모두 분할", "[everything] 분할"),
    ],
)
def test_names_become_slots(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("좌·우 피각", "[putamen]"),
        ("좌ㆍ우 피각", "[putamen]"),
        ("좌우 피각", "[putamen]"),
        ("좌, 우 해마", "[hippocampus]"),
        ("좌우측 해마", "[hippocampus]"),
        ("해마 (좌, 우)", "[hippocampus]"),
        ("좌측내후각 피질", "[left-entorhinal]"),
        ("Rt. hippocampus volume", "[right-hippocampus] volume"),
        ("Rt. amygdala. Lt. thalamus", "[right-amygdala] . [left-thalamus]"),
        ("R. amygdala & L. amygdala", "[right-amygdala] & [left-amygdala]"),
        ("hippocampus, L.", "[left-hippocampus]"),
        ("HC R vol", "[right-hippocampus] vol"),
        ("hippocampus_R volume", "[right-hippocampus] volume"),
        ("hippocampus_R amygdala_R", "[right-hippocampus] [right-amygdala]"),
        ("L hippocampus R amygdala", "[left-hippocampus] [right-amygdala]"),
        ("hippocampus R", "[right-hippocampus]"),
        ("R_hippocampus", "[right-hippocampus]"),
        ("L-HC", "[left-hippocampus]"),
        ("lh.hippocampus", "[left-hippocampus]"),
        ("(L) hippocampus", "[left-hippocampus]"),
        ("R해마", "[right-hippocampus]"),
        ("hippocampus (L/R)", "[hippocampus]"),
        ("hippocampi on both sides", "[hippocampus]"),
        ("hippocampus, right, and caudate, left", "[right-hippocampus] , and [left-caudate]"),
        ("left, right hippocampus", "[hippocampus]"),
        ("left-sided hippocampus", "[left-hippocampus]"),
        ("the left hemisphere's cortex", "the [left-cerebral-cortex]"),
    ],
)
def test_a_side_is_read_however_it_is_written(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a table for R of hippocampus volumes", "a table for r of [hippocampus] volumes"),
        ("plot the hippocampus in R", "plot the [hippocampus] in r"),
        ("hippocampus R script", "[hippocampus] r script"),
        ("export to R. Amygdala too", "export to r . [amygdala] too"),
        ("what is left of the hippocampus", "what is left of the [hippocampus]"),
        ("who left the hippocampus study", "who left the [hippocampus] study"),
        ("hippocampus both before and after", "[hippocampus] both before and after"),
        ("hippocampus R>L", "[hippocampus] r > l"),
        ("hippocampus L/R ratio", "[hippocampus] l / r ratio"),
        ("해마 좌우 차이", "[hippocampus] 좌우 차이"),
        ("patients met the criteria", "patients met the criteria"),
        ("brain mets", "[metastasis]"),
        ("non-enhancing tumor", "non enhancing [tumor]"),
        ("해마다 해마 부피", "해마다 [hippocampus] 부피"),
        ("뇌량의 두께", "뇌량 의 두께"),
    ],
)
def test_what_only_looks_like_a_side_or_a_name_stays_words(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("third and fourth ventricles", "[third-ventricle] and [fourth-ventricle]"),
        ("gray/white matter", "[gray-matter] / [white-matter]"),
        (
            "left frontal, parietal, and temporal lobes",
            "[left-frontal-lobe] , [parietal-lobe] , and [temporal-lobe]",
        ),
        ("superior and middle frontal gyri", "[superior-frontal] and [middle-frontal]"),
        ("cerebral and cerebellar cortex", "[cerebral-cortex] and [cerebellar-cortex]"),
        ("cortex and white matter", "[cerebral-cortex] and [white-matter]"),
        ("left and third ventricles", "left and [third-ventricle]"),
    ],
)
def test_names_of_a_list_share_their_last_words(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "all deep grey nuclei except the thalamus",
            "all [deep-gray-matter] except the [thalamus]",
        ),
        ("sub-cortical nuclei", "[deep-gray-matter]"),
        ("subcortical grey matter", "[deep-gray-matter]"),
        ("시상을 제외한 심부핵", "[thalamus] 을 제외한 [deep-gray-matter]"),
        ("LVs", "[lateral-ventricle]"),
        ("WM lesions", "[white-matter-hyperintensity]"),
        ("leucoaraiosis", "[white-matter-hyperintensity]"),
        ("intracerebral haematomas", "[hemorrhage]"),
        ("cerebral haemorrhage", "[hemorrhage]"),
        ("metastatic brain tumours", "[metastasis]"),
        ("post-operative cavities", "[resection-cavity]"),
        ("lateral ventricular volume", "[lateral-ventricle] volume"),
        ("left temporal cortex", "[left-temporal-lobe]"),
        ("stroke lesions", "[infarct|hemorrhage]"),
        ("3뇌실", "[third-ventricle]"),
        ("전이성 뇌종양", "[metastasis]"),
        ("기저 신경절하고 해마", "[basal-ganglia] 하고 [hippocampus]"),
    ],
)
def test_the_words_of_the_field_are_known(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    "prompt", ["both ", "frontal ", "frontal, ", "left and right ", "해마와"]
)
def test_a_prompt_without_end_is_read(prompt):
    assert read_prompt(prompt * 700)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("left lesions", "left [lesion]"),
        ("left-sided tumour", "left sided [tumor]"),
        ("left brainstem", "left [brainstem]"),
        ("lesions in the right hemisphere", "[lesion] in the right hemisphere"),
        ("lesions in the right parietal lobe", "[lesion] in the [right-parietal-lobe]"),
        ("both metastases", "both [metastasis]"),
        ("좌측 병변", "좌측 [lesion]"),
    ],
)
def test_a_side_beside_what_has_none_stays_a_word(prompt, expected):
    assert shown(prompt) == expected


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hipocampus", "hippocampus"),
        ("hippocampsu", "hippocampus"),
        ("hipocampsu", "hippocampus"),
        ("thalmus", "thalamus"),
        ("amigdala", "amygdala"),
        ("latral ventricle", "lateral-ventricle"),
        ("rigth caudate", "right-caudate"),
        ("white mater hyperintensties", "white-matter-hyperintensity"),
        ("tumuor", "tumor"),
    ],
)
def test_typing_errors_are_read_over(written, name):
    assert shown(written) == f"[{name}]"


@pytest.mark.parametrize(
    "word", ["light", "lesson", "section", "while", "train", "causal", "legions", "medical"]
)
def test_an_ordinary_word_is_not_corrected(word):
    assert shown(f"{word} volume") == f"{word} volume"


def test_words_said_to_be_ordinary_are_not_corrected():
    assert shown("thalmus") == "[thalamus]"
    assert shown("thalmus", {"thalmus"}) == "thalmus"


def test_of_two_words_equally_near_none_is_chosen():
    speller = Speller(["caudal", "causal"])

    assert speller.correct("cautal") is None
    assert speller.correct("cauda") == "caudal"


@pytest.mark.parametrize(
    ("first", "second", "errors"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xabc", 1)],
)
def test_distance_counts_single_errors(first, second, errors):
    assert distance(first, second, 3) == distance(second, first, 3) == errors


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 3))
def test_distance_is_symmetric_and_stops_at_its_limit(first, second, most):
    assert distance(first, second, most) == distance(second, first, most)
    assert distance(first, second, most) == min(distance(first, second, 9), most + 1)


@pytest.mark.parametrize("name", sorted({target.name for target in all_targets()}))
def test_every_canonical_name_is_found_as_written(name):
    assert shown(f"segment {name}") == f"segment [{name}]"


@pytest.mark.parametrize("name", TERMS)
def test_every_synonym_is_one_slot(name):
    term = find(name)
    for words in TERMS[name]:
        (token,) = read_prompt(words)

        assert isinstance(token, Slot), words
        assert token.kind == (term[0].kind if term else None)
        assert token.name == name


def test_a_slot_knows_where_it_was_written():
    prompt = "Volume of the  LEFT_hippocampus, please"
    (slot,) = [token for token in read_prompt(prompt) if isinstance(token, Slot)]

    assert prompt[slot.start : slot.end] == "LEFT_hippocampus"
    assert slot.side == "left"


@given(st.text(max_size=40))
def test_any_text_is_read_and_no_word_is_in_two_slots(prompt):
    words = read_words(prompt)
    covered = [
        at
        for token in read_prompt(prompt)
        for at in (range(token.first, token.last) if isinstance(token, Slot) else ())
    ]

    assert len(covered) == len(set(covered))
    assert all(at < len(words) for at in covered)
