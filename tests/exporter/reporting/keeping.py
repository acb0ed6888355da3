"""A keeper at work in a test, with a job that does as it is told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from exporter.reporting.keeper import Keeper

LONGEST = 20  # seconds that any wait here may take before it is a failure
PACE = 0.01  # seconds between two rounds


class Feed:
    """A job with rows to write, one a transaction."""

    def __init__(self, name: str = "feed") -> None:
        self.name = name
        self.pending: list[str] = []
        self.fails: Exception | None = None
        self.hangs = False
        self.opens = self.undone = 0

    def opened(self) -> None:
        self.opens += 1

    def due(self, now: float) -> bool:
        return bool(self.pending)

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        await db.execute_fetchall(
            "INSERT INTO feed (bot, detail) VALUES (?, ?)", (self.name, self.pending[0])
        )
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        return len(self.pending) > 1

    def committed(self) -> None:
        self.pending.pop(0)

    def rolled_back(self) -> None:
        self.undone += 1


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST):
        while not happened():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(kept: Keeper) -> AsyncIterator[Keeper]:
    task = asyncio.create_task(kept.run())
    try:
        yield kept
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def rows(path: Path, sql: str = "SELECT bot, detail FROM feed ORDER BY id") -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
        return db.execute(sql).fetchall()
