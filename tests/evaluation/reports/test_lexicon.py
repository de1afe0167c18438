import json

import pytest

from medprompt_cli.errors import InputError
from medprompt_cli.evaluation.reports.lexicon import CATEGORIES, our_lexicon, read_lexicon

REMEDY = (
    "Give a JSON object with the lists degree, landmark, feature, impression, each of lists "
    "of terms that mean the same."
)


@pytest.fixture
def write(tmp_path):
    def build(**tables):
        path = tmp_path / "terms.json"
        empty = {category: [] for category in CATEGORIES}
        path.write_text(json.dumps(empty | tables), encoding="utf-8")
        return path

    return build


def test_ours_is_wide():
    lexicon = our_lexicon()

    assert lexicon.source == "medprompt"
    assert {c: len(groups) > 50 for c, groups in lexicon.groups.items()} == dict.fromkeys(
        CATEGORIES, True
    )
    assert lexicon.size > 2000
    korean = [t for g in lexicon.groups.values() for group in g for t in group if t > "가"]
    assert len(korean) > 800


def test_groups_are_read_and_can_be_looked_up_as_the_script_does(write):
    lexicon = read_lexicon(write(degree=[["mild", "slight"], ["old"]]))

    assert lexicon.groups["degree"] == (("mild", "slight"), ("old",))
    assert lexicon.keys["degree"] == {
        " mild": (" mild", " slight"),
        " slight": (" mild", " slight"),
        " old": (" old",),
    }
    assert lexicon.named == {*CATEGORIES}
    assert lexicon.size == 3


def test_the_form_of_forte_is_joined_into_groups(write):
    table = {" mild": [" mild", " faint "], "faint": [" faint"], " old ": [" old "]}
    lexicon = read_lexicon(write(degree=table))

    assert lexicon.groups["degree"] == (("mild", "faint"), ("old",))
    assert lexicon.keys["degree"][" old "] == (" old ",)
    assert "degree" not in lexicon.named


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "It is not JSON: Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1)."),
        ("[]", "It holds list, not an object."),
        ('{"degree": []}', "It has no category 'landmark'."),
    ],
)  # fmt: skip
def test_what_is_no_lexicon_is_refused(tmp_path, content, what):
    path = tmp_path / "terms.json"
    path.write_text(content)

    with pytest.raises(InputError, match="is no lexicon") as caught:
        read_lexicon(path)

    assert str(caught.value) == f"{path} is no lexicon. {what}"
    assert caught.value.remedy == REMEDY
    assert caught.value.code == "bad-lexicon"


@pytest.mark.parametrize(
    ("tables", "what"),
    [
        ({"size": []}, "It has a category 'size', which FORTE does not know."),
        ({"degree": ["mild"]}, "Its category 'degree' is no list of lists of terms."),
        ({"degree": {"mild": "slight"}}, "Its category 'degree' is no list of lists of terms."),
        ({"feature": [["edema", 3]]}, "Its category 'feature' holds the term 3."),
        ({"feature": [["edema", " - "]]}, "Its category 'feature' holds the term ' - '."),
        ({"feature": [[]]}, "Its category 'feature' holds an empty group."),
        (
            {"feature": [["edema", "swelling"], ["mass", "oedema"]]},
            "Its category 'feature' has 'oedema' and 'edema' in two groups.",
        ),
    ],
)
def test_tables_that_mean_nothing_are_refused(write, tables, what):
    path = write(**tables)

    with pytest.raises(InputError, match="is no lexicon") as caught:
        read_lexicon(path)

    assert str(caught.value) == f"{path} is no lexicon. {what}"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="Cannot be read: No such file or directory") as caught:
        read_lexicon(tmp_path / "no.json")

    assert str(caught.value).startswith(f"{tmp_path / 'no.json'} is no lexicon.")
