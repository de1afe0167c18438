"""What the lock lets through and what it does not, word by word."""

from __future__ import annotations

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.verify import Lock, verify

TRUE = """\
The left hippocampus measures 3.21 mL.
The left hippocampus has a volume of 3.2 cm3.
Left hippocampal volume is 3.212 ml (interval 3.02 to 3.40 mL).
The hippocampus measures 3.21 mL on the left and 3.47 mL on the right.
The left hippocampus measures 3.05 mL on FLAIR.
At ses-01 the left hippocampus measured 3.4 mL.
The left hippocampus is smaller since ses-01, from 3.40 to 3.21 mL.
The left hippocampus has shrunk by 5.5 % since ses-01.
The left hippocampus decreased, beyond the noise of this method.
The brain is stable since ses-01.
The brain was smaller since ses-01, within the noise of this method.
There is definitely no midline shift.
No midline shift, definitely.
Two lesions were found, 5.31 mL in all.
Lesion 1 is large and measures 31.2 mm at its longest.
The largest lesion measures 3.12 cm at its longest.
Lesion 1 lies in the right frontal lobe.
The right frontal lobe contains lesion 1.
Lesion 1 is probably bright on FLAIR and does not enhance.
No tumor is seen.
There is no evidence of tumor.
The left caudate was not assessed (mask not to be trusted).
The brainstem could not be assessed, 12.3 mL inside the field of view.
One new lesion since ses-01.
Followed lesion 1 has grown since ses-01, from 3.60 to 4.90 mL.
Followed lesion 2 has disappeared.
Compared with ses-01 of 2024-04-14, 369 days before.
좌측 해마의 부피는 3.21 mL임.
해마는 좌측 3.21 mL, 우측 3.47 mL.
ses-01 이후 좌측 해마 감소 (-5.5 %).
정중선 편위 없음 (확실함).
병변 1은 우측 전두엽에 위치, 조영증강 없음.
종양 없음.
좌측 미상핵은 평가하지 못함.
"""

FALSE = """\
3.5 mL | The left hippocampus measures 3.5 mL.
3.47 mL | The left hippocampus measures 3.47 mL.
3.21 mL | The right hippocampus measures 3.21 mL.
3.21 mm | The left hippocampus measures 3.21 mm.
3.21 mL | The left hippocampus measures 3.21 mL on FLAIR.
3.21 mL | At ses-01 the left hippocampus measured 3.21 mL.
3.21 mL | The left hippocampus and the right hippocampus measure 3.21 mL.
3.21 mL | Both hippocampi measure 3.21 mL.
3.00 | The left hippocampus measures 3.21 mL (interval 3.00 to 3.40 mL).
right | The left hippocampus measures 3.21 mL on the right.
left | Third ventricle: 1.24 mL on the left.
amygdala | The left amygdala measures 3.21 mL.
larger | The left hippocampus is larger since ses-01.
increased | The left hippocampus increased by 5.5 % since ses-01.
stable | The left hippocampus is stable.
smaller | The brain is smaller since ses-01.
smaller | The third ventricle is smaller.
within the noise | The left hippocampus is smaller, within the noise of this method.
3.21 | The left hippocampus is smaller, from 3.21 to 3.40 mL since ses-01.
3.21 mL | The left hippocampus does not measure 3.21 mL.
than | The left hippocampus is smaller than the right.
asymmetry | The hippocampus shows asymmetry.
normal | The left hippocampus is normal.
midline shift | There is midline shift.
midline shift | Probably no midline shift.
Three | Three lesions were found.
one | There is one lesion.
lesion | No lesion is seen.
lesion | Lesion 3 is small.
small | Lesion 1 is small.
frontal lobe | Lesion 1 lies in the left frontal lobe.
parietal lobe | The lesions lie in the right parietal lobe.
frontal lobe | The left frontal lobe shows lesion 1.
frontal lobe | It lies in the right frontal lobe.
left | There is a lesion on the left.
bright | Lesion 1 is bright on FLAIR.
bright | Lesion 1 is bright on T1w.
dark | Lesion 1 is definitely dark.
enhances | Lesion 1 enhances.
tumor | A tumor is seen.
tumor | The tumor measures 5.31 mL.
caudate | No left caudate.
not assessed | The left hippocampus was not assessed.
outside the field of view | The left caudate was not assessed (outside the field of view).
Two | Two new lesions since ses-01.
ses-02 | One new lesion since ses-02.
enlarging | Lesion, since ses-01: 1 enlarging, 1 enlarging.
or | Smaller since ses-01: left hippocampus or brain.
lesion 1 | Followed lesion 1 and followed lesion 1 have grown.
new | No new lesion since ses-01.
grown | Followed lesion 2 has grown.
Followed lesion 9 | Followed lesion 9 has grown.
200 days | Compared with ses-01, 200 days before.
2024-04-14 | ses-02 of 2024-04-14: T1w.
hydrocephalus | There is hydrocephalus.
hydrocephalus | There is no hydrocephalus.
meningioma | No meningioma.
glioblastoma | Lesion 1 is a glioblastoma.
dementia | Findings suggest dementia.
→ | Left hippocampus → 3.21 mL.
not | Structures were not read on T1w.
No | No No midline shift (definitely).
3.60 mL | 좌측 해마의 부피는 3.60 mL임.
3.21 mL | 우측 해마 부피 3.21 mL.
증가 | ses-01 이후 좌측 해마 증가.
정중선 편위 | 정중선 편위 있음.
전두엽 | 병변 1은 좌측 전두엽에 위치.
조영증강 | 병변 1은 조영증강 있음.
병변 | 병변 없음.
있음 | 종양 있음.
뇌수종 | 뇌수종 있음.
우측보다 | 좌측 해마는 우측보다 작음.
"""


