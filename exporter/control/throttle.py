"""Slows down who guesses: so many failures in a window, then a wait, for each source by itself.

Pure: the time is passed in. Memory is bounded; the source that failed longest ago is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

SOURCES: Final = 1000


class Throttle:
    """`limit` failures within `window` seconds are free; after that `wait` says how long to stay away."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, source: str, now: float) -> float:
        """Seconds until this source may try again; 0 where it may now."""
        times = self._failed.get(source, ())
        recent = [at for at in times if 0 <= now - at < self._window]
        return 0.0 if len(recent) < self._limit else recent[0] + self._window - now

    def failed(self, source: str, now: float) -> None:
        """This source failed once more."""
        times = self._failed.setdefault(source, deque(maxlen=self._limit))
        times.append(now)
        self._failed.move_to_end(source)
        if len(self._failed) > SOURCES:
            self._failed.popitem(last=False)
