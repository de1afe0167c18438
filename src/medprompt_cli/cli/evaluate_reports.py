"""`medprompt evaluate reports`: judge reports against reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medprompt_cli.cli.documents import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medprompt_cli.evaluation.reports.judging import Judgement
    from medprompt_cli.evaluation.reports.lexicon import Lexicon
    from medprompt_cli.evaluation.reports.pairs import ReportPair


def reports(  # noqa: PLR0913, PLR0917 - one for each option
    candidates: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE | CANDIDATES",
            help="Table with id, reference and candidate (.jsonl, .csv or .parquet), or with "
            "REFERENCES a folder of .txt or .md files.",
        ),
    ],
    references: Annotated[
        Path | None, typer.Argument(help="Folder with a file of the same name for each.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="JSON file of terms, else our own for brain MRI and CT.")
    ] = None,
    published: Annotated[
        bool,
        typer.Option(
            "--published", help="Also count as FORTE's script does, and show where it differs."
        ),
    ] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="File for the long table of all scores.")
    ] = None,
    keywords: Annotated[
        Path | None,
        typer.Option(help="File for every term of every text: .md, else Parquet."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON.")] = False,
) -> None:
    """Print which clinical terms CANDIDATES say as REFERENCES do, and how alike the words are.

    FORTE: precision, recall and F1 of terms for degree, landmark, feature and impression;
    synonyms are one, and a denied finding matches a denied one only. Then BLEU-1 to 4,
    ROUGE-L and CIDEr-R.
    """
    from medprompt_cli.evaluation.reports.judging import judge_reports
    from medprompt_cli.evaluation.reports.lexicon import our_lexicon, read_lexicon
    from medprompt_cli.evaluation.reports.tables import SCORES, write_parquet

    terms = our_lexicon() if lexicon is None else read_lexicon(lexicon)
    pairs = _pairs(candidates, references)
    found = judge_reports(pairs, terms, published=published)
    if parquet is not None:
        write_parquet(found.scores, SCORES, parquet)
    if keywords is not None:
        _write_keywords(found, keywords)
    if as_json:
        print_json(_as_json(found))
    else:
        typer.echo(_as_markdown(found, pairs, terms, published))


def _pairs(candidates: Path, references: Path | None) -> list[ReportPair]:
    from medprompt_cli.evaluation.reports.pairs import read_folders, read_table

    return (
        read_table(candidates) if references is None else read_folders(candidates, references)
    )


def _write_keywords(found: Judgement, path: Path) -> None:
    from medprompt_cli.bids.atomic import write_file
    from medprompt_cli.evaluation.reports.tables import KEYWORDS, keyword_table, write_parquet

    if path.suffix.lower() == ".md":
        write_file(path, keyword_table(found.keywords).encode())
    else:
        write_parquet(found.keywords, KEYWORDS, path)


def _as_json(found: Judgement) -> dict[str, object]:
    from dataclasses import asdict

    from medprompt_cli.evaluation.reports.tables import KEYWORDS, SCORES, rows

    return {
        "scores": rows(found.scores, SCORES),
        "keywords": rows(found.keywords, KEYWORDS),
        "differences": [asdict(one) for one in found.differences],
    }


def _as_markdown(
    found: Judgement, pairs: Sequence[ReportPair], lexicon: Lexicon, published: bool
) -> str:
    from medprompt_cli.evaluation.reports.tables import difference_table, markdown

    counted = f"{len(pairs)} report{'s' * (len(pairs) > 1)}; lexicon {lexicon.source}"
    shown = [markdown(found.scores)]
    if published:
        shown.append(difference_table(found.differences))
    shown.append(f"{counted}, {lexicon.size} terms; 95 % bootstrap intervals over reports.")
    return "\n".join(shown)
