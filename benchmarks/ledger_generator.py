"""Makes ledgers of any size: both stores of an arbitrage bot, every row written by the engine's own code.

The statements are those of `arb_bot.order_store` and `arb_bot.analytics_store`, they go through its
`Recorder`; only that many of them share a transaction. Hours and weekdays have a shape, a third of the
results are out of time order, positions are open at the end. The same seed makes the same ledger.

    python -m benchmarks.ledger_generator --fills 100000 --days 90 OUT_DIR
"""

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from arb_bot.analytics_store import AnalyticsStore
from arb_bot.order_store import OrderStore
from arb_bot.recorder import Recorder
from benchmarks.ledger_markets import MEAN_LIFE
from benchmarks.ledger_trades import Rows, Trades

ORDERS, ANALYTICS = "arb_orders.db", "analytics.db"
END: Final = 1_795_212_000.0
"""Where a ledger ends when nothing else is asked: 2026-11-20 22:00 UTC, within a trading day."""
DAYS: Final = 90.0
HOUR: Final = 3600.0
RESULTS_A_TRADE: Final = 1.024
"""None where nothing filled, several where a trade was legged."""
OPEN_AT_ONCE: Final = 15
"""Intents that hold contracts at the same time, on average."""
BATCH: Final = 60_000
"""Statements a transaction: random ids touch most pages of an index, so few large ones are far quicker."""
CACHE_KIB: Final = 400_000

_HOUR_WEIGHT: Final = (3, 2, 2, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 10, 14, 15, 14, 12, 11, 11, 9, 7, 5, 4)
_WEEKDAY_WEIGHT: Final = (1.0, 1.1, 1.15, 1.1, 1.05, 0.6, 0.5)

Progress = Callable[[int], None]
"""Told from time to time how many results are written."""


class Writer:
    """The two stores of one ledger, and the recorders that write them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.orders = OrderStore(folder / ORDERS)
        self.analytics = AnalyticsStore(folder / ANALYTICS)
        self._recorders = (
            Recorder(self.orders.file, _raise),
            Recorder(self.analytics.file, _raise),
        )

    def in_bulk(self) -> None:
        """Give both connections room for the indexes of random ids."""
        for store in (self.orders, self.analytics):
            store.file.write((f"PRAGMA cache_size=-{CACHE_KIB}", ()))

    def write(self, rows: Rows, now: float) -> None:
        """Write what was made since the last call, one transaction a store."""
        for recorder, statements in zip(self._recorders, (rows.orders, rows.analytics), strict=True):
            if statements:
                recorder.write(*statements, now=now)
                statements.clear()

    def close(self) -> None:
        """Checkpoint and close both."""
        self.orders.file.close()
        self.analytics.file.close()


def make(
    folder: Path,
    fills: int,
    *,
    days: float = DAYS,
    end: float = END,
    seed: int = 1,
    progress: Progress = lambda done: None,
) -> None:
    """Write a ledger of exactly so many results (rows of `fills`) over so many days before `end`."""
    # An engine's caps bound what is open at once: one that trades more settles sooner.
    pace = min(1.0, OPEN_AT_ONCE * days * 86_400 / (fills * MEAN_LIFE))
    trades, writer = Trades(seed, session=f"ledger-{seed}", pace=pace), Writer(folder)
    rows = trades.rows
    try:
        writer.in_bulk()
        for now in _times(fills, days, end, random.Random(seed)):
            trades.advance(now, most=fills)
            if rows.fills >= fills:
                break
            trades.begin(now)
            if len(rows.orders) + len(rows.analytics) >= BATCH:
                writer.write(rows, now)
                progress(rows.fills)
        writer.write(rows, end)
        progress(fills)
    finally:
        writer.close()


def _times(fills: int, days: float, end: float, rng: random.Random) -> Iterator[float]:
    """When trades begin, in order: as many as the results need up to `end`, and on until nobody asks."""
    start = end - days * 86_400
    hours = [start + number * HOUR for number in range(round(days * 24))]
    each = fills / RESULTS_A_TRADE / sum(_weight(hour) for hour in hours)
    owed = 0.0
    for number in itertools.count():
        hour = start + number * HOUR
        owed += each * _weight(hour) * rng.uniform(0.7, 1.3)
        count, owed = int(owed), owed % 1
        yield from sorted(hour + rng.uniform(0, HOUR) for _ in range(count))


def _weight(at: float) -> float:
    moment = datetime.fromtimestamp(at, UTC)
    return _HOUR_WEIGHT[moment.hour] * _WEEKDAY_WEIGHT[moment.weekday()]


def _raise(sentence: str) -> None:
    raise RuntimeError(sentence)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one ledger."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger_generator", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="must not hold a ledger yet")
    parser.add_argument("--fills", type=int, default=100_000, help="rows of `fills` (default: 100000)")
    parser.add_argument("--days", type=float, default=DAYS, help="days that they cover (default: 90)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--end", type=float, default=END, help="epoch seconds of the last day (0: now)")
    options = parser.parse_args(arguments)
    if any((options.folder / name).exists() for name in (ORDERS, ANALYTICS)):
        parser.error(f"{options.folder} holds a ledger already")
    make(
        options.folder,
        options.fills,
        days=options.days,
        end=options.end or time.time(),
        seed=options.seed,
        progress=lambda done: print(f"{done:,} results", file=sys.stderr),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
