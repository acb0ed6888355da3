"""How commands of the shell answer: results to standard output, what happens meanwhile to standard error."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

DONE: Final = 0
NOT_PROVEN: Final = 1
"""The exit code where nothing went wrong on the way, and the bot's states do not show what was asked for."""

LOOK_SECONDS: Final = 0.25
"""Between two looks at something that is under way."""


def tell(options: argparse.Namespace, answer: object, text: str) -> None:
    """The result: as JSON where that was asked for, else as text."""
    print(json.dumps(answer, indent=2) if options.json else text)  # noqa: T201


def say(text: str) -> None:
    """What happens meanwhile."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


class Headline:
    """Says something whenever it has changed."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, text: str) -> None:
        """Say it, unless it was said last."""
        if text != self._said:
            self._said = text
            say(text)
