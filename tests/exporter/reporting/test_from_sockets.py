"""A real exporter on a scripted bot: what was said over the socket is in the database, and in a recording."""

import asyncio
import contextlib
import gzip
import json
import sqlite3
import time
from pathlib import Path

from tests.doubles.messages import goodbye, killed, state
from tests.doubles.scripted_bot import ScriptedBot
from tests.exporter.reporting.real_exporter import LONGEST, rows, watching
from tests.exporter.test_main import settings


async def appeared(path: Path, sql: str) -> list[tuple]:
    """Rows, as soon as there are any; the exporter may be about to make the database."""
    async with asyncio.timeout(LONGEST):
        while True:
            with contextlib.suppress(sqlite3.OperationalError):
                if found := rows(path, sql):
                    return found
            await asyncio.sleep(0.1)


async def test_a_kill_switch_that_goes_on_leaves_its_event_and_a_recording_of_what_came_before(tmp_path):
    path, now = tmp_path / "reporting.db", time.time()
    async with ScriptedBot() as bot, watching(settings(tmp_path, bot.port, f"reporting_db: {path}\n"), bot):
        await bot.send(
            state(1, now), state(2, now + 1, kill_switch=killed("automatic", "safe mode active (x)"))
        )
        [(recorded,)] = await appeared(path, "SELECT what FROM events WHERE kind = 'flight_recorded'")
        events = rows(path, "SELECT severity, why FROM events WHERE kind = 'kill_switch'")
        assert events == [("critical", "automatic: safe mode active (x)")]
        lines = gzip.decompress((tmp_path / recorded.removeprefix("recorded as ")).read_bytes()).splitlines()
        about, *messages = map(json.loads, lines)
        assert about["why"] == "kill switch active: safe mode active"
        assert [line["message"]["cycle"] for line in messages] == [1, 2]


async def test_a_bot_that_says_goodbye_ends_its_session_and_leaves_its_positions_with_their_time(tmp_path):
    path, now = tmp_path / "reporting.db", time.time()
    async with ScriptedBot() as bot, watching(settings(tmp_path, bot.port, f"reporting_db: {path}\n"), bot):
        await bot.send(state(1, now))
        await bot.send(goodbye("stopped for an upgrade"))
        [(reason,)] = await appeared(path, "SELECT end_reason FROM sessions WHERE ended IS NOT NULL")
        assert reason == "stopped for an upgrade"
        [(as_of,)] = await appeared(path, "SELECT as_of FROM live_positions WHERE source = 'bot'")
        assert abs(as_of - now) < LONGEST
