"""What people do to the reporting database from a shell: verify-events, backup, restore, rebuild."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable

from exporter.config import Config
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


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], int]] = {"verify-events": verify_events}
