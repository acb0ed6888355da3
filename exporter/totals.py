"""What one exporter has counted of one bot since it started: numbers that only go up, whatever the bot does.

Pure. A restart of the bot resets the bot's own counts, never these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, product
from typing import Final

from botkit.messages import BASE_COMMANDS
from exporter.control.commander import OK, REFUSED, RESULTS
from exporter.labels import OTHER

LONGEST_GAP = 100_000
"""Cycles; a larger jump is a counter that was set, and says nothing about what was missed."""

LONGEST_CYCLE: Final = 86_400.0
"""Seconds; a longer one is no measurement, and would drown all others in the sum."""

LARGEST_COUNT: Final = 1e15
"""What a bot may have counted; a larger number is none, and would swallow every further step."""

BAD_FIELD: Final = "bad_field"
UNREADABLE: Final = "unreadable"
MESSAGE_TYPES: Final = ("state", "heartbeat", "goodbye", "ack", "error", "other")

SEVERITIES: Final = ("warning", "error", OTHER)

BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of cycle durations, in seconds."""


class Histogram:
    """Counts of observed values by upper bound."""

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.sum += value
        self._counts[bisect_left(BUCKETS, value)] += 1

    def cumulative(self) -> list[int]:
        """Counts of values up to each bound, the last one of all values."""
        return list(accumulate(self._counts))


@dataclass(slots=True)
class Totals:
    """All counters of one bot but its decisions."""

    malformed: dict[str, int]
    messages: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MESSAGE_TYPES, 0))
    states: int = 0
    missed: int = 0
    restarts: int = 0
    cycles: int = 0
    mode_changes: int = 0
    """Those that this console did not order."""
    mode_changes_ordered: int = 0
    bridge_restarts: int = 0
    latch_errors: int = 0
    errors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    durations: Histogram = field(default_factory=Histogram)
    commands: dict[tuple[str, str], int] = field(
        default_factory=lambda: dict.fromkeys(product(BASE_COMMANDS, RESULTS), 0)
    )
    """What this exporter sent, by (command, result)."""
    command_durations: Histogram = field(default_factory=Histogram)
    """How long answers took, of the commands that were answered."""
    rejects: dict[str, float] = field(default_factory=dict)
    _rejects_seen: dict[str, float] | None = None
    _errors_seen: frozenset[tuple[float, str, str]] | None = None

    def cycle(self, previous: float | None, current: float) -> None:
        """A cycle was seen after `previous`, which is None at the first; a gap is cycles without a state."""
        gap = 1.0 if previous is None else current - previous
        step = int(gap) if 1 <= gap <= LONGEST_GAP else 1
        self.cycles += step
        self.missed += step - 1

    def mode_changed(self, *, ordered: bool) -> None:
        """Count a change of the bot's mode, by whether this console ordered it."""
        self.mode_changes += not ordered
        self.mode_changes_ordered += ordered

    def commanded(self, command: str, result: str, seconds: float) -> None:
        """Count a command and, where it was answered, how long that took; results are the commander's."""
        for known in RESULTS:
            self.commands.setdefault((command, known), 0)
        self.commands[command, result] += 1
        if result in {OK, REFUSED}:
            self.command_durations.observe(seconds)

    def take_rejects(self, by_venue: Mapping[str, float]) -> None:
        """Add what a bot's own counts since its start have grown by; counting begins at the first sight."""
        by_venue = {venue: value for venue, value in by_venue.items() if 0 <= value <= LARGEST_COUNT}
        for venue, value in by_venue.items():
            total = self.rejects.setdefault(venue, 0.0)
            seen = value if self._rejects_seen is None else self._rejects_seen.get(venue, 0.0)
            self.rejects[venue] = total + (value - seen if value >= seen else value)
        self._rejects_seen = {**(self._rejects_seen or {}), **by_venue}

    def take_errors(self, recent: frozenset[tuple[float, str, str]]) -> None:
        """Count what the bot's list of its last errors has gained; counting begins at the first sight."""
        new = recent - self._errors_seen if self._errors_seen is not None else frozenset()
        for _, severity, _ in new:
            self.errors[severity if severity in self.errors else OTHER] += 1
        self._errors_seen = recent

    def bot_restarted(self) -> None:
        """The bot's own counts begin again at 0."""
        self.restarts += 1
        self._errors_seen = self._errors_seen and frozenset()
        if self._rejects_seen is not None:
            self._rejects_seen = {}
