"""Settings and commands over a real link: against our own engine, and a bot that dies at the wrong moment."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.bridge import Bridge
from exporter.control.catalogue import catalogue
from exporter.control.command_desk import CommandDesk
from exporter.control.desk import Desk, Entry, Who
from exporter.control.order import Stage
from exporter.control.setting_desk import SettingDesk
from exporter.view import BotView
from tests.arb_bot.setting_scenes import PLAIN, cross
from tests.arb_bot.stage import Stage as Engine
from tests.doubles import messages
from tests.doubles.scripted_bot import ScriptedBot

ANN = Who("ann", "test", "because")
CAP = "ARB_DAILY_LOSS_CAP_USD"


class Desks:
    """Desks on a real bridge."""

    def __init__(self, host: str, port: int) -> None:
        self.view = BotView("arb", now=time.time())
        self.bridge = Bridge(self.view, host, port, random=random.Random(1))
        self.desk = Desk(self.view, self.bridge)
        self.settings = SettingDesk(self.desk, catalogue("arb"))
        self.commands = CommandDesk(self.desk, catalogue("arb"), allow_live=False)
        self.bridge.listen(self.settings.heard)
        self.bridge.listen(self.desk.heard)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.005)

    async def change(self, key: str, raw: object) -> Entry:
        plan = self.settings.plan(key, raw)
        return await self.settings.change(ANN, key, raw, approved=plan)

    def stage(self, entry: Entry) -> Stage:
        found = self.desk.entry(entry.id)
        assert found is not None
        return found.stage


@contextlib.asynccontextmanager
async def linked(host: str, port: int) -> AsyncIterator[Desks]:
    desks = Desks(host, port)
    task = asyncio.create_task(desks.bridge.run())
    try:
        yield desks
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Engine(tmp_path, cross(), PLAIN, monkeypatch)
    yield made
    made.close()


async def test_our_bot_takes_a_change_and_its_states_verify_it(engine: Engine) -> None:
    async with linked("127.0.0.1", engine._port.result()) as desks:
        await desks.until(lambda: desks.desk.last)
        entries = [
            await desks.change("ARB_MAX_CONTRACTS_PER_TRADE", 7),
            await desks.change("ARB_LANE_CROSS_KELLY_FRACTION_CAP", "0.5"),
            await desks.change("ARB_MARKET_COOLDOWN_SCOPE", "market_side"),
        ]
        await desks.until(lambda: all(desks.stage(entry).final for entry in entries))
        assert [desks.stage(entry) for entry in entries] == [Stage.VERIFIED] * 3
        blank = await desks.change("ARB_LANE_CROSS_KELLY_FRACTION_CAP", "")
        await desks.until(lambda: desks.stage(blank).final)
        assert desks.stage(blank) is Stage.VERIFIED
    assert engine.settings.current.max_contracts_per_trade == 7
    assert engine.settings.current.cross_kelly_cap is None


async def test_our_bot_is_paused_and_resumed(engine: Engine) -> None:
    async with linked("127.0.0.1", engine._port.result()) as desks:
        await desks.until(lambda: desks.desk.last)
        for name, status in (("pause", "paused"), ("resume", "paper")):
            entry = await desks.commands.send(ANN, name, {"reason": "a test"})
            await desks.until(lambda entry=entry: desks.stage(entry).final)
            assert desks.stage(entry) is Stage.VERIFIED
            assert desks.desk.last is not None and desks.desk.last["status"] == status


async def test_a_bot_that_dies_after_its_ack_leaves_it_unknown() -> None:
    async with ScriptedBot() as bot, linked(bot.host, bot.port) as desks:
        await bot.connected()
        await bot.send(messages.state(1, time.time()))
        await desks.until(lambda: desks.desk.last)
        entry = await desks.change(CAP, 5)
        assert entry.stage is Stage.ACKED
        bot.reset()
        await desks.until(lambda: desks.view.link.opened_at is None or bot.connections > 1)
        desks.desk.tick(time.time() + 1000)
        assert desks.stage(entry) is Stage.UNKNOWN


async def test_a_bot_that_dies_instead_of_answering_leaves_it_unknown_at_once() -> None:
    async with ScriptedBot(lambda _request: None) as bot, linked(bot.host, bot.port) as desks:
        await bot.connected()
        await bot.send(messages.state(1, time.time()))
        await desks.until(lambda: desks.desk.last)
        asked = asyncio.create_task(desks.change(CAP, 5))
        await bot.got(1)
        bot.reset()
        entry = await asked
        assert entry.stage is Stage.UNANSWERED
        assert "the connection was lost" in entry.thing.says


async def test_an_answer_and_the_state_that_proves_it_may_come_in_one_piece() -> None:
    async with ScriptedBot(lambda _request: None) as bot, linked(bot.host, bot.port) as desks:
        await bot.connected()
        await bot.send(messages.state(1, time.time()))
        await desks.until(lambda: desks.desk.last)
        asked = asyncio.create_task(desks.change(CAP, 5))
        await bot.got(1)
        ack = {"type": "update_config_ack", "key": CAP, "ok": True, "new": 5}
        proof = messages.state(2, time.time(), config_snapshot={"ARB_LIVE_MODE": False, CAP: 5})
        await bot.send(ack, proof)
        assert (await asked).stage is Stage.VERIFIED
