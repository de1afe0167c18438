"""Reports of an output folder: what is written for whom, and what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.cohort import reporting
from medprompt_cli.cohort.records import SCHEMA, record_path
from medprompt_cli.cohort.report_facts import Results, read_limits
from medprompt_cli.cohort.report_names import report_stem
from medprompt_cli.cohort.reporting import ReportOptions, write_reports
from medprompt_cli.errors import InputError, UsageError
from medprompt_cli.reporting.composition import Scope
from medprompt_cli.reporting.documents import report_schema

PLAIN = ReportOptions(pages=False)


def volume(subject: str, region: str, value: float | None, **columns: Any) -> dict[str, Any]:
    """A row of `measurements`."""
    case = f"{subject}_T1w"
    words = {"participant_id": subject, "case": case, "region": region, "quantity": "volume"}
    source = f"bids:source:{subject}/anat/{case}.nii.gz"
    about = {"unit": "mL", "status": "measured", "method": "medprompt segment"}
    made = {"version": "0.1.0", "weights": "anatomy-small 0.3.0", "source": source}
    return {**words, **about, **made, "value": value, **columns}


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write parts of a table, one for each subject."""

    def written(rows: list[dict[str, Any]], table: str = "measurements") -> Path:
        for case in {row["case"] for row in rows}:
            part = pa.Table.from_pylist(
                [row for row in rows if row["case"] == case], TABLES[table]
            )
            path = tmp_path / table / f"{case}.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(part, path)
        return tmp_path

    return written


@pytest.fixture
def out(write) -> Path:
    """Twelve people; the last has a small hippocampus."""
    sizes = [4.0 + 0.05 * n for n in range(11)] + [2.0]
    return write(
        [volume(f"sub-{n:02}", "left-hippocampus", size) for n, size in enumerate(sizes)]
        + [volume(f"sub-{n:02}", "brain", 1200.0 + n) for n in range(12)]
    )


def report_of(out: Path, subject: str) -> dict[str, Any]:
    return json.loads((out / f"{subject}_report.json").read_text(encoding="utf-8"))


def texts_of(out: Path, subject: str) -> list[str]:
    sections = report_of(out, subject)["Sections"]
    return [sentence["Text"] for section in sections for sentence in section["Sentences"]]


def test_every_subject_has_a_report_of_the_published_form(out):
    summary = write_reports(out, PLAIN)

    assert [one.subject for one in summary.subjects] == [f"sub-{n:02}" for n in range(12)]
    assert summary.exit_code == 0
    for one in summary.subjects:
        assert [path.name for path in one.files] == [
            *(f"{one.subject}_report.json", f"{one.subject}_report.md")
        ]
        written = report_of(out, one.subject)
        jsonschema.validate(written, report_schema())
        assert written["Provenance"]["Weights"] == "anatomy-small 0.3.0"


def test_who_is_outside_of_the_cohort_is_told_so(out):
    write_reports(out, PLAIN)

    [small] = [text for text in texts_of(out, "sub-11") if "robust z" in text]
    assert small.startswith("Left hippocampus: 2.00 mL, small for this cohort (robust z -")
    assert "No structure lies outside its limits." in texts_of(out, "sub-05")


def test_limits_that_are_given_come_first(out, tmp_path):
    table = tmp_path / "limits.tsv"
    table.write_text("region\tquantity\tlow\thigh\nleft-hippocampus\tvolume\t1.5\t4.2\n")

    write_reports(out, ReportOptions(limits=table, pages=False))
    assert (
        "Left hippocampus: 4.50 mL, above the reference range (1.50 to 4.20 mL)."
        in texts_of(out, "sub-10")
    )
    assert not any("hippocampus: 2.00" in text for text in texts_of(out, "sub-11"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("region\tlow\thigh\n", "has no column 'quantity'"),
        ("region\tquantity\tlow\thigh\nbrain\tvolume\tx\t2\n", "line 2: could not convert"),
        ("region\tquantity\tlow\thigh\nbrain\tvolume\t3\t2\n", "go from 3 to 2"),
        ("region\tquantity\tlow\thigh\nn/a\tvolume\t1\t2\n", "names no region"),
    ],
)
def test_limits_that_cannot_be_read_are_refused(tmp_path, content, said):
    table = tmp_path / "limits.tsv"
    table.write_text(content)

    with pytest.raises(InputError, match=said):
        read_limits(table)


