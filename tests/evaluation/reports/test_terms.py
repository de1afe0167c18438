import pytest

from medprompt_cli.language.words import words_of


def found(index, text):
    return {(place.category, place.term) for place in index.find(words_of(text))}


def test_a_term_is_whole_words(index):
    assert ("degree", "late") not in found(index, "the lateral ventricle")
    assert ("landmark", "lateral ventricle") in found(index, "the lateral ventricle")
    assert ("degree", "old") in found(index, "(old)")


@pytest.mark.parametrize("text", ["Thalamus", "thalami", "thalamic"])
def test_number_does_not_matter(index, text):
    assert found(index, text) == {("landmark", "thalamus")}


def test_a_hyphen_is_a_space(index):
    assert found(index, "white-matter") == found(index, "white matter")


def test_a_term_inside_a_longer_one_counts_too(index):
    assert found(index, "communicating hydrocephalus") == {
        ("impression", "communicating hydrocephalus"),
        ("impression", "hydrocephalus"),
    }


@pytest.mark.parametrize("text", ["SDH", "subdural hematoma", "경막하혈종", "경막하 혈종이"])
def test_an_abbreviation_says_what_its_words_say(index, text):
    assert found(index, text) == {
        ("impression", "subdural hematoma"),
        ("landmark", "subdural"),
        ("feature", "hemorrhage"),
    }


@pytest.mark.parametrize(
    "text", ["기저핵", "기저핵의", "기저핵에서", "기저핵과", "기저핵입니다"]
)
def test_korean_words_carry_particles(index, text):
    assert found(index, text) == {("landmark", "basal ganglia")}


@pytest.mark.parametrize("text", ["강도", "시상면"])
def test_korean_words_that_begin_like_a_term_are_others(index, text):
    assert found(index, text) == set()


def test_english_and_korean_say_the_same(index):
    english = found(index, "old lacunar infarct in the left basal ganglia")

    assert found(index, "좌측 기저핵에 오래된 열공경색이 있음") == english
