"""What people order from a shell: status, kill, rearm, drill, pause, resume, set, mode, test-page and more.

Each asks the exporter that runs, tells how it goes, and ends with 0 only where the bot's states proved it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from exporter.alerting.paging import DELIVERED
from exporter.config import Config
from exporter.control.order import Stage
from exporter.figures import duration
from exporter.shell.asking import ask_with_code, asked_by
from exporter.shell.client import AnsweredNo, Client, NoExporter, quoted
from exporter.shell.killing import drill, kill, rearm
from exporter.shell.telling import DONE, LOOK_SECONDS, NOT_PROVEN, Headline, say, tell

BAD_LEVELS: Final = frozenset({"act", "unknown"})
PROVEN: Final = frozenset({str(Stage.VERIFIED), str(Stage.NOT_OBSERVABLE)})
OPEN: Final = frozenset(str(stage) for stage in Stage if not stage.final)

Answer = Mapping[str, Any]


def run(config: Config, options: argparse.Namespace) -> int:
    """Run a command; what the exporter refuses is answered as JSON, too, where that was asked for."""
    try:
        return COMMANDS[options.command](config, options)
    except AnsweredNo as error:
        if options.json:
            print(json.dumps({"status": error.status, **error.content}, indent=2))  # noqa: T201
        raise


def status(config: Config, options: argparse.Namespace) -> int:
    """Every bot, or one of them, in a few lines."""
    asked = asked_by(config, options)
    if options.bot is None:
        answer = asked.get("/bots")
        bots: Sequence[Answer] = answer["bots"]
    else:
        answer = asked.get(f"/bots/{quoted(options.bot)}")
        bots = [answer]
    tell(options, answer, "\n".join(_in_short(bot) for bot in bots))
    return NOT_PROVEN if any(bot["verdict"]["level"] in BAD_LEVELS for bot in bots) else DONE


def pause(config: Config, options: argparse.Namespace) -> int:
    """No new entries."""
    asked = asked_by(config, options)
    return _follow(asked, options, asked.post(f"/bots/{quoted(options.bot)}/pause", reason=options.reason))


def resume(config: Config, options: argparse.Namespace) -> int:
    """New entries again."""
    answer = ask_with_code(config, options, "resume", reason=options.reason)
    return _follow(asked_by(config, options), options, answer)


def maintenance(config: Config, options: argparse.Namespace) -> int:
    """Planned quiet for so many minutes."""
    path = f"/bots/{quoted(options.bot)}/maintenance"
    answer = asked_by(config, options).post(path, minutes=options.minutes, reason=options.reason)
    tell(options, answer, f"{options.bot}: {answer['says']}")
    return DONE


def set_setting(config: Config, options: argparse.Namespace) -> int:
    """Change one setting."""
    wanted = {"key": options.key, "value": options.value}
    answer = ask_with_code(config, options, "settings", **wanted, reason=options.reason, force=options.force)
    if answer.get("warning"):
        say(f"warning: {answer['warning']}")
    return _follow(asked_by(config, options), options, answer)


def revert(config: Config, options: argparse.Namespace) -> int:
    """Take a change of a setting back."""
    answer = ask_with_code(
        config, options, "settings/revert", command_id=options.id, reason=options.reason, force=options.force
    )
    return _follow(asked_by(config, options), options, answer)


def mode(config: Config, options: argparse.Namespace) -> int:
    """Paper to live, or back."""
    answer = ask_with_code(config, options, "mode", target=options.target, reason=options.reason)
    return _follow(asked_by(config, options), options, answer)


def test_page(config: Config, options: argparse.Namespace) -> int:
    """Whether a page would reach anybody; a line for each channel."""
    say("calling everybody whom it would call; within 20 s …")
    answer = asked_by(config, options).post("/alerts/test", severity=options.severity, reason=options.reason)
    lines = [
        f"{each['channel']}: {each['state'].upper()}{': ' if each['says'] else ''}{each['says']}"
        for each in answer["channels"]
    ]
    tell(options, answer, "\n".join(lines or [answer["says"]]))
    return DONE if answer["state"] == DELIVERED else NOT_PROVEN


def _follow(asked: Client, options: argparse.Namespace, answer: Answer) -> int:
    """Follow a command until it is decided or the time is over."""
    path = f"/bots/{quoted(answer['bot'])}/commands/{quoted(answer['command_id'])}"
    until, headline = time.monotonic() + options.wait, Headline()
    while answer["state"] in OPEN and time.monotonic() < until:
        headline(str(answer["says"]))
        time.sleep(LOOK_SECONDS)
        try:
            answer = asked.get(path)
        except (
            NoExporter,
            AnsweredNo,
        ) as error:  # it ended meanwhile, or has begun anew and knows it no more
            say(f"{error}; it was sent, and what becomes of it stands in the audit trail")
            break
    tell(options, answer, f"{answer['bot']}: {answer['state'].replace('_', ' ').upper()}: {answer['says']}")
    return DONE if answer["state"] in PROVEN else NOT_PROVEN


def _in_short(bot: Answer) -> str:
    """One bot as two lines."""
    state = bot["state"]
    age = "no state yet" if state["age"] is None else f"data {duration(state['age'])} old"
    fresh = "" if state["fresh"] or state["age"] is None else ", STALE"
    simulated = {True: ", simulated", False: "", None: ", simulated: not reported"}[bot["simulated"]]
    mode_now = f"{bot['mode'] or 'mode not reported'}{simulated}"
    return (
        f"{bot['bot']}: {bot['verdict']['text']}  [{bot['verdict']['level']}]\n"
        f"  {mode_now}; {age}{fresh}; kill: {bot['kill']['says']}"
    )


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
    "test-page": test_page,
}
