"""How often a bot's states come, and so when the last one is too old to be shown as now.

Pure. Stale after max(15 s, 3 × the expected interval); the expected interval is the configured one, else the
longest of the last 20 observed; 180 s until three states were seen. One interval so long that the bot had
counted as stuck is a fault and not its rhythm; a second one in a row is its rhythm. A rhythm that was changed
by a setting is unknown until it is seen.
"""

from __future__ import annotations

from collections import deque

OBSERVED = 20
SHORTEST_STALE_AFTER = 15.0
SHORTEST_STUCK_AFTER = 10.0  # less, so that a hung loop is at its receiver within 20 s
STALE_AFTER_UNTIL_KNOWN = 180.0
INTERVALS_TO_KNOW = 2  # three states


class Cadence:
    """Observed seconds between states, and what follows from them."""

    __slots__ = ("_configured_interval", "_configured_stale_after", "_intervals", "_previous", "_was_stuck")

    def __init__(self, expected_interval: float | None, stale_after: float | None) -> None:
        self._configured_interval = expected_interval
        self._configured_stale_after = stale_after
        self._intervals: deque[float] = deque(maxlen=OBSERVED)
        self._previous: float | None = None
        self._was_stuck = False

    def cycle_seen(self, now: float) -> None:
        """A state with a new cycle arrived."""
        if self._previous is not None and (interval := now - self._previous) >= 0:
            stuck = interval > self.stuck_after
            if not stuck or self._was_stuck:
                self._intervals.append(interval)
            self._was_stuck = stuck
        self._previous = now

    def interrupted(self) -> None:
        """The link was lost or the bot restarted: the time until the next state is not its rhythm."""
        self._previous = None

    def changed(self) -> None:
        """The bot was told another rhythm, which its next states will show."""
        self._intervals.clear()
        self._was_stuck = False

    @property
    def expected_interval(self) -> float | None:
        """Seconds between states, or None while neither configured nor seen often enough."""
        if self._configured_interval is not None:
            return self._configured_interval
        return max(self._intervals) if len(self._intervals) >= INTERVALS_TO_KNOW else None

    @property
    def stale_after(self) -> float:
        """Seconds after which the last state is no longer shown as now."""
        if self._configured_stale_after is not None:
            return self._configured_stale_after
        return self._three_intervals(SHORTEST_STALE_AFTER)

    @property
    def stuck_after(self) -> float:
        """Seconds in which a loop that works has finished a cycle."""
        return self._three_intervals(SHORTEST_STUCK_AFTER)

    def _three_intervals(self, floor: float) -> float:
        interval = self.expected_interval
        return STALE_AFTER_UNTIL_KNOWN if interval is None else max(floor, 3 * interval)
