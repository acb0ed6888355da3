"""A bot's end of the control socket that does exactly what a test tells it, over real TCP on loopback.

It can be a bot with heartbeats and acks, an older one without, one that hangs, one that is half gone, and one
that talks nonsense:

    async with ScriptedBot() as bot:
        bridge = Bridge(view, bot.host, bot.port)
        ...
        await bot.connected()
        await bot.send(messages.state(cycle=1))
        await bot.goodbye("stopped for an upgrade")
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self

from tests.doubles import messages

Message = Mapping[str, Any]
Answer = Callable[[dict[str, Any]], Message | None]


class ScriptedBot:
    """One listening socket; `port` stays the same when it is stopped and started again.

    `answer` maps what a client sends to the ack, or None for no answer; the default acknowledges everything.
    `received` holds every message that clients sent, in order.
    """

    host = "127.0.0.1"

    def __init__(self, answer: Answer = messages.ack) -> None:
        self.received: list[dict[str, Any]] = []
        self.connections = 0
        self._answer = answer
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        return self._port

    @property
    def clients(self) -> int:
        return len(self._writers)

    async def start(self) -> None:
        """Listen; the second time on the port of the first."""
        self._server = await asyncio.start_server(self._serve, self.host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and stop listening, without a word."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None
        await self._until(lambda: not self._writers)

    async def connected(self, times: int = 1, patience: float = 10.0) -> None:
        """Wait until clients have connected this often since the beginning."""
        await asyncio.wait_for(self._until(lambda: self.connections >= times), patience)

    async def deserted(self, patience: float = 10.0) -> None:
        """Wait until no client is connected."""
        await asyncio.wait_for(self._until(lambda: not self._writers), patience)

    async def got(self, count: int = 1, patience: float = 10.0) -> None:
        """Wait until clients have sent this many messages."""
        await asyncio.wait_for(self._until(lambda: len(self.received) >= count), patience)

    async def send(self, *said: Message) -> None:
        """Send messages to every client, byte-identical."""
        await self.send_raw(b"".join(json.dumps(message).encode() + b"\n" for message in said))

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are: half a line, garbage, NaN, a line without an end."""
        for writer in tuple(self._writers):
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    @contextlib.asynccontextmanager
    async def beating(self, every: float = 1.0) -> AsyncIterator[None]:
        """Send heartbeats in the background, as a bot does whose loop may hang meanwhile."""
        task = asyncio.create_task(self._beat(every))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def goodbye(self, reason: str = "stopped") -> None:
        """Stop like a bot that stops cleanly: say so, end every connection, listen no more."""
        await self.send(messages.goodbye(reason))
        await self.hang_up()
        await self.stop()

    async def hang_up(self) -> None:
        """End every connection in good order, behind everything that was sent."""
        for writer in tuple(self._writers):
            writer.write_eof()
        await self.deserted()

    def reset(self) -> None:
        """End every connection with a reset, as a killed process's kernel does with unread data."""
        for writer in tuple(self._writers):
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def stop_reading(self) -> None:
        """Read nothing more from any client; what they send fills the socket's buffers."""
        for writer in tuple(self._writers):
            transport = writer.transport
            assert isinstance(transport, asyncio.ReadTransport)
            transport.pause_reading()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        await self._notify()
        try:
            while line := await reader.readline():
                message = json.loads(line)
                self.received.append(message)
                if (reply := self._answer(message)) is not None:
                    writer.write(json.dumps(reply).encode() + b"\n")
                await self._notify()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            await self._notify()

    async def _beat(self, every: float) -> None:
        for _ in itertools.count():
            await self.send(messages.heartbeat(ts=time.time()))
            await asyncio.sleep(every)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Blackhole:
    """A relay between a client and a bot that can lose its far side without either end being told.

    `swallow()` makes it half-open: it goes on to accept, keeps every connection, and nothing passes any more.
    """

    host = "127.0.0.1"

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def swallow(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._open.clear()

    def restore(self) -> None:
        """Everything passes again."""
        self._open.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        far_writer = None
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection(self.host, self._to_port)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            if far_writer is not None:
                far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()
