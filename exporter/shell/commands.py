"""What people order from a shell: status, kill, rearm, drill, pause, resume, maintenance, set, revert, mode.

Each asks the exporter that runs, tells how it goes, and ends with 0 only where the bot's states proved it.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from exporter.config import Config
from exporter.control.order import Stage
from exporter.errors import NotFound
from exporter.figures import duration
from exporter.shell import straight
from exporter.shell.client import AnsweredNo, Client, NoExporter, client, quoted

DONE, NOT_PROVEN = 0, 1
ALL: Final = "all"
LOOK_SECONDS: Final = 0.25
BAD_LEVELS: Final = frozenset({"act", "unknown"})
PROVEN: Final = frozenset({"verified", str(Stage.NOT_OBSERVABLE)})
OPEN: Final = frozenset(str(stage) for stage in Stage if not stage.final)

Answer = Mapping[str, Any]


def status(config: Config, options: argparse.Namespace) -> int:
    """Every bot, or one of them, in a few lines."""
    asked = _client(config, options)
    if options.bot is None:
        answer = asked.get("/bots")
        bots: Sequence[Answer] = answer["bots"]
    else:
        answer = asked.get(f"/bots/{quoted(options.bot)}")
        bots = [answer]
    _tell(options, answer, "\n".join(_in_short(bot) for bot in bots))
    return NOT_PROVEN if any(bot["verdict"]["level"] in BAD_LEVELS for bot in bots) else DONE


def kill(config: Config, options: argparse.Namespace) -> int:
    """Kill one bot or all of them, through the exporter or without it."""
    chosen = [bot for bot in config.bots if options.bot in {ALL, bot.name}]
    if not chosen:
        raise NotFound(f"no bot {options.bot!r} in the settings; there is {_names(config)} or {ALL}")
    try:
        asked = _client(config, options)
        if options.bot == ALL:
            asked.post("/kill", reason=options.reason)
        else:
            asked.post(f"/bots/{quoted(options.bot)}/kill", reason=options.reason, venue=options.venue)
    except NoExporter as error:
        _say(f"{error}; killing without it")
        who = options.person or getpass.getuser()
        rows: Sequence[Answer] = asyncio.run(
            straight.kill(
                config, chosen, who=who, reason=options.reason or "", venue=options.venue,
                wait=options.wait, said=_say,
            )
        )  # fmt: skip
    else:
        rows = _followed(asked, [bot.name for bot in chosen], options.wait)
    _tell(options, {"bots": rows}, "\n".join(f"{row['bot']}: {row['says']}" for row in rows))
    return DONE if all(row["state"] == "verified" for row in rows) else NOT_PROVEN


def rearm(config: Config, options: argparse.Namespace) -> int:
    """Take a kill back, with a reason and the code."""
    answer = _with_code(config, options, "rearm", reason=options.reason, venue=options.venue)
    _tell(options, answer, f"{options.bot}: {answer['says']}")
    return DONE if answer["rearmed"] else NOT_PROVEN


def drill(config: Config, options: argparse.Namespace) -> int:
    """Prove the kill of a paper bot."""
    asked = _client(config, options)
    before = asked.get(f"/bots/{quoted(options.bot)}")["kill"]["seen"]["last_drill"]
    asked.post(f"/bots/{quoted(options.bot)}/drill", reason=options.reason)
    until = time.monotonic() + options.wait
    shown = ""
    while True:
        kill_now = asked.get(f"/bots/{quoted(options.bot)}")["kill"]
        if kill_now["says"] != shown:
            shown = kill_now["says"]
            _say(f"{options.bot}: {shown}")
        proven = kill_now["seen"]["last_drill"] != before
        if (proven and kill_now["state"] == "ready") or time.monotonic() > until:
            break
        time.sleep(LOOK_SECONDS)
    says = "drilled: killed, proven, re-armed; it is paused, resume it" if proven else f"not proven: {shown}"
    _tell(options, kill_now, f"{options.bot}: {says}")
    return DONE if proven else NOT_PROVEN


def pause(config: Config, options: argparse.Namespace) -> int:
    """No new entries."""
    asked = _client(config, options)
    return _command(asked, options, asked.post(f"/bots/{quoted(options.bot)}/pause", reason=options.reason))


def resume(config: Config, options: argparse.Namespace) -> int:
    """New entries again."""
    answer = _with_code(config, options, "resume", reason=options.reason)
    return _command(_client(config, options), options, answer)


def maintenance(config: Config, options: argparse.Namespace) -> int:
    """Planned quiet for so many minutes."""
    path = f"/bots/{quoted(options.bot)}/maintenance"
    answer = _client(config, options).post(path, minutes=options.minutes, reason=options.reason)
    _tell(options, answer, f"{options.bot}: {answer['says']}")
    return DONE


def set_setting(config: Config, options: argparse.Namespace) -> int:
    """Change one setting."""
    answer = _with_code(
        config,
        options,
        "settings",
        key=options.key,
        value=options.value,
        reason=options.reason,
        force=options.force,
    )
    if answer.get("warning"):
        _say(f"warning: {answer['warning']}")
    return _command(_client(config, options), options, answer)


def revert(config: Config, options: argparse.Namespace) -> int:
    """Take a change of a setting back."""
    answer = _with_code(
        config, options, "settings/revert", command_id=options.id, reason=options.reason, force=options.force
    )
    return _command(_client(config, options), options, answer)


def mode(config: Config, options: argparse.Namespace) -> int:
    """Paper to live, or back."""
    answer = _with_code(config, options, "mode", target=options.target, reason=options.reason)
    return _command(_client(config, options), options, answer)


def _client(config: Config, options: argparse.Namespace) -> Client:
    return client(config, options.token_file, options.person)


def _with_code(config: Config, options: argparse.Namespace, call: str, **fields: object) -> Any:
    """Ask; where a code is needed, show the one on the panel and ask for it to be typed."""
    asked, path = _client(config, options), f"/bots/{quoted(options.bot)}/{call}"
    try:
        return asked.post(path, code=options.code, **fields)
    except AnsweredNo as error:
        needed = error.content.get("code_needed")
        if needed is None or options.code is not None or not sys.stdin.isatty():
            raise
        _say(f"{error}\n  {needed['for']}")
        for shown in asked.get(f"/bots/{quoted(options.bot)}")["codes"]:
            if shown["for"] == needed["for"]:
                _say(f"  code {shown['code']}")
        typed = input("type the code: ").strip()
        return asked.post(path, code=typed, **fields)


def _followed(asked: Client, names: Sequence[str], wait: float) -> list[Answer]:
    """Look at the kills until each is decided or the time is over; tell whenever a headline changes."""
    until, shown = time.monotonic() + wait, ""
    while True:
        bots = {bot["bot"]: bot["kill"] for bot in asked.get("/bots")["bots"]}
        rows = [bots[name] for name in names]
        words = "; ".join(f"{row['bot']} {row['says']}" for row in rows)
        if words != shown:
            _say(words)
            shown = words
        if all(row["state"] in {"verified", "not_verified"} for row in rows) or time.monotonic() > until:
            return rows
        time.sleep(LOOK_SECONDS)


def _command(asked: Client, options: argparse.Namespace, answer: Answer) -> int:
    """Follow a command until it is decided or the time is over."""
    until, path = time.monotonic() + options.wait, f"/bots/{quoted(answer['bot'])}/commands/"
    while answer["state"] in OPEN and time.monotonic() < until:
        _say(str(answer["says"]))
        while True:
            time.sleep(LOOK_SECONDS)
            newer = asked.get(f"{path}{quoted(answer['command_id'])}")
            if newer["says"] != answer["says"] or time.monotonic() > until:
                break
        answer = newer
    _tell(options, answer, f"{answer['bot']}: {answer['state'].replace('_', ' ').upper()}: {answer['says']}")
    return DONE if answer["state"] in PROVEN else NOT_PROVEN


def _in_short(bot: Answer) -> str:
    """One bot as two lines."""
    state = bot["state"]
    age = "no state yet" if state["age"] is None else f"data {duration(state['age'])} old"
    fresh = "" if state["fresh"] else ", STALE"
    simulated = {True: ", simulated", False: "", None: ", simulated: not reported"}[bot["simulated"]]
    mode_now = f"{bot['mode'] or 'mode not reported'}{simulated}"
    return (
        f"{bot['bot']}: {bot['verdict']['text']}  [{bot['verdict']['level']}]\n"
        f"  {mode_now}; {age}{fresh}; kill: {bot['kill']['says']}"
    )


def _names(config: Config) -> str:
    return ", ".join(bot.name for bot in config.bots)


def _tell(options: argparse.Namespace, answer: object, text: str) -> None:
    print(json.dumps(answer, indent=2) if options.json else text)  # noqa: T201


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], int]] = {
    "status": status,
    "kill": kill,
    "rearm": rearm,
    "drill": drill,
    "pause": pause,
    "resume": resume,
    "maintenance": maintenance,
    "set": set_setting,
    "revert": revert,
    "mode": mode,
}
