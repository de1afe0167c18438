import itertools
import re

import pytest

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.instruction import FORMS, LANGUAGES, Form
from medprompt_cli.planning.vocabulary import find, resolve
from medprompt_cli.synthesis.instructions import english, korean
from medprompt_cli.synthesis.instructions.known import HEMISPHERES, PLACES
from medprompt_cli.synthesis.instructions.questions import Question
from medprompt_cli.synthesis.instructions.wording import answer_of, instruction_of


def question(form: Form = "basic", target="tumor", count=1, case="c"):
    asked = "lesion" if form == "lesion_inference" else target
    where = "left-frontal-lobe" if form == "basic" else None
    return Question(case, form, asked, target, where, tuple(range(1, count + 1)), count * 1.0)


def test_every_lesion_and_place_has_words():
    assert set(english.NOUNS) == set(korean.NOUNS) == set(LESIONS)
    assert set(english.PLACE_PHRASES) == set(korean.PLACE_PHRASES) == set(PLACES)
    assert {n for n, noun in english.NOUNS.items() if noun.many is None} == korean.UNCOUNTED
    for form in FORMS:
        assert len(english.TEMPLATES[form]) == len(korean.TEMPLATES[form])


@pytest.mark.parametrize("name", LESIONS)
def test_the_words_for_a_lesion_mean_it(name):
    noun = english.NOUNS[name]
    for word in (noun.one, noun.many or noun.one, korean.NOUNS[name]):
        assert [target.name for target in resolve([word])] == [name], word


@pytest.mark.parametrize("place", [p for p in PLACES if p not in HEMISPHERES])
def test_the_words_for_a_place_mean_it(place):
    said = english.PLACE_PHRASES[place].removeprefix("in the ")
    assert find(place) is not None
    for word in (said, korean.PLACE_PHRASES[place]):
        assert [target.name for target in resolve([word])] == [place], word


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_do_not_show_whether_it_is_there(language):
    for form, target in itertools.product(FORMS, ("tumor", "edema")):
        for case in map(str, range(30)):
            there, not_there = (question(form, target, case=case, count=n) for n in (1, 0))
            words = instruction_of(there, language, 0)
            assert words == instruction_of(not_there, language, 0)
            assert "{" not in words
            assert "[" not in words


def test_all_ways_of_asking_are_used_and_a_seed_changes_them():
    said = {instruction_of(question(case=str(n)), "en", 0) for n in range(80)}
    other = [instruction_of(question(case=str(n)), "en", 1) for n in range(80)]

    assert len(said) == len(english.TEMPLATES["basic"])
    assert other != [instruction_of(question(case=str(n)), "en", 0) for n in range(80)]


@pytest.mark.parametrize(
    ("asked", "en", "ko"),
    [
        (
            question(count=1),
            "[SEG] There is one tumor in the left frontal lobe.",
            "[SEG] 왼쪽 전두엽에 종양이 1개 있습니다.",
        ),
        (
            question("global", "metastasis", count=3),
            "[SEG] There are 3 metastases.",
            "[SEG] 뇌전이가 3개 있습니다.",
        ),
        (
            question(target="edema", count=2),
            "[SEG] There is edema in the left frontal lobe.",
            "[SEG] 왼쪽 전두엽에 부종이 있습니다.",
        ),
        (
            question("global", "necrosis", count=0),
            "[SEG] There is no necrosis.",
            "[SEG] 괴사가 없습니다.",
        ),
        (
            question("lesion_inference", "infarct"),
            "[SEG] The lesion is an infarct.",
            "[SEG] 병변은 뇌경색입니다.",
        ),
        (
            question("lesion_inference", "ms-lesion", count=4),
            "[SEG] The lesions are MS lesions.",
            "[SEG] 병변은 다발성 경화증 병변입니다.",
        ),
        (
            question("lesion_inference", "lesion", count=0),
            "[SEG] There is no lesion.",
            "[SEG] 병변이 없습니다.",
        ),
    ],
)
def test_answers_say_what_is_known(asked, en, ko):
    assert answer_of(asked, "en") == en
    assert answer_of(asked, "ko") == ko


@pytest.mark.parametrize("target", LESIONS)
def test_particles_fit_the_word_before(target):
    for case in map(str, range(20)):
        said = instruction_of(question(target=target, case=case), "ko", 0)
        for noun, particle in re.findall(rf"({korean.NOUNS[target]})([을를이가])", said):
            closed = (ord(noun[-1]) - ord("가")) % 28 > 0
            assert (particle in "을이") is closed
