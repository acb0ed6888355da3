"""What the pages' queries cost at every size of ledger: each statement as Grafana's data source runs it.

A connection is opened for each query, read-only and with a patient lock, and closed after the last row. Times
are processor time, in which SQLite does all its work here, so that other work on the machine does not count;
the best of several runs is taken. (Waiting for locks is in `reporting`, by the clock.) The floor is taken in
the same way by a statement that reads no table. The exporter runs meanwhile and the bot speaks, so that the
pages are not blind; the feed is as full as its two weeks may be, and the longest range has 100,000 events, by
which 10,000 alerts fired and ended. SQLite here is the C library; the data source has a translation of it.
"""

import argparse
import contextlib
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.exporter_process import Exporter
from benchmarks.figure import Figure, at_most, exit_code, table
from benchmarks.ingest import lines_of
from benchmarks.ledger_generator import END
from benchmarks.mirrored import BOT, Mirrored, mirrored, reader
from benchmarks.panel_queries import PanelQuery, panel_queries
from exporter.reporting import chain

DAY: Final = 86_400.0
RANGES: Final = {"90 d": 90 * DAY, "30 d": 30 * DAY, "24 h": DAY}
PROMISED: Final = "90 d"
MOST_MS: Final = 100.0
GROWTH: Final = 1.5
UNNOTICED_MS: Final = 5.0
"""What takes less is lost in the way from the data source to the page; its growth is printed, not judged."""
RUNS: Final = 7
DECISIONS: Final = 16
STATES: Final = 50
SETTLING: Final = 1.5
FEED_ROWS: Final = 100_000
_FEED: Final = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :rows)
INSERT INTO feed (bot, session, first_at, last_at, cycle, action, kind, match_key, reason, detail, edge,
    fill_prob, count)
SELECT :bot, 'made up', :since + n * :step, :since + n * :step, n, 'skipped', 'structural_bucket',
    'bucket_' || n % 200, 'market cooldown active', 'market cooldown active (kalshi/KX-' || n % 200 || ')',
    0.02, 0.7, 1 + n % 40
FROM number"""

EVENTS: Final = 100_000
_EVENTS: Final = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :rows),
made AS (
    SELECT n, :since + n * :step AS at, n / 10 AS alert, n % 10 AS row, :since + n / 10 * 10 * :step AS began
    FROM number
)
INSERT INTO events (seq, at, bot, kind, severity, source, what, why, data)
SELECT n, at, :bot, CASE WHEN row > 1 THEN 'trade' ELSE 'alert' END, 'warning', 'made up',
    CASE WHEN row > 1 THEN 'a pair of legs at two venues'
        ELSE 'TradebotMadeUp' || alert % 8 || CASE row WHEN 0 THEN ' firing' ELSE ' resolved' END END,
    'recovered',
    json_object('state', CASE row WHEN 0 THEN 'firing' ELSE 'resolved' END,
        'fingerprint', 'made up ' || alert,
        'labels', json_object('alertname', 'TradebotMadeUp', 'bot', :bot, 'severity', 'warning'),
        'active_at', began - 5, 'fired_at', began, 'delivered_at', began + 3, 'resolved_at', at,
        'resolved_delivered_at', at + 15, 'had_by', '', 'seen_until', at)
FROM made"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Best milliseconds of a query by (size of the ledger, range)."""

    query: PanelQuery
    ms: Mapping[tuple[int, str], float]

    def growth(self, least: int, most: int, below: float) -> float:
        """Time in the largest ledger over time in the smallest; less than `below` ms counts as `below`."""
        small, large = (max(self.ms[size, PROMISED], below) for size in (least, most))
        return large / small

    def slowest(self, size: int) -> float:
        """Of all ranges."""
        return max(self.ms[size, name] for name in RANGES)


def figures(small: bool) -> list[Figure]:
    """Measure all queries at all sizes, print them, judge the slowest and the one that grows most."""
    sizes = (10_000, 100_000) if small else (10_000, 100_000, 1_000_000)
    queries = panel_queries(BOT)
    by_size = {size: measure(mirrored(size), queries) for size in sizes}
    costs = [
        Cost(query, {(size, name): ms[query, name] for size, ms in by_size.items() for name in RANGES})
        for query in queries
    ]
    floor = max(best_ms(mirrored(size).path, "SELECT 1") for size in sizes)
    print(written(costs, sizes, floor))
    least, most = sizes[0], sizes[-1]
    slowest = max(costs, key=lambda cost: cost.slowest(most))
    grows = max(costs, key=lambda cost: cost.growth(least, most, UNNOTICED_MS))
    name = f"of {len(costs)} queries of all pages at {most:,} fills"
    return [
        at_most(
            f"slowest {name}, {', '.join(RANGES)}",
            slowest.slowest(most),
            "ms",
            MOST_MS,
            f"{slowest.query.name}; open, SELECT 1, close {floor:.2f} ms",
        ),
        at_most(
            f"largest growth {name}, {PROMISED}, from {UNNOTICED_MS:g} ms up",
            grows.growth(least, most, UNNOTICED_MS),
            f"× at {least:,}",
            GROWTH,
            f"{grows.query.name}: {grows.ms[least, PROMISED]:.1f} → {grows.ms[most, PROMISED]:.1f} ms",
        ),
    ]


