"""Kills over a real link, with a real bridge, against bots that are honest and bots that are not."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.bridge import Bridge
from exporter.control.kill import Stage
from exporter.control.kill_desk import KillDesk
from exporter.control.kill_latch import KillLatch
from exporter.control.proof import Rung
from exporter.view import BotView
from tests.doubles import bots
from tests.doubles.served_bot import ServedBot


class Watched:
    """A served bot with a bridge and a desk."""

    def __init__(self, served: ServedBot, folder: Path) -> None:
        self.served = served
        self.view = BotView("arb", now=time.time())
        self.bridge = Bridge(
            self.view,
            "127.0.0.1",
            served.port,
            random=random.Random(1),
            sleep=lambda seconds: asyncio.sleep(0.01),
        )
        self.told: list[Stage] = []
        latch = KillLatch(folder, "arb")
        self.desk = KillDesk(
            self.view, self.bridge, latch, None, told=lambda news: self.told.append(news.kill.stage)
        )
        self.bridge.listen(self.desk.heard, self.desk.opened)

    async def until(self, stage: Stage) -> None:
        async with asyncio.timeout(20):
            while self.desk.standing(time.time()).state is not stage:
                await asyncio.sleep(0.002)

    async def cycles(self, count: int) -> None:
        wanted = self.view.totals.states + count
        async with asyncio.timeout(20):
            while self.view.totals.states < wanted:
                await asyncio.sleep(0.002)

    def press(self) -> None:
        self.desk.kill("ann", "test", "over the link")


@contextlib.asynccontextmanager
async def watched(bot: bots.DeployedBot, folder: Path, interval: float = 0.03) -> AsyncIterator[Watched]:
    async with ServedBot(bot, interval) as served:
        one = Watched(served, folder)
        tasks = [asyncio.create_task(one.bridge.run()), asyncio.create_task(one.desk.run())]
        try:
            yield one
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_bot_that_pushes_its_kill_is_proven_long_before_its_next_cycle(tmp_path):
    async with watched(bots.OwnBot(), tmp_path, interval=60) as one:
        await one.served.socket.connected()
        one.press()
        await one.until(Stage.VERIFIED)
        assert one.desk.standing(time.time()).rung is Rung.FLAG
        assert one.view.totals.commands["kill_switch", "ok"] == 1


@pytest.mark.parametrize("bot", [bots.Ignores, bots.SaysKilledAndTrades])
async def test_a_bot_that_trades_on_is_found_out(tmp_path, bot):
    async with watched(bot(), tmp_path) as one:
        await one.cycles(3)
        one.press()
        await one.until(Stage.NOT_VERIFIED)


async def test_a_session_that_has_forgotten_its_kill_is_killed_again(tmp_path):
    async with watched(bots.OwnBot(), tmp_path) as one:
        await one.cycles(3)
        one.press()
        await one.until(Stage.VERIFIED)
        one.told.clear()
        await one.served.restart()
        async with asyncio.timeout(20):
            while one.told[-1:] != [Stage.VERIFIED]:
                await asyncio.sleep(0.002)
        assert Stage.SENT in one.told, "judged anew"
        assert one.served.bot.killed


async def test_a_kill_goes_out_beside_a_setting_that_hangs(tmp_path):
    class Hangs(bots.OwnBot):
        def told_a_setting(self, key, value):
            return None

    async with watched(Hangs(), tmp_path) as one:
        await one.cycles(1)
        setting = {"type": "update_config", "key": "ARB_LIVE_MODE", "value": False}
        hung = asyncio.create_task(one.bridge.command(setting, within=60))
        await one.cycles(1)
        one.press()
        await one.until(Stage.VERIFIED)
        assert not hung.done()
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)


async def test_a_rearming_reaches_the_bot_and_it_trades_again(tmp_path):
    async with watched(bots.OwnBot(), tmp_path) as one:
        await one.cycles(1)
        one.press()
        await one.until(Stage.VERIFIED)
        assert (await one.desk.rearm("bob", "test", "carry on")).done
        opened = one.served.bot.opened
        async with asyncio.timeout(20):
            while one.served.bot.opened == opened:
                await asyncio.sleep(0.002)
        assert one.desk.standing(time.time()).state is Stage.READY
