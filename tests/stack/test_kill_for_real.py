"""The project's own bot, killed for real: in the middle of anything, by either path, whatever is broken."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks.kill_lab import ArbProcess, Console, kills
from exporter.control import kill_desk
from exporter.control.kill import Stage
from exporter.control.kill_desk import News
from exporter.control.proof import Rung
from tests.doubles.scripted_bot import Blackhole

pytestmark = pytest.mark.stack


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[ArbProcess]:
    """A bot that sends an order or two a second."""
    with ArbProcess(tmp_path / "bot") as process:
        yield process


@pytest.fixture
async def console(bot: ArbProcess, tmp_path: Path) -> AsyncIterator[Console]:
    """A console that watches it trade."""
    async with Console(bot, tmp_path / "console") as watching:
        await watching.trading()
        await watching.until(lambda: any(bot.orders()), "an order")
        yield watching


async def proven(console: Console) -> None:
    await console.until(lambda: console.stage() is Stage.VERIFIED, "the proof")
    assert console.kill is not None
    assert console.kill.rung is Rung.FLAG


def acked_at(console: Console) -> float:
    assert console.kill is not None
    assert console.kill.acked_at is not None
    return console.kill.acked_at


async def check_many(folder: Path, count: int) -> None:
    measured = await kills(folder, count)
    assert len(measured) == count
    assert sum(kill.orders_after for kill in measured) == 0
    assert any(kill.worked for kill in measured), "else nothing was at stake"


async def test_no_order_is_sent_after_the_ack_of_any_kill(tmp_path):
    await check_many(tmp_path, 10)


@pytest.mark.soak
async def test_no_order_is_sent_after_the_ack_of_a_thousand_kills(tmp_path):
    await check_many(tmp_path, 1_000)


async def check_crash(folder: Path, moment: float) -> None:
    """Kill a bot whose process dies so many seconds later."""
    with ArbProcess(folder / "bot") as bot:
        async with Console(bot, folder / "console") as console:
            await console.trading()
            console.desk.kill("ann", "test", "it dies meanwhile")
            await asyncio.sleep(moment)
            bot.kill()
            await console.until(lambda: console.view.link.opened_at is None, "the link to be lost")
            died = time.time()
            bot.start()
            await console.until(lambda: (console.view.state_at or 0) > died, "its first state")
            await proven(console)
            assert bot.placed_after(died) == 0


@pytest.mark.parametrize("moment", [0.0, 0.004])
async def test_a_bot_that_dies_during_its_kill_comes_back_killed_and_proven(tmp_path, moment):
    await check_crash(tmp_path, moment)


@pytest.mark.soak
async def test_a_bot_that_dies_during_its_kill_comes_back_killed_and_proven_every_time(tmp_path):
    draw = Random(11)
    for number in range(100):
        await check_crash(tmp_path / str(number), draw.uniform(0, 0.02))


async def test_a_bot_that_comes_back_without_its_kill_file_is_killed_again_at_once(bot, console, monkeypatch):
    monkeypatch.setattr(kill_desk, "FILE_LOOK_SECONDS", 3600.0)
    console.desk.kill("ann", "test", "the file is lost")
    await proven(console)
    bot.kill()
    await console.until(lambda: console.view.link.opened_at is None, "the link to be lost")
    bot.kill_file.unlink()
    bot.start()
    died = time.time()
    await console.until(lambda: (console.view.state_at or 0) > died, "its first state")
    await proven(console)
    assert bot.placed_after(acked_at(console)) == 0


async def test_through_a_half_open_socket_the_file_does_it(bot, tmp_path):
    async with (
        Blackhole(bot.port) as relay,
        Console(bot, tmp_path / "console", port=relay.port) as console,
        Console(bot, tmp_path / "witness", file=False) as witness,
    ):
        await console.trading()
        await witness.trading()
        relay.swallow()
        console.desk.kill("ann", "test", "nothing passes")
        await witness.until(lambda: witness.status == "killed", "the bot to find the file")
        halted = time.time()
        assert console.stage() is Stage.SENT
        await asyncio.sleep(1)
        assert bot.placed_after(halted) == 0
        relay.restore()
        await proven(console)


async def test_a_bot_that_hears_nothing_because_it_is_stopped_is_killed_when_it_goes_on(bot, console):
    bot.freeze()
    console.desk.kill("ann", "test", "it hangs")
    await console.until(bot.kill_file.exists, "the kill file")
    assert console.stage() is Stage.SENT
    bot.thaw()
    await proven(console)
    assert bot.placed_after(acked_at(console)) == 0


async def test_a_full_disk_and_a_broken_database_stand_before_no_kill(bot, tmp_path):
    (tmp_path / "console").write_text("where the latch would be")

    def broken(news: News) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    async with Console(bot, tmp_path / "console", told=broken) as console:
        await console.trading()
        console.desk.kill("ann", "test", "all is broken")
        await proven(console)
        assert bot.placed_after(acked_at(console)) == 0
        assert console.view.totals.latch_errors > 0


async def test_a_console_that_restarts_goes_on_where_it_was(bot, tmp_path):
    async with Console(bot, tmp_path / "console") as console:
        await console.trading()
        console.desk.kill("ann", "test", "before an upgrade")
        await proven(console)
        latch = tmp_path / "console" / "kill-arb.json"
        await console.until(lambda: latch.exists() and "verified" in latch.read_text(), "the latch")
    async with Console(bot, tmp_path / "console") as console:
        assert console.stage() is Stage.VERIFIED
        await console.until(lambda: console.view.state is not None, "a state")
        assert console.stage() is Stage.VERIFIED
        assert console.kill is not None
        assert console.kill.order.who == "ann"
        await console.rearmed()
        assert console.stage() is Stage.READY
        await console.until(lambda: not latch.exists(), "the latch to be lifted")


async def test_a_second_press_on_a_killed_bot_is_proven_at_once_whatever_its_cycle(tmp_path):
    with ArbProcess(tmp_path / "bot", "--interval", "600") as bot:
        async with Console(bot, tmp_path / "first") as console:
            await console.trading()
            console.desk.kill("ann", "test", "once")
            await proven(console)
        async with Console(bot, tmp_path / "second") as console:
            await console.until(lambda: console.view.link.opened_at is not None, "the link")
            console.desk.kill("bob", "test", "from another console")
            await proven(console)