@pytest.fixture
def lock(facts) -> Lock:
    return Lock(facts)


@pytest.mark.parametrize("text", TRUE.splitlines())
def test_what_the_facts_hold_passes(lock, text):
    assert [str(problem) for problem in lock.problems(text)] == []


@pytest.mark.parametrize("line", FALSE.splitlines())
def test_what_they_do_not_hold_is_refused_by_its_word(lock, line):
    word, _, text = line.partition(" | ")
    problems = lock.problems(text)

    assert problems, text
    assert any(word.lower() in one.word.lower() or one.word in word for one in problems)
    assert all(one.sentence == text for one in problems)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(visit="ses-01"),
        Scope("region"),
        Scope("region", ("hippocampus", "brainstem", "lesion", "left-frontal-lobe")),
        Scope("prompt"),
        Scope("prompt", ("lesion", "brain"), ("volume", "signal", "change")),
    ],
    ids=["all", "first", "places", "regions", "everything", "asked"],
)
def test_our_own_text_always_passes(facts, scope, language):
    report = compose(facts, language, scope)

    assert verify(report.text, facts, scope.visit) == []


def test_what_our_sentences_rest_on_is_found_again(facts, lock):
    for sentence in compose(facts).sentences:
        [checked] = lock.check(sentence.text)
        found = set(checked.references)
        if sentence.references and not sentence.text.startswith("Compared"):
            assert found == set(sentence.references), sentence.text


def test_a_sentence_without_a_region_is_about_the_one_before(lock):
    assert lock.problems("Lesion 1 is large. It measures 4.90 mL.") == []
    [problem] = lock.problems("Lesion 1 is large. It measures 0.41 mL.")

    assert (problem.number, problem.word) == (2, "0.41 mL")
    assert str(problem) == "Sentence 2, '0.41 mL': is no number that the facts hold here."


def test_where_it_lies_is_held_against_the_lesion_before(lock):
    [problem] = lock.problems("Lesion 1 is large. It lies in the left frontal lobe.")

    assert problem.word == "frontal lobe"


def test_headings_of_a_report_say_nothing(lock, facts):
    headings = "".join(f"## {section.title}\n" for section in compose(facts).sections)

    assert lock.problems(headings) == []


def test_the_names_of_a_users_labels_are_known(build, tables):
    own = {**tables["measurements"][4], "region": "Left-MyRegion", "value": 4.2}
    facts = build(measurements=[*tables["measurements"], own])

    assert verify("Left-MyRegion: 4.20 mL.", facts) == []
    assert len(verify("Left-MyRegion: 4.60 mL.", facts)) == 1
    assert verify(compose(facts).text, facts) == []


def test_limits_are_held(build):
    from medprompt_cli.reporting.limits import Expectations, Limits

    key = ("left-hippocampus", "volume")
    facts = build(Expectations({key: Limits(3.3, 4.4, "a table")}, {}))

    said = "Left hippocampus: 3.21 mL, below the reference range (3.30 to 4.40 mL)."
    assert verify(said, facts) == []
    assert verify(said.replace("3.30", "3.20"), facts)
    assert verify(said.replace("below", "above"), facts)
    assert verify("No structure lies outside its limits.", facts)
    assert verify("The right hippocampus lies within its limits.", facts)


def test_a_visit_that_is_not_there_is_refused(facts):
    with pytest.raises(UsageError, match="sub-01 has no visit 'ses-09'"):
        verify("No tumor.", facts, "ses-09")
