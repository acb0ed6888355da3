"""Keeps a data folder to one bot: a second start must not take a running bot's orders for a dead one's."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arb_bot import StartRefused

LOCK_FILE = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it however the process ends. Raises StartRefused."""
    path = folder / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        raise StartRefused(f"the data folder {folder} cannot be used: {path}: {exc.strerror}") from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(descriptor)
        raise StartRefused(
            f"another bot runs on the data folder {folder}: stop it, or choose another folder with --data-dir"
        ) from exc
    except OSError as exc:
        os.close(descriptor)
        raise StartRefused(f"the data folder {folder} cannot be held for this bot: {exc.strerror}") from exc
    try:
        yield
    finally:
        os.close(descriptor)
