"""What the tests of this folder share: a served control socket, and a peer that talks to it over loopback."""

import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

from botkit import messages
from botkit.control_socket import ControlSocket
from botkit.heartbeat import Pulse

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is not a defect
hypothesis.settings.load_profile("untimed")

PATIENCE_SECONDS = 20.0


def wait_until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; a condition that never holds fails the test."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.002)


class Peer:
    """A client of a control socket, over a real connection."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_SECONDS)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._splitter = messages.LineSplitter()
        self._lines: deque[bytes | messages.TooLong] = deque()

    def send(self, *requests: dict[str, Any] | bytes) -> None:
        """Write requests, or bytes as they are."""
        self.socket.sendall(b"".join(r if isinstance(r, bytes) else messages.encode(r) for r in requests))

    def line(self) -> bytes | None:
        """Return the next line, None at the end of the stream."""
        while not self._lines:
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._lines += self._splitter.feed(data)
        line = self._lines.popleft()
        assert isinstance(line, bytes)
        return line

    def next(self, *, heartbeats: bool = False) -> dict[str, Any] | None:
        """Return the next message, None at the end of the stream; heartbeats only where wanted."""
        while (line := self.line()) is not None:
            message = messages.decode(line)
            if heartbeats or message["type"] != messages.HEARTBEAT:
                return message
        return None

    def rest(self) -> list[dict[str, Any]]:
        """Return all messages up to the end of the stream."""
        found = []
        while (message := self.next()) is not None:
            found.append(message)
        return found

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


Serve = Callable[..., ControlSocket]
Dial = Callable[..., Peer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start control sockets on free ports; all are stopped after the test."""
    with contextlib.ExitStack() as after:

        def start(**options: Any) -> ControlSocket:
            console = ControlSocket(**{"handlers": {}, "heartbeat": Pulse().read, "port": 0, **options})
            console.start()
            after.callback(console.stop, "the test is over")
            return console

        yield start


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Connect peers; a peer returned has been taken in by the server. All hang up after the test."""
    with contextlib.ExitStack() as after:

        def connect(console: ControlSocket, **options: Any) -> Peer:
            before = console.clients
            peer = Peer(console.port, **options)
            after.callback(peer.close)
            wait_until(lambda: console.clients > before)
            return peer

        yield connect
