"""Where the engine is and how late: written by the engine in a microsecond, readable while it hangs.

An engine promises at every step when it will be back: `pulse.beat("quotes", cycle=12, within=1.0)`, and
before it sleeps `pulse.beat("idle", cycle=12, within=5.0)`. What it is past its promise is its lag, so a
long sleep is not a hang and a hang is seen whatever the length of a cycle. No lock is taken: reader and
writer meet in one assignment.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What one heartbeat says about the engine; `loop_lag_seconds` is 0 while it keeps its promise."""

    phase: str
    cycle: int
    loop_lag_seconds: float


class Pulse:
    """The engine's last promise; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._promise = ("starting", 0, clock() + 60.0)

    def beat(self, phase: str, cycle: int, within: float) -> None:
        """Say what the engine does now and that it will beat again within so many seconds."""
        self._promise = (phase, cycle, self._clock() + within)

    def read(self) -> Heartbeat:
        """Return where the engine is and how far past its promise, from any thread."""
        phase, cycle, due = self._promise
        return Heartbeat(phase, cycle, max(0.0, self._clock() - due))
