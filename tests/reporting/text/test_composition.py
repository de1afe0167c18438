"""What a report says, word for word, and which rows each sentence rests on."""

from __future__ import annotations

import pytest

from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.gathering import Tables, gather
from medprompt_cli.reporting.limits import Expectations, Limits, Norm
from medprompt_cli.reporting.names import name_of

ENGLISH = """\
Technique
ses-02 of 2025-04-18: T1w (1 x 1 x 1 mm), FLAIR (0.5 x 0.5 x 4 mm).
Structures were read on T1w.
Lesions were read on FLAIR.
Made with medprompt 0.1.0 and anatomy-small 0.3.0.
Compared with ses-01 of 2024-04-14, 369 days before.
Brain and ventricles
Brain: 1180 mL (interval 1150 to 1210 mL), 78.6 % of the intracranial volume.
Third ventricle: 1.24 mL.
No midline shift (definitely): 1.20 mm.
Structures
Hippocampus: 3.21 mL (interval 3.02 to 3.40 mL) on the left, 3.47 mL on the right; asymmetry \
-7.7 %.
No left nucleus accumbens (probably).
Left caudate: not assessed (mask not to be trusted).
Brainstem: not assessed (outside the field of view).
Brainstem: at least 12.3 mL inside the field of view.
Masks to be reviewed (uncertain; odd): left hippocampus.
Lesions
Lesion: probably present, 2 pieces, 5.31 mL in all.
Lesion 1: large, 4.90 mL, 31.2 mm at its longest, product of diameters 602 mm2; definitely in \
the right frontal lobe; probably hyperintense on FLAIR; definitely not enhancing.
Lesion 2: small, 0.410 mL, 9.40 mm at its longest; lobe not assessed (no value).
Lesion: diffusion restriction not assessed (ADC was not read).
No tumor (definitely).
Change
Changes were measured on T1w.
Left hippocampus: smaller, from 3.40 to 3.21 mL since ses-01 (-5.5 %, interval -8.1 to -2.9 %; \
-5.5 % a year), beyond the noise of this method (limit 3.1 %).
Lesion: larger, from 3.80 to 5.31 mL since ses-01 (+39.7 %), the noise of this method being \
unknown.
Lesion, since ses-01: 1 new, 1 enlarging, 1 resolved.
Followed lesion 1: enlarging, from 3.60 to 4.90 mL since ses-01.
Followed lesion 3: new, 0.410 mL.
Followed lesion 2: resolved, 0.200 mL at ses-01.
Impression
Lesion: probably present; lesion 1 is large and definitely in the right frontal lobe.
No tumor (definitely).
No midline shift (definitely).
Smaller since ses-01, beyond the noise of this method: left hippocampus.
Lesion, since ses-01: 1 new, 1 enlarging, 1 resolved.
"""

KOREAN = """\
검사 방법
ses-02 (2025-04-18): T1w (1 x 1 x 1 mm), FLAIR (0.5 x 0.5 x 4 mm).
구조물 판독 영상: T1w.
병변 판독 영상: FLAIR.
사용한 도구: medprompt 0.1.0, anatomy-small 0.3.0.
비교한 검사: ses-01 (2024-04-14), 369일 전.
뇌와 뇌실
뇌: 1180 mL (구간 1150~1210 mL), 두개내 용적의 78.6 %.
제3뇌실: 1.24 mL.
정중선 편위 없음 (확실함): 1.20 mm.
구조물
해마: 좌측 3.21 mL (구간 3.02~3.40 mL), 우측 3.47 mL; 비대칭 -7.7 %.
좌측 측좌핵 없음 (가능성 높음).
좌측 미상핵: 평가하지 못함 (마스크를 신뢰할 수 없음).
뇌간: 평가하지 못함 (영상 범위 밖).
뇌간: 영상 범위 안의 부분 적어도 12.3 mL.
검토할 마스크 (불확실, odd): 좌측 해마.
병변
병변: 있음 (가능성 높음), 2개, 모두 5.31 mL.
병변 1: 큼, 4.90 mL, 최장 지름 31.2 mm, 지름의 곱 602 mm2; 우측 전두엽에 위치 (확실함); \
FLAIR 고신호 (가능성 높음); 조영증강 없음 (확실함).
병변 2: 작음, 0.410 mL, 최장 지름 9.40 mm; 뇌엽 평가하지 못함 (값이 없음).
병변: 확산 제한 평가하지 못함 (ADC 영상을 읽지 않음).
종양 없음 (확실함).
변화
변화 측정 영상: T1w.
좌측 해마: 감소, ses-01 이후 3.40 mL에서 3.21 mL로 (-5.5 %, 구간 -8.1~-2.9 %; 연간 -5.5 %), \
방법의 잡음을 넘음 (한계 3.1 %).
병변: 증가, ses-01 이후 3.80 mL에서 5.31 mL로 (+39.7 %), 방법의 잡음은 미상.
병변, ses-01 이후: 새로 생김 1개, 커짐 1개, 사라짐 1개.
추적 병변 1: 커짐, ses-01 이후 3.60 mL에서 4.90 mL로.
추적 병변 3: 새로 생김, 0.410 mL.
추적 병변 2: 사라짐, ses-01 당시 0.200 mL.
결론
병변: 있음 (가능성 높음); 병변 1 큼, 우측 전두엽에 위치 (확실함).
종양 없음 (확실함).
정중선 편위 없음 (확실함).
ses-01 이후 방법의 잡음을 넘는 감소: 좌측 해마.
병변, ses-01 이후: 새로 생김 1개, 커짐 1개, 사라짐 1개.
"""


def lines_of(report) -> str:
    lines = [
        line
        for section in report.sections
        for line in (section.title, *(sentence.text for sentence in section.sentences))
    ]
    return "\n".join(lines) + "\n"


