"""Runs one program again whenever it ends by itself, as Docker's restart policy does for its containers.

A bot that dies must not take its console along: the console is there to show it. Exit status 2 is a program's
"cannot start with what it was given"; that is passed on, because a second try would end the same.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

CANNOT_START = 2
PAUSE = 2.0


def keep_running(command: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """Run `command` until this process is told to stop (0), or until it cannot start (2)."""
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    # Ctrl-C is the supervisor's, which then sends SIGTERM to everything it started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stopping:
        child = subprocess.Popen(command)  # noqa: S603 - the command is the caller's own
        status = child.wait()
        if status == CANNOT_START:
            return CANNOT_START
        if not stopping:
            print(f"ended with status {status}; starting it again", flush=True)
            pause(PAUSE)
    return 0


if __name__ == "__main__":
    sys.exit(keep_running(sys.argv[1:]))
