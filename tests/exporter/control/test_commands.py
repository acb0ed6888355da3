"""Commands over a real link: each gets its own answer, and nothing waits for a bot that hangs."""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from exporter.bridge import Bridge
from exporter.control import commander
from exporter.control.commander import Answer
from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.scripted_bot import ScriptedBot

KILL = {"type": "kill_switch", "activate": True}


def setting(key: str, value: object) -> dict[str, object]:
    return {"type": "update_config", "key": key, "value": value}


def as_the_base_protocol_answers(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a bot answers that knows no ids."""
    if request["type"] == "kill_switch":
        return {"type": "kill_switch_ack", "active": request["activate"], "ok": True}
    key, value = request["key"], request["value"]
    return {"type": "update_config_ack", "key": key, "ok": True, "old": 0, "new": value}


def with_the_id(request: Mapping[str, Any]) -> dict[str, Any]:
    return {**as_the_base_protocol_answers(request), "id": request["id"]}


@contextlib.asynccontextmanager
async def linked(bot: ScriptedBot, **settings: Any) -> AsyncIterator[tuple[Bridge, BotView]]:
    """A bridge that is connected."""
    view = BotView("arb", now=time.time())
    bridge = Bridge(view, bot.host, bot.port, random=random.Random(1), **settings)
    task = asyncio.create_task(bridge.run())
    try:
        async with asyncio.timeout(10):
            while view.link.opened_at is None:
                await asyncio.sleep(0.001)
        yield bridge, view
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def pushing(bot: ScriptedBot, every: float = 0.05) -> AsyncIterator[None]:
    """States at 20 Hz meanwhile."""

    async def push() -> None:
        for cycle in itertools.count(1):
            await bot.send(messages.state(cycle, ts=time.time()))
            await asyncio.sleep(every)

    task = asyncio.create_task(push())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("answer", [with_the_id, as_the_base_protocol_answers], ids=["ids echoed", "no ids"])
async def test_a_thousand_commands_under_a_push_of_20_hz_each_get_their_own_ack(answer):
    async with ScriptedBot(answer) as bot, linked(bot) as (bridge, view), pushing(bot):

        async def one(number: int) -> Answer:
            key = f"KEY_{number % 7}"
            if number % 10 == 0:
                return await bridge.command(KILL, within=60, urgent=True)
            return await bridge.command(setting(key, number), within=60)

        answers = await asyncio.gather(*(one(number) for number in range(1000)))
    assert {given.result for given in answers} == {"ok"}
    for number, given in enumerate(answers):
        assert given.ack is not None
        if number % 10:
            assert (given.ack["key"], given.ack["new"]) == (f"KEY_{number % 7}", number)
        else:
            assert given.ack["type"] == "kill_switch_ack"
    assert len(bot.received) == 1000
    assert view.totals.messages["ack"] == 0, "every one of them was waited for"
    assert view.totals.states > 0
    assert view.totals.commands["update_config", "ok"] == 900
    assert view.totals.commands["kill_switch", "ok"] == 100
    assert view.totals.malformed["unreadable"] == 0


async def test_a_kill_goes_out_at_once_beside_a_set_that_hangs():
    def hangs_on_settings(request: Mapping[str, Any]) -> dict[str, Any] | None:
        return with_the_id(request) if request["type"] == "kill_switch" else None

    async with ScriptedBot(hangs_on_settings) as bot, linked(bot) as (bridge, _view), pushing(bot):
        hung = asyncio.create_task(bridge.command(setting("A", 1), within=60))
        behind = asyncio.create_task(bridge.command(setting("B", 1), within=60))
        await bot.got(1)
        killed = await bridge.command(KILL, within=60, urgent=True)
        assert killed.ok
        assert not hung.done()
        assert [request["type"] for request in bot.received] == ["update_config", "kill_switch"]
        for task in (hung, behind):
            task.cancel()
        await asyncio.gather(hung, behind, return_exceptions=True)


async def test_the_late_ack_of_a_command_that_was_given_up_answers_nobody_else():
    asked: list[dict[str, Any]] = []
    async with ScriptedBot(asked.append) as bot, linked(bot) as (bridge, view):
        given_up = await bridge.command(setting("A", 5), within=0.05)
        assert (given_up.outcome, given_up.result) == ("unknown", "unknown")
        second = asyncio.create_task(bridge.command(setting("A", 5), within=60))
        await bot.got(2)
        await bot.send(as_the_base_protocol_answers(asked[0]), messages.state(1))
        async with asyncio.timeout(10):
            while not view.totals.states:
                await asyncio.sleep(0.001)
        assert not second.done()
        assert view.totals.messages["ack"] == 1
        await bot.send(as_the_base_protocol_answers(asked[1]))
        assert (await second).ok


async def test_a_lost_connection_leaves_a_command_unknown_and_the_next_one_works():
    silent = True
    async with (
        ScriptedBot(lambda request: None if silent else with_the_id(request)) as bot,
        linked(bot, sleep=lambda seconds: asyncio.sleep(0.001)) as (bridge, view),
    ):
        asked = asyncio.create_task(bridge.command(setting("A", 1), within=60))
        await bot.got(1)
        bot.reset()
        answer = await asked
        assert answer.outcome == "unknown"
        assert "connection was lost" in answer.why
        silent = False
        await bot.connected(2)
        async with asyncio.timeout(10):
            while view.link.opened_at is None:
                await asyncio.sleep(0.001)
        assert (await bridge.command(setting("A", 1), within=60)).ok


async def test_without_a_connection_nothing_is_sent_and_that_is_said_at_once():
    bridge = Bridge(BotView("arb", now=time.time()), "127.0.0.1", 1)
    for urgent in (False, True):
        answer = await bridge.command(KILL, within=60, urgent=urgent)
        assert (answer.outcome, answer.why) == ("not_sent", "not connected")


async def test_a_refusal_is_an_answer_and_an_unknown_type_too():
    def refuses(request: Mapping[str, Any]) -> dict[str, Any]:
        if request["type"] == "pause":
            return {"type": "error", "error": "unknown type: pause"}
        return {"type": "update_config_ack", "ok": False, "key": request["key"], "error": "requires_restart"}

    async with ScriptedBot(refuses) as bot, linked(bot) as (bridge, view):
        for request in (setting("A", 1), {"type": "pause"}):
            answer = await bridge.command(request, within=60)
            assert (answer.outcome, answer.ok, answer.result) == ("answered", False, "refused")
        assert view.totals.commands["pause", "refused"] == 1
        assert view.totals.commands["pause", "ok"] == 0, "born with its results"


async def test_a_command_behind_one_that_hangs_is_not_sent_rather_than_late():
    async with ScriptedBot(lambda request: None) as bot, linked(bot) as (bridge, _view):
        hung = asyncio.create_task(bridge.command(setting("A", 1), within=60))
        await bot.got(1)
        answer = await bridge.command(setting("B", 1), within=0.05)
        assert (answer.outcome, answer.why) == ("not_sent", "an earlier command has no answer yet")
        assert len(bot.received) == 1
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)


async def test_a_bot_that_reads_nothing_costs_a_command_and_never_the_reader(monkeypatch):
    monkeypatch.setattr(commander, "UNSENT_BYTES", 1000)
    async with ScriptedBot() as bot, linked(bot) as (bridge, view):
        bot.stop_reading()
        stuck = setting("A", "x" * 20_000_000)  # more than the kernel's buffers hold
        assert (await bridge.command(stuck, within=0.05)).outcome == "unknown"
        answer = await bridge.command(setting("B", 1), within=60)
        assert (answer.outcome, answer.why) == ("not_sent", "the bot does not read what it is sent")
        await bot.send(messages.state(1))
        async with asyncio.timeout(10):
            while not view.totals.states:
                await asyncio.sleep(0.001)


async def test_listeners_hear_of_each_connection_and_a_faulty_one_costs_nobody_anything():
    opened: list[int] = []
    heard: list[object] = []
    lines: list[tuple[str, str]] = []
    async with ScriptedBot() as bot:
        view = BotView("arb", now=time.time())
        bridge = Bridge(
            view,
            bot.host,
            bot.port,
            sleep=lambda seconds: asyncio.sleep(0.001),
            record=lambda name, direction, line, now: lines.append((direction, json.loads(line)["type"])),
        )
        bridge.listen(lambda view, message, now: 1 / 0, lambda: 1 / 0)
        bridge.listen(lambda view, message, now: heard.append(message["type"]), lambda: opened.append(1))
        task = asyncio.create_task(bridge.run())
        await bot.connected()
        async with asyncio.timeout(10):
            while not opened:
                await asyncio.sleep(0.001)
        assert (await bridge.command(KILL, within=60, urgent=True)).ok
        bot.reset()
        async with asyncio.timeout(10):
            while len(opened) < 2:
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert heard == ["kill_switch_ack"]
    assert lines == [("sent", "kill_switch"), ("received", "kill_switch_ack")]
