"""Real programs on loopback for a test: started, waited for, stopped by their own process and no other."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"


_GIVEN: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on now, and that was not given to anybody here before."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


def wait_until(holds: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Ask ten times a second until the answer is true; raises TimeoutError with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


class Program:
    """One process with its log in a file; `send` a signal to it, or `stop` it for good."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=ROOT,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_for(self, ready: Callable[[], object]) -> None:
        """Wait until it is `ready`; raises RuntimeError with its log where it ends before."""

        def ready_or_dead() -> bool:
            if not self.runs:
                raise RuntimeError(f"{self.log.stem} ended: {self.said()}")
            return bool(ready())

        wait_until(ready_or_dead, f"{self.log.stem} to be ready")

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that was stopped stays so until SIGCONT."""
        self._process.send_signal(number)

    def ended(self, seconds: float = 20.0) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End it: politely, then not."""
        if self.runs:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], object],
    environ: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """A program that is `ready`; raises RuntimeError with its log where it ends before."""
    program = Program(command, log, environ)
    try:
        program.wait_for(ready)
        yield program
    finally:
        program.stop()


def python(*words: str | Path) -> list[str | Path]:
    """A command of this environment's Python."""
    return [sys.executable, *words]
