import pytest

from medprompt_cli.language.words import stem, words_of


@pytest.mark.parametrize(
    "forms",
    [
        ("sulcus", "sulci"),
        ("thalamus", "Thalami"),
        ("nucleus", "nuclei"),
        ("cortex", "cortices"),
        ("metastasis", "metastases"),
        ("disease", "diseases"),
        ("mass", "masses"),
        ("abscess", "abscesses"),
        ("sinus", "sinuses"),
        ("density", "densities"),
        ("artery", "arteries"),
        ("septum", "septa"),
        ("amygdala", "amygdalae"),
        ("branch", "branches"),
        ("slice", "slices"),
        ("hemorrhage", "haemorrhages"),
        ("edema", "oedema", "oedemas"),
        ("tumor", "tumours"),
        ("ischemic", "ischaemic"),
        ("gray", "grey"),
        ("generalized", "generalised"),
        ("center", "centre"),
    ],
    ids=lambda forms: forms[0],
)
def test_forms_of_a_word_share_a_stem(forms):
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("low", "lower"),
        ("late", "lateral"),
        ("pons", "pus"),
        ("acute", "subacute"),
        ("mass", "massive"),
        ("mca", "mac"),
    ],
)
def test_other_words_do_not(one, other):
    assert stem(one) != stem(other)


def test_words_keep_their_place_and_what_is_between_them():
    words = words_of("No mass-effect, 1.5 cm (-)")

    assert [word.text for word in words] == ["No", "mass", "effect", "1.5", "cm", "(-)"]
    assert [word.before for word in words] == ["", " ", "-", ", ", " ", " "]
    assert all("No mass-effect, 1.5 cm (-)"[w.start : w.end] == w.text for w in words)