def test_only_the_subjects_that_were_asked_for(out):
    summary = write_reports(out, ReportOptions(participants=("03", "sub-04"), pages=False))

    assert [one.subject for one in summary.subjects] == ["sub-03", "sub-04"]
    with pytest.raises(UsageError, match="Nothing was measured of sub-99"):
        write_reports(out, ReportOptions(participants=("99",), pages=False))


def test_a_damaged_table_fails_its_subject_and_no_other(out):
    (out / "measurements" / "sub-03_T1w.parquet").write_bytes(b"no table")

    summary = write_reports(out, ReportOptions(participants=("03", "04"), pages=False))

    failed, done = summary.subjects
    assert failed.failure is not None
    assert failed.failure.code == "bad-table"
    assert done.failure is None
    assert summary.exit_code == 1


def test_a_visit_that_a_subject_lacks_fails_it_alone(out):
    [one] = write_reports(
        out, ReportOptions(visit="ses-02", participants=("01",), pages=False)
    ).subjects

    assert one.failure is not None
    assert one.failure.problem == "sub-01 has no visit 'ses-02'."


def test_regions_are_named_as_in_a_prompt(out):
    options = ReportOptions(mode="region", regions=("hippocampi", "insula"), pages=False)

    [one] = write_reports(out, options_of(options, "01")).subjects
    name = "sub-01_mode-region_label-hippocampus+insula"
    assert [s["Title"] for s in report_of(out, name)["Sections"]] == [
        *("Technique", "Hippocampus", "Brain and ventricles")
    ]
    assert one.notes == (
        "Nothing is known of insula: it was not asked for, and no lesion is placed in it.",
    )


def options_of(options: ReportOptions, subject: str) -> ReportOptions:
    return ReportOptions(**{**vars(options), "participants": (subject,)})


def test_the_same_tables_give_the_same_bytes(out):
    first = [
        path.read_bytes() for one in write_reports(out, PLAIN).subjects for path in one.files
    ]
    again = [
        path.read_bytes() for one in write_reports(out, PLAIN).subjects for path in one.files
    ]

    assert first == again


def test_an_image_that_is_gone_has_no_grid(out):
    [image] = Results(out, {}).facts("sub-01").images

    assert (image.kind, image.spacing_mm) == ("T1w", ())


def test_days_are_those_that_visits_were_followed_by(out):
    visits = [{"Name": "", "Acquired": "2024-04-14T09:30:00"}]
    (out / "sub-01_longitudinal.json").write_text(json.dumps({"Visits": visits}))

    [visit] = Results(out, {}).facts("sub-01").visits
    assert visit.when is not None
    assert visit.when.isoformat() == "2024-04-14"


def test_warnings_of_what_was_compared_are_notes(out, write):
    notes, warnings = ["Visits were not laid over each other."], ["Noise is not known."]
    summary = {"Visits": [], "Notes": notes, "Warnings": warnings}
    for subject in ("sub-01", "sub-02"):
        (out / f"{subject}_longitudinal.json").write_text(json.dumps(summary))
    moved = {"earlier_session": "ses-01", "earlier_case": "sub-01_ses-01_FLAIR"}
    row = {**volume("sub-01", "brain", None), "case": "sub-01_ses-02_FLAIR", **moved}
    of_change = {"session_id": "ses-02", "first": 1200.0, "second": 1100.0, "absolute": -100.0}
    brain = {**volume("sub-01", "brain", 1100.0), "session_id": "ses-02"}
    write([{**row, **of_change}], "changes")
    write([brain])

    write_reports(out, ReportOptions(pages=False, participants=("01", "02")))

    assert report_of(out, "sub-01")["Notes"] == [*notes, *warnings]
    assert report_of(out, "sub-02")["Notes"] == []
    korean = replace(PLAIN, participants=("01",), language="ko")
    [written] = write_reports(out, korean).subjects
    quoted = [f'"{one}"' for one in (*notes, *warnings)]
    for note, original in zip(written.notes, quoted, strict=True):
        assert note.startswith("방문 비교에 관한 참고")
        assert note.endswith(original)


