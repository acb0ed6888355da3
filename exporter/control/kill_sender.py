"""Sends kills to one bot over both paths at once, and says what became of that; waits for neither."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final, Protocol

from botkit.messages import KILL_SWITCH
from exporter.control.commander import Answer
from exporter.control.kill import Kill, Order
from exporter.control.kill_path import FilePath
from exporter.control.standing import FILE, SOCKET

SEND_AGAIN_SECONDS: Final = 2.0
LONGEST_REFUSAL: Final = 200


class Link(Protocol):
    """What sends commands to the bot: its bridge."""

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        """Send a command and wait for its answer."""


class Sender:
    """Both paths to one bot; `wanted` is the order for which the kill file should stand."""

    def __init__(self, link: Link, file: Path | None, wanted: Callable[[], Order | None]) -> None:
        self._link = link
        self.file = FilePath(file, wanted)
        self._socket = ""
        self._sent_at: dict[str | None, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def delivered(self) -> dict[str, str]:
        """What became of the last kill on each path, in a few words; empty where it was not tried."""
        return {SOCKET: self._socket, FILE: self.file.outcome}

    def forget(self) -> None:
        """Another kill begins."""
        self._socket = self.file.outcome = ""

    def send(self, kill: Kill, now: float) -> None:
        """Start both paths."""
        self._sent_at[kill.order.venue] = now
        self._start(self._over_socket(kill.order))
        if kill.order.venue is None:
            self._start(self.file.keep())

    def due(self, kill: Kill, now: float) -> bool:
        """Whether a kill that wants sending was sent long enough ago."""
        return abs(now - self._sent_at.get(kill.order.venue, 0.0)) >= SEND_AGAIN_SECONDS

    async def release(self, reason: str, venue: str | None, within: float) -> Answer:
        """Tell the bot that it is re-armed; written at once, and so before any kill that comes after."""
        message = {"type": KILL_SWITCH, "activate": False, "reason": reason} | _of(venue)
        return await self._link.command(message, within=within, urgent=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _over_socket(self, order: Order) -> None:
        message: dict[str, object] = {"type": KILL_SWITCH, "activate": True} | _of(order.venue)
        message["reason"] = f"{order.who}: {order.reason}"
        if order.close_day_trades:
            message["close_day_trades"] = True
        answer = await self._link.command(message, within=SEND_AGAIN_SECONDS, urgent=True)
        if answer.ok:
            self._socket = f"acked in {answer.seconds * 1000:.0f} ms"
        elif not self._socket.startswith("acked"):
            self._socket = answer.why or refusal(answer.ack or {})


def refusal(ack: Mapping[str, object]) -> str:
    """Why a bot says that it did not do what it was asked."""
    return str(ack.get("error") or "it did not do it")[:LONGEST_REFUSAL]


def _of(venue: str | None) -> dict[str, object]:
    return {} if venue is None else {"venue": venue}
