"""When recorded moments happen on the bot's clock: at their own dates, or from now on at some speed.

The time between two sessions of a recording is left out where it is not played at its own dates.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from arb_bot.replay.recording import Recording, Span

TAIL_SECONDS = 60.0
"""So long the engine goes on after a session's last line, to finish what is in flight."""


@dataclass(frozen=True, slots=True)
class Played:
    """A session and when it begins on the bot's clock, epoch seconds."""

    span: Span
    begins: float

    @property
    def ends(self) -> float:
        """When its last line is played."""
        return self.at(self.span.end)

    def at(self, recorded: float) -> float:
        """The bot's time of a recorded time of this session."""
        return recorded if self.begins == self.span.start else self.begins + (recorded - self.span.start)


def timeline(recording: Recording, begins: float | None) -> tuple[Played, ...]:
    """All sessions at their own dates, or one after the other from `begins` on."""
    if begins is None:
        return tuple(Played(span, span.start) for span in recording.spans)
    played = []
    for span in recording.spans:
        played.append(Played(span, begins))
        begins = played[-1].ends + 2 * TAIL_SECONDS
    return tuple(played)


class ReplayClock:
    """The bot's clock of a replay: moves on only by waiting, `speed` times as fast as time, or at once.

    So a replay is the same on every run, however long the computing between two waits took; at a speed it
    catches up what the computing took.
    """

    def __init__(
        self, start: float, speed: float | None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = start
        self._speed = speed
        self._monotonic = monotonic
        self._anchor = (monotonic(), start)

    def now(self) -> float:
        """Epoch seconds on the replay's timeline."""
        return self._now

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Let that many seconds pass; fewer when `wake` is set meanwhile."""
        due = self._now + max(0.0, seconds)
        if self._speed is not None:
            began, start = self._anchor
            rest = began + (due - start) / self._speed - self._monotonic()
            if rest > 0 and wake.wait(rest):
                due = min(due, max(self._now, start + (self._monotonic() - began) * self._speed))
        self._now = due

    def jump(self, to: float) -> None:
        """Go to a later time at once: nothing was recorded until then."""
        self._now = max(self._now, to)
        self._anchor = (self._monotonic(), self._now)
