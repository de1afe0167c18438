from dataclasses import fields

import pyarrow.parquet as pq
import pytest

from medprompt_cli.evaluation.reports.judging import judge_reports
from medprompt_cli.evaluation.reports.pairs import ReportPair
from medprompt_cli.evaluation.reports.published import Difference
from medprompt_cli.evaluation.reports.scores import ReportScore
from medprompt_cli.evaluation.reports.tables import (
    KEYWORDS,
    SCORES,
    difference_table,
    keyword_table,
    markdown,
    rows,
    write_parquet,
)
from medprompt_cli.evaluation.reports.trace import KeywordRow

PAIRS = [
    ReportPair("a", "No edema. Old infarct.", "No edema. Old infarct."),
    ReportPair("b", "Mild edema | mass.", "Fracture."),
]


@pytest.fixture(scope="module")
def found(ours):
    return judge_reports(PAIRS, ours)


def test_row_and_schema_agree():
    assert [one.name for one in fields(KeywordRow)] == KEYWORDS.names
    assert {one.name for one in fields(ReportScore)} | {"status", "unit"} == {*SCORES.names}
    assert all(
        field.metadata[b"description"] for schema in (SCORES, KEYWORDS) for field in schema
    )


@pytest.mark.parametrize(("what", "schema"), [("scores", SCORES), ("keywords", KEYWORDS)])
def test_long_tables_are_read_back(tmp_path, found, what, schema):
    records = getattr(found, what)
    write_parquet(records, schema, tmp_path / "t.parquet")

    table = pq.read_table(tmp_path / "t.parquet")

    assert table.schema.equals(schema, check_metadata=True)
    assert table.to_pylist() == rows(records, schema)


def test_the_table_for_people(found):
    lines = markdown(found.scores).splitlines()

    assert lines[0] == (
        "| Terms | Reference | Candidate | Precision | Recall | F1 | F1, mean of reports |"
    )
    assert lines[2] == (
        "| degree | 2 | 1 | 1.000 (1.000 to 1.000) | 0.500 (0.000 to 1.000) "
        "| 0.667 (0.000 to 1.000) | 0.500 (0.000 to 1.000) |"
    )
    assert lines[3] == "| landmark | 0 | 0 | - | - | - | - |"
    assert lines[6].startswith("| **micro** | ")
    assert lines[7].startswith("| **macro** | - | - | ")
    assert "| Words | Pooled | Mean of reports |" in lines
    assert "| ROUGE-L | - | 0.500 (0.000 to 1.000) |" in lines
    assert not any("Published" in line for line in lines)


def test_the_published_procedure_gets_a_table_if_it_was_followed(ours):
    text = markdown(judge_reports(PAIRS, ours, published=True).scores)

    assert "| Procedure | Terms | Precision | Recall | F1 of the means |" in text
    assert "| Published, whole words | **macro** |" in text


def test_differences_are_a_table():
    found = [Difference("degree", "low", "left", "lower", 3)]

    assert difference_table(found).splitlines() == [
        "| Category | Term | Found by | In | Sentences |",
        "| --- | --- | --- | --- | --: |",
        "| degree | low | the script only | lower | 3 |",
    ]
    assert difference_table([]) == (
        "No term is found by one word boundary and not by the other.\n"
    )


def test_terms_are_a_table_that_no_text_can_break(found):
    lines = keyword_table(found.keywords).splitlines()

    assert lines[0] == (
        "| Report | Side | Sentence | Category | Term | Polarity | Words | Outcome |"
    )
    assert lines[2] == (
        "| a | reference | 1: No edema. | feature | edema | negative | edema | matched, 1 |"
    )
    assert (
        r"| b | reference | 1: Mild edema \| mass. | degree | mild | positive | Mild | missed |"
        in lines
    )
