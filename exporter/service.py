"""Runs the exporter: its tasks, one web server, a stop that waits for nobody.

A task that dies of something nobody foresaw is logged, counted and started anew; one bot's trouble never
ends another's watch. SIGTERM and SIGINT end everything within two seconds, whatever connections are open.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from exporter import allocator
from exporter.config import Listen
from exporter.errors import ExporterError

log = logging.getLogger(__name__)

RESTART_AFTER = 1.0  # seconds until a task that died is started anew
GRACE = 1  # seconds that open requests get at the end
LAST_CALL = 2.5  # seconds after a signal after which a thread that hangs on a dead disk is waited for no more
HEAD_SECONDS = 10.0  # that a connection gets between two requests, and for the head of one
BACKLOG = 128
THREADS = 32  # so that what hangs on some bots' disks does not take those that the others need


class StartError(ExporterError):
    """Something the exporter needs at its start is not to be had; the text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A task, such as a bot's bridge: `run` lasts until it is cancelled, `died` is told if it ends sooner."""

    name: str
    run: Callable[[], Awaitable[None]]
    died: Callable[[], None]


class _Connection(H11Protocol):
    """A connection that is closed where no whole head of a request comes for long.

    The server itself waits for one for ever, so that whoever sends a byte now and then could take every
    connection there is.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Begin to look."""
        super().connection_made(transport)
        self._looked_at: RequestResponseCycle | None = None
        self._look_again()

    def _look_again(self) -> None:
        self._look = self.loop.call_later(HEAD_SECONDS, self._looked)

    def _looked(self) -> None:
        if self.cycle is self._looked_at and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
            return
        self._looked_at = self.cycle
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """A server whose signals are handled by who runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def bound(listen: Listen) -> socket.socket:
    """A socket bound where the settings say; raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0]
    # asyncio switches Nagle's delay off only where the protocol is named; with it each answer takes 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def listening(listen: Listen) -> socket.socket:
    """The socket to serve on; raises StartError with one sentence."""
    try:
        taken = bound(listen)
        taken.listen(BACKLOG)
    except OSError as error:
        remedy = "stop what uses it, or choose" if error.errno == errno.EADDRINUSE else "choose"
        raise StartError(
            f"cannot listen on {listen.address}: {error.strerror}; {remedy} another with --listen HOST:PORT."
        ) from error
    return taken


async def keep_running(watch: Watch, pause: float = RESTART_AFTER) -> None:
    """Run a watch that should never end, again and again, with a pause in seconds."""
    while True:
        try:
            await watch.run()
            log.error("%s ended by itself; starting it anew", watch.name)
        except Exception:  # the boundary of one task: counted, logged, started anew
            log.exception("%s died; starting it anew", watch.name)
        watch.died()
        await asyncio.sleep(pause)


async def serve(
    app: ASGIApp,
    watches: Sequence[Watch],
    taken: socket.socket,
    ending: Callable[[], None] = lambda: None,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Run every task and answer on the socket until a signal.

    `stopping` is called when it comes, so that answers which go on end; `ending` before the tasks end.
    """
    allocator.keep_little()
    server = _Server(
        uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="exporter"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, server, number, stopping)
    tasks = [asyncio.create_task(keep_running(watch), name=watch.name) for watch in watches]
    try:
        await server.serve(sockets=[taken])
    finally:
        ending()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=GRACE)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    log.info("stopped")


def _stop(server: uvicorn.Server, number: signal.Signals, stopping: Callable[[], None]) -> None:
    log.info("stopping on %s", number.name)
    server.should_exit = True
    stopping()
    last_call = threading.Timer(LAST_CALL, _end)
    last_call.daemon = True
    last_call.start()


def _end() -> None:
    """What hangs is left to the system; SQLite rolls back at the next start what it left half done."""
    log.warning("stopped without waiting any longer for a disk")
    logging.shutdown()
    os._exit(0)
