"""Puts back what a backup holds: checked in full first, and what was there is set aside, never overwritten.

A latch or a token that is there already stays, because it is newer than the backup's; that is said.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import sqlite3
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from exporter.config import Config
from exporter.reporting import schema
from exporter.reporting.archive import (
    DATABASE,
    LATCHES,
    BackupUnusable,
    Manifest,
    Progress,
    Say,
    Stored,
    carry,
    head_in,
    look_through,
    opened,
    token_files,
)
from exporter.reporting.chain import head_of
from exporter.reporting.claim import Claim, DatabaseTaken
from exporter.reporting.database import SIDES, open_sync, set_aside, stamp
from exporter.reporting.events import head_file, keep_head, kept_head

SECRET: Final = 0o600
PUBLIC: Final = 0o644


def put_back(config: Config, file: Path, say: Say, now: float) -> Manifest:
    """Restore `file`; `now` (epoch seconds) names what is set aside. Raises ReportingError."""
    database = config.reporting_db
    claim = Claim(database)
    try:
        claim.take()
    except DatabaseTaken as error:
        raise BackupUnusable(f"an exporter runs on {database}; stop it first, then restore.") from error
    try:
        with opened(file) as (archive, manifest):
            if manifest.schema > schema.VERSION:
                raise BackupUnusable(
                    f"{file} has a newer schema; restore it with version {manifest.made_by}, which made it."
                )
            with tempfile.TemporaryDirectory(dir=database.parent, prefix=".restore-") as scratch:
                _database(archive, manifest, Path(scratch) / DATABASE, say)
                small = _small(archive, manifest)
                _swap(Path(scratch) / DATABASE, database, say, now)
        _latches_and_tokens(small, config, say)
        if kept_head(head_file(database)) is None and manifest.rows.get("events"):
            keep_head(head_file(database), head_of(manifest.events), now)
    except OSError as error:
        raise BackupUnusable(f"{file} cannot be put back: {error.strerror or error}.") from error
    finally:
        claim.release()
    return manifest


def _database(archive: zipfile.ZipFile, manifest: Manifest, into: Path, say: Say) -> None:
    """Unpack the database and prove that it is what was packed."""
    stored = manifest.files.get(DATABASE)
    if stored is None:
        raise BackupUnusable("the backup holds no database; use another one.")
    with archive.open(DATABASE) as source, into.open("wb") as target:
        _same(DATABASE, carry(source, target, stored.size, Progress(say, "unpacked")), stored)
        target.flush()
        os.fsync(target.fileno())
    try:
        with contextlib.closing(open_sync(into, read_only=True)) as connection:
            look_through(connection, say)
            head = head_in(connection)
    except sqlite3.Error as error:
        raise BackupUnusable(f"the database of the backup cannot be read: {error}.") from error
    if str(head) != manifest.events:
        raise BackupUnusable(
            "the events of the backup end otherwise than its manifest says; use another one."
        )


def _same(name: str, found: Stored, stored: Stored) -> None:
    if found != stored:
        raise BackupUnusable(f"{name} in the backup is not what was packed; use another one.")


def _small(archive: zipfile.ZipFile, manifest: Manifest) -> dict[str, bytes]:
    """Latches and tokens by their names in the backup."""
    found = {}
    for name, stored in manifest.files.items():
        if name != DATABASE:
            data = archive.read(name)
            _same(
                name, carry(io.BytesIO(data), io.BytesIO(), len(data), Progress(lambda _: None, name)), stored
            )
            found[name] = data
    return found


def _swap(new: Path, database: Path, say: Say, now: float) -> None:
    """Put the new database in the old one's place, which keeps a name."""
    # A journal that was left alone would be rolled back into the new file.
    if any(database.with_name(database.name + side).exists() for side in SIDES):
        aside = set_aside(database, f"before-restore-{stamp(now)}")
        say(f"what was there is kept as {aside}")
    new.chmod(PUBLIC)
    _as_folder(new, database.parent)
    new.replace(database)
    folder = os.open(database.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _latches_and_tokens(small: dict[str, bytes], config: Config, say: Say) -> None:
    named = token_files(config.tokens)
    for name, data in small.items():
        place, _, latch = name.partition("/")
        if name in named:
            _place(named[name], data, SECRET, say)
        elif (
            place == "latches" and "/" not in latch and any(fnmatch.fnmatch(latch, each) for each in LATCHES)
        ):
            _place(config.latch_folder / latch, data, PUBLIC, say)
        else:
            say(f"left out: {name}, which these settings do not name")


def _place(path: Path, data: bytes, mode: int, say: Say) -> None:
    """Write a small file unless there is one; what differs or cannot be written is said."""
    try:
        if path.exists():
            if path.read_bytes() != data:
                say(f"kept: {path} as it is; the backup has another, which goes where none is")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _as_folder(path, path.parent)
    except OSError as error:
        say(f"left out: {path} cannot be written: {error.strerror}")


def _as_folder(path: Path, folder: Path) -> None:
    """Where root restores, the exporter's own user has to be able to write what was restored."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
