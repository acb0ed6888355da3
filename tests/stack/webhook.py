"""A receiver that Alertmanager can post to; it keeps each message with the time at which it arrived.

It can fail as services do: what is posted for a receiver in `failing` is answered with a 500 and not kept.
"""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.stack.serving import LOOPBACK, Serving


@dataclass(frozen=True)
class Arrival:
    """One alert of one message: who was told, when (epoch seconds), `firing` or `resolved`, what it said."""

    receiver: str
    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    fingerprint: str


@dataclass(frozen=True)
class Message:
    """One post: to whom, when (epoch seconds), and the alerts in it."""

    receiver: str
    at: float
    alerts: tuple[Arrival, ...]

    def bots(self, status: str) -> list[str]:
        """The bots of its alerts with this status, in order of their names."""
        return sorted(one.labels.get("bot", "") for one in self.alerts if one.status == status)


class Webhook(Serving):
    """Listens on a port of its own, as the generic webhook and as the dead-man's switch of a console."""

    def __init__(self) -> None:
        self.failing: frozenset[str] = frozenset()
        """Receivers whose service is broken at the moment."""
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        super().__init__(ThreadingHTTPServer(LOOPBACK, self._handler()))

    def arrivals(self, **labels: str) -> list[Arrival]:
        """What has arrived so far with these labels, in order; `receiver` and `status` are taken as well."""
        seen = [alert for message in self.messages() for alert in message.alerts]
        receiver, status = labels.pop("receiver", None), labels.pop("status", None)
        return [
            one
            for one in seen
            if receiver in {None, one.receiver}
            and status in {None, one.status}
            and labels.items() <= one.labels.items()
        ]

    def messages(self, receiver: str | None = None) -> list[Message]:
        """Every post so far, in order; those of one receiver where it is named."""
        with self._lock:
            return [one for one in self._messages if receiver in {None, one.receiver}]

    def _take(self, message: dict[str, Any]) -> int:
        """Keep a post; returns the status to answer with."""
        receiver = message["receiver"]
        if receiver in self.failing:
            return 500
        at = time.time()
        alerts = (
            Arrival(
                receiver, at, *(alert[name] for name in ("status", "labels", "annotations", "fingerprint"))
            )
            for alert in message["alerts"]
        )
        with self._lock:
            self._messages.append(Message(receiver, at, tuple(alerts)))
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(take(json.loads(body)))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the arrivals are the log."""

        return Handler
