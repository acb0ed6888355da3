"""Keeps the link to one bot's control socket: connects, reads all that comes, begins again when it ends.

One reader owns the stream and always drains it, because deployed bots stop trading while a client does not
read. What lines mean is the view's business, how long to wait that of `exporter.backoff`, what is sent that
of `exporter.control.commander`, to which the reader hands every answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from random import Random
from typing import Final

from botkit.messages import TOO_LONG, LineSplitter, MalformedMessage, TooLong, decode
from exporter.backoff import delays, describe
from exporter.control.commander import Answer, Commander
from exporter.errors import ClosedByBot, LinkLost, Silent
from exporter.totals import UNREADABLE
from exporter.view import BotView

log = logging.getLogger(__name__)

Heard = Callable[[BotView, Mapping[str, object], float], None]
"""Called with a view, a message that it has taken in, and the time."""

Record = Callable[[str, str, bytes, float], None]
"""Called with a bot's name, SENT or RECEIVED, a line as it is on the wire, and the time; never raises."""

SENT: Final = "sent"
RECEIVED: Final = "received"

CONNECT_SECONDS: Final = 5.0
READ_BYTES: Final = 256 * 1024
AWAY_SECONDS: Final = 1.0
"""A limit that is noticed so late was overslept by this process: it was frozen, or starved."""

KEEPALIVE: Final = (
    ("TCP_KEEPIDLE", 5),  # seconds of silence before the first probe
    ("TCP_KEEPINTVL", 4),  # seconds between probes
    ("TCP_KEEPCNT", 3),  # probes without an answer: the host counts as dead after 17 s
    ("TCP_USER_TIMEOUT", 17_000),  # milliseconds that anything sent may stay unanswered
)


class Bridge:
    """The link of one view; `run` lasts until it is cancelled.

    `heard` is called with each message after the view has taken it, and the time it came; `record` with each
    line before anybody reads it; `changed` once for all that came in one piece, and when the link was made
    or lost, e.g. to keep the latch on disk. Further listeners come with `listen`.
    """

    def __init__(
        self,
        view: BotView,
        host: str,
        port: int,
        *,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        heard: Heard = lambda view, message, now: None,
        record: Record = lambda bot, direction, line, now: None,
        changed: Callable[[BotView], None] = lambda view: None,
    ) -> None:
        self._view = view
        self._host = host
        self._port = port
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - it spreads delays, it guards nothing
        self._sleep = sleep
        self._listeners = [heard]
        self._at_opening: list[Callable[[], None]] = []
        self._record = record
        self._changed = changed
        self._commander = Commander(lambda line: record(view.name, SENT, line, clock()))

    def listen(self, heard: Heard, opened: Callable[[], None] = lambda: None) -> None:
        """Call these, too: at each message, and at each new connection as soon as commands can be sent on it.

        A fault in a listener is logged and costs nobody else anything.
        """
        self._listeners.append(heard)
        self._at_opening.append(opened)

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        """Send a command and wait at most `within` seconds for its answer; never raises for what a bot does.

        Ordinary commands go one after the other, an urgent one is written at once beside them. A lost
        connection or a late answer ends as unknown: what the bot did is seen in its states. Raises
        UnsendableMessage.
        """
        answer = await self._commander.command(message, within=within, urgent=urgent)
        self._view.totals.commanded(str(message["type"]), answer.result, answer.seconds)
        return answer

    async def run(self) -> None:
        """Connect and read, again and again; a link on which the bot spoke starts the delays anew."""
        waits = delays(self._random)
        while True:
            heard_before = self._heard
            try:
                async with self._connection() as reader:
                    await self._read(reader)
            except (OSError, LinkLost) as error:
                why = describe(error)
            except BaseException:
                self._commander.detach("this exporter stopped reading")
                self._view.disconnected(self._clock(), "this exporter stopped reading")
                self._changed(self._view)
                raise
            spoke = self._heard != heard_before
            news = logging.INFO if spoke or why != self._view.link.why else logging.DEBUG
            log.log(news, "bot %s at %s:%d: %s", self._view.name, self._host, self._port, why)
            self._commander.detach(f"the connection was lost: {why}")
            self._view.disconnected(self._clock(), why)
            self._changed(self._view)
            if spoke:
                waits = delays(self._random)
            await self._sleep(next(waits))

    @property
    def _heard(self) -> int:
        return sum(self._view.totals.messages.values())

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncio.StreamReader]:
        """A connection that finds out about a dead host by itself, and leaves nothing open."""
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            _watch_host(writer.get_extra_info("socket"))
            self._view.connected(self._clock())
            self._changed(self._view)
            self._commander.attach(writer.transport)
            log.info("bot %s at %s:%d: connected", self._view.name, self._host, self._port)
            for opened in self._at_opening:
                self._guarded(opened)
            yield reader
        finally:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take in lines until the link ends, which raises LinkLost or OSError."""
        splitter = LineSplitter()
        while data := await self._next(reader):
            self._take(splitter.feed(data))
        self._take(splitter.close())
        goodbye = self._view.link.goodbye
        raise ClosedByBot("closed by the bot" if goodbye is None else f"stopped: {goodbye.reason}")

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        """What comes next. A silence that this process slept through itself is nobody's: it listens again."""
        patience = self._view.link.patience(self._view.cadence.stale_after)
        while True:
            try:
                async with asyncio.timeout(patience) as limit:
                    return await reader.read(READ_BYTES)
            except TimeoutError as error:  # the kernel raises it, too, when its probes find nobody
                if not limit.expired():
                    raise
                overdue = asyncio.get_running_loop().time() - (limit.when() or 0.0)
                if overdue < AWAY_SECONDS:
                    raise Silent(f"nothing heard for {patience:.0f} s") from error

    def _take(self, lines: list[bytes | TooLong]) -> None:
        """Give each line to the view; one that nobody can read never costs the next one."""
        for line in lines:
            now = self._clock()
            if isinstance(line, TooLong):
                self._view.malformed(TOO_LONG, now)
                continue
            self._record(self._view.name, RECEIVED, line, now)
            try:
                message = decode(line)
                if self._commander.take(message):
                    self._view.link.heard(now)
                else:
                    self._view.received(message, now)
            except MalformedMessage as error:
                self._view.malformed(error.reason, now)
                continue
            except Exception:  # the guard of a link: a fault in the view costs one message
                self._view.malformed(UNREADABLE, now)
                log.exception("bot %s: a message was not understood", self._view.name)
                continue
            for heard in self._listeners:
                self._guarded(heard, self._view, message, now)
        self._changed(self._view)

    def _guarded(self, listener: Callable[..., None], *said: object) -> None:
        """Call a listener, whose fault is logged and counted and costs nobody else anything."""
        try:
            listener(*said)
        except Exception:  # the guard of a link, as in `_take`
            self._view.malformed(UNREADABLE, self._clock())
            log.exception("bot %s: a listener failed", self._view.name)


def _watch_host(connection: socket.socket) -> None:
    """Have the kernel ask whether a silent host is still there, as far as this system can."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
