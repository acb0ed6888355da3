"""Counts what bots complain of in `complaints`: their errors and warnings, by message and UTC day.

A bot sends its last errors with every state. Counted is what its last state did not have; of the first state
that this run hears, what is newer, by the bot's clock, than all that is in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import aiosqlite

from exporter.labels import clean
from exporter.view import BotView

KEPT_DAYS: Final = 14
LONGEST_MESSAGE: Final = 200
MOST_WAITING: Final = 1_000
"""Complaints of one bot that wait for the database; what comes on top is counted as `OTHERS`."""
MOST_MESSAGES: Final = 200
"""Different messages of a bot and day; more of them are counted as `OTHERS`."""
OTHERS: Final = "other messages"

_FIGURE: Final = re.compile(r"(?<![\w.])(?:0x)?(?=[0-9a-f-]*[0-9])[0-9a-f][0-9a-f.-]*(?![\w.])")
_UPSERT: Final = """
INSERT INTO complaints (bot, date, severity, message, first_at, last_at, count) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (bot, date, severity, message) DO UPDATE SET first_at = min(first_at, excluded.first_at),
    last_at = max(last_at, excluded.last_at), count = count + excluded.count
"""


class Complaint(NamedTuple):
    """One error or warning at a time of the bot's clock, epoch seconds; an `old` one may be counted."""

    at: float
    severity: str
    message: str
    old: bool


class Complaints:
    """What all bots complain of; a job of the keeper."""

    name: Final = "complaints"

    def __init__(self) -> None:
        self._last: dict[str, frozenset[tuple[float, str, str]]] = {}
        self._waiting: dict[str, list[Complaint]] = {}
        self._writing: dict[str, int] = {}

    def heard(self, view: BotView, now: float) -> None:
        """A message came, which the view has taken."""
        state = view.state
        if state is None or state.recent_errors is None or view.state_at != now:
            return
        before = self._last.get(view.name)
        self._last[view.name] = state.recent_errors
        waiting = self._waiting.setdefault(view.name, [])
        for at, severity, message in sorted(state.recent_errors - (before or frozenset())):
            words = OTHERS if len(waiting) >= MOST_WAITING else without_figures(message)
            complaint = Complaint(at if 0 < at < now + 60 else now, severity, words, before is None)
            waiting.append(complaint)

    def opened(self) -> None:
        """Nothing is remembered of a file."""

    def due(self, now: float) -> bool:
        """Whether a bot said something new."""
        return any(self._waiting.values())

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Add what is new; days that are too old go."""
        self._writing = {bot: len(waiting) for bot, waiting in self._waiting.items()}
        for bot, waiting in self._waiting.items():
            counted_until = await _newest(db, bot)
            new = [one for one in waiting if not one.old or one.at > counted_until]
            await db.executemany(_UPSERT, await _rows(db, bot, new))
        await db.execute("DELETE FROM complaints WHERE date < ?", (_date(now - KEPT_DAYS * 86_400),))
        return False

    def committed(self) -> None:
        """What was written is on disk."""
        for bot, count in self._writing.items():
            del self._waiting[bot][:count]
        self._writing = {}

    def rolled_back(self) -> None:
        """Everything waits on."""
        self._writing = {}


def without_figures(message: str) -> str:
    """The message as others of its kind read, too: figures and identifiers are `#`."""
    return clean(_FIGURE.sub("#", message), LONGEST_MESSAGE)


async def _newest(db: aiosqlite.Connection, bot: str) -> float:
    cursor = await db.execute("SELECT COALESCE(MAX(last_at), 0.0) FROM complaints WHERE bot = ?", (bot,))
    found = await cursor.fetchone()
    return float(found[0]) if found is not None else 0.0


async def _rows(
    db: aiosqlite.Connection, bot: str, complaints: Iterable[Complaint]
) -> list[tuple[object, ...]]:
    """A row for each; no day of a bot gets more than MOST_MESSAGES different messages and `OTHERS`."""
    known: dict[str, set[str]] = {}
    rows: list[tuple[object, ...]] = []
    for at, severity, message, _ in complaints:
        date = _date(at)
        if date not in known:
            cursor = await db.execute(
                "SELECT message FROM complaints WHERE bot = ? AND date = ?", (bot, date)
            )
            known[date] = {str(row[0]) for row in await cursor.fetchall()}
        room = message in known[date] or len(known[date]) < MOST_MESSAGES
        words = message if room else OTHERS
        known[date].add(words)
        rows.append((bot, date, severity, words, at, at, 1))
    return rows


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
