"""The reporting database while a bot writes: first mirror, lag, readers beside it, backup and restore.

A real exporter follows a copy of a made-up ledger; a thread here is the engine that goes on writing both
stores. A row's lag is from the end of the engine's transaction to the first look that finds it where the
pages read. Readers open, ask and close as Grafana's data source does, one of all queries of all pages at a
time. The backup is taken under that load and put back elsewhere.
"""

import argparse
import contextlib
import itertools
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from benchmarks.engine_writer import EngineWriter, Watcher
from benchmarks.exporter_process import Exporter
from benchmarks.figure import Figure, at_least, at_most, exit_code, table
from benchmarks.ledger_generator import DAYS
from benchmarks.mirrored import BOT, Mirrored, mirrored, reader
from benchmarks.panel_queries import panel_queries
from benchmarks.publish import state

MIRROR_RATE: Final = 100_000.0
LAG_SECONDS: Final = 2.0
ROWS_A_SECOND: Final = (5.0, 50.0)
READERS: Final = 8
QUERIES_A_SECOND: Final = 200.0
RESTORE_SECONDS: Final = 300.0
DAY: Final = 86_400.0
PATIENCE: Final = 30.0
COMPARED: Final = {
    "fills": "*",
    "decisions": "*",
    "events": "*",
    "order_intents": "bot, generation, intent_id, plan_json, created_at",
    "leg_executions": "bot, generation, leg_id, intent_id, limit_price, created_at",
    "positions": "bot, generation, position_id, intent_id, opened_at",
}
"""What never changes once it is written, so that all of it must be found again where the exporter goes on."""


def figures(small: bool) -> list[Figure]:
    """Measure all of it on one ledger."""
    fills, seconds = (100_000, 8.0) if small else (1_000_000, 60.0)
    made = mirrored(fills)
    note = f"{made.rows:,} rows of five tables in {made.seconds:.1f} s; {made.worked:.1f} s of processor time"
    found = [at_least(f"first mirror of {fills:,} fills", made.rate, "rows/s", MIRROR_RATE, note)]
    with Exporter(stores=[made.ledger], folder=made.folder) as exporter:
        found += (steady(made, rate, seconds, seed=100 + number) for number, rate in enumerate(ROWS_A_SECOND))
        found += under_readers(made, seconds)
        breach(exporter)
        found += backed_up(made, fills)
    return found


def steady(made: Mirrored, rate: float, seconds: float, *, seed: int) -> Figure:
    """The worst lag of an engine that writes at a steady rate."""
    with EngineWriter(made.ledger, rate, seed=seed) as writer, Watcher(made.path, writer) as watcher:
        time.sleep(max(seconds, 4 * 20.0 / rate))
    return _lag(f"lag of a result, engine writing {rate:.0f} rows/s", writer, watcher)


def under_readers(made: Mirrored, seconds: float) -> list[Figure]:
    """Lag, rate and errors while pages are read."""
    with (
        EngineWriter(made.ledger, ROWS_A_SECOND[-1], seed=200) as writer,
        Watcher(made.path, writer) as watcher,
        Readers(made.path, QUERIES_A_SECOND) as readers,
    ):
        time.sleep(seconds)
    times = sorted(readers.times)
    note = (
        f"{len(times):,} queries, p50 {times[len(times) // 2] * 1e3:.1f} ms, slowest {times[-1] * 1e3:.0f} ms"
    )
    said = f"; first: {readers.errors[0]}" if readers.errors else ""
    return [
        at_least("queries beside the writer", len(times) / seconds, "/s", QUERIES_A_SECOND * 0.98, note),
        at_most("of them failed", float(len(readers.errors)), "", 0, f"busy, locked, torn or other{said}"),
        _lag("lag of a result under these queries", writer, watcher),
    ]


def breach(exporter: Exporter) -> None:
    """Have the bot say that its loss cap is breached, so that there is a latch to be kept."""
    words = {"daily_pnl": -60.0, "daily_loss_cap_remaining": -10.0, "reports": ["daily_pnl"], "cycle": 1}
    settings = {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 50.0}}
    exporter.feeders[0].send(json.dumps(state(1) | words | settings).encode() + b"\n")
    deadline = time.monotonic() + PATIENCE
    while not latches(exporter.database.parent):
        if time.monotonic() > deadline:
            raise RuntimeError("the exporter keeps no latch of a breached cap")
        time.sleep(0.05)


