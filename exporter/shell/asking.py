"""Asks the exporter as the person whom a command's options name, and has a code typed where one is needed."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from exporter.config import Config
from exporter.shell.client import ANSWER_SECONDS, AnsweredNo, Client, client, quoted
from exporter.shell.telling import say


def asked_by(config: Config, options: argparse.Namespace, within: float = ANSWER_SECONDS) -> Client:
    """The exporter that runs, asked as that person; it gets so many seconds for an answer. Raises NoToken."""
    return client(config, options.token_file, options.person, within)


def ask_with_code(config: Config, options: argparse.Namespace, call: str, **fields: object) -> Any:
    """Ask for a change of a bot; where that takes a code, show the one on the panel and have it typed.

    Without a terminal nobody can type: then the refusal stands, and says how to give the code.
    """
    asked, path = asked_by(config, options), f"/bots/{quoted(options.bot)}"
    try:
        return asked.post(f"{path}/{call}", code=options.code, **fields)
    except AnsweredNo as error:
        needed = error.content.get("code_needed")
        if needed is None or options.code is not None:
            raise
        if not sys.stdin.isatty():
            say(
                f"{needed['for']}: the code is on the panel, and under `codes` in"
                f" `status {options.bot} --json`; ask again with --code CODE"
            )
            raise
        say(f"{error}\n  {needed['for']}")
        for shown in asked.get(path)["codes"]:
            if shown["for"] == needed["for"]:
                say(f"  code {shown['code']}")
    return asked.post(f"{path}/{call}", code=input("type the code: ").strip(), **fields)
