"""A language model behind an address: what it is told, what is taken from it, what is not."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.language.chat import Endpoint
from medprompt_cli.planning.endpoint import TRIES, EndpointSpeaker, write_program
from medprompt_cli.planning.printer import print_program, print_statement

PROGRAM = """scan = image()
thalamus = segment(scan, "thalamus")
read(volume(thalamus))
"""


class Site(HTTPServer):
    """Says what it is given, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, Any]] = []
        self.replies: list[str | bytes] = []
        self.endpoint = Endpoint(f"http://127.0.0.1:{self.server_port}/v1", "mine")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        site = cast("Site", self.server)
        length = int(self.headers["Content-Length"])
        site.asked.append((self.path, json.loads(self.rfile.read(length))))
        said = site.replies.pop(0)
        message = {"choices": [{"message": {"role": "assistant", "content": said}}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said if isinstance(said, bytes) else json.dumps(message).encode())

    def log_message(self, format, *args):
        """Keep the terminal quiet."""


@pytest.fixture
def server():
    """A server on loopback."""
    site = Site()
    thread = threading.Thread(target=site.serve_forever, daemon=True)
    thread.start()
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def test_a_program_is_parsed_checked_and_given_back(server):
    server.replies = [f"Here you are:\n```python\n{PROGRAM}```"]

    program = write_program("volume of the thalamus", server.endpoint)

    assert print_program(program) == PROGRAM
    path, asked = server.asked[0]
    assert (path, asked["model"]) == ("/v1/chat/completions", "mine")
    assert "volume of the thalamus" in asked["messages"][1]["content"]


def test_what_is_refused_goes_back_with_the_reason(server):
    server.replies = ["import os", "read(volume(thalamus))", PROGRAM]

    write_program("volume of the thalamus", server.endpoint)

    second, third = (asked["messages"][-1]["content"] for _, asked in server.asked[1:])
    assert second.startswith("Refused: Line 1: 'import os' is not part of the plan language.")
    assert "'thalamus'" in third


@pytest.mark.parametrize(
    "hostile", ["__import__('os').system('id')", "x = open('/etc/passwd')"]
)
def test_a_hostile_program_is_refused_in_the_end(server, hostile):
    server.replies = [hostile] * TRIES

    with pytest.raises(UsageError, match=f"refused {TRIES} times"):
        write_program("volume of the thalamus", server.endpoint)
    assert len(server.asked) == TRIES


def test_a_dialogue_is_led_one_statement_at_a_time(server):
    server.replies = [*PROGRAM.splitlines(), "done"]
    speaker = EndpointSpeaker("volume?", {"visit 1": ("T1w", "FLAIR")}, server.endpoint)

    said = []
    while (statement := speaker.next()) is not None:
        said.append(print_statement(statement).strip())
        if said[-1].startswith("read"):
            speaker.tell("positive", "15.2 mL")

    assert said == PROGRAM.strip().splitlines()
    first, *_, last = (asked["messages"] for _, asked in server.asked)
    assert "visit 1: T1w, FLAIR" in first[1]["content"]
    assert last[-1]["content"] == "It is: 15.2 mL (positive)."


def test_two_statements_at_once_are_refused(server):
    server.replies = [PROGRAM, "scan = image()"]
    speaker = EndpointSpeaker("volume?", {"visit 1": ("T1w",)}, server.endpoint)

    statement = speaker.next()

    assert statement is not None
    assert print_statement(statement).strip() == "scan = image()"
    assert "3 statements" in server.asked[1][1]["messages"][-1]["content"]


def test_no_server_is_an_error_with_a_remedy():
    with pytest.raises(UsageError, match="does not answer") as caught:
        write_program("volume", Endpoint("http://127.0.0.1:9/v1"))
    assert "http://localhost:8080/v1" in caught.value.remedy


@pytest.mark.parametrize("body", [b"not json", b"{}", b'{"choices": []}', b"[1]"])
def test_an_answer_without_text_is_no_answer(server, body):
    server.replies = [body]

    with pytest.raises(UsageError, match="does not speak the chat protocol"):
        write_program("volume", server.endpoint)
