"""The words of the shell's commands: what each takes, and its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from exporter.config_values import seconds

WAIT_SECONDS: Final = 60.0
EXIT_CODES: Final = (
    "exit code: 0 the bot's states prove it, 1 they do not (or not in time), 2 it was refused or nobody could"
    " be asked."
)
STATUS_CODES: Final = (
    "exit code: 0 no bot needs anybody now, 1 one does or is not known, 2 no exporter answers."
)
PAGE_CODES: Final = (
    "exit code: 0 delivered on every channel, 1 not, or nothing is set, 2 it was refused or nobody could be"
    " asked."
)

Add = Callable[[str, str], argparse.ArgumentParser]
"""Adds a command by its name and what it does."""


def add(command: Add) -> None:
    """Add every command."""
    status = command("status", "say how every bot is, or one of them")
    status.add_argument("bot", nargs="?", metavar="BOT", help="one bot (default: all)")
    kill = command(
        "kill", "stop a bot, or all, and wait for the proof; works without a running exporter, too"
    )
    kill.add_argument("bot", metavar="BOT|all", help="which")
    rearm = command("rearm", "take a kill back; the bot is paused then")
    drill = command("drill", "prove the kill of a paper bot: killed, proven, re-armed, paused")
    pause = command("pause", "open nothing more; positions are still managed")
    resume = command("resume", "open positions again")
    maintenance = command("maintenance", "plan quiet from now on, or end it with 0")
    setting = command("set", "change a setting and see it in the bot's states")
    revert = command("revert", "take a change of a setting back")
    mode = command("mode", "switch between paper and live")
    page = command("test-page", "call everybody whom an alert would call, and see whether it arrives")
    everybody = (kill, rearm, drill, pause, resume, maintenance, setting, revert, mode)
    for parser in (rearm, drill, pause, resume, maintenance, setting, revert, mode):
        parser.add_argument("bot", metavar="BOT", help="which")
    maintenance.add_argument("minutes", type=int, metavar="MINUTES", help="1 to 240, or 0 to end it")
    setting.add_argument("key", metavar="KEY", help="the setting, such as ARB_DAILY_LOSS_CAP_USD")
    setting.add_argument("value", metavar="VALUE", help="what it should be")
    revert.add_argument("id", metavar="ID", help="the command_id of the change")
    mode.add_argument("target", choices=("paper", "live"), help="the mode")
    for parser in (kill, rearm):
        parser.add_argument("--venue", metavar="VENUE", help="one venue of the bot alone")
    page.add_argument(
        "--severity", choices=("critical", "warning"), default="critical", help="as what (default: critical)"
    )
    for parser in (*everybody, page):
        parser.add_argument("--reason", metavar="TEXT", help="why; kept in the audit trail")
    for parser in (rearm, resume, setting, revert, mode):
        parser.add_argument("--code", metavar="CODE", help="the code on the panel; asked for where needed")
    for parser in (setting, revert):
        parser.add_argument("--force", action="store_true", help="although a warning stands against it")
    for parser in (kill, drill, pause, resume, setting, revert, mode):
        parser.add_argument(
            "--wait", type=_seconds, default=WAIT_SECONDS, metavar="SECONDS",
            help=f"how long to wait for the proof (default: {WAIT_SECONDS:.0f})",
        )  # fmt: skip
    status.epilog = STATUS_CODES
    page.epilog = PAGE_CODES
    for parser in everybody:
        parser.epilog = EXIT_CODES
    for parser in (status, *everybody, page):
        parser.add_argument("--json", action="store_true", help="answer as JSON")
        parser.add_argument("--token-file", type=Path, metavar="FILE", help="ask with this token")
        parser.add_argument(
            "--as",
            dest="person",
            metavar="NAME",
            help="ask as this operator of the settings (default: the first)",
        )


def _seconds(text: str) -> float:
    try:
        return seconds(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
