"""The bridge against a scripted bot over real TCP on loopback."""

import asyncio
import contextlib
import logging
import random
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from exporter import bridge as bridge_module
from exporter import link as link_module
from exporter.bridge import AWAY_SECONDS, KEEPALIVE, RECEIVED, Bridge
from exporter.view import BotView
from tests.doubles.messages import base_state, heartbeat, state
from tests.doubles.scripted_bot import Blackhole, ScriptedBot


class Naps:
    """A sleep that takes no time and remembers how long it should have been."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def bridged(view: BotView, port: int, **settings) -> AsyncIterator[Naps]:
    """A bridge that runs meanwhile, and whose delays take no time."""
    naps = Naps()
    bridge = Bridge(view, "127.0.0.1", port, random=random.Random(1), sleep=naps, **settings)
    task = asyncio.create_task(bridge.run())
    try:
        yield naps
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool], patience: float = 10.0) -> None:
    async with asyncio.timeout(patience):
        while not holds():
            await asyncio.sleep(0.002)


@pytest.fixture
def view() -> BotView:
    return BotView("arb", now=time.time())


@pytest.fixture
async def bot() -> AsyncIterator[ScriptedBot]:
    async with ScriptedBot() as scripted:
        yield scripted


async def test_states_heartbeats_and_goodbye_reach_the_view(bot, view):
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send(state(1), heartbeat(), state(2))
        await until(lambda: view.totals.states == 2)
        assert view.at(time.time()).up
        assert view.link.beats
        await bot.goodbye("upgrade")
        await until(lambda: view.link.opened_at is None)
        assert view.link.goodbye is not None
        assert view.link.goodbye.reason == "upgrade"


async def test_a_closed_link_is_told_in_words_and_made_again(bot, view):
    async with bridged(view, bot.port) as naps:
        await bot.connected()
        await bot.send(state(1))
        await until(lambda: view.totals.states == 1)
        bot.reset()
        await bot.connected(2)
        await bot.send(state(2))
        await until(lambda: view.totals.states == 2)
    assert view.link.reconnects == 1
    assert naps.asked == [0.5]


async def test_the_delays_grow_while_nobody_listens_and_start_anew_when_the_bot_spoke(bot, view):
    await bot.stop()
    async with bridged(view, bot.port) as naps:
        await until(lambda: len(naps.asked) >= 8)
        assert naps.asked[0] == 0.5
        assert 7.5 <= naps.asked[7] <= 15
        assert view.link.why == "connection refused"
        await bot.start()
        await bot.connected()
        await bot.send(heartbeat())
        await until(lambda: view.link.beats)
        before = len(naps.asked)
        await bot.stop()
        await until(lambda: len(naps.asked) > before)
        assert naps.asked[before] == 0.5


async def test_a_socket_that_accepts_and_says_nothing_does_not_start_the_delays_anew(bot, view):
    async with bridged(view, bot.port) as naps:
        for connection in range(1, 5):
            await bot.connected(connection)
            bot.reset()
            await bot.deserted()
        await until(lambda: len(naps.asked) >= 4)
    assert naps.asked[3] >= 2.0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json}\n", "not_json"),
        (b"[1]\n", "not_an_object"),
        (b"5\n", "not_an_object"),
        (b'{"a": 1}\n', "no_type"),
        (b'{"type": "\xff"}\n', "not_utf8"),
        (b"x" * (8 * 1024 * 1024 + 10) + b"\n", "too_long"),
        (b"[" * 200_000 + b"\n", "not_json"),
    ],
    ids=["no JSON", "a list", "a number", "no type", "no UTF-8", "too long", "nested without end"],
)
async def test_a_line_that_is_no_message_is_counted_and_the_next_one_read(bot, view, line, reason):
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send_raw(line)
        await bot.send(state(1))
        await until(lambda: view.totals.states == 1)
    assert {name: count for name, count in view.totals.malformed.items() if count} == {reason: 1}
    assert view.link.reconnects == 0


async def test_nan_in_a_state_is_not_reported_and_everything_else_is(bot, view):
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send(state(1, daily_pnl=float("nan"), realized_pnl=float("inf")))
        await until(lambda: view.state is not None)
    assert view.state is not None
    assert (view.state.daily_pnl, view.state.realized_pnl) == (None, None)
    assert view.state.cash == {"kalshi": 200, "polymarket": 100}
    assert view.totals.malformed["bad_field"] == 0


async def test_a_state_of_several_megabytes_in_small_pieces_is_one_state(bot, view):
    big = state(1, padding="x" * 3_000_000)
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send(big)
        await until(lambda: view.totals.states == 1)


async def test_a_last_line_without_its_end_counts_when_the_bot_hangs_up(bot, view):
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send_raw(b'{"type": "state", "cycle": 1}')
        await bot.hang_up()
        await until(lambda: view.link.why == "closed by the bot")
    assert view.totals.states == 1


async def test_acks_and_unknown_messages_are_counted_and_cost_nothing(bot, view):
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send({"type": "kill_switch_ack", "ok": True}, {"type": "error"}, {"type": "news"}, state(1))
        await until(lambda: view.totals.states == 1)
    assert view.totals.messages["ack"] == 1
    assert view.totals.messages["error"] == 1
    assert view.totals.messages["other"] == 1
    assert bot.received == []


async def test_a_bot_that_beats_and_falls_silent_is_given_up_and_tried_again(bot, view, monkeypatch):
    monkeypatch.setattr(link_module, "SILENT_AFTER_SECONDS", 0.3)
    async with bridged(view, bot.port):
        await bot.connected()
        async with bot.beating(every=0.05):
            await until(lambda: view.totals.messages["heartbeat"] > 10)
            assert view.link.reconnects == 0
        await bot.connected(2)
        assert not view.at(time.time()).connected
        assert view.link.why.startswith("nothing heard for")
        assert view.link.opened_at is not None


async def test_a_silence_that_this_process_slept_through_is_not_the_bots(bot, view, monkeypatch):
    monkeypatch.setattr(link_module, "SILENT_AFTER_SECONDS", 0.5)
    async with bridged(view, bot.port):
        await bot.connected()
        async with bot.beating(every=0.05):
            await until(lambda: view.link.beats)
            time.sleep(0.5 + AWAY_SECONDS + 0.3)  # the whole process is frozen
            heard = view.totals.messages["heartbeat"]
            await until(lambda: view.totals.messages["heartbeat"] > heard + 5)
    assert view.link.reconnects == 0


async def test_a_half_open_link_is_found_and_works_again_when_the_way_is_back(bot, view, monkeypatch):
    monkeypatch.setattr(link_module, "SILENT_AFTER_SECONDS", 0.3)
    async with Blackhole(bot.port) as relay, bridged(view, relay.port), bot.beating(every=0.05):
        await until(lambda: view.link.beats)
        relay.swallow()
        await until(lambda: not view.at(time.time()).connected)
        await until(lambda: view.link.reconnects == 1)
        assert not view.at(time.time()).connected
        relay.restore()
        await until(lambda: view.at(time.time()).connected)


async def test_a_bot_without_heartbeats_may_be_silent(bot, view, monkeypatch):
    monkeypatch.setattr(link_module, "SILENT_AFTER_SECONDS", 0.05)
    async with bridged(view, bot.port):
        await bot.connected()
        await bot.send(base_state(1))
        await until(lambda: view.totals.states == 1)
        await asyncio.sleep(0.3)
        assert view.link.reconnects == 0
        assert view.at(time.time()).connected


async def test_a_link_on_which_nothing_was_ever_heard_is_made_anew_in_the_end(bot, view, monkeypatch):
    monkeypatch.setattr(link_module, "QUIET_LINK_SECONDS", 0.1)
    view.cadence = type(view.cadence)(None, 0.05)
    async with bridged(view, bot.port):
        await bot.connected(2)


async def test_a_host_that_does_not_answer_is_given_up(view, monkeypatch):
    monkeypatch.setattr(bridge_module, "CONNECT_SECONDS", 0.05)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.socket() as first, socket.socket() as second:
            first.connect(("127.0.0.1", port))
            second.setblocking(False)
            second.connect_ex(("127.0.0.1", port))  # the queue is full: nobody is answered any more
            async with bridged(view, port):
                await until(lambda: view.link.why == "no answer from the host")


async def test_the_kernel_asks_whether_a_silent_host_is_still_there_and_gives_up_within_20_s(
    bot, view, monkeypatch
):
    opened: list[socket.socket] = []
    watch = bridge_module._watch_host

    def spy(connection: socket.socket) -> None:
        watch(connection)
        opened.append(connection)

    monkeypatch.setattr(bridge_module, "_watch_host", spy)
    async with bridged(view, bot.port):
        await bot.connected()
        await until(lambda: bool(opened))
        connection = opened[0]
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        found = {
            name: connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name, _ in KEEPALIVE
        }
    assert found["TCP_KEEPIDLE"] + found["TCP_KEEPINTVL"] * found["TCP_KEEPCNT"] <= 20
    assert found["TCP_USER_TIMEOUT"] <= 20_000


async def test_a_fault_in_the_view_costs_one_message_and_is_logged(bot, caplog):
    class FaultyView(BotView):
        def received(self, message, now):
            if message.get("cycle") == 1:
                raise RuntimeError("a slip")
            super().received(message, now)

    view = FaultyView("arb", now=time.time())
    with caplog.at_level(logging.ERROR):
        async with bridged(view, bot.port):
            await bot.connected()
            await bot.send(state(1), state(2))
            await until(lambda: view.totals.states == 1)
    assert view.totals.malformed["unreadable"] == 1
    assert "a slip" in caplog.text


async def test_whoever_keeps_the_latch_hears_of_every_change(bot, view):
    seen: list[int] = []
    async with bridged(view, bot.port, changed=lambda changed: seen.append(changed.totals.states)):
        await bot.connected()
        await bot.send(state(1))
        await until(lambda: 1 in seen)


async def test_a_listener_hears_each_message_after_the_view_has_taken_it(bot, view):
    heard: list[tuple[object, int]] = []

    def listen(heard_view: BotView, message, now: float) -> None:
        heard.append((message.get("cycle"), heard_view.totals.states))

    async with bridged(view, bot.port, heard=listen):
        await bot.connected()
        await bot.send(state(1), state(2))
        await until(lambda: len(heard) == 2)
    assert heard == [(1, 1), (2, 2)]


async def test_each_line_is_recorded_as_it_came_the_unreadable_one_too(bot, view):
    recorded: list[tuple[str, str, bytes]] = []

    def record(name: str, direction: str, line: bytes, now: float) -> None:
        recorded.append((name, direction, line))

    async with bridged(view, bot.port, record=record):
        await bot.connected()
        await bot.send_raw(b'{"type": "news"}\nnonsense\n')
        await until(lambda: len(recorded) == 2)
    assert recorded == [("arb", RECEIVED, b'{"type": "news"}'), ("arb", RECEIVED, b"nonsense")]


async def test_a_cancelled_bridge_leaves_no_connection_open(bot, view):
    async with bridged(view, bot.port):
        await bot.connected()
    await bot.deserted()
    assert not view.at(time.time()).connected


async def test_bots_that_are_gone_do_not_slow_down_the_one_that_is_there(bot, view):
    """Ten links that fail and one that works share a process."""
    gone = [BotView(f"gone-{number}", now=time.time()) for number in range(10)]
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with contextlib.AsyncExitStack() as stack:
            for absent in gone:
                await stack.enter_async_context(bridged(absent, unused.getsockname()[1]))
            await stack.enter_async_context(bridged(view, bot.port))
            await bot.connected()
            for cycle in range(1, 51):
                await bot.send(state(cycle))
            await until(lambda: view.totals.states == 50)
