"""A real exporter that watches a scripted bot, and what is in its database."""

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.doubles.scripted_bot import ScriptedBot
from tests.exporter.test_main import free_port, start

LONGEST = 30  # seconds that any wait here may take before it is a failure


def rows(path: Path, sql: str, *values: object) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
        return db.execute(sql, values).fetchall()


@asynccontextmanager
async def watching(config: Path, bot: ScriptedBot) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real exporter that is connected to the bot, and killed at the end."""
    connections = bot.connections
    program = await start("--config", config, "--listen", f"127.0.0.1:{free_port()}")
    try:
        await bot.connected(connections + 1, LONGEST)
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            program.send_signal(signal.SIGKILL)
        await program.communicate()
    await bot.deserted(LONGEST)
