"""The server a console connects to, in threads of its own: a hung engine still beats and takes a kill.

The engine hands a state over and goes on: `publish` is an append and a wake-up that no client, no encoding
and no other thread can delay. One thread encodes each state once, and only while somebody listens; the
other runs an asyncio loop with the clients (`link`), their commands (`commands`) and a heartbeat a second.
Only an engine that hangs inside C code without letting go of the interpreter's lock stops these threads too.

Errors::

    ControlSocketError(OSError)   the bot cannot be steered and should not start; the text is one sentence
    └── PortTaken                     another program listens there
"""

import asyncio
import contextlib
import errno
import logging
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, Final

from botkit import messages
from botkit.commands import Commands, Handler
from botkit.heartbeat import Heartbeat
from botkit.link import DROP_REASONS, Limits, Link
from botkit.metrics_registry import Registry

HEARTBEAT_SECONDS: Final = 1.0
GOODBYE_SECONDS: Final = 1.0
STATES_TO_ENCODE: Final = 8
SEND_BUFFER_BYTES: Final = 256 * 1024
"""The kernel's own buffer for each client, bounded so that one that does not read is noticed."""

_log = logging.getLogger(__name__)


class ControlSocketError(OSError):
    """The control socket cannot listen; the text is one sentence for the person who starts the bot."""


class PortTaken(ControlSocketError):  # noqa: N818 - named for what is the case
    """Another program listens on the port."""


