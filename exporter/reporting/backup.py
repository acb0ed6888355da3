"""Makes one file of everything that a console must not lose: reporting database, latches, tokens.

An exporter that runs goes on meanwhile. The file holds secrets, so only its owner may read it. What is in it
stands in `exporter.reporting.archive`, how it is put back in `exporter.reporting.restore`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from exporter import __version__
from exporter.config import Config
from exporter.reporting.archive import (
    DATABASE,
    FORMAT,
    LATCHES,
    MANIFEST,
    BackupUnusable,
    Manifest,
    Progress,
    Say,
    carry,
    head_in,
    look_through,
    row_counts,
    token_files,
)
from exporter.reporting.claim import Claim, ReportingError, backing_up
from exporter.reporting.database import copy_to, open_sync

FAST: Final = 1  # of zlib's levels: a ledger shrinks to a fifth, and the disk is what one waits for


def make(config: Config, target: Path, say: Say) -> Manifest:
    """Write the backup; an exporter that runs goes on. Raises ReportingError."""
    database = config.reporting_db
    if target.exists():
        raise BackupUnusable(f"{target} is there already; give the backup a name of its own.")
    if not database.is_file():
        raise BackupUnusable(f"{database} is not there; the exporter makes it at its first start.")
    part = target.with_name(target.name + ".part")
    try:
        free, needed = shutil.disk_usage(target.parent).free, database.stat().st_size
        if free < needed:
            raise BackupUnusable(
                f"{target.parent} has {free / 1e6:.0f} MB free and the copy needs up to "
                f"{needed / 1e6:.0f} MB; choose another folder."
            )
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
            copy = Path(scratch) / DATABASE
            _copy(database, copy, say)
            manifest = _write(part, copy, _small_files(config, say), say)
        part.replace(target)
    except OSError as error:
        raise BackupUnusable(f"the backup cannot be written to {target}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise BackupUnusable(f"{database} cannot be copied: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _copy(database: Path, copy: Path, say: Say) -> None:
    """The database as it is at one moment, while whoever writes it waits; looked through afterwards."""
    _recover(database)
    with backing_up(database), contextlib.closing(open_sync(database, read_only=True)) as source:
        copy_to(source, copy, progress=Progress(say, "copied"))
    with contextlib.closing(open_sync(copy, read_only=True)) as connection:
        look_through(connection, say)


def _recover(database: Path) -> None:
    """Roll back what a killed exporter left, if none runs that has done so: a reader alone could not."""
    claim = Claim(database)
    with contextlib.suppress(ReportingError):
        claim.take()
        with contextlib.closing(open_sync(database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        claim.release()


def _small_files(config: Config, say: Say) -> dict[str, Path]:
    """Latches and tokens by their names in the backup; a token that cannot be read is said and left out."""
    latches = [path for pattern in LATCHES for path in sorted(config.latch_folder.glob(pattern))]
    found = {f"latches/{path.name}": path for path in latches}
    for name, path in token_files(config.tokens).items():
        if os.access(path, os.R_OK):
            found[name] = path
        else:
            say(f"left out: {name.removeprefix('tokens/')}'s token, {path} cannot be read by this user")
    return found


def _write(part: Path, copy: Path, small: Mapping[str, Path], say: Say) -> Manifest:
    with contextlib.closing(open_sync(copy, read_only=True)) as connection:
        schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
        rows, head = row_counts(connection), head_in(connection)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as archive:
            files = {}
            for name, path in {DATABASE: copy, **small}.items():
                with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                    size = path.stat().st_size
                    files[name] = carry(source, target, size, Progress(say, f"packed {name}"))
            manifest = Manifest(FORMAT, time.time(), __version__, schema, str(head), rows, files)
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    return manifest
