"""Says each second in `bots` how every bot is, and in `states` when one of its words changed.

The exporter's own heartbeat is `bots.as_of`: a page that finds it old knows that it is blind. Where nothing
was written for a while, because no exporter ran or none could write, a row of `states` without words says so
from the last heartbeat on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Final

import aiosqlite

from exporter.reporting.news import News
from exporter.reporting.watched import Words, row, words
from exporter.view import BotView

LEAST_SECONDS: Final = 0.9
BLIND_SECONDS: Final = 15.0
"""Pages are blind when the heartbeat is older than this; a silence as long is shown afterwards, too."""

WORST_FIRST: Final = (
    "corrupt",
    "foreign",
    "unreadable",
    "locked",
    "missing",
    "empty",
    "wal_only",
    "read_only",
    "ok",
)
"""Words on a store, of which a bot's worst one is its ledger's."""

_BOT: Final = """
INSERT OR REPLACE INTO bots (bot, kind, as_of, connected, link_since, link_why, last_state_at, stale_after,
    mode, last_mode, status, simulated, level, verdict, verdict_since, tier, tz, rolls_at, loss_cap,
    loss_cap_at, commands)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_STATE: Final = """
INSERT OR REPLACE INTO states (bot, at, loop, link, mode, status, kill, ledger, maintenance)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class Watching:
    """How all bots are; a job of the keeper. `tz` and `rolls_at` (HH:MM) are the operator's day."""

    name: Final = "bots"

    def __init__(
        self, views: Sequence[BotView], news: News, *, tz: str = "UTC", rolls_at: str = "00:00"
    ) -> None:
        self._views = tuple(views)
        self._news = news
        self._day = tz, rolls_at
        self._written: dict[str, Words] = {}
        self._writing: dict[str, Words] = {}
        self._stores: dict[tuple[str, str], str] = {}
        self._begun = False
        self._seen_at: dict[str, float] = {}
        """When each bot was last written about, as far as the table says."""
        self._written_at: float | None = None

    def opened(self) -> None:
        """Another file may be written from now on."""
        self._written, self._begun = {}, False

    def due(self, now: float) -> bool:
        """Each second, however often the keeper asks."""
        return self._written_at is None or not 0 <= now - self._written_at < LEAST_SECONDS

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write how each bot is, and what of it is new."""
        self._news.tick(now)
        if not self._begun:
            await self._begin(db)
        await self._say_blind(db, now)
        self._written_at = now
        stores = await self._look_at_stores(db, now)
        for view in self._views:
            sight = view.at(now)
            said = words(sight, stores.get(view.name))
            await db.execute(_BOT, row(sight, *self._day))
            if said != self._written.get(view.name):
                await db.execute(_STATE, (view.name, now, *astuple(said)))
                self._writing[view.name] = said
        return False

    def committed(self) -> None:
        """What was written is on disk."""
        self._written |= self._writing
        self._writing, self._begun = {}, True
        if self._written_at is not None:
            self._seen_at = {view.name: self._written_at for view in self._views}

    def rolled_back(self) -> None:
        """Write how it is then."""
        self._writing, self._written_at = {}, None

    async def _begin(self, db: aiosqlite.Connection) -> None:
        """Forget bots that are not watched any more; see when each was last written about."""
        names = [view.name for view in self._views]
        await db.execute(f"DELETE FROM bots WHERE bot NOT IN ({', '.join('?' * len(names))})", names)
        found = await db.execute_fetchall("SELECT bot, as_of FROM bots WHERE as_of > 0")
        self._seen_at = {row[0]: row[1] for row in found}

    async def _say_blind(self, db: aiosqlite.Connection, now: float) -> None:
        """Say of each bot since when nothing was written, where that is long ago."""
        for bot, seen_at in self._seen_at.items():
            if now - seen_at > BLIND_SECONDS:
                await db.execute(_STATE, (bot, seen_at + 1, *astuple(Words())))
                self._written.pop(bot, None)

    async def _look_at_stores(self, db: aiosqlite.Connection, now: float) -> dict[str, str]:
        """The worst word on each bot's stores; a word that is another than before is an event."""
        found: dict[str, str] = {}
        sql = "SELECT bot, store, status, detail FROM sources WHERE current = 1"
        for bot, store, status, detail in await db.execute_fetchall(sql):
            found[bot] = min(found.get(bot, "ok"), str(status), key=_severity)
            before = self._stores.get((bot, store), "ok")
            if status != before:
                self._news.tell(
                    "store_status",
                    f"the store {store}",
                    now,
                    bot=bot,
                    severity="info" if status == "ok" else "warning",
                    source="exporter",
                    what=f"the store {store} is {status}",
                    why=detail or "",
                    before=before,
                    after=status,
                )
            self._stores[bot, store] = str(status)
        return found


def _severity(status: str) -> int:
    return WORST_FIRST.index(status) if status in WORST_FIRST else 0
