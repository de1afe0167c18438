"""A client of a language model of one's own, behind the chat protocol that servers speak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medprompt_cli.errors import UsageError

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 120.0

Message = dict[str, str]
"""One turn of a conversation: `role` (system, user or assistant) and `content`."""


@dataclass
class Endpoint:
    """A server of a language model.

    Attributes:
        url: Up to and without `/chat/completions`.
        model: The name it knows its model by.
        client: Sends the requests; made when it is first needed.
    """

    url: str
    model: str = "default"
    client: httpx.Client | None = None

    def reply(self, messages: list[Message]) -> str:
        """What the model says to a conversation.

        Raises:
            UsageError: If there is no server, or it does not speak the protocol.
        """
        try:
            import httpx
        except ImportError as error:
            raise UsageError(
                "A language model needs the package httpx, which is not installed.",
                remedy='Install it with: pip install "medprompt-cli[endpoint]"',
            ) from error
        if self.client is None:
            self.client = httpx.Client(timeout=TIMEOUT_S)
        address = f"{self.url.rstrip('/')}/chat/completions"
        asked: dict[str, Any] = {"model": self.model, "messages": messages, "temperature": 0}
        try:
            answer = self.client.post(address, json=asked)
            answer.raise_for_status()
            said = answer.json()["choices"][0]["message"]["content"]
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UsageError(
                f"{address} does not answer: {error}.",
                remedy="Start the server, or give its address as http://localhost:8080/v1.",
            ) from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise UsageError(
                f"{address} does not speak the chat protocol: its answer has no text.",
                remedy="Give the address of an OpenAI-compatible server.",
            ) from error
        return said if isinstance(said, str) else ""
