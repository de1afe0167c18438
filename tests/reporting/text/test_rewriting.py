"""A language model on loopback: what it is told, what is taken from it, what is replaced."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.reporting.composition import compose
from medprompt_cli.reporting.rewriting import LEVELS, TRIES, rewrite

GOOD = """\
## Brain and ventricles
The brain measures 1180 mL (interval 1150 to 1210 mL). There is definitely no midline shift.
## Structures
The left hippocampus measures 3.21 mL. The brainstem was not assessed.
## Lesions
Two lesions are probably present. Lesion 1 is large and lies in the right frontal lobe.
## Change
The left hippocampus is smaller since ses-01, beyond the noise of this method.
## Impression
Lesion 1 is large. There is definitely no tumor.
"""
BAD = GOOD.replace("3.21 mL", "2.31 mL").replace("no tumor", "a glioblastoma")


class Site(HTTPServer):
    """Says what it is given, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Any] = []
        self.replies: list[str] = []
        self.endpoint = Endpoint(f"http://127.0.0.1:{self.server_port}/v1", "mine")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        site = cast("Site", self.server)
        site.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        message = {"choices": [{"message": {"content": site.replies.pop(0)}}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(message).encode())

    def log_message(self, format, *args):
        """Keep the terminal quiet."""


@pytest.fixture
def server():
    site = Site()
    thread = threading.Thread(target=site.serve_forever, daemon=True)
    thread.start()
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def test_what_passes_takes_the_place_of_our_text(server, facts):
    ours = compose(facts)
    server.replies = [GOOD]

    theirs = rewrite(ours, server.endpoint)

    assert theirs.sections[0] == ours.sections[0]
    assert theirs.sections[1].sentences[0].text.startswith("The brain measures 1180 mL")
    assert theirs.sections[2].sentences[0].references == (
        "measurements:sub-01_ses-02_T1w:left-hippocampus:volume",
    )
    assert theirs.provenance["LanguageModel"] == {
        **{"Name": "mine", "Instructions": "plain", "Tries": 1, "Accepted": True}
    }
    [note] = theirs.notes
    assert note.startswith("The language model mine left out ")


def test_what_is_refused_goes_back_with_the_reasons(server, facts):
    server.replies = [BAD, GOOD]

    rewrite(compose(facts), server.endpoint)

    said = server.asked[1]["messages"][-1]["content"]
    assert said.startswith("Refused:\n- In 'The left hippocampus measures 2.31 mL.', '2.31 mL'")
    assert "'glioblastoma' is a word that no fact bears out" in said


def test_what_is_refused_in_the_end_is_replaced_by_our_text(server, facts):
    ours = compose(facts)
    server.replies = [BAD] * TRIES

    theirs = rewrite(ours, server.endpoint)

    assert theirs.sections == ours.sections
    assert len(server.asked) == TRIES
    assert theirs.notes == (
        "The text of the language model mine was refused 3 times and replaced by our own: In"
        " 'The left hippocampus measures 2.31 mL.', '2.31 mL' is no number that the facts hold"
        " here.",
    )


def test_headings_that_are_missing_are_refused(server, facts):
    server.replies = ["No tumor.", GOOD.replace("## Change\n", ""), GOOD]

    theirs = rewrite(compose(facts), server.endpoint)

    said = server.asked[1]["messages"][-1]["content"]
    assert "The headings have to be Brain and ventricles, Structures, Lesions" in said
    assert cast("dict", theirs.provenance["LanguageModel"])["Tries"] == 3


def test_it_is_told_neither_subject_nor_dates(server, facts):
    server.replies = [GOOD]

    rewrite(compose(facts), server.endpoint)

    told = json.dumps(server.asked[0]["messages"], ensure_ascii=False)
    assert "sub-01" not in told
    assert "2025" not in told
    assert "Hippocampus: 3.21 mL" in told


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_tells_more(server, facts, level):
    server.replies = [GOOD]

    rewrite(compose(facts), server.endpoint, level)

    told = server.asked[0]["messages"][0]["content"]
    assert "in English" in told
    assert ("Examples of" in told) == (level == "example")
    assert ("Keep to this order" in told) == (level in {"template", "keyword"})
    assert ("Landmark" in told) == (level == "keyword")


def test_a_korean_report_is_asked_for_in_korean(server, facts):
    server.replies = [""] * TRIES

    theirs = rewrite(compose(facts, "ko"), server.endpoint)

    assert "in Korean" in server.asked[0]["messages"][0]["content"]
    assert theirs.sections == compose(facts, "ko").sections


def test_another_level_is_refused(facts):
    with pytest.raises(UsageError, match="There is no level of instructions 'best'"):
        rewrite(compose(facts), Endpoint("http://127.0.0.1:9"), "best")  # pyright: ignore[reportArgumentType] - that is the point