def test_how_small_a_lesion_may_be_unseen_is_taken_from_the_record_of_its_case(write):
    gone = {"status": "absent", "presence": 0.2}
    out = write([volume(f"sub-0{n}", "lesion", None, **gone) for n in (1, 2)])
    told = {"lesion": {"Status": "absent", "DetectionLimitMl": 16.38}}
    record = {"schema": SCHEMA, "outputs": {}, "targets": told}
    record_path(out, "sub-01_T1w").parent.mkdir()
    record_path(out, "sub-01_T1w").write_text(json.dumps(record))

    write_reports(out, PLAIN)

    assert any(
        text.startswith("No lesion of 16.4 mL or more") for text in texts_of(out, "sub-01")
    )
    written = report_of(out, "sub-01")
    jsonschema.validate(written, report_schema())
    assert (
        written["Facts"]["measurements:sub-01_T1w:lesion:volume"]["DetectionLimitMl"] == 16.38
    )
    assert "No lesion (probably)." in texts_of(out, "sub-02")


def test_pages_are_written_beside_and_lead_to_each_other(out):
    summary = write_reports(out, ReportOptions(participants=("01",)))

    [one] = summary.subjects
    assert one.files[-1].name == "sub-01.html"
    assert summary.index is not None
    assert "sub-01.html" in summary.index.read_text(encoding="utf-8")
    assert "sub-02.html" not in summary.index.read_text(encoding="utf-8")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no measurements and no findings"):
        write_reports(tmp_path, PLAIN)


def test_what_is_not_the_same_report_takes_no_other_ones_place(out):
    one = ReportOptions(participants=("01",))
    kinds = [
        one,
        replace(one, language="ko"),
        replace(one, mode="region", regions=("hippocampus", "brain")),
        replace(one, mode="prompt"),
    ]
    files = [
        file
        for kind in kinds
        for one in write_reports(out, kind).subjects
        for file in one.files
    ]

    names = {file.name for file in files}
    assert len(names) == len(files) == 3 * len(kinds)
    assert {
        *("sub-01_report.md", "sub-01_lang-ko_report.md", "sub-01_mode-prompt_report.json"),
        *("sub-01.html", "sub-01_lang-ko.html"),
        "sub-01_mode-region_label-brain+hippocampus.html",
    } <= names
    assert all(file.is_file() for file in files)
    index = (out / "index.html").read_text(encoding="utf-8")
    assert '<a href="sub-01.html">sub-01</a>' in index
    assert '<a href="sub-01_lang-ko.html">ko</a>' in index
    assert "region, brain+hippocampus</a>" in index


def test_a_visit_that_is_asked_for_is_in_the_name_and_many_regions_are_not():
    assert report_stem("sub-1", "en", Scope(visit="ses-02")) == "sub-1_ses-02"
    many = Scope("region", tuple(f"left-region-{n}" for n in range(20)))
    assert re.fullmatch(
        r"sub-1_mode-region_label-[0-9a-f]{8}", report_stem("sub-1", "en", many)
    )


def test_scans_of_an_earlier_run_stay_on_the_page_of_the_cohort(out, monkeypatch):
    last = SimpleNamespace(name="sub-12_FLAIR", progress="failed", error=None, why="It is cut.")
    monkeypatch.setattr(reporting, "status_of", lambda _: SimpleNamespace(cases=[last]))

    index = write_reports(out, ReportOptions(participants=("01",))).index

    assert index is not None
    text = index.read_text(encoding="utf-8")
    assert "13 scans: 12 done" in text
    assert "It is cut." in text
    assert "sub-03_T1w" in text