def latches(folder: Path) -> dict[str, bytes]:
    """The files in which an exporter keeps what must survive everything."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("breach-*.json"))}


def backed_up(made: Mirrored, fills: int) -> list[Figure]:
    """Seconds for a backup under load and its restore, and what differs between both places afterwards."""
    elsewhere = made.folder / "elsewhere"
    elsewhere.mkdir()
    copy = made.folder / "console.backup"
    settings = elsewhere / "exporter.yml"
    there = elsewhere / "reporting.db"
    told = json.loads((made.folder / "exporter.yml").read_text()) | {"reporting_db": str(there)}
    settings.write_text(json.dumps(told))
    try:
        with (
            EngineWriter(made.ledger, ROWS_A_SECOND[-1], seed=300),
            Readers(made.path, QUERIES_A_SECOND / 10),
        ):
            began = time.monotonic()
            _exporter(made.folder / "exporter.yml", "backup", str(copy))
            took = time.monotonic() - began
        _exporter(settings, "restore", str(copy))
        whole = time.monotonic() - began
        _exporter(settings, "verify-events")
        missing = lost(made.path, there)
    finally:
        copy.unlink(missing_ok=True)
        shutil.rmtree(elsewhere, ignore_errors=True)
    told = f"of {', '.join(COMPARED)}; the chain of events holds"
    note = f"backup {took:.1f} s under load, restore {whole - took:.1f} s"
    return [
        at_most(f"backup and restore elsewhere, {fills:,} fills", whole, "s", RESTORE_SECONDS, note),
        at_most("rows and latches that differ after the restore", float(missing), "", 0, told),
    ]


@dataclass
class Readers:
    """Threads that together ask so many queries a second while the context lasts."""

    database: Path
    rate: float
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(READERS)]
        queries, now = panel_queries(BOT), time.time()
        self._sql = [query.between(now - DAYS * DAY, now) for query in queries]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        rng, begin = random.Random(number), time.monotonic()
        for turn in itertools.count():
            due = begin + (turn * READERS + number) / self.rate
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            began = time.perf_counter()
            try:
                with contextlib.closing(reader(self.database)) as db:
                    db.execute(rng.choice(self._sql)).fetchall()
            except sqlite3.Error as error:
                self.errors.append(str(error))
            self.times.append(time.perf_counter() - began)


def _lag(name: str, writer: EngineWriter, watcher: Watcher) -> Figure:
    lags = sorted(watcher.lags)
    typical = f"median {lags[len(lags) // 2]:.2f} s" if lags else "none came"
    note = f"{typical}; {len(lags)} of {len(writer.written)} results, {writer.rows} statements"
    return at_most(name, watcher.worst, "s at worst", LAG_SECONDS, note)


def _exporter(settings: Path, *words: str) -> None:
    command = [sys.executable, "-m", "exporter", "--config", str(settings), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} answered {done.returncode}: {done.stdout}{done.stderr}")


def lost(here: Path, there: Path) -> int:
    """Rows and latches of a restored place that are not the same as those here, which has gone on since."""
    with contextlib.closing(reader(there)) as db:
        db.execute("ATTACH ? AS here", (f"file:{quote(str(here))}?mode=ro",))
        rows = sum(_differing(db, name, columns) for name, columns in COMPARED.items())
    return rows + sum(
        1 for latch in latches(here.parent).items() if latch not in latches(there.parent).items()
    )


def _differing(db: sqlite3.Connection, name: str, columns: str) -> int:
    chosen = f"SELECT {columns} FROM {{}}.{name}"
    found = db.execute(f"SELECT COUNT(*) FROM ({chosen.format('main')} EXCEPT {chosen.format('here')})")
    return int(found.fetchone()[0])


def main(argv: Sequence[str]) -> int:
    """Print the table; return 1 when a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reporting", description=__doc__)
    parser.add_argument("--long", action="store_true", help="a million fills, a minute for each load")
    found = figures(small=not parser.parse_args(argv).long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
