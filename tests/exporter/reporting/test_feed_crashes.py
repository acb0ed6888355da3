"""An exporter that is killed at any moment neither counts a decision twice nor loses one it had committed."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from exporter.reporting.database import prepare
from tests.doubles.messages import cycle_of, decision, state
from tests.doubles.scripted_bot import ScriptedBot
from tests.exporter.reporting.real_exporter import LONGEST, rows, watching
from tests.exporter.test_main import settings


class Session:
    """A bot's session: each cycle opens one position of its own name and skips the same thing once."""

    def __init__(self, bot: ScriptedBot) -> None:
        self._bot = bot
        self._began = time.time()
        self.cycle = 0

    async def push(self, *, again: bool = False) -> None:
        self.cycle += not again
        opened = {**decision(), "match_key": f"m-{self.cycle}"}
        skipped = {**decision(action="skipped", reason="insufficient cash (kalshi)"), "match_key": "group"}
        now = time.time()
        told = state(
            self.cycle,
            now,
            session_id="s",
            uptime_seconds=now - self._began,
            last_cycle=cycle_of(opened, skipped),
        )
        await self._bot.send(told)


async def arrived(path: Path, cycle: int) -> None:
    """Wait until a cycle is in the table."""
    async with asyncio.timeout(LONGEST):
        while not rows(path, "SELECT 1 FROM feed WHERE match_key = ?", f"m-{cycle}"):
            await asyncio.sleep(0.1)


async def check(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    path = folder / "reporting.db"
    async with ScriptedBot() as bot:
        config = settings(folder, bot.port, f"reporting_db: {path}\n")
        session, committed = Session(bot), {}
        for kill in range(kills):
            async with watching(config, bot):
                await session.push(again=session.cycle > 0)
                until = time.monotonic() + chance.uniform(1.5, 3.0)
                while time.monotonic() < until:
                    await session.push()
                    await asyncio.sleep(0.02)
                if kill % 2:  # so that the next exporter hears a cycle again that is in the table
                    await arrived(path, session.cycle)
                committed |= dict(rows(path, "SELECT id, count FROM feed"))
            await asyncio.to_thread(prepare, path, time.time())
            found = dict(rows(path, "SELECT id, count FROM feed"))
            assert all(found[number] >= count for number, count in committed.items())
            committed = found
        first = session.cycle
        async with watching(config, bot):
            await session.push(again=True)
            for _ in range(20):
                await session.push()
            await arrived(path, session.cycle)
        opened = rows(path, "SELECT match_key, sum(count) FROM feed WHERE action = 'dry_run' GROUP BY 1")
        assert {count for _, count in opened} == {1}
        assert {f"m-{cycle}" for cycle in range(first + 1, session.cycle + 1)} <= {key for key, _ in opened}
        [(skips,)] = rows(path, "SELECT sum(count) FROM feed WHERE action = 'skipped'")
        assert skips == len(opened)
        [(sessions,)] = rows(path, "SELECT count(*) FROM sessions")
        assert sessions == 1


async def test_killed_now_and_then(tmp_path):
    await check(tmp_path, kills=3, seed=1)


@pytest.mark.soak
async def test_killed_a_hundred_times(tmp_path):
    await check(tmp_path, kills=100, seed=2)
