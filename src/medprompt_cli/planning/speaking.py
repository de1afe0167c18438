"""The network in a dialogue: it writes a statement, is told what came of it, and goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medprompt_cli.errors import UsageError
from medprompt_cli.planning.answers import Told
from medprompt_cli.planning.everything import place_of_everything
from medprompt_cli.planning.grammar_dialogue import DialogueWalk
from medprompt_cli.planning.grammar_symbols import DIALOGUE, ID, places_of
from medprompt_cli.planning.mentions import Token, read_prompt
from medprompt_cli.planning.prompt_features import featurise
from medprompt_cli.planning.prompt_model import PromptModel
from medprompt_cli.planning.tree import Statement


@dataclass
class Speaker:
    """One dialogue about a prompt that was understood.

    Attributes:
        model: The network.
        tokens: The prompt.
        walk: What was written so far, and what may follow.
    """

    model: PromptModel
    tokens: Sequence[Token]
    walk: DialogueWalk = field(init=False)

    def __post_init__(self) -> None:
        decoder = self.model.decoder
        features = featurise(self.tokens, dict(self.model.names), decoder.config.buckets)
        self.walk = DialogueWalk(places_of(self.tokens))
        self._reading = decoder.read(features, programs=1)
        self._logits = self._after(ID[DIALOGUE])

    @classmethod
    def about(cls, prompt: str, model: PromptModel) -> Speaker:
        """Begin a dialogue.

        Raises:
            UsageError: If the prompt asks for everything: no dialogue is long enough.
        """
        tokens = read_prompt(prompt, model.words)
        if place_of_everything(tokens) is not None:
            raise UsageError(
                f"{prompt!r} asks for every structure, which takes more than a dialogue.",
                remedy="Name a few regions, or use medprompt segment with -p all.",
            )
        return cls(model, tokens)

    def next(self) -> Statement | None:
        """The next statement; None if everything was said.

        Raises:
            ValueError: If the value of the last `read` was not told.
        """
        if self.walk.waits:
            raise ValueError("The value that was read has to be told first.")
        count = len(self.walk.statements)
        while not self.walk.done and len(self.walk.statements) == count:
            allowed = self.walk.allowed
            token = allowed[int(self._logits[list(allowed)].argmax())]
            self.walk.take(token)
            if not self.walk.done:
                self._logits = self._after(token)
        said = self.walk.statements
        return said[count] if len(said) > count else None

    def tell(self, told: Told, said: str = "") -> None:  # noqa: ARG002 - it reads no numbers
        """Tell what the value was that was read last."""
        self._logits = self._after(self.walk.tell(told))

    def _after(self, token: int) -> np.ndarray:
        return self.model.decoder.write(self._reading, np.array([token])).next[0]
