"""A report as JSON for programs and as Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from medprompt_cli.reporting.facts import (
    ChangeFact,
    Fact,
    FateFact,
    FindingFact,
    ImageFact,
    NumberFact,
)
from medprompt_cli.reporting.report import Language, Report

SCHEMA_VERSION = "1"
SCHEMA = "report.schema.json"
"""What the JSON holds, as JSON Schema; beside this module."""

RESEARCH: Mapping[Language, str] = {
    "en": "For research only: not a medical device.",
    "ko": "연구용이며 의료기기가 아닙니다.",
}

_TABLES: Mapping[type[Fact], str] = {
    ImageFact: "images",
    NumberFact: "measurements",
    FindingFact: "findings",
    ChangeFact: "changes",
    FateFact: "ledger",
}


def report_schema() -> dict[str, Any]:
    """The published schema of the JSON form."""
    text = files("medprompt_cli.reporting").joinpath(SCHEMA).read_text(encoding="utf-8")
    return json.loads(text)


def as_json(report: Report) -> dict[str, Any]:
    """A report with the facts that its sentences refer to, ready for JSON.

    The form is that of `report_schema()`.
    """
    wanted = dict.fromkeys(name for one in report.sentences for name in one.references)
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Subject": report.subject,
        "Language": report.language,
        "Mode": report.mode,
        "ResearchUseOnly": RESEARCH[report.language],
        "Sections": [
            {
                "Title": section.title,
                "Sentences": [
                    {"Text": sentence.text, "References": list(sentence.references)}
                    for sentence in section.sentences
                ],
            }
            for section in report.sections
        ],
        "Facts": {name: _fact(report.facts.rows[name]) for name in wanted},
        "Visits": [
            {"Name": visit.name, "Date": _plain(visit.when)} for visit in report.facts.visits
        ],
        "Notes": list(report.notes),
        "Provenance": dict(report.provenance),
    }


def _fact(fact: Fact) -> dict[str, Any]:
    table = _TABLES[type(fact)]
    if isinstance(fact, NumberFact) and fact.instance is not None:
        table = "lesions"
    return {"Table": table, **_fields(fact)}


def _fields(thing: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the facts' dataclasses
    return {
        _camel(field.name): _plain(getattr(thing, field.name))
        for field in fields(thing)
        if field.name != "id"
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a fact
    """A value as JSON has it."""
    match value:
        case date():
            return value.isoformat()
        case _ if hasattr(value, "_asdict"):
            return {_camel(key): one for key, one in value._asdict().items()}
        case _ if is_dataclass(value):
            return _fields(value)
        case tuple():
            return [_plain(one) for one in value]
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
    return value


def as_markdown(report: Report) -> str:
    """A report to be read: its sections, each with its sentences as a list."""
    lines = [f"# {report.subject}", "", RESEARCH[report.language], ""]
    for section in report.sections:
        lines += [f"## {section.title}", ""]
        lines += [f"- {sentence.text}" for sentence in section.sentences]
        lines.append("")
    for note in report.notes:
        lines += [f"> {note}", ""]
    return "\n".join(lines)
