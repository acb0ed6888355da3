"""Runs the exporter: one task for each bot, one web server, a stop that waits for nobody.

A bridge that dies of something nobody foresaw is logged, counted and started anew; one bot's trouble never
ends another's watch. SIGTERM and SIGINT end everything within two seconds, whatever connections are open.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from exporter.config import Listen
from exporter.errors import ExporterError

log = logging.getLogger(__name__)

RESTART_AFTER = 1.0  # seconds until a bridge that died is started anew
GRACE = 1  # seconds that open requests get at the end
BACKLOG = 128


class StartError(ExporterError):
    """Something the exporter needs at its start is not to be had; the text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What watches one bot: `run` lasts until it is cancelled, `died` is told when it ends all the same."""

    bot: str
    run: Callable[[], Awaitable[None]]
    died: Callable[[], None]


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
            log.error("bot %s: its bridge ended by itself; starting it anew", watch.bot)
        except Exception:  # the boundary of one bot's bridge: counted, logged, started anew
            log.exception("bot %s: its bridge died; starting it anew", watch.bot)
        watch.died()
        await asyncio.sleep(pause)


async def serve(app: ASGIApp, watches: Sequence[Watch], taken: socket.socket) -> None:
    """Watch every bot and answer on the socket, until a signal ends it."""
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, server, number)
    tasks = [asyncio.create_task(keep_running(watch), name=f"bridge {watch.bot}") for watch in watches]
    try:
        await server.serve(sockets=[taken])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=GRACE)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    log.info("stopped")


def _stop(server: uvicorn.Server, number: signal.Signals) -> None:
    log.info("stopping on %s", number.name)
    server.should_exit = True