def measure(
    made: Mirrored, queries: Sequence[PanelQuery], runs: int = RUNS
) -> dict[tuple[PanelQuery, str], float]:
    """Best milliseconds of each query over each range that ends where the ledger does."""
    fill_feed(made.path)
    fill_events(made.path)
    with Exporter(stores=[made.ledger], folder=made.folder) as exporter:
        exporter.feeders[0].send(b"".join(lines_of(DECISIONS, STATES)))
        exporter.wait_for_states(STATES)
        time.sleep(SETTLING)  # the next round of the keeper writes how the bot is
        exporter.feeders[0].send(b"".join(lines_of(DECISIONS, 1, first=STATES + 1)))
        return {
            (query, name): best_ms(made.path, query.between(END - seconds, END), runs)
            for query in queries
            for name, seconds in RANGES.items()
        }


def fill_feed(path: Path) -> None:
    """Put two weeks of what a bot said into the feed, unless that was done."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        if db.execute("SELECT COUNT(*) FROM feed").fetchone()[0] < FEED_ROWS:
            db.execute(
                _FEED, {"bot": BOT, "rows": FEED_ROWS, "since": END - 14 * DAY, "step": 14 * DAY / FEED_ROWS}
            )


def fill_events(path: Path) -> None:
    """Put events and alerts into the audit trail, unless that was done."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        if db.execute("SELECT COUNT(*) FROM events").fetchone()[0] < EVENTS:
            db.execute("BEGIN")
            db.execute("DELETE FROM events")
            db.execute(
                _EVENTS, {"bot": BOT, "rows": EVENTS, "since": END - 90 * DAY, "step": 90 * DAY / EVENTS}
            )
            db.executemany("UPDATE events SET previous = ?, hash = ? WHERE seq = ?", list(_chained(db)))
            db.execute("COMMIT")


def _chained(db: sqlite3.Connection) -> Iterator[tuple[str, str, int]]:
    """The hashes of each row: other benchmarks have the exporter go on with this chain, and verify it."""
    previous = ""
    for row in db.execute(f"SELECT {', '.join(chain.COLUMNS)} FROM events ORDER BY seq"):
        told = dict(zip(chain.COLUMNS, row, strict=True))
        own = chain.digest(told, previous)
        yield previous, own, int(told["seq"])
        previous = own


def best_ms(path: Path, sql: str, runs: int = RUNS) -> float:
    """The best of several times, in milliseconds."""
    return 1e3 * min(_timed(path, sql) for _ in range(runs))


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    """All rows, over a connection of its own as the data source opens it. Raises sqlite3.Error."""
    with contextlib.closing(reader(path)) as db:
        return db.execute(sql).fetchall()


def written(costs: Sequence[Cost], sizes: Sequence[int], floor: float) -> str:
    """A line a query: milliseconds at each size, growth, and the other ranges at the largest."""
    most = sizes[-1]
    others = [name for name in RANGES if name != PROMISED]
    rows = [
        ("query, ms", *(f"{size:,}" for size in sizes), "growth", *(f"{most:,}, {name}" for name in others))
    ]
    rows += [
        (
            cost.query.name,
            *(f"{cost.ms[size, PROMISED]:.1f}" for size in sizes),
            f"{cost.growth(sizes[0], most, floor):.2f}",
            *(f"{cost.ms[most, name]:.1f}" for name in others),
        )
        for cost in sorted(costs, key=lambda cost: -cost.ms[most, PROMISED])
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in rows
    )


def _timed(path: Path, sql: str) -> float:
    began = time.thread_time()
    ask(path, sql)
    return time.thread_time() - began


def main(argv: Sequence[str]) -> int:
    """Print the tables; return 1 when a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    parser.add_argument("--long", action="store_true", help="also at a million fills")
    found = figures(small=not parser.parse_args(argv).long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
