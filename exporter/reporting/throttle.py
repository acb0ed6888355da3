"""Keeps a link that flaps, or a value that swings, from filling the chain of events for ever.

Pure. Of each key the first events of a window pass. What comes beyond that is held, counted by kind, and told
in one sum when the window ends. The next window is longer, up to an hour, and passes nothing until one was
quiet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

PASSED: Final = 10
"""Events of one key that pass in one window."""
FIRST_WINDOW_SECONDS: Final = 600.0
LONGEST_WINDOW_SECONDS: Final = 3600.0

Key = tuple[str, str]
"""A bot and what of it swings."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What was held of one key in one window, in epoch seconds, by kind, and the last one's words."""

    key: Key
    since: float
    until: float
    counts: Counter[str]
    last: str


@dataclass(slots=True)
class _Window:
    since: float
    seconds: float
    room: int
    seen: int = 0
    held: Counter[str] = field(default_factory=Counter)
    last: str = ""


class Throttle:
    """The windows of all keys: how many events pass in the first one, and how long that is in seconds."""

    def __init__(self, passed: int = PASSED, first_window: float = FIRST_WINDOW_SECONDS) -> None:
        self._passed = passed
        self._first = first_window
        self._windows: dict[Key, _Window] = {}

    def passes(self, key: Key, kind: str, what: str, now: float) -> bool:
        """Whether an event is to be recorded by itself; call `ended` first, which closes windows."""
        window = self._windows.setdefault(key, _Window(now, self._first, self._passed))
        window.seen += 1
        if window.room > 0:
            window.room -= 1
            return True
        window.held[kind] += 1
        window.last = what
        return False

    def begins(self, key: Key) -> bool:
        """Whether the event just held was the first one of its key."""
        window = self._windows[key]
        return window.held.total() == 1 and window.seconds == self._first

    def ended(self, now: float, *, all_of_them: bool = False) -> Iterator[Sum]:
        """The sums of windows that are over by now, or of all at the end of the program."""
        for key, window in tuple(self._windows.items()):
            end = window.since + window.seconds
            if window.since <= now < end and not all_of_them:
                continue
            if window.held:
                yield Sum(key, window.since, now, window.held, window.last)
            longer = min(LONGEST_WINDOW_SECONDS, 2 * window.seconds)
            if window.seen > self._passed and end <= now < end + longer:
                self._windows[key] = _Window(end, longer, 0)
            else:
                del self._windows[key]
