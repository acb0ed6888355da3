"""Something that answers HTTP as a test wants it, in place of an exporter."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answering(ThreadingHTTPServer):
    """Answers everything with one status and one content; `asked` holds what was asked for, in order."""

    def __init__(self, status: int, content: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.asked: list[tuple[str, str, Any, str]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = json.loads(body) if body else None
        self.server.asked.append((self.command, self.path, sent, self.headers["Authorization"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET  # noqa: N815 - the name is the base class's

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(status: int, content: Any) -> Iterator[Answering]:
    """Answer until the block ends."""
    server = Answering(status, content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
