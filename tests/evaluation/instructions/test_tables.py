from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.evaluation.instructions.outcomes import Outcome, Status
from medprompt_cli.evaluation.instructions.scores import scores_of
from medprompt_cli.evaluation.instructions.tables import (
    SCORES,
    SHOWN,
    markdown,
    rows,
    write_parquet,
)

PAIR = Instruction(
    *("a", "global", "global", "en", "Segment | the tumor.", "[SEG] There is one tumor."),
    *("tumor", "tumor", None, "sub-01", None, "sub-01_T1w", ("uri",), (), 1, 4.0, "m"),
)


def outcome(name, words="Segment it.", status: Status = "answered", reason=""):
    pair = replace(PAIR, pair_id=name, instruction=words)
    sizes = (4.0, 2.0) if status == "answered" else ()
    return Outcome(pair, status, reason, 4.0, *sizes)


def shown(*outcomes):
    return markdown(scores_of(outcomes), outcomes).splitlines()


def test_lines_are_all_types_forms_languages_and_targets():
    lines = shown(outcome("a"), outcome("b"))

    assert [line.split(" | ")[0] for line in lines[2:]] == [
        *("| **all**", "| **visible to the weights**", "| **global**", "| asked as global"),
        *("| language en", "| target tumor"),
    ]
    assert lines[2] == "| **all** | 2 | 0 | 1.000 | 0.333 | 0.333 | 0.333 | - |"


def test_what_has_no_answer_is_listed_with_its_reason():
    lines = shown(
        outcome("a", "Say | it", "refused", "No."),
        outcome("b", "Say | it", "refused", "No."),
        outcome("c", "Which?", "ambiguous", "Two."),
        outcome("d", "Words", "not_visible", "tumor: not_visible"),
        outcome("e", "Others", "not_visible", "tumor: not_visible"),
    )

    assert lines[-3:] == [
        "| Say \\| it | refused: the words have no program | No. | 2 |",
        "| Which? | ambiguous: the words have several programs | Two. | 1 |",
        "| (all about tumor) | not_visible: the weights cannot see what is asked for |  | 2 |",
    ]


def test_a_long_list_is_cut():
    lines = shown(*(outcome(str(n), f"Words {n}", "refused") for n in range(SHOWN + 2)))

    assert lines[-1] == "... and 2 more instructions."


def test_the_long_table_is_what_the_scores_are(tmp_path):
    scores = scores_of([outcome("a"), outcome("b", status="refused", reason="No.")])
    write_parquet(scores, tmp_path / "s.parquet")
    table = pq.read_table(tmp_path / "s.parquet")

    assert table.schema.equals(SCORES, check_metadata=True)
    assert table.to_pylist() == rows(scores)
    [refused] = [
        row for row in rows(scores) if row["pair_id"] == "b" and row["quantity"] == "iou"
    ]
    assert (refused["value"], refused["status"], refused["reason"]) == (None, "refused", "No.")
    [every] = [r for r in rows(scores) if (r["member"], r["quantity"]) == ("all", "giou")]
    assert every["value"] == pytest.approx(1 / 6)
