"""Reporting databases that a real exporter made of made-up ledgers, once for each size in a run.

Each stands in a folder of its own with a copy of its ledger, so that an exporter can be started there again
and a made-up engine can go on writing. The folders are taken away when the program ends.
"""

import atexit
import contextlib
import functools
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks import ledgers
from benchmarks.exporter_process import Exporter
from benchmarks.ledger_generator import ANALYTICS, ORDERS

BOT: Final = "bot-0"
TABLES: Final = {
    ORDERS: ("order_intents", "leg_executions", "positions"),
    ANALYTICS: ("fills", "decisions"),
}
CPU: Final = "process_cpu_seconds_total"
MOST_SECONDS: Final = 1_800.0
READER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a first mirror left: `rows` of all five tables together, in so many seconds.

    `worked` are the exporter's own processor seconds of that time, in all its threads.
    """

    folder: Path
    rows: int
    seconds: float
    worked: float

    @property
    def ledger(self) -> Path:
        """The folder of the bot's stores."""
        return self.folder / "ledger"

    @property
    def path(self) -> Path:
        """The reporting database."""
        return self.folder / "reporting.db"

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@functools.cache
def mirrored(fills: int) -> Mirrored:
    """The reporting database of a ledger of so many results; made once in a run."""
    folder = Path(tempfile.mkdtemp(prefix="mirrored-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    stores = ledgers.copy(ledgers.ledger(fills), folder / "ledger")
    expected = rows_in(stores)
    with Exporter(stores=[stores], folder=folder) as exporter:
        began, before = time.monotonic(), exporter.total(CPU)
        wait_for_rows(exporter.database, expected)
        seconds = time.monotonic() - began
        worked = exporter.total(CPU) - before
    return Mirrored(folder, expected, seconds, worked)


def rows_in(stores: Path) -> int:
    """Rows of both stores of a bot that are to be mirrored."""
    total = 0
    for store, tables in TABLES.items():
        with contextlib.closing(reader(stores / store)) as db:
            for table in tables:
                total += db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    return total


def wait_for_rows(database: Path, expected: int) -> None:
    """Return once all bots' stores together are mirrored to that number of rows."""
    deadline = time.monotonic() + MOST_SECONDS
    while mirrored_rows(database) < expected:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{mirrored_rows(database):,} of {expected:,} rows in {MOST_SECONDS:.0f} s")
        time.sleep(0.05)


def mirrored_rows(database: Path) -> int:
    """Rows of the stores that are in the reporting database; 0 before there is one."""
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(reader(database)) as db:
        return int(db.execute("SELECT COALESCE(SUM(rows), 0) FROM sources").fetchone()[0])
    return 0


def reader(path: Path) -> sqlite3.Connection:
    """A connection as the pages' data source opens it: read-only, with a patient lock."""
    address = f"file:{quote(str(path))}?mode=ro"
    db = sqlite3.connect(address, uri=True, timeout=READER_SECONDS, isolation_level=None)
    db.execute("PRAGMA query_only = 1")
    return db
