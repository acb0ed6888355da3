"""The program: runs one session, after a simulated past if asked for, and stops cleanly on a signal."""

import argparse
import logging
import math
import os
import secrets
import signal
import sys
import threading
import types
from collections.abc import MutableMapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from arb_bot import ArbBotError, StartRefused, history
from arb_bot.clock import RealClock
from arb_bot.command_line import ASSUMED_SIZE, check_arguments, data_folder, parser, read_settings
from arb_bot.control import handlers
from arb_bot.folder_lock import held
from arb_bot.quote_recorder import QuoteRecorder
from arb_bot.replay.player import SEED, Replay, tabulate
from arb_bot.replay.recording import read_recording
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from botkit.control_socket import ControlSocket, ControlSocketError
from botkit.hot_reload import InvalidSettings, SettingsStore

BAD_INPUT = 2
STATE_SPACING_SECONDS = 1.0
"""New clients get a state at once, but many of them together bring no more than one a second."""

_log = logging.getLogger("arb_bot")


class Stop:
    """Set by a signal or by the end of the session; `reason` is what clients are told."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.reason = "the session is over"

    def on_signals(self) -> None:
        """Stop on SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)

    def _asked(self, number: int, _frame: types.FrameType | None) -> None:
        self.reason = f"stopped by {signal.Signals(number).name}"
        self.event.set()


@dataclass(frozen=True, slots=True)
class Program:
    """One run of the bot."""

    arguments: argparse.Namespace
    environ: MutableMapping[str, str]
    settings: SettingsStore[Settings]
    folder: Path
    stores: Stores
    seed: str
    stop: Stop
    replay: Replay | None

    def fill_history(self) -> None:
        """Play the simulated past into empty stores."""
        days = self.arguments.history_days
        _log.info("playing %g days of simulated past, a cycle every %g s", days, history.CYCLE_SECONDS)
        history.fill(
            self.stores,
            self.settings,
            folder=self.folder,
            seed=self.seed,
            days=days,
            end=RealClock().now(),
            stop=self.stop.event,
            progress=lambda done: _log.info("simulated past: %3.0f %%", 100.0 * done),
        )

    def trade(self) -> None:
        """Run the session until it is over or stopped."""
        replay = self.replay
        clock = RealClock() if replay is None else replay.clock
        session = open_session(
            self.stores,
            self.settings,
            folder=self.folder,
            clock=clock,
            seed=self.seed,
            environ=self.environ,
            speed=self.arguments.speed,
            pace=None if replay is None else replay.pace,
            replay=None if replay is None else replay.source,
        )
        if replay is not None:
            session.parts.journal.replay = replay.as_state()
        if self.arguments.paused:
            session.parts.journal.paused = {"since": clock.now(), "reason": "started paused"}
        socket = self._socket(session)
        session.engine.publish = socket.publish
        minutes = self.arguments.minutes
        until = None if minutes is None else clock.now() + 60.0 * minutes
        recorder = self._recorder(session)
        try:
            socket.start()
            _log.info(
                "session %s, seed %s, data in %s", session.parts.journal.session_id, self.seed, self.folder
            )
            _log.info("control socket on %s:%d", socket.host, socket.port)
            if replay is None:
                session.engine.run(self.stop.event, until)
            else:
                replay.run(session, self.stop.event, until)
            _log.info("stopping: %s", self.stop.reason)
            session.engine.finish()
            socket.stop(self.stop.reason)
        except Exception:
            # No goodbye: to everybody who watches, a bot that failed is gone and not stopped.
            session.engine.cancel_everything()
            raise
        finally:
            session.close()
            if recorder is not None:
                recorder.close()

    def _recorder(self, session: Session) -> QuoteRecorder | None:
        """Where the quotes of this session go, if they are recorded."""
        parts, path = session.parts, self.arguments.record
        if path is None:
            return None
        recorder = QuoteRecorder(
            path,
            parts.relations,
            lambda why: parts.journal.error(why, parts.clock.now(), "warning"),
            now=parts.clock.now(),
        )
        parts.intake.record = recorder.record
        return recorder

    def _socket(self, session: Session) -> ControlSocket:
        return ControlSocket(
            handlers=handlers(session),
            heartbeat=session.parts.pulse.read,
            host=self.arguments.host,
            port=self.settings.current.control_port,
            on_connect=lambda: session.engine.request_cycle(STATE_SPACING_SECONDS),
            registry=session.registry,
        )


def main(argv: Sequence[str] | None = None, environ: MutableMapping[str, str] | None = None) -> int:
    """Run the program; returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        _run(arguments, os.environ if environ is None else environ)
    except InvalidSettings as exc:
        for fault in exc.faults:
            print(f"arb_bot: {fault}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
        return BAD_INPUT
    except (ArbBotError, ControlSocketError) as exc:
        print(f"arb_bot: {exc}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    return 0


def _run(arguments: argparse.Namespace, environ: MutableMapping[str, str]) -> None:
    check_arguments(arguments)
    settings = read_settings(arguments, environ)
    stop = Stop()
    stop.on_signals()
    replay = _replay(arguments)
    if replay is not None and arguments.table:
        print(tabulate(replay, settings, stop.event))  # noqa: T201 - what the person asked for
        return
    folder = data_folder(arguments.data_dir)
    with held(folder), closing(Stores.open(folder)) as stores:
        if replay is not None and not stores.empty:
            raise StartRefused(f"a replay begins with empty stores, and those in {folder} are not")
        seed = secrets.token_hex(8) if arguments.seed is None else str(arguments.seed)
        program = Program(
            arguments, environ, settings, folder, stores, SEED if replay else seed, stop, replay
        )
        if arguments.history_days and stores.empty:
            program.fill_history()
        if not stop.event.is_set():
            program.trade()


def _replay(arguments: argparse.Namespace) -> Replay | None:
    """The recording that is to be played, read. Raises RecordingUnusable."""
    if arguments.replay is None:
        return None
    speed = math.inf if arguments.table else arguments.replay_speed or 1.0
    return Replay.of(
        read_recording(arguments.replay),
        speed=None if math.isinf(speed) else speed,
        assumed_size=ASSUMED_SIZE if arguments.replay_size is None else arguments.replay_size,
        now=RealClock().now(),
    )


if __name__ == "__main__":
    sys.exit(main())
