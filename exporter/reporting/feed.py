"""Writes what bots say that they decide into the table `feed`, and prunes it after FEED_DAYS.

What is heard waits as it came and becomes rows (exporter.reporting.feed_rows) once a second, or when too much
waits. The last cycle counted is committed with its rows, so that a cycle which a bot sends again to the next
run of this exporter is not counted twice. A row that a killed exporter left is not joined any more.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

import aiosqlite

from exporter.fields import finite
from exporter.reporting.feed_rows import Cycle, Feed, Row, whole
from exporter.reporting.sessions import Sessions
from exporter.view import BotView

FEED_DAYS: Final = 14.0
"""Days for which rows are kept; the ledger's own decisions are kept for ever."""
DECISIONS_WAITING: Final = 1_000
"""Decisions of one bot that wait as they came; of more, the rows are made at once."""
PRUNED_EVERY_SECONDS: Final = 3600.0
PRUNED_AT_ONCE: Final = 2_000

SOCKET: Final = "socket"
"""`cursors.store` of what was heard and not read."""

_UPSERT: Final = """
INSERT INTO feed (id, bot, session, first_at, last_at, cycle, action, kind, match_key, reason, detail, edge,
    fill_prob, count)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at, cycle = excluded.cycle, detail = excluded.detail,
    edge = excluded.edge, fill_prob = excluded.fill_prob, count = excluded.count
"""
_MARK: Final = (
    "INSERT OR REPLACE INTO cursors (bot, store, tbl, generation, last_id, updated_at, anchor) "
    "VALUES (?, ?, 'feed', 0, ?, ?, ?)"
)
_PRUNE: Final = (
    "DELETE FROM feed WHERE id IN "
    "(SELECT id FROM feed WHERE bot = ? AND last_at < ? ORDER BY last_at LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """The last cycle that is in the rows: its session, the bot's number for it, and the bot's time."""

    session: str
    number: int | None
    ts: float | None

    @classmethod
    def read(cls, number: object, anchor: str) -> Mark:
        """The mark that a row of `cursors` holds."""
        kept = json.loads(anchor)
        return cls(kept["session"], number if isinstance(number, int) else None, finite(kept["ts"]))

    def anchor(self) -> str:
        """What a row of `cursors` holds beside the number."""
        return json.dumps({"session": self.session, "ts": self.ts})

    def covers(self, cycle: Cycle) -> bool:
        """Whether a cycle was counted already; only one of a run that an earlier exporter saw can be."""
        run, number = cycle.session, whole(cycle.number)
        if not run.continued or run.name != self.session:
            return False
        if number is not None and self.number is not None:
            return number <= self.number
        return cycle.ts is not None and self.ts is not None and cycle.ts <= self.ts


@dataclass(slots=True)
class _Bot:
    """One bot's cycles that wait, its rows, and the mark of what is in them."""

    cycles: deque[Cycle] = field(default_factory=deque)
    decisions: int = 0
    """Decisions in `cycles`, and one for each cycle."""
    feed: Feed = field(default_factory=Feed)
    seen: int = 0
    """The view's count of cycles, as of the last one heard."""
    mark: Mark | None = None
    marked: bool = True
    """Whether the table of cursors has the mark."""
    writing: list[Row] = field(default_factory=list)

    def first(self) -> Cycle:
        """Take the first cycle that waits."""
        cycle = self.cycles.popleft()
        self.decisions -= 1 + len(cycle.decisions)
        return cycle


class FeedJob:
    """The feed of all bots; a job of the keeper. `days` is how long rows are kept."""

    name: Final = "feed"

    def __init__(self, sessions: Sessions, days: float = FEED_DAYS) -> None:
        self._sessions = sessions
        self._seconds = days * 86_400
        self._bots: defaultdict[str, _Bot] = defaultdict(_Bot)
        self._looked = False
        self._next = 1
        """The id of the next new row, once the table was looked at."""
        self._pruned_at: float | None = None
        self._prunes_on = False

    def heard(self, view: BotView, now: float) -> None:
        """A message came, which the view and the sessions have taken; the cycle that it ends waits."""
        bot, state = self._bots[view.name], view.state
        if bot.seen == view.cycles_taken or state is None:
            return
        bot.seen = view.cycles_taken
        found, near, run = state.opportunities, state.near_opportunities, self._sessions.run(view.name)
        if run is None:
            raise LookupError("the sessions hear of a message first")
        bot.cycles.append(Cycle(now, run, state.cycle, state.ts, state.decisions, found, near))
        bot.decisions += 1 + len(state.decisions)
        if bot.decisions > DECISIONS_WAITING:
            self._make_rows(bot)
            bot.feed.settle()
            while bot.decisions > DECISIONS_WAITING:
                bot.feed.miss(bot.first())

    def opened(self) -> None:
        """Another file may be written from now on."""
        self._looked = False
        for bot in self._bots.values():
            bot.marked = False

    def due(self, now: float) -> bool:
        """Whether there is something to write or to prune."""
        return self._to_prune(now) or any(
            bot.cycles or bot.feed.waiting or not bot.marked for bot in self._bots.values()
        )

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write what waits, and prune a bounded part where it is time for that."""
        if not self._looked:
            await self._look(db)
        for name, bot in tuple(self._bots.items()):
            self._make_rows(bot)
            bot.writing = bot.feed.taken()
            await db.executemany(_UPSERT, [self._values(name, row) for row in bot.writing])
            if bot.mark is not None and not bot.marked:
                await db.execute(_MARK, (name, SOCKET, bot.mark.number, now, bot.mark.anchor()))
            bot.marked = True
        if self._to_prune(now):
            self._prunes_on = await self._prune(db, now)
            self._pruned_at = now
        return self._prunes_on

    def committed(self) -> None:
        """What was written is on disk."""
        for bot in self._bots.values():
            bot.writing = []

    def rolled_back(self) -> None:
        """Write the same again."""
        for bot in self._bots.values():
            bot.feed.put_back(bot.writing)
            bot.writing, bot.marked = [], False

    def _make_rows(self, bot: _Bot) -> None:
        """Make rows of the cycles that wait, once it is known how the table calls their session."""
        while self._looked and bot.cycles:
            run = bot.cycles[0].session
            if run.name is None:
                return
            cycle = bot.first()
            if bot.mark is None or not bot.mark.covers(cycle):
                bot.feed.take(cycle)
                bot.mark, bot.marked = Mark(run.name, whole(cycle.number), cycle.ts), False

    def _values(self, name: str, row: Row) -> tuple[object, ...]:
        if row.key is None:
            row.key, self._next = self._next, self._next + 1
        return (
            row.key,
            name,
            row.session.name or row.session.own_name(),
            row.first_at,
            row.last_at,
            whole(row.cycle),
            row.action,
            row.kind,
            row.match_key,
            row.reason,
            row.detail,
            row.edge,
            row.fill_prob,
            row.count,
        )

    async def _look(self, db: aiosqlite.Connection) -> None:
        """See where the tables end, which another run of this exporter may have written."""
        for (last,) in await db.execute_fetchall("SELECT coalesce(max(id), 0) FROM feed"):
            self._next = max(self._next, last + 1)
        sql = "SELECT bot, last_id, anchor FROM cursors WHERE store = ? AND tbl = 'feed'"
        for name, number, anchor in await db.execute_fetchall(sql, (SOCKET,)):
            bot = self._bots[name]
            bot.mark = bot.mark or Mark.read(number, anchor)
        self._looked = True

    def _to_prune(self, now: float) -> bool:
        at = self._pruned_at
        return self._prunes_on or at is None or not 0 <= now - at < PRUNED_EVERY_SECONDS

    async def _prune(self, db: aiosqlite.Connection, now: float) -> bool:
        """Remove old rows, a bounded number of each bot; whether there may be more."""
        more = False
        for (name,) in await db.execute_fetchall("SELECT DISTINCT bot FROM sessions"):
            removed = await db.execute(_PRUNE, (name, now - self._seconds, PRUNED_AT_ONCE))
            more = more or removed.rowcount >= PRUNED_AT_ONCE
        return more
