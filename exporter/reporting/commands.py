"""What people do to the reporting database from a shell: verify-events, backup, restore, rebuild."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from exporter.config import Config
from exporter.reporting import backup, database, restore
from exporter.reporting.archive import Manifest, Progress
from exporter.reporting.claim import Claim, DatabaseUnwritable
from exporter.reporting.days import OperatorDay
from exporter.reporting.events import head_file, kept_head, verify_file
from exporter.reporting.rebuild import Compared
from exporter.reporting.rebuild import rebuild as rebuild_rollups
from exporter.reporting.rollups import Rollups

BROKEN = 1  # exit code: the command worked, and what it looked at is not as it should be


def verify_events(config: Config, options: argparse.Namespace) -> int:
    """Look at the whole chain of events, also while an exporter runs."""
    path = _existing(config)
    # Read before the rows: whatever an exporter that runs adds meanwhile lies behind the head.
    kept = kept_head(head_file(path))
    known = [*options.head, *([] if kept is None else [kept])]
    try:
        found = verify_file(path, known)
    except sqlite3.Error as error:
        raise DatabaseUnwritable(f"the events in {path} cannot be read: {error}.") from error
    against = f"held against {len(known)} known heads" if known else "no head was known to hold it against"
    if not found.total:
        print(f"{found.head.count} events, none changed, removed, inserted or moved; {against}.")  # noqa: T201
        print(f"head {found.head}")  # noqa: T201
        return 0
    print(f"{found.head.count} events, {found.total} faults ({against}):")  # noqa: T201
    for fault in found.faults:
        print(f"  {fault}")  # noqa: T201
    if found.total > len(found.faults):
        print(f"  and {found.total - len(found.faults)} more")  # noqa: T201
    return BROKEN


def make_backup(config: Config, options: argparse.Namespace) -> int:
    """Copy everything that must not be lost into one file."""
    began = time.monotonic()
    made = backup.make(config, options.file, _progress)
    print(f"{options.file} holds {_contents(made)}; made in {time.monotonic() - began:.1f} s.")  # noqa: T201
    if any(name.startswith("tokens/") for name in made.files):
        print("It holds tokens: keep it as secret as they are.")  # noqa: T201
    return 0


def put_back(config: Config, options: argparse.Namespace) -> int:
    """Put back what a backup holds."""
    made = restore.put_back(config, options.file, _progress, time.time())
    print(f"{config.reporting_db} is as it was {_when(made.made_at)}: {_contents(made)}.")  # noqa: T201
    return 0


def rebuild(config: Config, options: argparse.Namespace) -> int:
    """Make the rollups anew and say whether they agreed."""
    path = _existing(config)
    claim = Claim(path)
    claim.take()
    try:
        prepared = database.prepare(path, time.time())
        if prepared.set_aside:
            print(f"Nothing was made anew: {prepared.set_aside}.")  # noqa: T201
            return BROKEN
        if prepared.migrated:
            _progress(prepared.migrated)
        tables = asyncio.run(_rebuilt(config))
    except sqlite3.Error as error:
        raise DatabaseUnwritable(f"the rollups in {path} cannot be made anew: {error}.") from error
    finally:
        claim.release()
    for table in tables:
        print(f"  {table}")  # noqa: T201
    differing = sum(not table.agreed for table in tables)
    agreed = (
        "all agreed with what was there" if not differing else f"{differing} did not agree with their rows"
    )
    print(f"{len(tables)} rollups made anew: {agreed}.")  # noqa: T201
    return BROKEN if differing else 0


async def _rebuilt(config: Config) -> Sequence[Compared]:
    path = config.reporting_db
    day = OperatorDay(config.day.tz, config.day.rolls_at)
    progress = Progress(_progress, "made anew")
    db = await database.connect(path)
    try:
        rollups = Rollups({bot.name: day for bot in config.bots})
        return await rebuild_rollups(db, rollups, lambda bot, share: progress(share))
    finally:
        await db.close()


def _existing(config: Config) -> Path:
    """Where the database is; raises DatabaseUnwritable where there is none."""
    if not config.reporting_db.exists():
        raise DatabaseUnwritable(
            f"{config.reporting_db} is not there; the exporter makes it at its first start."
        )
    return config.reporting_db


def _contents(made: Manifest) -> str:
    rows = ", ".join(f"{made.rows.get(table, 0):,} {table}" for table in ("fills", "decisions", "events"))
    latches, tokens = (
        sum(name.startswith(place) for name in made.files) for place in ("latches/", "tokens/")
    )
    return f"{rows}, {latches} latches, {tokens} tokens; head of the events {made.events}"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def _progress(text: str) -> None:
    print(f"…     {text}", file=sys.stderr, flush=True)  # noqa: T201


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], int]] = {
    "backup": make_backup,
    "rebuild": rebuild,
    "restore": put_back,
    "verify-events": verify_events,
}
