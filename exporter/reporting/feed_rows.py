"""Makes few rows of what a bot decides in each cycle, so that nothing is lost from the counts.

Pure; the time is passed in. What a bot tried, and what came of it, is a row each. Identical skips (same kind,
match key and normalised reason) of one session are one row with a count, a first and a last time; so are
cycles that found equally much. Such a row ends with its five minutes of the clock, so that sums over rows by
`first_at` are exact for whole slices of that length.

What goes beyond the limits below is counted in a row of its own that says why. So the counts of all rows but
the detected ones add up to the decisions that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.decisions import SKIPPED, reduced
from exporter.fields import finite
from exporter.labels import LONGEST, clean
from exporter.reporting.sessions import Run

SLICE_SECONDS: Final = 300.0
ROWS_A_CYCLE: Final = 200
"""Rows of skips that one cycle touches, and as many of anything else."""
ROWS_WAITING: Final = 2_000
"""Rows of one bot that wait to be committed before skips get no new ones; results get twice as many."""
ROWS_OPEN: Final = 4_000
"""Rows of one bot that a later skip may join."""

DETECTED: Final = "detected"
LEFT_OUT: Final = "left_out"
BEYOND_CYCLE: Final = f"more than {ROWS_A_CYCLE} rows in one cycle"
BEYOND_MEMORY: Final = "more than could be written in time"
UNREADABLE: Final = "not readable as decisions"

LARGEST: Final = 2**53
"""What a bot may have counted; a larger number is none."""
LONGEST_TEXT: Final = 300  # characters of a match key, and of a reason in full

Decision = dict[str, Any]
Key = tuple[str, str, str, str]
"""Action, kind, match key and normalised reason of a decision."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle brought; `at` by our clock, `number` and `ts` the bot's own, then its opportunities."""

    at: float
    session: Run
    number: float | None
    ts: float | None
    decisions: Sequence[Any]
    found: float | None
    near: float | None


@dataclass(slots=True)
class Row:
    """One row of `feed`; `cycle`, `detail`, `edge` (USD a contract) and `fill_prob` (0 to 1) are the last."""

    session: Run
    first_at: float
    last_at: float
    cycle: float | None
    action: str
    reason: str
    kind: str = ""
    match_key: str = ""
    detail: str = ""
    edge: float | None = None
    fill_prob: float | None = None
    count: int = 0
    key: int | None = None
    """Its id in the database, once it has one."""
    touched: int = 0
    """The last cycle in it, by our own count."""
    told: Decision | None = None
    """The last decision in it, until the row is taken to be written."""

    def settle(self) -> None:
        """Read the last decision, which is not worth while before the row is written."""
        if (told := self.told) is not None:
            self.detail, self.told = _text(told["reason"]), None
            self.edge, self.fill_prob = _number(told.get("edge")), _number(told.get("fill_prob"))


