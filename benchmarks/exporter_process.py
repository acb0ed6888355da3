"""A real exporter in a process of its own, the sockets of the bots that it watches, and its database."""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.ledger_generator import ANALYTICS, ORDERS

START_SECONDS = 30.0


class Feeder:
    """A bot's socket from which bytes go out as fast as the exporter takes them."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(START_SECONDS)
        self.port: int = self._listening.getsockname()[1]
        self._connection: socket.socket | None = None

    def accept(self) -> None:
        """Wait for the exporter."""
        self._connection, _ = self._listening.accept()
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        assert self._connection is not None
        self._connection.sendall(data)

    def close(self) -> None:
        """Stop listening and hang up."""
        self._listening.close()
        if self._connection is not None:
            self._connection.close()


class Exporter:
    """`python -m exporter` on loopback, watching one bot for each feeder, named bot-0, bot-1 and so on.

    `stores` are folders with the two stores of each bot, where bots have any. Everything that the exporter
    writes is in `folder`, which is taken away at the end unless it was given.
    """

    def __init__(self, bots: int = 1, *, stores: Sequence[Path] = (), folder: Path | None = None) -> None:
        self.feeders = [Feeder() for _ in range(bots)]
        self.stores = stores
        self._folder = folder

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for feeder in self.feeders:
                stack.callback(feeder.close)
            folder = self._folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.database = folder / "reporting.db"
            self.settings = folder / "exporter.yml"
            self._http = http.client.HTTPConnection("127.0.0.1", _free_port(), timeout=START_SECONDS)
            stack.callback(self._http.close)
            self._start(folder, stack)
            for feeder in self.feeders:
                feeder.accept()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def get(self, path: str) -> bytes:
        """The body of a path, over one connection that stays open."""
        try:
            self._http.request("GET", path)
            answer = self._http.getresponse()
        except http.client.RemoteDisconnected:  # nothing was asked for a while
            self._http.request("GET", path)
            answer = self._http.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {answer.status}")
        return body

    def total(self, name: str, body: bytes | None = None) -> float:
        """The sum of all series of a metric."""
        body = self.get("/metrics") if body is None else body
        found = re.findall(rb"^" + name.encode() + rb"(?:\{[^\n]*\})? (\S+)$", body, re.MULTILINE)
        return sum(float(value) for value in found)

    def wait_for_states(self, count: int) -> None:
        """Return once so many states were taken in."""
        deadline = time.monotonic() + 600
        while self.total("tradebot_states_received_total") < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not all of {count} states were taken in within 10 minutes")
            time.sleep(0.05)

    def _start(self, folder: Path, stack: contextlib.ExitStack) -> None:
        bots: list[dict[str, object]] = [
            {"name": f"bot-{number}", "kind": "arb", "port": feeder.port, "expected_interval": 60}
            for number, feeder in enumerate(self.feeders)
        ]
        for bot, stores in zip(bots, self.stores, strict=False):
            bot["stores"] = {"orders": str(stores / ORDERS), "analytics": str(stores / ANALYTICS)}
        self.settings.write_text(json.dumps({"bots": bots, "reporting_db": str(self.database)}))
        listen = f"{self._http.host}:{self._http.port}"
        command = [sys.executable, "-m", "exporter", "--config", str(self.settings), "--listen", listen]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log, stdout=log)
        stack.callback(_stop, process)
        for _ in _until(START_SECONDS):
            if process.poll() is not None:
                raise RuntimeError(f"the exporter did not start: {(folder / 'log').read_text()}")
            with contextlib.suppress(OSError):
                self.get("/-/healthy")
                return
            self._http.close()
        raise RuntimeError("the exporter did not answer")


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
