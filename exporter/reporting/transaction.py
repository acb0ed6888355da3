"""Ends transactions so that it is always known what became of them, also when the program is ending."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import Final

import aiosqlite

from exporter.reporting.database import code

COMMIT_TRIES: Final = 10  # each waits database.BUSY_SECONDS for readers to finish


async def commit(db: aiosqlite.Connection) -> None:
    """Commit once the readers of the moment have finished; raises sqlite3.Error.

    A cancellation meanwhile waits for the outcome and is not raised: ask `Task.cancelling` afterwards.
    """
    committing = asyncio.ensure_future(_commit(db))
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError:
        await committing


async def undo(db: aiosqlite.Connection) -> None:
    """End what runs on the connection and roll back, if there is anything to."""
    await db.interrupt()
    with contextlib.suppress(sqlite3.Error):  # a transaction that has ended already
        await db.execute_fetchall("ROLLBACK")


async def _commit(db: aiosqlite.Connection) -> None:
    for last in (*(False,) * (COMMIT_TRIES - 1), True):
        try:
            await db.execute_fetchall("COMMIT")
            return
        except sqlite3.OperationalError as error:
            if last or code(error) != sqlite3.SQLITE_BUSY:
                raise
