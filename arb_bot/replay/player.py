"""Runs a session through a recording, from its first line to what is still in flight after its last."""

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from arb_bot.engine import Pace
from arb_bot.replay.markets import ReplaySource
from arb_bot.replay.recording import Recording
from arb_bot.replay.table import OpportunityTable
from arb_bot.replay.timeline import TAIL_SECONDS, ReplayClock, timeline
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from botkit.hot_reload import SettingsStore

SEED = "replay"
AT_ONCE = Pace(busy=0.5, idle=3600.0)
"""While nothing is in flight the engine looks when a cycle is due, and not in between."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A recording on a clock; `speed` None is as fast as possible, at the recording's own dates."""

    recording: Recording
    source: ReplaySource
    clock: ReplayClock
    speed: float | None

    @classmethod
    def of(cls, recording: Recording, *, speed: float | None, assumed_size: float, now: float) -> "Replay":
        """At a speed a replay begins at `now`, epoch seconds."""
        played = timeline(recording, None if speed is None else now)
        source = ReplaySource(
            played, recording.relations, recording.outcomes(), assumed_size, recording.venues()
        )
        return cls(recording, source, ReplayClock(played[0].begins, speed), speed)

    @property
    def pace(self) -> Pace:
        """How often the engine looks."""
        return AT_ONCE if self.speed is None else Pace()

    def as_state(self) -> dict[str, object]:
        """The state's `replay`: what is played, and what is assumed where nothing was recorded."""
        return {
            "file": self.recording.path.name,
            "speed": self.speed,
            "assumed_size": self.source.assumed_size,
            "outcomes": "assumed from the last recorded prices",
        }

    @property
    def title(self) -> str:
        """What is played, and what is assumed, in a line."""
        lines = sum(len(span.lines) for span in self.recording.spans)
        return (
            f"{self.recording.path.name}: {lines:,} lines in {len(self.recording.spans)} session(s). "
            f"Simulated trades; size {self.source.assumed_size:g} where none was recorded; outcomes assumed "
            "from the last recorded prices. No evidence of profit."
        )

    def run(self, session: Session, stop: threading.Event, until: float | None = None) -> None:
        """Play one session of the recording after the other."""
        for played in self.source.played:
            if stop.is_set() or (until is not None and self.clock.now() >= until):
                return
            self.clock.jump(played.begins)
            end = played.ends + TAIL_SECONDS
            session.engine.run(stop, end if until is None else min(end, until))


def tabulate(replay: Replay, settings: SettingsStore[Settings], stop: threading.Event) -> str:
    """Play a recording in a folder of its own; returns its opportunities and what became of them as text."""
    with tempfile.TemporaryDirectory(prefix="replay-") as name:
        stores = Stores.open(Path(name))
        try:
            session = open_session(
                stores,
                settings,
                folder=Path(name),
                clock=replay.clock,
                seed=SEED,
                environ={},
                pace=replay.pace,
                replay=replay.source,
            )
            table = OpportunityTable(settings.current.poll_interval)
            session.engine.observe, session.engine.publish = table.observe, table.state
            try:
                replay.run(session, stop)
                session.engine.finish()
            finally:
                session.close()
            return f"{replay.title}\n\n{table.text(stores.orders.file, stores.analytics.file)}"
        finally:
            stores.close()
