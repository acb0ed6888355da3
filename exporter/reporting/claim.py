"""One writer at a time: who holds `reporting.db.lock` may write the database, everybody else is refused.

    Claim(path).take()     for as long as this process writes; raises DatabaseTaken while another does
    with backing_up(path)  asks the writer to pause, so that neither it nor a page waits for the other's lock

Both are advisory locks of the kernel, which end with the process that held them, however it ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from exporter.errors import ExporterError

READABLE = 0o644  # a lock needs no right to write, so another user's is one, too


class ReportingError(ExporterError):
    """The reporting database cannot be used now; the text says why and what to do."""


class DatabaseTaken(ReportingError):  # noqa: N818 - named for what happened
    """Another process writes this database."""


class DatabaseUnwritable(ReportingError):  # noqa: N818 - as above
    """The file or its folder cannot be written now: a full disk, a missing right, a lock held for long."""


class Claim:
    """The right to write the database at `path`, held until it is released or the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Make the folder and hold the lock; raises DatabaseTaken or DatabaseUnwritable."""
        if self._file is not None:
            return
        lock = self._path.with_name(self._path.name + ".lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, READABLE)
        except OSError as error:
            raise DatabaseUnwritable(f"{lock} cannot be made: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise DatabaseTaken(
                f"{self._path} is written by another exporter; stop that one, "
                "or give each a reporting_db of its own"
            ) from error
        self._file = file

    def release(self) -> None:
        """Let somebody else write; without a claim nothing happens."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def pause_wanted(path: Path) -> bool:
    """Whether a backup of the database is being taken right now."""
    try:
        file = os.open(_pause(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


@contextlib.contextmanager
def backing_up(path: Path) -> Iterator[None]:
    """Have the writer pause after its present transaction; where no lock can be made it simply goes on."""
    try:
        file = os.open(_pause(path), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, READABLE)
    except OSError:
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


def _pause(path: Path) -> Path:
    return path.with_name(path.name + ".pause")
