"""What a person types and sets becomes settings and a folder, or a sentence that says what is wrong."""

import argparse
import logging
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from arb_bot import StartRefused, __version__, profiles
from arb_bot.settings import Settings
from botkit.hot_reload import SettingsStore, catalogue, from_env

MOST_DAYS = 366
ASSUMED_SIZE = 10
"""Contracts at a recorded price without a size: few, because more would be easier to fill than it was."""

_log = logging.getLogger(__name__)

DESCRIPTION = """\
An arbitrage bot for prediction markets, on paper: it trades simulated Kalshi-like and Polymarket-like
markets with simulated money, needs no account and no key, and can be watched and steered over its control
socket.
"""

EXAMPLES = """\
examples:
  python -m arb_bot                                  trade until stopped; stores in ./data
  python -m arb_bot --history-days 14                begin with two simulated weeks, if the stores are empty
  python -m arb_bot --minutes 5 --seed 7 --port 0    five minutes with known markets, on any free port
  python -m arb_bot --interval 1 --speed 10          a cycle a second in markets that live ten times as fast
  ARB_DAILY_LOSS_CAP_USD=10 python -m arb_bot        with another setting (see below)
  python -m arb_bot --profile live-starter           the careful beginning of a live bot, on paper
  python -m arb_bot --replay quotes.jsonl.gz --table what a recording had, as fast as possible, and no traces
  python -m arb_bot --replay quotes.jsonl.gz --data-dir new --replay-speed 10     trade it, ten times as fast
  python -m arb_bot --record quotes.jsonl            keep what the venues quote, to replay it later
  touch data/.kill_switch                            halt: cancels orders, opens nothing, keeps positions

exit codes: 0 after a clean stop, 2 when it cannot start; the reason is one sentence on stderr.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments, with a help that explains itself."""
    parser = argparse.ArgumentParser(
        prog="python -m arb_bot",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n{_settings_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--version", action="version", version=__version__)
    add("--host", default="127.0.0.1", help="address of the control socket (default: %(default)s)")
    add(
        "--port",
        help="port of the control socket, 0 for any free one (default: ARB_CONTROL_SOCKET_PORT or 9120)",
    )
    add(
        "--data-dir",
        type=Path,
        default=Path("data"),
        help="folder of stores, logs and kill file (default: ./data)",
    )
    add("--minutes", type=_positive, help="stop after so many minutes (default: run until stopped)")
    add("--interval", help="seconds between cycles (default: ARB_POLL_INTERVAL_SECONDS of the profile)")
    add(
        "--profile",
        metavar="NAME|FILE",
        help=f"settings that belong together: {', '.join(profiles.names())}, or a file of KEY=VALUE lines "
        f"(default: {profiles.DEMO}, and {profiles.RECORDED} with --replay)",
    )
    add("--seed", type=int, help="play the simulated markets from this seed (default: another one each time)")
    add(
        "--speed",
        type=_positive,
        default=1.0,
        help="how fast the simulated markets live; the bot's own clock stays real",
    )
    add(
        "--history-days",
        type=_days,
        default=0.0,
        help="if the stores are empty, fill them with so many simulated days",
    )
    _recording_arguments(parser)
    add("--paused", action="store_true", help="start paused: look and report, open nothing until resumed")
    return parser


def _recording_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--replay",
        type=Path,
        metavar="FILE",
        help="trade recorded quotes (.jsonl or .jsonl.gz, with .groups.json beside it) instead of simulated "
        "markets; orders meet the recorded top of book, outcomes are assumed from the last prices",
    )
    add(
        "--replay-speed",
        type=_speed,
        metavar="X|max",
        help="how many times as fast as it was recorded, or max (default: 1)",
    )
    add(
        "--replay-size",
        type=_contracts,
        metavar="N",
        help="contracts assumed at a price whose size was not recorded, simulated; 0 leaves such quotes out "
        f"(default: {ASSUMED_SIZE})",
    )
    add(
        "--table",
        action="store_true",
        help="play the recording as fast as possible in a folder of its own, print its opportunities by "
        "lane and edge with size and fees, and end",
    )
    add("--record", type=Path, metavar="FILE", help="write the venues' quotes to FILE (.jsonl), 5 x 50 MB")


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse what would mean nothing. Raises StartRefused."""
    given = vars(arguments)
    needs_replay = [name for name in ("replay_speed", "replay_size") if given[name] is not None]
    needs_replay += ["table"] if arguments.table else []
    if needs_replay and not arguments.replay:
        raise StartRefused(f"--{needs_replay[0].replace('_', '-')} needs --replay")
    if not arguments.replay:
        return
    for name, means_nothing in (("history_days", 0.0), ("speed", 1.0), ("seed", None)):
        if given[name] != means_nothing:
            raise StartRefused(f"--{name.replace('_', '-')} means nothing in a --replay")
    if arguments.table:
        for name in ("replay_speed", "record", "minutes", "paused"):
            if given[name]:
                raise StartRefused(f"--{name.replace('_', '-')} means nothing with --table")


def _settings_help() -> str:
    lines = [f"settings (environment; that of the profile {profiles.DEMO} in brackets):"]
    demo = profiles.profile(profiles.DEMO)
    for declared in catalogue(Settings).values():
        shown = demo.get(declared.key)
        default = f"{declared.wire(declared.default)}" + (f" [{shown}]" if shown else "")
        changes = "" if declared.hot else ", read at start only"
        lines.append(f"  {declared.key} = {default}\n      {declared.help}")
        lines.append(f"      ({declared.category}; {declared.expectation()}{changes})")
    return "\n".join(lines)


def _positive(text: str) -> float:
    return _number(text, lambda value: 0 < value < math.inf, "a number above 0")


def _days(text: str) -> float:
    return _number(text, lambda value: 0 <= value <= MOST_DAYS, f"days from 0 to {MOST_DAYS}")


def _speed(text: str) -> float:
    """A factor; infinity stands for as fast as possible."""
    return math.inf if text == "max" else _positive(text)


def _contracts(text: str) -> float:
    return _number(text, lambda value: 0 <= value < math.inf, "contracts from 0")


def _number(text: str, fits: Callable[[float], bool], expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not fits(value):
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return value


def read_settings(arguments: argparse.Namespace, environ: Mapping[str, str]) -> SettingsStore[Settings]:
    """Settings and logging from command line, environment, profile, defaults.

    Raises InvalidSettings, StartRefused.
    """
    overrides = {"ARB_CONTROL_SOCKET_PORT": arguments.port, "ARB_POLL_INTERVAL_SECONDS": arguments.interval}
    given = {key: value for key, value in environ.items() if value.strip()}
    usual = profiles.RECORDED if arguments.replay else profiles.DEMO
    values = profiles.profile(arguments.profile or usual) | given
    kills = (
        values.get("ARB_KILL_SWITCH_ENV_VAR", Settings.kill_env_var),
        values.get("ARB_VENUE_KILL_SWITCH_ENV_PREFIX", Settings.venue_kill_prefix),
    )
    loaded = from_env(Settings, values, overrides, also_known=lambda name: name.startswith(kills))
    logging.basicConfig(
        level=loaded.settings.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for warning in loaded.warnings:
        _log.warning("%s", warning)
    if loaded.settings.live_mode:
        raise StartRefused("ARB_LIVE_MODE: there are simulated venues only, no real money can be traded")
    return SettingsStore(loaded.settings)


def data_folder(path: Path) -> Path:
    """The folder of stores, logs and kill file, made where it is missing. Raises StartRefused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StartRefused(f"the data folder {path} cannot be made: {exc.strerror or exc}") from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise StartRefused(f"the data folder {path} cannot be written")
    return path
