"""A made-up engine that writes both stores at a steady rate, and how long its rows take to the pages."""

import contextlib
import math
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.ledger_generator import Writer
from benchmarks.ledger_trades import Trades
from benchmarks.mirrored import BOT, reader

STATEMENTS_A_TRADE: Final = 17.0
"""Inserts and updates from the first refusal to the last position closed, on average."""
TICK: Final = 0.1
LOOK_SECONDS: Final = 0.05
PATIENCE: Final = 30.0


class EngineWriter:
    """Writes so many rows (inserted or changed) a second in a thread while the context lasts."""

    def __init__(self, stores: Path, rows_a_second: float, *, seed: int) -> None:
        self._stores = stores
        self._pause = STATEMENTS_A_TRADE / rows_a_second
        self._trades = Trades(seed, session=f"writer-{seed}", pace=1e-4)
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.rows = 0
        self.written: list[float] = []
        """When the transaction of each result had ended, in the order of their ids, epoch seconds."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()  # a large store is looked through when it is opened
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Write nothing more; what was begun is written."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            writer = Writer(self._stores)
        finally:
            self._ready.set()
        rows, next_trade = self._trades.rows, time.time()
        try:
            while not self._stop.wait(TICK):
                now = time.time()
                self._trades.advance(now)
                while next_trade <= now:
                    self._trades.begin(now)
                    next_trade += self._pause
                self.rows += len(rows.orders) + len(rows.analytics)
                writer.write(rows, now)
                self.written += [time.time()] * (rows.fills - len(self.written))
        finally:
            writer.close()


class Watcher:
    """Looks for the writer's results in the reporting database, as a page would, while the context lasts.

    At the end it waits for those that are on their way. `lags` are the seconds from the store to here.
    """

    def __init__(self, database: Path, writer: EngineWriter) -> None:
        self._database = database
        self._writer = writer
        self._before = self._newest()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.lags: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def worst(self) -> float:
        """Of all rows, in seconds; one that never came is infinitely late."""
        all_came = 0 < len(self.lags) == len(self._writer.written)
        return max(self.lags) if all_came else math.inf

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()
        deadline = time.monotonic() + PATIENCE
        while len(self.lags) < len(self._writer.written) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        come = self._newest() - self._before
        now = time.time()
        self.lags += [now - at for at in self._writer.written[len(self.lags) : come]]

    def _newest(self) -> int:
        """The id of the newest mirrored result; a made-up store gives them without a gap."""
        with contextlib.closing(reader(self._database)) as db:
            found = db.execute("SELECT MAX(id) FROM fills WHERE bot = ? AND generation = 1", (BOT,))
            return int(found.fetchone()[0])
