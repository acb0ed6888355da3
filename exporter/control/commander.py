"""Sends commands over one bot's link and waits for their answers, beside the reader that owns the stream.

Ordinary commands go one after the other; an urgent one is written at once, beside a command that hangs.
Nothing here waits for the socket: a bot that does not read costs a command, never the reader. "Refused", "no
answer, so nobody knows" and "not sent" are three results.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from botkit.messages import ERROR, encode
from exporter.control.acks import Acks, Sent

UNSENT_BYTES: Final = 64 * 1024
"""Bytes that may wait for a bot that does not read before an ordinary command is not sent …"""
UNSENT_URGENT_BYTES: Final = 1024 * 1024
"""… and an urgent one."""

OK: Final = "ok"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
NOT_SENT: Final = "not_sent"
RESULTS: Final = (OK, REFUSED, UNKNOWN, NOT_SENT)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: answered with `ack`, or `why` not; `seconds` is how long that took."""

    outcome: Literal["answered", "unknown", "not_sent"]
    ack: Mapping[str, object] | None = None
    why: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the bot says that it did what it was asked; what it did is seen in its states alone."""
        return self.ack is not None and self.ack.get("type") != ERROR and self.ack.get("ok") is True

    @property
    def result(self) -> str:
        """One of RESULTS."""
        return (OK if self.ok else REFUSED) if self.outcome == "answered" else self.outcome


class Commander:
    """The commands of one bot, over whatever connection stands; `wrote` is told each line that goes out."""

    def __init__(self, wrote: Callable[[bytes], None] = lambda line: None) -> None:
        self._wrote = wrote
        self._transport: asyncio.WriteTransport | None = None
        self._acks = Acks()
        self._futures: dict[str, asyncio.Future[Answer]] = {}
        self._turn = asyncio.Lock()

    def attach(self, transport: asyncio.WriteTransport) -> None:
        """A connection was made."""
        self._transport, self._acks = transport, Acks()

    def detach(self, why: str) -> None:
        """The connection ended: whether what was asked on it was done is not known."""
        self._transport = None
        for future in self._futures.values():
            if not future.done():
                future.set_result(Answer("unknown", why=why))

    def take(self, message: Mapping[str, object]) -> bool:
        """Hand a message to whoever waits for it; False where it is an answer that nobody waits for."""
        sent = self._acks.answered(message)
        future = None if sent is None else self._futures.get(sent.id)
        if future is None or future.done():
            return False
        future.set_result(Answer("answered", ack=message))
        return True

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool) -> Answer:
        """Send a command and wait `within` seconds for its answer, its turn among the ordinary ones included.

        Raises UnsendableMessage for what cannot be written as JSON.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        if urgent:
            answer = await self._ask(message, within, UNSENT_URGENT_BYTES)
        else:
            try:
                async with asyncio.timeout(within):
                    await self._turn.acquire()
            except TimeoutError:
                return Answer("not_sent", why="an earlier command has no answer yet", seconds=clock() - began)
            try:
                answer = await self._ask(message, within - (clock() - began), UNSENT_BYTES)
            finally:
                self._turn.release()
        return Answer(answer.outcome, answer.ack, answer.why, clock() - began)

    async def _ask(self, message: Mapping[str, object], within: float, most_unsent: int) -> Answer:
        transport = self._transport
        if transport is None or transport.is_closing():
            return Answer("not_sent", why="not connected")
        if transport.get_write_buffer_size() > most_unsent:
            return Answer("not_sent", why="the bot does not read what it is sent")
        identity = secrets.token_hex(8)
        line = encode({**message, "id": identity})
        sent = self._acks.sent(message, identity)
        transport.write(line)
        self._wrote(line)
        return await self._answer(sent, within)

    async def _answer(self, sent: Sent, within: float) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._futures[sent.id] = future
        try:
            async with asyncio.timeout(within):
                return await future
        except TimeoutError:
            return Answer("unknown", why=f"no answer within {within:.3g} s")
        finally:
            del self._futures[sent.id]