def texts_of(report) -> list[str]:
    return [sentence.text for sentence in report.sentences]


@pytest.mark.parametrize(("language", "wanted"), [("en", ENGLISH), ("ko", KOREAN)])
def test_the_whole_report(facts, language, wanted):
    assert lines_of(compose(facts, language)) == wanted


def test_the_same_facts_give_the_same_report(build):
    assert compose(build()) == compose(build())


def test_every_reference_is_a_fact_and_every_number_has_one(facts):
    report = compose(facts)

    for sentence in report.sentences:
        assert set(sentence.references) <= facts.rows.keys()
        if any(letter.isdigit() for letter in sentence.text):
            assert sentence.references or sentence.text.startswith("Made with")
    [brain] = [s for s in report.sentences if s.text.startswith("Brain: 1180")]
    assert brain.references == (
        "measurements:sub-01_ses-02_T1w:brain:volume",
        "measurements:sub-01_ses-02_T1w:brain:volume-fraction-of-icv",
    )


def test_without_an_earlier_visit_that_is_said(facts):
    report = compose(facts, scope=Scope(visit="ses-01"))

    assert "No earlier visit." in texts_of(report)
    assert not any("since" in text for text in texts_of(report))


def test_structures_below_given_limits_are_named(build):
    key = ("left-hippocampus", "volume")
    right = {("right-hippocampus", "volume"): Limits(3.0, 4.0, "a table")}
    facts = build(Expectations({key: Limits(3.3, 4.4, "a table"), **right}, {}))

    texts = texts_of(compose(facts))
    assert (
        "Left hippocampus: 3.21 mL (interval 3.02 to 3.40 mL), below the reference range"
        " (3.30 to 4.40 mL)." in texts
    )
    assert "No other structure lies outside its limits." in texts
    assert "Below the limits: left hippocampus." in texts


def test_within_all_limits_is_said_too(build):
    facts = build(Expectations({("right-hippocampus", "volume"): Limits(3, 4, "x")}, {}))

    assert texts_of(compose(facts)).count("No structure lies outside its limits.") == 2


def test_the_cohort_is_named_by_its_robust_z(build):
    norm = Norm(centre=1.5, spread=0.05, scans=20)
    facts = build(Expectations({}, {("right-hippocampus", "volume", "T1w"): norm}))

    assert "Right hippocampus: 3.47 mL, small for this cohort (robust z -5.1)." in texts_of(
        compose(facts)
    )


def test_nothing_beyond_noise_is_said(build, tables):
    facts = build(changes=tables["changes"][1:2], ledger=[])

    said = "No structure changed beyond the noise of this method since ses-01."
    assert texts_of(compose(facts)).count(said) == 2


def test_many_lesions_are_summed_up_by_their_sizes(build, tables):
    row = tables["lesions"][0]
    many = [{**row, "instance": n, "value": 3.0 / n} for n in range(1, 15)]

    texts = texts_of(compose(build(lesions=many)))
    assert "Lesion 10: 0.300 mL." in texts
    assert not any(text.startswith("Lesion 11:") for text in texts)
    assert "Lesions 11 to 14: 0.214 to 0.273 mL each." in texts


def test_a_passage_for_each_region(facts):
    report = compose(facts, scope=Scope("region", ("right-frontal-lobe", "hippocampus")))

    titles = [section.title for section in report.sections]
    assert titles == [
        *("Technique", "Right frontal lobe", "Hippocampus", "Brain and ventricles")
    ]
    assert [s.text[:16] for s in report.sections[1].sentences] == ["Lesion 1: large,"]
    assert report.sections[2].sentences[-1].text.startswith("Left hippocampus: smaller")


def test_regions_that_nobody_names_are_where_lesions_lie(facts):
    report = compose(facts, scope=Scope("region"))

    assert report.sections[1].title == "Right frontal lobe"
    assert "No midline shift (definitely): 1.20 mm." in texts_of(report)


def test_what_nothing_is_known_of_is_noted(facts):
    report = compose(facts, scope=Scope("region", ("left-insula", "hippocampus")))

    said = "it was not asked for, and no lesion is placed in it"
    assert report.notes == (f"Nothing is known of left insula: {said}.",)


def test_the_mode_prompt_says_what_was_asked_and_no_more(facts):
    asked = Scope("prompt", ("lesion", "left-caudate"), ("max-diameter", "lobe", "volume"))

    [_, said] = compose(facts, scope=asked).sections
    assert [sentence.text for sentence in said.sentences] == [
        "Lesion: 5.31 mL.",
        "Lesion 1: definitely in the right frontal lobe.",
        "Lesion 2: lobe not assessed (no value).",
        "Left caudate: not assessed (mask not to be trusted).",
    ]


def test_change_is_said_if_it_was_asked(facts):
    asked = Scope("prompt", ("left-hippocampus",), ("change",))

    [_, said] = compose(facts, scope=asked).sections
    assert [s.text[:25] for s in said.sentences] == ["Left hippocampus: smaller"]


def test_what_there_is_not_is_refused(facts):
    with pytest.raises(UsageError, match="There are no reports in 'fr'"):
        compose(facts, "fr")  # pyright: ignore[reportArgumentType] - that is the point
    with pytest.raises(UsageError, match="sub-01 has no visit 'ses-09'"):
        compose(facts, scope=Scope(visit="ses-09"))
    with pytest.raises(InputError, match="Nothing was measured of sub-01"):
        compose(gather("sub-01", Tables()))


@pytest.mark.parametrize("region", ["left-hippocampus", "ms-lesion", "My_Label", "csf"])
def test_a_region_has_a_name_in_both_languages(region):
    assert name_of(region, "en")
    assert name_of(region, "ko")
