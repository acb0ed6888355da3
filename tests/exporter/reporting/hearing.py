"""What bots say, written into a real database at moments that a test chooses."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiosqlite

from exporter.reporting import database
from exporter.reporting.from_sockets import FromSockets
from exporter.view import BotView
from tests.doubles.messages import T0


class Hearing:
    """One run of an exporter on a database: views, listeners, jobs; its clock is what the test says."""

    def __init__(self, db: aiosqlite.Connection, path: Path, bots: tuple[str, ...], now: float) -> None:
        self.db, self.path = db, path
        self.views = {bot: BotView(bot, now=now) for bot in bots}
        self.events: list[dict[str, Any]] = []
        self.alarms: list[tuple[str, str]] = []
        self.sockets = FromSockets(
            tuple(self.views.values()), self._record, alarm=lambda bot, why: self.alarms.append((bot, why))
        )
        for job in self.sockets.jobs:
            job.opened()

    def say(self, *messages: Mapping[str, Any], bot: str = "arb", now: float | None = None) -> None:
        """The bot sends messages; they come at `now`, else at their own times."""
        view = self.views[bot]
        for message in messages:
            at = message["ts"] if now is None else now
            view.received(message, at)
            self.sockets.heard(view, message, at)

    def connect(self, now: float, bot: str = "arb") -> None:
        self.views[bot].connected(now)
        self.sockets.linked(self.views[bot], now)

    def disconnect(self, now: float, why: str = "closed by the bot", bot: str = "arb") -> None:
        self.views[bot].disconnected(now, why)
        self.sockets.linked(self.views[bot], now)

    async def write(self, now: float, *, fails: str | None = None) -> None:
        """One round of the keeper; the job named `fails` gets no commit."""
        for job in self.sockets.jobs:
            more = job.due(now)
            while more:
                await self.db.execute("BEGIN IMMEDIATE")
                more = await job.write(self.db, now)
                if job.name == fails:
                    await self.db.execute("ROLLBACK")
                    job.rolled_back()
                    break
                await self.db.execute("COMMIT")
                job.committed()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    def _record(self, kind: str, **told: Any) -> None:
        self.events.append({"kind": kind, **told})


@contextlib.asynccontextmanager
async def hearing(
    folder: Path, *bots: str, now: float = T0, file: str = "reporting.db"
) -> AsyncIterator[Hearing]:
    """A run of an exporter on the folder's database, which an earlier one may have begun."""
    path = folder / file
    database.prepare(path, now)
    db = await database.connect(path)
    await db.execute("PRAGMA synchronous = OFF")  # what a power failure leaves is not asked here
    try:
        yield Hearing(db, path, bots or ("arb",), now)
    finally:
        await db.close()
