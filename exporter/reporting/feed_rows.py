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
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle brought; `at` by our clock, `number` and `ts` the bot's own, then its opportunities."""

    at: float
    session: Run
    number: float | None
    ts: float | None
    decisions: Sequence[object]
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
        skips: list[dict[str, object]] = []
        results: list[dict[str, object]] = []
        for decision in cycle.decisions:
            if type(decision) is dict and _is_readable(decision):
                (skips if decision["action"] == SKIPPED else results).append(decision)
            else:
                left[UNREADABLE] += 1
        self._take_results(results, cycle, left)
        self._take_skips(skips, cycle, left)
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
        rows, self._changed = list(self._changed.values()), {}
        return rows

    def put_back(self, rows: Sequence[Row]) -> None:
        """Have rows written again whose transaction failed."""
        self._changed = {id(row): row for row in rows} | self._changed

    def _begin(self, cycle: Cycle) -> None:
        self._cycles += 1
        which = cycle.session, cycle.at // SLICE_SECONDS
        if which != self._slice:
            self._slice, self._open = which, {}

    def _take_results(self, results: Sequence[dict[str, object]], cycle: Cycle, left: Counter[str]) -> None:
        for number, decision in enumerate(results):
            if number >= ROWS_A_CYCLE:
                left[BEYOND_CYCLE] += 1
            elif len(self._changed) >= 2 * ROWS_WAITING:
                left[BEYOND_MEMORY] += 1
            else:
                row = _row(decision, cycle)
                row.count = 1
                self._changed[id(row)] = row

    def _take_skips(self, skips: Sequence[dict[str, object]], cycle: Cycle, left: Counter[str]) -> None:
        rows, touched, opened = self._open, self._cycles, 0
        for decision in skips:
            reason = str(decision["reason"])
            match_key = str(decision.get("match_key") or "")[:LONGEST_TEXT]
            key = str(decision["kind"])[:LONGEST], match_key, reduced(reason)[:LONGEST]
            row = rows.get(key)
            if row is None or row.touched != touched:
                if opened >= ROWS_A_CYCLE:
                    left[BEYOND_CYCLE] += 1
                    continue
                if row is None:
                    if len(self._changed) >= ROWS_WAITING or len(rows) >= ROWS_OPEN:
                        left[BEYOND_MEMORY] += 1
                        continue
                    row = rows[key] = _row(decision, cycle)
                opened += 1
                self._join(row, cycle)
                row.edge, row.fill_prob = _number(decision, "edge"), _number(decision, "fill_prob")
                row.detail = _text(reason)
            row.count += 1

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


def _is_readable(decision: Mapping[str, object]) -> bool:
    return (
        isinstance(decision.get("action"), str)
        and isinstance(decision.get("kind"), str)
        and isinstance(decision.get("reason"), str)
        and isinstance(decision.get("match_key"), str | None)
    )


def _row(decision: Mapping[str, object], cycle: Cycle) -> Row:
    reason = str(decision["reason"])
    return Row(
        cycle.session,
        cycle.at,
        cycle.at,
        cycle.number,
        clean(str(decision["action"])),
        clean(reduced(reason)),
        kind=clean(str(decision["kind"])),
        match_key=_text(decision.get("match_key")),
        detail=_text(reason),
        edge=_number(decision, "edge"),
        fill_prob=_number(decision, "fill_prob"),
    )


def _text(raw: object) -> str:
    return clean(raw, LONGEST_TEXT) if isinstance(raw, str) and raw else ""


def _number(decision: Mapping[str, object], name: str) -> float | None:
    value = decision.get(name)
    return None if isinstance(value, bool) else finite(value)
