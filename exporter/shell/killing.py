"""The commands kill, rearm and drill of the shell.

A kill goes through the exporter that runs, so that it is recorded and watched there. Whatever keeps that from
happening (none runs, it hangs, it breaks, no token fits) does not keep the bot alive: then the kill goes
straight from here. A person whom the exporter knows and refuses stays refused.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.config import BotConfig, Config
from exporter.errors import Invalid, NotFound
from exporter.shell import straight
from exporter.shell.asking import ask_with_code, asked_by
from exporter.shell.client import AnsweredNo, Client, NoExporter, NoToken, quoted
from exporter.shell.telling import DONE, LOOK_SECONDS, NOT_PROVEN, Headline, say, tell

ALL: Final = "all"
ANSWER_SECONDS: Final = 3.0
"""How long a kill waits for the exporter before it goes straight; one that lives answers in milliseconds."""
DECIDED: Final = frozenset({"verified", "not_verified"})
NO_DECISION: Final = frozenset({401, 404, 429})
"""What an exporter answers that does not know who asks, or which bot is meant: it has refused nobody."""

Answer = Mapping[str, Any]


class _NotThrough(Exception):  # noqa: N818 - named for what happened
    """The exporter did not take the kill, or cannot say any more how it stands; the text says why."""


def kill(config: Config, options: argparse.Namespace) -> int:
    """Kill one bot or all of them, through the exporter or without it."""
    chosen = [bot for bot in config.bots if options.bot in {ALL, bot.name}]
    if not chosen:
        names = ", ".join(bot.name for bot in config.bots)
        raise NotFound(f"no bot {options.bot!r} in the settings; there is {names} or {ALL}")
    if options.bot == ALL and options.venue is not None:
        raise Invalid("--venue is for one bot: a kill of all stops all of each")
    until = time.monotonic() + options.wait
    rows: list[Answer] = []
    left: Sequence[BotConfig] = chosen
    try:
        rows = _through_exporter(config, options, [bot.name for bot in chosen], until)
        left = [bot for bot in chosen if bot.name not in {row["bot"] for row in rows}]
        if left:
            raise _NotThrough(f"it does not know {', '.join(bot.name for bot in left)}")
    except _NotThrough as why:
        say(f"{why}. Killing from here, without the exporter.")
        rows += _straight(config, options, left, max(LOOK_SECONDS, until - time.monotonic()))
    tell(options, {"bots": rows}, "\n".join(f"{row['bot']}: {row['says']}" for row in rows))
    return DONE if all(row["state"] == "verified" for row in rows) else NOT_PROVEN


def rearm(config: Config, options: argparse.Namespace) -> int:
    """Take a kill back, with a reason and the code."""
    answer = ask_with_code(config, options, "rearm", reason=options.reason, venue=options.venue)
    tell(options, answer, f"{options.bot}: {answer['says']}")
    return DONE if answer["rearmed"] else NOT_PROVEN


def drill(config: Config, options: argparse.Namespace) -> int:
    """Prove the kill of a paper bot; ends when it is re-armed, proven useless, or not waited for any more."""
    asked, path = asked_by(config, options), f"/bots/{quoted(options.bot)}"
    before = asked.get(path)["kill"]["seen"]["last_drill"]
    asked.post(f"{path}/drill", reason=options.reason)
    until, headline = time.monotonic() + options.wait, Headline()
    while True:
        now = asked.get(path)["kill"]
        headline(f"{options.bot}: {now['says']}")
        if now["state"] in {"ready", "not_verified"} or time.monotonic() > until:
            break
        time.sleep(LOOK_SECONDS)
    proven, ended = now["seen"]["last_drill"] != before, now["state"] == "ready"
    if proven:
        says = "proven and re-armed; it is paused, resume it" if ended else "proven; it is not re-armed yet"
    else:
        says = f"not proven: {now['says']}"
    tell(options, now, f"{options.bot}: {says}")
    return DONE if proven and ended else NOT_PROVEN


def _through_exporter(
    config: Config, options: argparse.Namespace, names: Sequence[str], until: float
) -> list[Answer]:
    """Where the kills stand that the exporter took; raises _NotThrough, or AnsweredNo where it refused."""
    try:
        asked = asked_by(config, options, ANSWER_SECONDS)
        if options.bot == ALL:
            asked.post("/kill", reason=options.reason)
        else:
            asked.post(f"/bots/{quoted(options.bot)}/kill", reason=options.reason, venue=options.venue)
        return _followed(asked, names, until)
    except (NoExporter, NoToken) as error:
        raise _NotThrough(str(error)) from error
    except AnsweredNo as error:
        if error.status in NO_DECISION or error.status >= 500:
            raise _NotThrough(f"the exporter did not take it ({error})") from error
        raise


def _followed(asked: Client, names: Sequence[str], until: float) -> list[Answer]:
    """Look at the kills until each is decided or the time is over; tell whenever a headline changes."""
    headline = Headline()
    while True:
        rows = [bot["kill"] for bot in asked.get("/bots")["bots"] if bot["bot"] in names]
        headline("; ".join(f"{row['bot']} {row['says']}" for row in rows))
        if all(row["state"] in DECIDED for row in rows) or time.monotonic() > until:
            return rows
        time.sleep(LOOK_SECONDS)


def _straight(
    config: Config, options: argparse.Namespace, bots: Sequence[BotConfig], wait: float
) -> Sequence[Answer]:
    return asyncio.run(
        straight.kill(
            config,
            bots,
            who=options.person or _user(),
            reason=options.reason or "",
            venue=options.venue,
            wait=wait,
            said=Headline(),
        )
    )


def _user() -> str:
    """Who this is by the system's own account; an account without a name stands before no kill."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "an account without a name"
