"""Reports of the subjects of an output folder: JSON, Markdown, and pages that open anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.cohort.asked_columns import COLUMNS
from medprompt_cli.cohort.outcome import Failure
from medprompt_cli.cohort.report_facts import Results, as_sources, read_limits
from medprompt_cli.cohort.report_names import page_words, pages_of, report_stem
from medprompt_cli.cohort.status import status_of
from medprompt_cli.errors import InputError, MedpromptError, UsageError
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.planning.plan_file import PLAN_FILE, read_plan
from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.documents import as_json, as_markdown
from medprompt_cli.reporting.facts import Facts
from medprompt_cli.reporting.notes import compared
from medprompt_cli.reporting.passages import CHANGE
from medprompt_cli.reporting.report import Language, Mode, Report
from medprompt_cli.reporting.rewriting import Level, rewrite
from medprompt_cli.reporting.verify import verify

if TYPE_CHECKING:
    from medprompt_cli.reporting.cohort_page import CohortCase

INDEX = "index.html"


@dataclass(frozen=True)
class ReportOptions:
    """What reports are to be like.

    Attributes:
        language: They are written in.
        mode: What they are about.
        regions: Of the modes `region` and `prompt`: names as a prompt may say them.
        visit: Which one; the last of each subject if None.
        participants: Only these subjects, with or without `sub-`; all if empty.
        limits: TSV of limits; those of the cohort if None.
        endpoint: A language model that words them anew; none if None.
        level: How that is told to write.
        pages: Write HTML, too.
    """

    language: Language = "en"
    mode: Mode = "global"
    regions: tuple[str, ...] = ()
    visit: str | None = None
    participants: tuple[str, ...] = ()
    limits: Path | None = None
    endpoint: Endpoint | None = None
    level: Level = "plain"
    pages: bool = True


@dataclass(frozen=True)
class Reported:
    """What became of one subject's report.

    Attributes:
        subject: With its `sub-` prefix.
        files: That were written.
        notes: What a reader has to know of it.
        failure: Why there is none; None if there is.
    """

    subject: str
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class ReportSummary:
    """What became of all.

    Attributes:
        subjects: Each of them.
        index: The page of the cohort; None if none was written.
    """

    subjects: tuple[Reported, ...]
    index: Path | None = field(default=None)

    @property
    def exit_code(self) -> int:
        """0, or 1 if a report failed."""
        return int(any(one.failure for one in self.subjects))


def write_reports(
    out: Path, options: ReportOptions, report: Callable[[Reported], None] | None = None
) -> ReportSummary:
    """Write the reports of an output folder.

    Args:
        out: What `medprompt segment` or `medprompt longitudinal` wrote.
        options: What they are to be like.
        report: Called with each subject once it is done.

    Raises:
        InputError: If nothing was measured there, or the limits cannot be read.
        UsageError: If a subject or a region is not known.
    """
    given = read_limits(options.limits) if options.limits else {}
    results = Results(out, given)
    subjects = _chosen(results.subjects(), options.participants)
    regions = _regions(options, results)
    quantities = _quantities(out) if options.mode == "prompt" else ()
    scope = Scope(options.mode, regions, quantities, options.visit)
    done: list[Reported] = []
    for subject in subjects:
        done.append(_one(results, subject, scope, options))
        if report is not None:
            report(done[-1])
    index = _write_index(results) if options.pages else None
    return ReportSummary(tuple(done), index)


def _chosen(subjects: Sequence[str], wanted: Iterable[str]) -> list[str]:
    named = [name if name.startswith("sub-") else f"sub-{name}" for name in wanted]
    unknown = [name for name in named if name not in subjects]
    if unknown:
        raise UsageError(
            f"Nothing was measured of {unknown[0]}.",
            remedy=f"Use one of {', '.join(subjects[:10])}.",
        )
    return named or list(subjects)


def _regions(options: ReportOptions, results: Results) -> tuple[str, ...]:
    """Names of tables that were asked for; as they are if the tables have them."""
    if not options.regions:
        return ()
    # what understands names takes a while to load, and few reports need it
    from medprompt_cli.planning.filters import fold_sides
    from medprompt_cli.planning.vocabulary import resolve

    known = set(results.measurements["region"].unique().to_pylist())
    names: list[str] = []
    for region in options.regions:
        own = [region] if region in known else [one.name for one in resolve([region])]
        names += own
    return fold_sides(names)


def _quantities(out: Path) -> tuple[str, ...]:
    """What the plan of a folder asks of its regions, as tables call it; empty for all."""
    if not (out / PLAN_FILE).is_file():
        return ()
    from medprompt_cli.planning.intent import CHANGES
    from medprompt_cli.planning.summary import summarise

    intent = summarise(read_plan(out / PLAN_FILE).program)
    wanted: list[str] = []
    for name in intent.quantities:
        wanted += [CHANGE] if name in CHANGES else COLUMNS.get(name, (name,))
    return tuple(dict.fromkeys(wanted))


def _one(results: Results, subject: str, scope: Scope, options: ReportOptions) -> Reported:
    """The report of one subject, or why there is none: the cohort outlives it."""
    try:
        facts = results.facts(subject)
        made = compose(facts, options.language, scope, _provenance(results, subject))
        made = replace(made, notes=(*made.notes, *_warnings(results, made)))
        _check(made, facts)
    except MedpromptError as error:
        return _failed(subject, error)
    if options.endpoint is not None:
        made = rewrite(made, options.endpoint, options.level)  # no server, no reports
    try:
        stem = report_stem(subject, options.language, scope)
        files = _write(results, made, stem, pages=options.pages)
    except MedpromptError as error:
        return _failed(subject, error)
    return Reported(subject, files, made.notes)


def _warnings(results: Results, made: Report) -> tuple[str, ...]:
    """Those of the comparison of visits, if the report says anything of it."""
    names = (name for one in made.sentences for name in one.references)
    follows = any(name.startswith(("changes:", "ledger:")) for name in names)
    return compared(results.warnings(made.subject), made.language) if follows else ()


def _failed(subject: str, error: MedpromptError) -> Reported:
    code = error.code if isinstance(error, InputError) else "report-failed"
    return Reported(subject, failure=Failure(code, str(error), error.remedy))


def _check(made: Report, facts: Facts) -> None:
    """Our own text passes the lock that a language model's has to pass."""
    visit = made.provenance.get("Visit")
    problems = verify(made.text, facts, visit if isinstance(visit, str) else None)
    if problems:
        raise InputError(
            f"The report of {made.subject} says what its tables do not: {problems[0]}",
            remedy="Please report it as a bug, with the tables.",
            code="not-in-the-tables",
        )


