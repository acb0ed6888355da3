"""Clients of a control socket that misbehave on purpose, in a process of their own.

The process takes orders as lines on its standard input, `MODE PORT` or `rest`, answers each with one line
when it is done, and ends with its input. A process of its own, because in the bot's it would compete for
the interpreter's lock and the figures would be about that.
"""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

GARBAGE: Final = 10 * 1024 * 1024
VANISHING: Final = 50
PAUSE_SECONDS: Final = 0.25


class Disturber:
    """The other process, seen from the benchmark."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.disturbers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, what: str) -> None:
        """Give an order and wait until it has begun."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def _connect(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    return client


def never_reads(port: int, rest: threading.Event) -> None:
    """Connect and take nothing."""
    with _connect(port):
        rest.wait()


def reads(port: int, rest: threading.Event) -> None:
    """Take everything, as an exporter does."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0.1)
        while not rest.is_set():
            with contextlib.suppress(TimeoutError):
                client.recv(1 << 20)


def vanishes(port: int, rest: threading.Event) -> None:
    """Again and again, 50 clients come and are gone without a word."""
    while not rest.is_set():
        crowd = []
        for _ in range(VANISHING):
            with contextlib.suppress(OSError):
                crowd.append(_connect(port))
        for client in crowd:
            client.close()
        rest.wait(PAUSE_SECONDS)


def garbage(port: int, rest: threading.Event) -> None:
    """Again and again, 10 MB that mean nothing: by turns without a line end and with one every few bytes."""
    endless, lines = b"\xff" * GARBAGE, b"\xffnot json\n" * (GARBAGE // 10)
    while not rest.is_set():
        for junk in (endless, lines):
            with contextlib.suppress(OSError), _connect(port) as client:
                client.settimeout(PAUSE_SECONDS)
                client.sendall(junk)
            rest.wait(PAUSE_SECONDS)


MODES: Final[dict[str, tuple[Callable[[int, threading.Event], None], ...]]] = {
    "never_reads": (never_reads,),
    "vanishes": (reads, vanishes),
    "garbage": (reads, garbage),
}


def main() -> None:
    """Carry out orders until there are none."""
    rest = threading.Event()
    threads: list[threading.Thread] = []
    for line in sys.stdin:
        mode, _, port = line.strip().partition(" ")
        rest.set()
        for thread in threads:
            thread.join()
        rest = threading.Event()
        threads = [
            threading.Thread(target=client, args=(int(port), rest), daemon=True)
            for client in MODES.get(mode, ())
        ]
        for thread in threads:
            thread.start()
        print(mode, flush=True)


if __name__ == "__main__":
    main()
