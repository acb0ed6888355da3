"""What people do to the reporting database from a shell: verify-events, backup, restore, rebuild."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable

from exporter.config import Config
from exporter.reporting import backup, restore
from exporter.reporting.archive import Manifest
from exporter.reporting.claim import DatabaseUnwritable
from exporter.reporting.events import head_file, kept_head, verify_file

BROKEN = 1  # exit code: the command worked, and what it looked at is not as it should be


def verify_events(config: Config, options: argparse.Namespace) -> int:
    """Look at the whole chain of events, also while an exporter runs."""
    path = config.reporting_db
    if not path.exists():
        raise DatabaseUnwritable(f"{path} is not there; the exporter makes it at its first start.")
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
    "restore": put_back,
    "verify-events": verify_events,
}
