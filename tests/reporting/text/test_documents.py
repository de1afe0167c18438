"""A report as JSON and as Markdown."""

from __future__ import annotations

import json

import jsonschema
import pytest

from medprompt_cli.reporting.composition import Scope, compose
from medprompt_cli.reporting.documents import as_json, as_markdown, report_schema
from medprompt_cli.reporting.limits import Expectations, Norm


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("mode", ["global", "region", "prompt"])
def test_every_report_has_the_published_form(build, mode, language):
    norms = {("left-hippocampus", "volume", "T1w"): Norm(1.2, 0.05, 20)}
    report = compose(build(Expectations({}, norms)), language, Scope(mode))

    written = json.loads(json.dumps(as_json(report), allow_nan=False))
    jsonschema.validate(written, report_schema())


def test_every_reference_leads_to_its_fact(facts):
    written = as_json(compose(facts))

    named = {
        name
        for section in written["Sections"]
        for sentence in section["Sentences"]
        for name in sentence["References"]
    }
    assert named == written["Facts"].keys()
    lesion = written["Facts"]["lesions:sub-01_ses-02_FLAIR:lesion:1:volume"]
    assert (lesion["Table"], lesion["Instance"], lesion["Value"]) == ("lesions", 1, 4.9)
    shift = written["Facts"]["findings:sub-01_ses-02_T1w:brain:midline-shift"]
    assert shift["Evidence"] == {"shift": {"Value": 1.2, "Unit": "mm"}}


@pytest.mark.parametrize(
    ("where", "wrong"),
    [("Language", "fr"), ("Sections", [{"Title": "x", "Sentences": []}]), ("Extra", 1)],
)
def test_what_has_another_form_is_refused(facts, where, wrong):
    written = {**as_json(compose(facts)), where: wrong}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, report_schema())


def test_markdown_holds_every_sentence_below_its_heading(facts):
    report = compose(facts, scope=Scope("region", ("left-insula", "hippocampus")))

    lines = as_markdown(report).splitlines()
    assert lines[:3] == ["# sub-01", "", "For research only: not a medical device."]
    for section in report.sections:
        at = lines.index(f"## {section.title}")
        assert lines[at + 2] == f"- {section.sentences[0].text}"
    assert any(line.startswith("> Nothing is known of left insula: ") for line in lines)
