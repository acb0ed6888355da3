"""Time as the engine sees it: real, or moved by hand so that history runs as fast as the machine can."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Epoch seconds, and waiting for them to pass."""

    def now(self) -> float:
        """Epoch seconds."""
        ...

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Let that many seconds pass, or fewer when `wake` is set."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Sleep until `wake` is set, at most that many seconds."""
        wake.wait(max(0.0, seconds))


class ManualClock:
    """A clock that stands still until somebody waits on it or moves it."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """Epoch seconds."""
        return self._now

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Move on by that many seconds at once."""
        self._now += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds."""
        self._now += seconds
