"""Opens a bot's SQLite store so that nothing of the bot's is created, altered or held up, or says why not.

How a store is opened depends on how it was left:

    journal     its bot writes with a rollback journal: `mode=ro`, which waits for locks and makes no file
    sidecars    WAL with -wal and -shm beside it (a bot that runs, or died): `mode=ro` shares them
    immutable   WAL, closed cleanly: `mode=ro` would leave a -wal and a -shm, so it is read without locks,
                and what was read counts only if the file is the same afterwards

StoreTrouble.status is one of STATUSES, each with a sentence for people and what to do about it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from exporter.errors import ExporterError
from exporter.reporting.tables import Table

OK, MISSING, EMPTY, LOCKED, CORRUPT, UNREADABLE, READ_ONLY, WAL_ONLY, FOREIGN = STATUSES = (
    "ok",
    "missing",
    "empty",
    "locked",
    "corrupt",
    "unreadable",
    "read_only",
    "wal_only",
    "foreign",
)
"""How a store is. read_only: it needs a writer before it can be read. wal_only: its rows are in a -wal that
lost its -shm. foreign: something of the documented schema is not there, or rows of it cannot be taken."""

BUSY_SECONDS: Final = 0.5  # that a read waits for a lock before the store counts as locked

_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100
_WAL_VERSION: Final = 2  # read and write version in bytes 18 and 19 of the header
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_READ_ONLY: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})


class StoreTrouble(ExporterError):  # noqa: N818 - named for what it is
    """A store cannot be read now: how it is, the sentence, and what to do."""

    def __init__(self, status: str, says: str, fix: str) -> None:
        super().__init__(says)
        self.status = status
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Store:
    """An open store, for reading only; `how` is how it is opened, in a few words."""

    connection: sqlite3.Connection
    how: str


Signature = tuple[tuple[int, int, int] | None, ...]
"""What tells a file that was written from one that was not: inode, size and time of it and of its -wal."""


def signature(path: Path) -> Signature:
    """The signature of a store as it is now; never raises."""
    return tuple(_stamp(side) for side in (path, _beside(path, "-wal")))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextlib.contextmanager
def opened(path: Path, busy_seconds: float = BUSY_SECONDS) -> Iterator[Store]:
    """The store, open for as long as the block lasts; raises StoreTrouble, also where reading in it fails.

    What the block read may be used only after it has ended without an error.
    """
    wal = _is_wal(path)
    before = signature(path)
    sidecars = wal and _has_sidecars(path)
    immutable = wal and not sidecars
    options = "mode=ro&immutable=1" if immutable else "mode=ro"
    how = "WAL with its sidecars" if sidecars else "WAL, cleanly closed" if wal else "rollback journal"
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{options}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        with contextlib.closing(connection):
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise StoreTrouble(
                    EMPTY,
                    f"{path} has no tables yet",
                    "normal until the bot writes; else check the bot's own path",
                )
            yield Store(connection, how)
    except sqlite3.Error as error:
        raise trouble(path, error) from error
    if immutable and signature(path) != before:
        raise StoreTrouble(LOCKED, f"{path} was written while it was read", "nothing; it is read again")


def _is_wal(path: Path) -> bool:
    """Whether a store is in WAL mode; raises StoreTrouble for what is no store."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreTrouble(UNREADABLE, f"{path} is not a file", "name the store's file, not its folder")
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError as error:
        raise _absent(path) from error
    except OSError as error:
        says = f"{path} cannot be read by uid {os.geteuid()}: {error.strerror}"
        raise StoreTrouble(UNREADABLE, says, _as_owner(path)) from error
    if not header:
        raise StoreTrouble(
            EMPTY, f"{path} is empty", "normal until the bot writes; else check the bot's own path"
        )
    if not header.startswith(_MAGIC):
        raise StoreTrouble(
            CORRUPT, f"{path} is not a SQLite database", "point the setting at the bot's own store"
        )
    return _WAL_VERSION in header[18:20]


def _absent(path: Path) -> StoreTrouble:
    if path.parent.is_dir():
        return StoreTrouble(MISSING, f"{path} is not there yet; the bot writes it when it first trades", "")
    return StoreTrouble(
        MISSING,
        f"{path} is not there, nor is its folder",
        "mount the bot's data folder at that path, or correct the path",
    )


def _as_owner(path: Path) -> str:
    try:
        owner = path.parent.stat().st_uid
    except OSError:
        return "run the exporter with the bot's uid, and give that uid permission to enter the folder"
    return f"run the exporter with the bot's uid ({owner}), or give this uid read permission"


def _has_sidecars(path: Path) -> bool:
    """Whether a WAL store is to be read through its sidecars; raises StoreTrouble where it cannot be."""
    log, index = _beside(path, "-wal"), _beside(path, "-shm")
    if not log.exists():
        return False
    if not index.exists():
        if log.stat().st_size == 0:
            return False
        raise StoreTrouble(
            WAL_ONLY,
            f"{path} has rows in its -wal and no -shm beside it: a copy, or a bot that died",
            "start the bot once, or copy the three files together",
        )
    unreadable = [side.name for side in (log, index) if not readable(side)]
    if unreadable:
        says = f"{' and '.join(unreadable)} beside {path} cannot be read by uid {os.geteuid()}"
        raise StoreTrouble(UNREADABLE, says, _as_owner(path))
    return True


def readable(path: Path) -> bool:
    """Whether this process may read a file, as the user it acts for."""
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def trouble(path: Path, error: sqlite3.Error) -> StoreTrouble:
    """What an error of SQLite means for the store it came from."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _LOCKED:
        return StoreTrouble(
            LOCKED, f"{path} is locked by another program", "nothing, unless it lasts: find who holds it"
        )
    if code in _CORRUPT:
        return StoreTrouble(
            CORRUPT,
            f"{path} is damaged: {error}",
            "restore it from the bot's own backup",
        )
    if code in _READ_ONLY:
        fix = "use the bot's uid and a mount that is not read-only, so that SQLite can share its -shm"
        return StoreTrouble(READ_ONLY, f"{path} cannot be opened read-only: {error}", fix)
    if code == sqlite3.SQLITE_ERROR:
        return StoreTrouble(
            FOREIGN, f"{path} is not as documented: {error}", "point the setting at the right store"
        )
    return StoreTrouble(UNREADABLE, f"{path} cannot be read: {error}", "see the kernel's log for the disk")


def lacking(connection: sqlite3.Connection, table: Table) -> list[str]:
    """What a store lacks of a documented table, in words; more columns than these are fine."""
    found = {
        str(name): (str(holds).upper(), int(place))
        for name, holds, place in connection.execute(
            "SELECT name, type, pk FROM pragma_table_info(?)"
            " WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)",
            (table.name, table.name),
        )
    }
    if not found:
        return [f"table {table.name}"]
    missing = [f"column {table.name}.{name}" for name in sorted(set(table.names) - found.keys())]
    if missing:
        return missing
    keys = {name for name, (_, place) in found.items() if place}
    if keys != {table.key} or (not table.changed and found[table.key][0] != "INTEGER"):
        kind = "PRIMARY KEY" if table.changed else "INTEGER PRIMARY KEY"
        return [f"{table.name}.{table.key} as {kind}"]
    if table.changed and connection.execute(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table.name,)
    ).fetchone() != (0,):
        return [f"rowids in {table.name}"]
    return []


def all_lacking(connection: sqlite3.Connection, tables: Iterable[Table]) -> list[str]:
    """What a store lacks of several tables."""
    return [word for table in tables for word in lacking(connection, table)]
