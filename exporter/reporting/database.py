"""Opens reporting.db, whatever happened to it meanwhile, and brings it to the schema of this program.

    prepare(path, now)   in a thread: rolls back what a killed writer left, sets a damaged file aside and
                         begins a new one, migrates an old one after a copy
    connect(path)        the one writing connection

ReportingError                 (in exporter.reporting.claim)
├── DatabaseTaken              another process writes it: try again later
├── DatabaseUnwritable         disk full, no right, locked for long: try again later
└── DatabaseRefused            newer than this program, or not ours at all: leave it alone, go on without it
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiosqlite

from exporter.reporting import schema
from exporter.reporting.claim import DatabaseUnwritable, ReportingError

BUSY_SECONDS: Final = 1.0  # a reader holds its lock for a query; who waits longer asks again
CHECK_SECONDS: Final = 5.0  # of looking for damage at each start
ALL: Final = math.inf  # seconds: as long as it takes, and in depth
CACHE_KIB: Final = 4 * 1024
BEHIND_CACHE_KIB: Final = 64 * 1024  # while much is mirrored at once
STEPS: Final = 10_000  # instructions of SQLite between two looks at the clock
PAGES: Final = 2_000  # pages of a copy between two looks at whether to stop

DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
SIDES: Final = ("", "-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What people should know of a file that is ready now: a sentence each, or None."""

    set_aside: str | None
    migrated: str | None


class DatabaseRefused(ReportingError):  # noqa: N818 - named for what happened
    """The file is not this program's to write."""


class _Damaged(Exception):  # noqa: N818 - as above; never leaves this module
    """The check of the file found something."""


def prepare(
    path: Path,
    now: float,
    *,
    stop: Callable[[], bool] = lambda: False,
    search: float = CHECK_SECONDS,
    version: int = schema.VERSION,
    migrations: Mapping[int, str] = schema.MIGRATIONS,
) -> Prepared:
    """Make the file ready to be written; raises ReportingError. The caller holds its claim.

    `now` (epoch seconds) names what is set aside. `stop` is asked now and then, so that a program that ends
    does not wait. `search` is for how many seconds to look for damage; ALL means all of the file, in depth.
    """
    set_aside_as = migrated = None
    try:
        try:
            _examine(path, version, stop, search)
        except (_Damaged, sqlite3.DatabaseError) as error:
            if not is_damage(error):
                raise
            aside = set_aside(path, f"damaged-{stamp(now)}")
            set_aside_as = (
                f"{path} was damaged ({error}) and set aside as {aside.name}; a new one was begun. "
                "A backup can be put back with: python -m exporter restore FILE"
            )
        with contextlib.closing(open_sync(path)) as connection:
            found = _version(connection)
            if found == 0:
                schema.create(connection)
            elif found < version:
                copy = path.with_name(f"{path.name}.schema-{found}-{stamp(now)}")
                copy_to(connection, copy, stop)
                _migrate(connection, found, version, migrations)
                migrated = (
                    f"{path} was brought from schema {found} to {version}; "
                    f"as it was before, it is kept as {copy.name}"
                )
    except sqlite3.Error as error:
        raise DatabaseUnwritable(f"{path} cannot be used: {error}") from error
    except OSError as error:
        raise DatabaseUnwritable(f"{path} cannot be used: {error.strerror}") from error
    return Prepared(set_aside_as, migrated)


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file itself is broken, not that it cannot be reached."""
    return isinstance(error, _Damaged) or code(error) in DAMAGED


def code(error: BaseException) -> int:
    """SQLite's primary result code of an error, 0 where it has none."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def stamp(now: float) -> str:
    """Epoch seconds as a part of a file's name."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def set_aside(path: Path, word: str) -> Path:
    """Rename a database and what beside it belongs to it; returns its new path. Raises OSError."""
    aside = path.with_name(f"{path.name}.{word}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.{word}-{number}")
    # The journal first: left beside a new database it would be rolled back into that one.
    for side in reversed(SIDES):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + side).replace(aside.with_name(aside.name + side))
    return aside


def open_sync(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection for work outside the event loop; the caller closes it. Raises sqlite3.Error."""
    mode = "ro" if read_only else "rwc"
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


async def connect(path: Path) -> aiosqlite.Connection:
    """The writing connection to a prepared file: every commit is on disk, a rollback leaves no trace."""
    db = await aiosqlite.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    try:
        rows = list(await db.execute_fetchall("PRAGMA journal_mode = DELETE"))
        if rows[0][0] != "delete":
            raise DatabaseUnwritable(f"{path} is open in another journal mode; close what else uses it")
        for pragma in ("synchronous = FULL", "cache_spill = OFF", f"cache_size = -{CACHE_KIB}"):
            await db.execute_fetchall(f"PRAGMA {pragma}")
    except BaseException:
        await db.close()
        raise
    return db


def _examine(path: Path, version: int, stop: Callable[[], bool], seconds: float) -> None:
    """Roll back what is unfinished, refuse what is not ours, and look for damage."""
    with contextlib.closing(open_sync(path)) as connection:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != schema.APPLICATION_ID and tables:
            raise DatabaseRefused(
                f"{path} is another program's database; give reporting_db a path of its own"
            )
        found = _version(connection)
        if found > version:
            raise DatabaseRefused(
                f"{path} was written by a newer version of this program (schema {found}, this one knows "
                f"{version}); run that version, or restore a backup made by this one. Nothing is recorded"
            )
        _compare(connection, version)
        until = time.monotonic() + seconds
        connection.set_progress_handler(lambda: stop() or time.monotonic() > until, STEPS)
        try:
            says = connection.execute(
                "PRAGMA integrity_check(1)" if seconds == ALL else "PRAGMA quick_check(1)"
            ).fetchone()[0]
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_INTERRUPT:
                raise
            return  # as far as the time went nothing was wrong
        if says != "ok":
            raise _Damaged(str(says).splitlines()[-1])


def _compare(connection: sqlite3.Connection, version: int) -> None:
    """Raise _Damaged where the tables are not those of the version that the file says: no row would fit."""
    if version == schema.VERSION == _version(connection) and (difference := schema.differs(connection)):
        raise _Damaged(f"{difference} in schema {version}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection, found: int, version: int, steps: Mapping[int, str]) -> None:
    """Bring the tables from one version to another, each step in a transaction of its own."""
    for step in range(found, version):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{steps[step]}\nPRAGMA user_version = {step + 1};\nCOMMIT;"
        )


def copy_to(
    source: sqlite3.Connection,
    target: Path,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Copy a database as it is at this moment into a new file, or leave none; `progress` gets shares 0 to 1.

    The read transaction held meanwhile keeps writers from committing, which would start the copy anew.
    """

    def step(_: int, remaining: int, total: int) -> None:
        if stop():
            raise DatabaseUnwritable("the copy was not finished because the program stopped")
        progress(1 - remaining / max(1, total))

    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    source.execute("BEGIN")
    try:
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with contextlib.closing(sqlite3.connect(part)) as into:
            into.execute("PRAGMA synchronous = OFF")
            source.backup(into, pages=PAGES, progress=step, sleep=0.01)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        source.execute("ROLLBACK")
        part.unlink(missing_ok=True)