class Feed:
    """The rows of one bot that are not committed yet, and those that a later skip may join."""

    __slots__ = ("_changed", "_cycles", "_open", "_slice")

    def __init__(self) -> None:
        self._changed: dict[int, Row] = {}
        self._open: dict[Hashable, Row] = {}
        self._slice: Hashable = None
        self._cycles = 0

    @property
    def waiting(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._changed)

    def take(self, cycle: Cycle) -> None:
        """Count the decisions of one cycle."""
        self._begin(cycle)
        left: Counter[str] = Counter()
        skips = results = 0
        for decision in cycle.decisions:
            if (key := _key(decision)) is None:
                left[UNREADABLE] += 1
            elif key[0] != SKIPPED:
                results += 1
                self._take_result(decision, key, cycle, left, room=results <= ROWS_A_CYCLE)
            else:
                row = self._open.get(key)
                if row is None or row.touched != self._cycles:
                    row = self._touch(row, decision, key, cycle, left, room=skips < ROWS_A_CYCLE)
                    if row is None:
                        continue
                    skips += 1
                row.count += 1
                row.told = decision
        if cycle.found or cycle.near:
            self._detect(cycle)
        for why, count in left.items():
            self._leave_out(cycle, count, why)

    def miss(self, cycle: Cycle) -> None:
        """Count the decisions of a cycle that cannot be looked at."""
        self._begin(cycle)
        if cycle.decisions:
            self._leave_out(cycle, len(cycle.decisions), BEYOND_MEMORY)

    def taken(self) -> list[Row]:
        """The rows to write now; they count as written unless they are put back."""
        self.settle()
        rows, self._changed = list(self._changed.values()), {}
        return rows

    def settle(self) -> None:
        """Let go of the decisions themselves, which may be large."""
        for row in self._changed.values():
            row.settle()

    def put_back(self, rows: Sequence[Row]) -> None:
        """Have rows written again whose transaction failed."""
        self._changed = {id(row): row for row in rows} | self._changed

    def _begin(self, cycle: Cycle) -> None:
        self._cycles += 1
        which = cycle.session, cycle.at // SLICE_SECONDS
        if which != self._slice:
            self._slice, self._open = which, {}

    def _take_result(
        self, decision: Decision, key: Key, cycle: Cycle, left: Counter[str], *, room: bool
    ) -> None:
        """Make the row of what was tried, or of what came of it."""
        if not room:
            left[BEYOND_CYCLE] += 1
        elif len(self._changed) >= 2 * ROWS_WAITING:
            left[BEYOND_MEMORY] += 1
        else:
            row = _row(decision, key, cycle)
            row.count = 1
            self._changed[id(row)] = row

    def _touch(
        self, row: Row | None, decision: Decision, key: Key, cycle: Cycle, left: Counter[str], *, room: bool
    ) -> Row | None:
        """The row that the first of a cycle's identical skips joins; None where there is no room for it."""
        if not room:
            left[BEYOND_CYCLE] += 1
            return None
        if row is None:
            if len(self._changed) >= ROWS_WAITING or len(self._open) >= ROWS_OPEN:
                left[BEYOND_MEMORY] += 1
                return None
            row = self._open[key] = _row(decision, key, cycle)
        self._join(row, cycle)
        return row

    def _detect(self, cycle: Cycle) -> None:
        found, near = whole(cycle.found) or 0, whole(cycle.near) or 0
        key = DETECTED, found, near
        row = self._open.get(key)
        if row is None:
            if len(self._changed) >= ROWS_WAITING or len(self._open) >= ROWS_OPEN:
                return
            row = self._open[key] = Row(
                cycle.session, cycle.at, cycle.at, cycle.number, DETECTED, "opportunities found"
            )
            row.detail = f"{found} found and {near} near, in each cycle"
        self._join(row, cycle)
        row.count += found

    def _leave_out(self, cycle: Cycle, count: int, why: str) -> None:
        row = self._open.get((LEFT_OUT, why))
        if row is None:
            row = Row(cycle.session, cycle.at, cycle.at, cycle.number, LEFT_OUT, why)
            self._open[LEFT_OUT, why] = row
        self._join(row, cycle)
        row.count += count
        row.detail = f"{row.count} decisions have no row of their own: {why}"

    def _join(self, row: Row, cycle: Cycle) -> None:
        row.last_at, row.cycle, row.touched = cycle.at, cycle.number, self._cycles
        self._changed[id(row)] = row


def whole(number: float | None) -> int | None:
    """A count as the database takes it, or None for what cannot be one."""
    return int(number) if number is not None and 0 <= number <= LARGEST else None


def _key(decision: Any) -> Key | None:
    """Action, kind, match key and normalised reason; None for what is no decision."""
    if type(decision) is not dict:
        return None
    action, kind, reason = decision.get("action"), decision.get("kind"), decision.get("reason")
    match_key = decision.get("match_key")
    if match_key is None:
        match_key = ""
    if not (type(action) is type(kind) is type(reason) is type(match_key) is str):
        return None
    return action[:LONGEST], kind[:LONGEST], match_key[:LONGEST_TEXT], reduced(reason)[:LONGEST]


def _row(decision: Decision, key: Key, cycle: Cycle) -> Row:
    action, kind, match_key, reason = key
    row = Row(cycle.session, cycle.at, cycle.at, cycle.number, clean(action), clean(reason))
    row.kind, row.match_key, row.told = clean(kind), _text(match_key), decision
    return row


def _text(raw: str) -> str:
    return clean(raw, LONGEST_TEXT) if raw else ""


def _number(value: object) -> float | None:
    return None if isinstance(value, bool) else finite(value)
