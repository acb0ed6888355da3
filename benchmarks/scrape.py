"""What a scrape costs: 100 bots of 100 series each, against prometheus_client writing as many plain gauges.

Both write the same number of series into the same text format, by turns in one process; the best of each
counts, because whatever else the machine does only ever adds.
"""

import sys
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from benchmarks.figure import Figure, at_most, exit_code, table
from benchmarks.publish import state
from exporter.collector import Collector
from exporter.exposition import render
from exporter.view import BotView

BOTS: Final = 100
RATIO: Final = 1.0


def figures(small: bool) -> list[Figure]:
    """Measure the ratio."""
    turns = 12 if small else 100
    collector = Collector(views())
    count = render(collector)[0].count(b"\ntradebot_")
    plain = plain_gauges(count)
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(_timed(lambda: render(collector)))
        theirs.append(_timed(lambda: generate_latest(plain)))
    ratio = min(ours) / min(theirs)
    name = f"scrape, {BOTS} bots × {count // BOTS} series"
    note = (
        f"{min(ours) * 1e3:.1f} ms; prometheus_client with {count:,} plain gauges {min(theirs) * 1e3:.1f} ms"
    )
    return [at_most(name, ratio, "× plain gauges", RATIO, note)]


def views() -> list[BotView]:
    """Bots of which each has at least 100 series: a full state, and decisions for many reasons."""
    now, made = time.time(), []
    for number in range(BOTS):
        view = BotView(f"bot-{number}", now=now)
        view.connected(now)
        view.received(state(16) | {"ts": now, "cycle": 1}, now)
        made.append(view)
    return made


def plain_gauges(count: int) -> CollectorRegistry:
    """As many series, as the client library itself keeps and writes them: a metric for every 100 bots."""
    registry = CollectorRegistry()
    for number in range(-(-count // BOTS)):
        gauge = Gauge(f"plain_{number}", "A plain gauge.", ["bot"], registry=registry)
        for bot in range(min(BOTS, count - number * BOTS)):
            gauge.labels(f"bot-{bot}").set(number + bot / 7)
    return registry


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> int:
    """Print the table; answer 1 when a target is missed."""
    found = figures(small="--long" not in sys.argv)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
