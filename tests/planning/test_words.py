"""Prompts as tokens: their form, their units, their place in what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.planning.korean import split_korean
from medprompt_cli.planning.words import read_words


def texts(prompt):
    return [word.text for word in read_words(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Volume of the LEFT hippocampus.", "volume|of|the|left|hippocampus"),
        ("Left_Lateral-Ventricle", "left|lateral|ventricle"),
        ("what's this?", "what|s|this|?"),
        ("L/R; a, b & c (d) e:f", "l|/|r|;|a|,|b|&|c|(|d|)|e|:|f"),
        ("first. Then second!", "first|.|then|second"),
        ("\u201cquoted\u201d 'words' [here]", "quoted|words|here"),
        ("\uff26\uff55ll \ufb01gure", "full|figure"),
        ("% change", "%|change"),
        ("Rt. side vs. Lt. side. Start.", "rt|side|vs|lt|side|.|start"),
        ("좌ㆍ우", "좌|·|우"),
        ("T1 and 3rd and 제3뇌실", "t1|and|3rd|and|제3뇌실"),
        ("", ""),
        (" .\n! ", ""),
    ],
)
def test_words_are_brought_to_one_form(prompt, expected):
    assert "|".join(texts(prompt)) == expected


@pytest.mark.parametrize(
    ("said", "value", "unit"),
    [
        ("10 mm3", 10, "mm3"),
        ("10mm³", 10, "mm3"),
        ("10 mm^3", 10, "mm3"),
        ("10 cubic millimetres", 10, "mm3"),
        ("ten cubic millimeters", 10, "mm3"),
        ("1,200 mm3", 1200, "mm3"),
        ("2 mL", 2, "mL"),
        ("2 cc", 2, "mL"),
        ("2㎖", 2, "mL"),
        ("1.5 cm³", 1.5, "mL"),
        ("half a millilitre", 0.5, "mL"),
        ("½ ml", 0.5, "mL"),
        ("1½ ml", 1.5, "mL"),
        ("3/4 ml", 0.75, "mL"),
        ("0,5 cm", 5, "mm"),
        ("5-mm", 5, "mm"),
        ("20%", 20, "percent"),
        ("20 per cent", 20, "percent"),
        ("-30 HU", -30, "HU"),
        ("30 Hounsfield units", 30, "HU"),
        ("4 mm2", 4, "mm2"),
        ("2 square centimetres", 2, "cm2"),
        ("2 yrs", 2, "year"),
        ("6 months", 6, "month"),
        ("3 weeks", 21, "day"),
        ("5밀리미터", 5, "mm"),
        ("3세제곱센티미터", 3, "mL"),
        ("10세제곱밀리미터", 10, "mm3"),
        ("20퍼센트", 20, "percent"),
        ("6개월", 6, "month"),
        ("7", 7, None),
        ("0.25", 0.25, None),
    ],
)
def test_a_number_is_one_token_with_its_unit(said, value, unit):
    for prompt in (said, f"larger than {said}, please", f"({said})"):
        (number,) = [word for word in read_words(prompt) if word.kind == "number"]

        assert (number.value, number.unit) == (value, unit)
        assert prompt[number.start : number.end] == said


@pytest.mark.parametrize(
    "said", ["T1", "1e9", "3rd", "2x", "제3뇌실", "3뇌실", "9" * 40, "one", "mm"]
)
def test_what_only_looks_like_a_number_is_words(said):
    assert {word.kind for word in read_words(said)} == {"word"}


def test_a_number_before_a_korean_particle_keeps_its_unit():
    words = read_words("10mm3보다 큰")

    assert [(w.text, w.kind) for w in words] == [
        ("10 mm3", "number"),
        ("보다", "word"),
        ("큰", "word"),
    ]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("좌측해마부피를", "좌측 해마 부피 를"),
        ("해마와편도체", "해마 와 편도체"),
        ("해마의", "해마 의"),
        ("뇌의", "뇌 의"),
        ("병변들이", "병변 들 이"),
        ("측정해줘", "측정 해줘"),
        ("우측두엽", "우 측두엽"),
        ("좌측측두엽", "좌측 측두엽"),
        ("두개내용적대비", "두개내용적 대비"),
        ("중대뇌동맥영역의", "중대뇌동맥영역 의"),
        ("flair영상에서", "flair 영상 에서"),
        ("wmh를", "wmh 를"),
        ("환자는", "환자 는"),
        ("시상하부의", "시상하부 의"),
        ("뇌하수체", "뇌하수체"),
        ("뇌전이", "뇌전이"),
        ("전이", "전이"),
        ("나이", "나이"),
        ("편도핵인지", "편도핵 인지"),
        ("수막종인가요", "수막종 인가요"),
        ("뇌종양입니까", "뇌종양 입니까"),
        ("종양이었나요", "종양 이었나요"),
        ("해마였던", "해마 였던"),
        ("해마만", "해마 만"),
        ("해마랑", "해마 랑"),
        ("해마나", "해마 나"),
        ("해마라도", "해마 라도"),
        ("해마조차", "해마 조차"),
        ("해마에서만", "해마 에서 만"),
        ("해마마다", "해마 마다"),
        ("해마다", "해마다"),
        ("종양있나요", "종양 있나요"),
        ("시상제외하고", "시상 제외하고"),
        ("신경절하고", "신경절 하고"),
        ("좌측내후각", "좌측 내후각"),
        ("좌측시상하부의", "좌측 시상하부 의"),
        ("뇌량", "뇌량"),
        ("얼마나", "얼마나"),
        ("정도", "정도"),
    ],
)
def test_korean_is_parted_where_it_is_safe(word, parts):
    assert split_korean(word) == parts.split()


@pytest.mark.parametrize(
    ("prompt", "joined"),
    [
        ("HC_L vol", "l"),
        ("L-HC", "hc"),
        ("lh.thalamus", "thalamus"),
        ("HC L", ""),
        ("좌해마", "해마"),
    ],
)
def test_a_word_knows_what_it_is_written_to(prompt, joined):
    assert [word.text for word in read_words(prompt) if word.joined] == joined.split()


def test_decomposed_letters_are_read_as_composed_ones_in_their_place():
    decomposed = "\u1112\u1162\u1106\u1161 e\u0301t"

    first, second = read_words(decomposed)

    assert (first.text, first.start, first.end) == ("해마", 0, 4)
    assert (second.text, second.start, second.end) == ("ét", 5, 8)


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9 .,\-/½²해마의부피좌측]{0,40}"))
def test_no_letter_is_lost(prompt):
    words = read_words(prompt)
    inside = {at for word in words for at in range(word.start, word.end)}

    assert [word.start for word in words] == sorted(word.start for word in words)
    for at, letter in enumerate(prompt):
        if letter.isalpha() or letter.isdecimal():
            assert at in inside, (prompt, at)
    for word in words:
        assert word.text
        assert 0 <= word.start < word.end <= len(prompt)


@given(st.text(alphabet="좌우측해마의부피를뇌실전이와편도체 a", max_size=12))
def test_parted_korean_joined_again_is_what_was_written(word):
    word = word.replace(" ", "")

    assert "".join(split_korean(word)) == word


@pytest.mark.parametrize("said", ["two mm", "half a ml", "1/2 cm", "7 days"])
def test_every_number_is_a_float_however_it_is_said(said):
    assert [type(word.value) for word in read_words(said) if word.kind == "number"] == [float]