class ControlSocket:
    """The control socket of one bot.

    `handlers` answer commands (`commands.Handler`), `heartbeat` says where the engine is
    (`heartbeat.Pulse.read`), `on_connect` is called when a client has come, so that the engine publishes a
    fresh state for it; all three run in the socket's thread. Port 0 takes a free one, see `port` after
    `start`. Counters go into `registry`.
    """

    def __init__(
        self,
        *,
        handlers: Mapping[str, Handler],
        heartbeat: Callable[[], Heartbeat],
        host: str = "127.0.0.1",
        port: int = 9120,
        on_connect: Callable[[], None] | None = None,
        registry: Registry | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        registry = registry or Registry()
        self.host = host
        self.port = port
        self.limits = limits or Limits()
        self.commands = Commands(handlers, registry)
        self._heartbeat = heartbeat
        self._on_connect = on_connect
        self._clock = clock
        self._links: set[Link] = set()
        self._mailbox: deque[Mapping[str, object]] = deque(maxlen=STATES_TO_ENCODE)
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._undelivered = threading.Semaphore(STATES_TO_ENCODE)
        self._stopping = threading.Event()
        self._encoder = threading.Thread(target=self._encode, name="control-socket-encoder", daemon=True)
        self._server = threading.Thread(target=self._serve, name="control-socket", daemon=True)
        self._listening: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._goodbye: asyncio.Future[str]
        self._clients = registry.gauge("control_socket_clients")
        self._clients.set(0)
        self._refused = registry.counter("control_socket_clients_refused")
        self._drops = {r: registry.counter(f"control_socket_clients_dropped_{r}") for r in DROP_REASONS}
        self._lost = registry.counter("control_socket_states_dropped")
        self._faults = registry.counter("control_socket_faults")

    @property
    def clients(self) -> int:
        """Clients connected now."""
        return len(self._links)

    @property
    def dropped_states(self) -> int:
        """States that some client did not get because it, or this thread, was slow."""
        return int(self._lost.value)

    # For the engine, from any thread.

    def start(self) -> None:
        """Listen; clients can connect when this returns. Raises PortTaken or another ControlSocketError."""
        self._server.start()
        self.port = self._listening.result()
        self._encoder.start()

    def publish(self, state: Mapping[str, object]) -> None:
        """Hand over a state, which nobody changes any more. Never waits; without a client, does nothing."""
        if not self._links:
            return
        if len(self._mailbox) == STATES_TO_ENCODE:
            self._lost.inc()
        self._mailbox.append(state)
        if self._wake.empty():
            self._wake.put(None)

    def stop(self, reason: str) -> None:
        """Send what was published and a goodbye to everyone, then close; takes 3 s at the very most."""
        if self._stopping.is_set() or not self._encoder.is_alive():
            return
        self._stopping.set()
        self._wake.put(None)
        self._encoder.join(GOODBYE_SECONDS)
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._goodbye.set_result, reason)
        self._server.join(2 * GOODBYE_SECONDS)

    # For the links, in the loop's thread.

    def joined(self, link: Link) -> str:
        """Take a client in, or say why not."""
        if len(self._links) >= self.limits.clients:
            self._refused.inc()
            return f"too many clients: {self.limits.clients} are connected already"
        self._links.add(link)
        self._clients.set(len(self._links))
        if self._on_connect:
            try:
                self._on_connect()
            except Exception:  # noqa: BLE001 - the boundary to the bot's own code
                self._fault("on_connect failed")
        return ""

    def left(self, link: Link) -> None:
        """Forget a client."""
        self._links.discard(link)
        self._clients.set(len(self._links))

    def dropped(self, reason: str) -> None:
        """Count a client that was let go."""
        self._drops[reason].inc()

    def state_lost(self) -> None:
        """Count a state that one client will not get."""
        self._lost.inc()

    # The encoder's thread.

    def _encode(self) -> None:
        """Encode each state once and pass it to the loop, never more of them than it keeps up with."""
        while True:
            self._wake.get()
            while self._mailbox:
                line = self._line(self._mailbox.popleft())
                if line:
                    self._undelivered.acquire()
                    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                        self._loop.call_soon_threadsafe(self._deliver, line)
            if self._stopping.is_set():
                return

    def _line(self, state: Mapping[str, object]) -> bytes | None:
        try:
            line = messages.encode(state)
        except Exception:  # noqa: BLE001 - the bot's own data: can't be written, or changes meanwhile
            self._fault("a state could not be encoded")
            return None
        if len(line) > messages.LINE_LIMIT:
            _log.error("a state of %d bytes is longer than a client takes, so nobody gets it", len(line))
            self._faults.inc()
            return None
        return line

    # The loop's thread.

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as exc:  # noqa: BLE001 - the thread's own boundary: whatever ends it is told
            if self._listening.done():
                self._fault("the control socket has ended")
            else:
                self._listening.set_exception(self._cannot_listen(exc))

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._loop_fault)
        self._goodbye = self._loop.create_future()
        server = await self._loop.create_server(self._new_link, self.host, self.port)
        for listener in server.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # clients inherit it
        self._listening.set_result(server.sockets[0].getsockname()[1])
        try:
            await self._beat()
        finally:
            server.close()
            await self._end_links()

    def _new_link(self) -> Link:
        return Link(self, self._loop.time)

    def _deliver(self, line: bytes) -> None:
        self._undelivered.release()
        for link in tuple(self._links):
            link.send_state(line)

    async def _beat(self) -> None:
        """Send a heartbeat a second until `stop`, and let go who does not read."""
        due = self._loop.time()
        while True:
            due = max(due + HEARTBEAT_SECONDS, self._loop.time())
            await asyncio.wait([self._goodbye], timeout=due - self._loop.time())
            if self._goodbye.done():
                return
            self._send_heartbeat()
            for link in tuple(self._links):
                link.check_patience()

    def _send_heartbeat(self) -> None:
        if not self._links:
            return
        try:
            beat = self._heartbeat()
            line = messages.encode({"type": messages.HEARTBEAT, "ts": self._clock(), **asdict(beat)})
        except Exception:  # noqa: BLE001 - the boundary to the bot's own code
            self._fault("the heartbeat could not be read")
            return
        for link in tuple(self._links):
            link.send_heartbeat(line)

    async def _end_links(self) -> None:
        """Say goodbye and close; without a word where this thread has failed, which nobody planned."""
        links = tuple(self._links) if self._goodbye.done() else ()
        if links:
            line = messages.encode({"type": messages.GOODBYE, "reason": self._goodbye.result()})
            for link in links:
                link.end(line)
            await asyncio.wait([link.gone for link in links], timeout=GOODBYE_SECONDS)
        for link in tuple(self._links):
            link.abort()
        await asyncio.sleep(0)  # aborted transports close in the loop's next turn

    def _cannot_listen(self, exc: Exception) -> ControlSocketError:
        where = f"control socket: cannot listen on {self.host}:{self.port}"
        if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
            return PortTaken(f"{where}: another program listens there")
        return ControlSocketError(f"{where}: {exc}")

    def _fault(self, what: str) -> None:
        _log.exception("control socket: %s", what)
        self._faults.inc()

    def _loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        _log.error("control socket: %s", context.get("message"), exc_info=context.get("exception"))
        self._faults.inc()
