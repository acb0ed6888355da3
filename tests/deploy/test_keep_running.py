"""The restart policy of a run without Docker."""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.keep_running import keep_running

ROOT = Path(__file__).parents[2]


def ending_with(*statuses: int, counter: Path) -> list[str]:
    """A program that ends with the next of `statuses` at each run."""
    program = (
        "import pathlib, sys; counter = pathlib.Path(sys.argv[1]); runs = len(counter.read_text())"
        "; counter.write_text('x' * (runs + 1)); sys.exit(int(sys.argv[2 + runs]))"
    )
    counter.write_text("")
    return [sys.executable, "-c", program, str(counter), *map(str, statuses)]


def test_a_program_that_ends_is_started_again_until_it_says_that_it_cannot_start(tmp_path: Path) -> None:
    counter, pauses = tmp_path / "runs", []
    handlers = [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)]
    try:
        assert keep_running(ending_with(1, 0, -9, 2, counter=counter), pauses.append) == 2
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), handlers, strict=True):
            signal.signal(number, handler)
    assert len(counter.read_text()) == 4
    assert len(pauses) == 3


def test_a_stop_reaches_the_program_and_is_not_answered_by_a_restart() -> None:
    handler = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('goodbye')))"
    program = f"import signal, sys; {handler}; print('up', flush=True); signal.pause()"
    command = [sys.executable, "-m", "deploy.keep_running", sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "up\n"
        keeper.terminate()
        assert keeper.stdout.read() == "goodbye\n"
    assert keeper.returncode == 0
