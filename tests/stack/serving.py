"""A server on loopback with a port of its own, served by a thread while it is entered."""

import socketserver
import threading
from types import TracebackType
from typing import Self

LOOPBACK = ("127.0.0.1", 0)


class Serving:
    """Base of what answers in these tests; `server` listens from the start, and is served while entered."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self.server = server
        self._thread = threading.Thread(target=server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def url(self) -> str:
        """The same for what speaks HTTP."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
