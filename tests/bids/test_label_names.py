"""Names of ids, by whatever list says them."""

from __future__ import annotations

import pytest

from medprompt_cli.bids.label_names import read_names
from medprompt_cli.bids.label_table import label_table, parcel_table
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.errors import InputError


@pytest.fixture
def written(tmp_path):
    def write(text, name="labels.tsv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "index"), [(label_table(), BASE_INDEX), (parcel_table(), PARCEL_INDEX)]
)
def test_our_own_tables(written, text, index):
    assert read_names(written(text)) == {n: name for name, n in index.items()}


def test_freesurfer_by_its_name():
    names = read_names("FreeSurfer")

    assert (names[17], names[1028], names[251]) == (
        *("left-hippocampus", "left-superior-frontal"),
        "cc-posterior",
    )
    assert len(set(names.values())) == len(names)
    assert {n: names[n] for n in BASE_INDEX.values()} == {n: k for k, n in BASE_INDEX.items()}


def test_a_colour_table(written):
    path = written(
        "#No. Name\n0 Unknown 0 0 0 0\n17 Left-Hippocampus 220 216 20 0\n", "lut.txt"
    )

    assert read_names(path) == {17: "Left-Hippocampus"}


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("id\tname\n1\ta\n", "a.tsv", "has no column 'index': only id, name."),
        ("index\tname\n1\ta\n1\tb\n", "a.tsv", "names the id 1 twice, 'a' and 'b'."),
        ("index\tname\n1\ta\n2\ta\n", "a.tsv", "gives two ids the name 'a'."),
        ("index\tname\nx\ta\n", "a.tsv", "has 'x' where line 2 should have an id."),
        ("index\tname\n0\ta\n", "a.tsv", "names no id above 0."),
        ("17\n", "lut.txt", "has an id and no name on line 1: '17'."),
    ],
)
def test_what_is_no_table(written, text, name, said):
    path = written(text, name)
    with pytest.raises(InputError, match=r"has|names|gives") as caught:
        read_names(path)

    assert str(caught.value) == f"{path} {said}"
    assert caught.value.code == "bad-table"


def test_a_table_that_is_not_there(tmp_path):
    for name in ("a.tsv", "lut.txt"):
        with pytest.raises(InputError, match="cannot be read") as caught:
            read_names(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
