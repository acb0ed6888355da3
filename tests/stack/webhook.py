"""A receiver that Alertmanager can post to; it keeps each alert with the time at which it arrived."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Arrival:
    """One alert of one message: who was told, when (epoch seconds), `firing` or `resolved`, what it said."""

    receiver: str
    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Webhook:
    """Listens on a port of its own; the path of a post names the receiver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arrivals(self, **labels: str) -> list[Arrival]:
        """What has arrived so far with these labels, in order; `receiver` and `status` are taken as well."""
        with self._lock:
            seen = list(self._arrivals)
        receiver, status = labels.pop("receiver", None), labels.pop("status", None)
        return [
            one
            for one in seen
            if receiver in {None, one.receiver}
            and status in {None, one.status}
            and labels.items() <= one.labels.items()
        ]

    def _take(self, receiver: str, message: dict[str, Any]) -> None:
        at = time.time()
        with self._lock:
            self._arrivals += [
                Arrival(receiver, at, alert["status"], alert["labels"], alert["annotations"])
                for alert in message["alerts"]
            ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                take(self.path.strip("/"), json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the arrivals are the log."""

        return Handler
