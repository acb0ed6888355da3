"""A real bot in a process of its own, and a console's desk that kills it: what benchmarks and tests share.

The bot is `python -m arb_bot` in lively markets. Its venues keep logs of their own, which say what was sent
and what still works; they are what counts here, not what the bot says of itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from exporter.bridge import Bridge
from exporter.control.kill import Kill, Stage
from exporter.control.kill_desk import KillDesk
from exporter.control.kill_latch import KillLatch
from exporter.state import KILLED, PAUSED
from exporter.view import BotView

HOST: Final = "127.0.0.1"
PATIENCE: Final = 30.0
LIVELY: Final = ("--interval", "0.5", "--speed", "20")
QUICK: Final = {
    "ARB_MIN_EXPECTED_PROFIT_USD": "0.02",
    "ARB_MIN_NET_EDGE_PER_CONTRACT": "0.001",
    "ARB_MARKET_COOLDOWN_SECONDS": "1",
    "ARB_MAX_CONSECUTIVE_FAILURES": "0",
    "ARB_DAILY_LOSS_CAP_USD": "0",
}
"""Settings with which a bot of ours sends an order or two a second, and halts for nothing but a kill."""


class ArbProcess:
    """`python -m arb_bot` on one port; stopped and started as often as one likes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.kill_file = folder / ".kill_switch"
        self.port = _free_port()
        self._arguments = arguments or LIVELY
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; it listens a moment later."""
        command = [sys.executable, "-m", "arb_bot", "--data-dir", str(self.folder), "--port", str(self.port)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ARB_", "KALSHI_", "POLYMARKET_"))}
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._arguments], env=clean | QUICK, stderr=log, stdout=log
            )

    def freeze(self) -> None:
        """Stop it where it is; returns once the kernel has done so."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        status = Path(f"/proc/{self._process.pid}/stat")
        while status.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def orders(self) -> Iterator[dict[str, Any]]:
        """What the venues' own logs hold, in the order of time."""
        lines = [line for log in self.folder.glob("venue_*.jsonl") for line in log.read_text().splitlines()]
        yield from sorted(map(json.loads, lines), key=lambda line: float(line["ts"]))

    def placed_after(self, at: float) -> int:
        """How many orders were sent later than this, by the venues' logs."""
        return sum(line["action"] == "place" and line["ts"] > at for line in self.orders())

    def working_until(self, at: float) -> float | None:
        """When the last order that worked at `at` was gone, `at` where none did; None while one works."""
        works: dict[str, int] = {}
        gone = at
        for line in self.orders():
            if line["ts"] > at and not works:
                break
            _follow(works, line)
            if line["ts"] > at:
                gone = float(line["ts"])
        return None if works else gone


def _follow(works: dict[str, int], line: Mapping[str, Any]) -> None:
    """Take one line of a venue's log into the contracts that work, by order."""
    match line["action"]:
        case "place":
            works[line["order_id"]] = line["contracts"]
        case "fill" if line["order_id"] in works:
            works[line["order_id"]] -= line["contracts"]
            if works[line["order_id"]] <= 0:
                del works[line["order_id"]]
        case "cancel":
            works.pop(line["order_id"], None)
        case "cancel_all":
            works.clear()


@dataclass(frozen=True, slots=True)
class Measured:
    """One kill of a real bot, in seconds from the press; `orders_after` counts those sent after its ack."""

    ack: float
    verified: float
    working_gone: float
    orders_after: int
    worked: bool
    """Whether an order worked when it came."""


class Console:
    """A bridge and a desk that watch one bot, as a running exporter has them."""

    def __init__(
        self, bot: ArbProcess, folder: Path, *, port: int | None = None, file: bool = True, **desk: Any
    ) -> None:
        self.view = BotView("arb", now=time.time())
        self.bridge = Bridge(self.view, HOST, bot.port if port is None else port, random=Random(1))
        latch = KillLatch(folder, "arb")
        self.desk = KillDesk(self.view, self.bridge, latch, bot.kill_file if file else None, **desk)
        self.view.control = self.desk
        self.bridge.listen(self.desk.heard, self.desk.opened)
        self._bot = bot
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self.bridge.run()), asyncio.create_task(self.desk.run())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, holds: Callable[[], object], what: str, within: float = PATIENCE) -> None:
        """Wait for it; raises TimeoutError with `what` was waited for and how the kill stands."""
        try:
            async with asyncio.timeout(within):
                while not holds():  # noqa: ASYNC110 - what is waited for is seen in files and in other tasks
                    await asyncio.sleep(0.001)
        except TimeoutError as error:
            words = self.desk.standing(time.time()).words
            raise TimeoutError(f"waited {within:.0f} s for {what}; {words}") from error

    @property
    def status(self) -> str | None:
        """What the bot says that it does."""
        return None if self.view.state is None else self.view.state.status

    @property
    def kill(self) -> Kill | None:
        """The kill that is on."""
        return self.desk.standing(time.time()).kill

    def stage(self) -> Stage:
        """Where the kill stands."""
        return self.desk.standing(time.time()).state

    async def trading(self) -> None:
        """Wait until the bot trades."""
        await self.until(lambda: self.status not in {None, KILLED, PAUSED}, "the bot to trade")

    async def measured(self) -> Measured:
        """Kill the bot now and measure what becomes of it."""
        pressed = time.time()
        self.desk.kill("lab", "lab", "measured")
        await self.until(lambda: self.kill is not None and self.kill.acked_at is not None, "the ack")
        assert self.kill is not None
        assert self.kill.acked_at is not None
        acked_at = self.kill.acked_at
        await self.until(lambda: self.stage() is Stage.VERIFIED, "the proof")
        assert self.kill.decided_at is not None
        verified_at = self.kill.decided_at
        await self.until(lambda: self._bot.working_until(pressed) is not None, "the working orders to go")
        gone = self._bot.working_until(pressed)
        assert gone is not None
        return Measured(
            ack=acked_at - pressed,
            verified=verified_at - pressed,
            working_gone=gone - pressed,
            orders_after=self._bot.placed_after(acked_at),
            worked=gone > pressed,
        )

    async def rearmed(self) -> None:
        """Re-arm and resume, so that the next kill finds it trading."""
        rearmed = await self.desk.rearm("lab", "lab", "another one")
        assert rearmed.done, (rearmed.answer, rearmed.sentences)
        await self.until(lambda: self.status == PAUSED, "the bot to be paused")
        assert (await self.bridge.command({"type": "resume"}, within=PATIENCE)).ok
        await self.trading()


async def kills(folder: Path, count: int, *arguments: str, longest_wait: float = 1.0) -> list[Measured]:
    """Kill one bot so often, each time at a random moment."""
    draw, found = Random(5), []
    with ArbProcess(folder / "bot", *arguments) as bot:
        async with Console(bot, folder / "console") as console:
            await console.trading()
            for _ in range(count):
                await asyncio.sleep(draw.uniform(0, longest_wait))
                found.append(await console.measured())
                await console.rearmed()
    return found


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
