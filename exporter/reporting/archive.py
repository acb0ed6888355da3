"""What a backup file is: a zip with a manifest that names each file in it with its size and SHA-256.

reporting.db      as it was at one moment
latches/          breaches of loss caps, kills, drills, ordered maintenance
tokens/           the secrets that the settings name
manifest.json     the sizes and hashes of them, rows by table, the head of the events
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import TypeAdapter, ValidationError

from exporter.config import Tokens
from exporter.reporting.chain import Head
from exporter.reporting.claim import ReportingError

FORMAT: Final = 1
DATABASE: Final = "reporting.db"
MANIFEST: Final = "manifest.json"
LATCHES: Final = ("breach-*.json", "kill-*.json", "drill-*.json", "maintenance-*.json")
CHUNK: Final = 1 << 20
SAID_EVERY: Final = 2.0  # seconds

Say = Callable[[str], None]


class BackupUnusable(ReportingError):  # noqa: N818 - named for what it is
    """A backup cannot be made or put back; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files by name, rows by table, the head of the events; `made_at` in epoch seconds."""

    format: int
    made_at: float
    made_by: str
    schema: int
    events: str
    rows: Mapping[str, int]
    files: Mapping[str, Stored]


class Progress:
    """Says how far something is, for whoever waits longer than two seconds."""

    def __init__(self, say: Say, what: str) -> None:
        self._say, self._what = say, what
        self._next = time.monotonic() + SAID_EVERY

    def __call__(self, share: float) -> None:
        """Be told the share that is done, 0 to 1."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SAID_EVERY
            self._say(f"{self._what}: {share:.0%}")


def token_files(tokens: Tokens) -> dict[str, Path]:
    """Every token file of the settings, by its name in a backup."""
    found = {f"tokens/operators/{person}": path for person, path in tokens.operators.items()}
    found |= {f"tokens/viewers/{person}": path for person, path in tokens.viewers.items()}
    for program in ("grafana", "alertmanager"):
        if (path := getattr(tokens, program)) is not None:
            found[f"tokens/{program}"] = path
    return found


def carry(source: IO[bytes], target: IO[bytes], size: int, progress: Progress) -> Stored:
    """Copy a stream of about `size` bytes; what was copied."""
    digest, done = hashlib.sha256(), 0
    while data := source.read(CHUNK):
        target.write(data)
        digest.update(data)
        done += len(data)
        progress(done / max(size, done))
    return Stored(done, digest.hexdigest())


def look_through(connection: sqlite3.Connection, say: Say) -> None:
    """Raise BackupUnusable if the file is damaged anywhere."""
    say("looking for damage")
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise BackupUnusable(f"the database is damaged ({found.splitlines()[-1]}); use an older backup.")


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has that has any."""
    names = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    counts = {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
        for name in sorted(names)
    }
    return {name: count for name, count in counts.items() if count}


def head_in(connection: sqlite3.Connection) -> Head:
    """The head of the chain of events."""
    row = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    return Head() if row is None else Head(int(row[0]), str(row[1]))


@contextlib.contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup and its manifest; raises BackupUnusable for what is none or turns out to be broken."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _MANIFEST.validate_json(archive.read(MANIFEST))
            if manifest.format != FORMAT:
                raise BackupUnusable(f"{file} was made by a newer version of this program; use that one.")
            yield archive, manifest
    except FileNotFoundError as error:
        raise BackupUnusable(f"{file} is not there.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ValidationError) as error:
        raise BackupUnusable(f"{file} is no whole backup; use another one.") from error


_MANIFEST: Final = TypeAdapter(Manifest)
