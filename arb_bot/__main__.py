"""The program: reads arguments and environment, runs one session, stops cleanly on SIGTERM and SIGINT."""

import argparse
import logging
import math
import os
import secrets
import signal
import sys
import threading
import types
from collections.abc import Mapping, Sequence
from pathlib import Path

from arb_bot import ArbBotError, __version__, history
from arb_bot.clock import RealClock
from arb_bot.control import handlers
from arb_bot.session import KILL_ENV_VAR, VENUE_KILL_PREFIX, Stores, open_session
from arb_bot.settings import SIMULATED_MARKETS, Settings
from botkit.control_socket import ControlSocket, ControlSocketError
from botkit.hot_reload import InvalidSettings, SettingsStore, catalogue, from_env

BAD_INPUT = 2

_log = logging.getLogger("arb_bot")

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
  touch data/.kill_switch                            halt: cancels orders, opens nothing, keeps positions

exit codes: 0 after a clean stop, 2 when it cannot start; the reason is one sentence on stderr.
"""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the program; returns its exit code."""
    environ = os.environ if environ is None else environ
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments, environ)
    except InvalidSettings as exc:
        for fault in exc.faults:
            print(f"arb_bot: {fault}", file=sys.stderr)  # noqa: T201 - the person at the terminal
    except (ArbBotError, ControlSocketError) as exc:
        print(f"arb_bot: {exc}", file=sys.stderr)  # noqa: T201
    return BAD_INPUT


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = _settings(arguments, environ)
    stop, reason = threading.Event(), ["the session is over"]
    _stop_on_signals(stop, reason)
    folder = _folder(arguments.data_dir)
    stores = Stores.open(folder)
    try:
        seed = str(arguments.seed) if arguments.seed is not None else secrets.token_hex(8)
        if arguments.history_days and stores.empty:
            _fill_history(stores, settings, arguments, folder=folder, seed=seed, stop=stop)
        if not stop.is_set():
            _trade(
                stores,
                settings,
                arguments,
                folder=folder,
                seed=seed,
                environ=environ,
                stop=stop,
                reason=reason,
            )
    finally:
        stores.close()
    return 0


def _trade(
    stores: Stores,
    settings: SettingsStore[Settings],
    arguments: argparse.Namespace,
    *,
    folder: Path,
    seed: str,
    environ: Mapping[str, str],
    stop: threading.Event,
    reason: list[str],
) -> None:
    clock = RealClock()
    session = open_session(
        stores,
        settings,
        folder=folder,
        clock=clock,
        seed=seed,
        environ=environ,
        speed=arguments.speed,
    )
    if arguments.paused:
        session.parts.journal.paused = {"since": clock.now(), "reason": "started paused"}
    socket = ControlSocket(
        handlers=handlers(session),
        heartbeat=session.parts.pulse.read,
        host=arguments.host,
        port=settings.current.control_port,
        on_connect=session.engine.request_cycle,
        registry=session.registry,
    )
    session.engine.publish = socket.publish
    try:
        socket.start()
        _log.info(
            "session %s, seed %s, control socket on %s:%d, data in %s",
            session.parts.journal.session_id,
            seed,
            socket.host,
            socket.port,
            folder,
        )
        until = None if arguments.minutes is None else clock.now() + 60.0 * arguments.minutes
        session.engine.run(stop, until)
        _log.info("stopping: %s", reason[0])
        session.engine.finish()
    finally:
        socket.stop(reason[0])
        session.close()


def _fill_history(
    stores: Stores,
    settings: SettingsStore[Settings],
    arguments: argparse.Namespace,
    *,
    folder: Path,
    seed: str,
    stop: threading.Event,
) -> None:
    _log.info(
        "playing %g days of simulated past, a cycle every %g s", arguments.history_days, history.CYCLE_SECONDS
    )
    history.fill(
        stores,
        settings,
        folder=folder,
        seed=seed,
        days=arguments.history_days,
        end=RealClock().now(),
        stop=stop,
        progress=lambda done: _log.info("simulated past: %3.0f %%", 100.0 * done),
    )


def _settings(arguments: argparse.Namespace, environ: Mapping[str, str]) -> SettingsStore[Settings]:
    overrides = {"ARB_CONTROL_SOCKET_PORT": arguments.port, "ARB_POLL_INTERVAL_SECONDS": arguments.interval}
    given = {key: value for key, value in environ.items() if value.strip()}
    loaded = from_env(
        Settings,
        {**SIMULATED_MARKETS, **given},
        overrides,
        also_known=lambda name: name == KILL_ENV_VAR or name.startswith(VENUE_KILL_PREFIX),
    )
    logging.basicConfig(
        level=loaded.settings.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for warning in loaded.warnings:
        _log.warning("%s", warning)
    if loaded.settings.live_mode:
        raise InvalidSettings(
            ["ARB_LIVE_MODE: this version has simulated venues only and cannot trade real money"]
        )
    return SettingsStore(loaded.settings)


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise InvalidSettings([f"the data folder {path} cannot be made: {exc.strerror or exc}"]) from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise InvalidSettings([f"the data folder {path} cannot be written"])
    return path


def _stop_on_signals(stop: threading.Event, reason: list[str]) -> None:
    def asked(number: int, _frame: types.FrameType | None) -> None:
        reason[0] = f"stopped by {signal.Signals(number).name}"
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, asked)
        signal.signal(signal.SIGINT, asked)


def _parser() -> argparse.ArgumentParser:
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
    add("--interval", help="seconds between cycles (default: ARB_POLL_INTERVAL_SECONDS or 5)")
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
    add("--paused", action="store_true", help="start paused: look and report, open nothing until resumed")
    return parser


def _settings_help() -> str:
    lines = ["settings (environment; a default for simulated markets in brackets):"]
    for declared in catalogue(Settings).values():
        shown = SIMULATED_MARKETS.get(declared.key)
        default = f"{declared.wire(declared.default)}" + (f" [{shown}]" if shown else "")
        lines.append(f"  {declared.key} = {default}\n      {declared.help}")
    return "\n".join(lines)


def _positive(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _days(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 366:
        raise argparse.ArgumentTypeError(f"expected days from 0 to 366, got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