def _provenance(results: Results, subject: str) -> dict[str, Any]:
    """What made the numbers."""
    about: dict[str, Any] = {"Version": __version__}
    rows = results.rows(subject, "measurements") or results.rows(subject, "findings")
    for name, column in (
        *(("Weights", "weights"), ("WeightsSHA256", "weights_sha256")),
        *(("PlanHash", "plan_hash"), ("Method", "method")),
    ):
        values = sorted({row[column] for row in rows if row[column]})
        about[name] = values[0] if len(values) == 1 else values
    path = results.out / PLAN_FILE
    if path.is_file():
        about["Prompt"] = read_plan(path).prompt
    return about


def _write(results: Results, made: Report, stem: str, *, pages: bool) -> tuple[Path, ...]:
    texts = {
        results.out / f"{stem}_report.json": to_json(as_json(made)),
        results.out / f"{stem}_report.md": as_markdown(made),
    }
    if pages:
        from medprompt_cli.reporting.page import subject_page
        from medprompt_cli.reporting.reading import read_cases

        sources = as_sources(results.rows(made.subject, "measurements"))
        cases = read_cases(results.out, made.subject, sources)
        texts[results.out / f"{stem}.html"] = subject_page(made, cases)
    for path, text in texts.items():
        write_file(path, text.encode())
    return tuple(texts)


def _write_index(results: Results) -> Path:
    """The page of the cohort, of what the tables hold now."""
    from medprompt_cli.reporting.cohort_page import cohort_page

    out, table = results.out, results.measurements
    weights = filter(None, table["weights"].unique().to_pylist())
    about = {"Weights": ", ".join(sorted(weights))}
    page = cohort_page(out.resolve().name, _cases(out, table), table, about)
    path = out / INDEX
    write_file(path, page.encode())
    return path


def _cases(out: Path, table: pa.Table) -> list[CohortCase]:
    """Every case of the last run, and those that the table has of earlier ones."""
    from medprompt_cli.reporting.cohort_page import CohortCase

    pages = pages_of(out)
    run: list[CohortCase] = []

    def links(case: str) -> dict[str, Any]:
        own, *others = pages.get(case.partition("_")[0], [""])
        return {"page": own, "others": tuple((page_words(name), name) for name in others)}

    with suppress(InputError):  # a folder without a run has its tables alone
        run = [
            CohortCase.named(
                *(case.name, case.progress),
                cause=(case.error or {}).get("problem", case.why),
                remedy=(case.error or {}).get("remedy", ""),
                **links(case.name),
            )
            for case in status_of(out).cases
        ]
    known = {case.name for case in run}
    earlier = (name for name in table["case"].unique().to_pylist() if name not in known)
    cases = [*run, *(CohortCase.named(name, "done", **links(name)) for name in earlier)]
    return sorted(cases, key=lambda case: case.name)
