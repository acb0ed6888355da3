"""The engine's cycle in thousands of markets: quotes screened, all lanes, pricing, judging, the state built.

Two simulated venues list the markets, seven in ten of them at both, with buckets, trees and parity among
them; every cycle has new prices, new listings, and each market quoted four times. Nothing is opened (the cap
on open markets is 0), so that every opportunity is judged to the end in every cycle. Times are processor
seconds of this process, which runs one thread; what the simulated venues need for their prices is not in
them. Growth compares the time a market takes in the largest and in the smallest listing.
"""

import argparse
import contextlib
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arb_bot import VenueUnavailable
from arb_bot.clock import ManualClock
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from arb_bot.simulated.world import WorldShape
from arb_bot.venue import Venue
from benchmarks.figure import Figure, at_most, exit_code, table
from botkit.hot_reload import SettingsStore, from_env

SIZES: Final = (1_000, 2_000, 4_000)
PROMISED: Final = 2_000
CYCLE_MS: Final = 250.0
GROWTH: Final = 1.5
"""Linear is 1, and a part more for caches and garbage collection over a larger heap; quadratic would be 4."""
QUOTES_A_MARKET: Final = 4
CYCLE_SECONDS: Final = 5.0
START: Final = 1_795_212_000.0
BRISK: Final = WorldShape(shortest_life=60.0, longest_life=900.0)
"""Lives so short that other markets are listed in every cycle, also where few are."""


@dataclass
class Run:
    """Processor milliseconds of each cycle of one listing, and what they found; the first one learns all."""

    times: list[float]
    found: list[int]

    @property
    def typical(self) -> float:
        """Of the cycles after the first."""
        return statistics.median(self.times[1:])

    @property
    def quickest(self) -> float:
        """The one that was least disturbed by what else runs on the machine."""
        return min(self.times[1:])


def _settings(markets: int) -> dict[str, str]:
    each = str(markets // 2)
    return {
        "KALSHI_MARKET_LIMIT": each,
        "POLYMARKET_MARKET_LIMIT": each,
        "POLYMARKET_ENABLED": "true",
        "ARB_BANKROLL_BY_VENUE": "kalshi=1000,polymarket=1000",
        "ARB_MAX_OPEN_MARKETS_PER_VENUE": "0",
        "ARB_MIN_EXPECTED_PROFIT_USD": "0.05",
        "KALSHI_TAKER_FEE_PER_CONTRACT": "0.015",
    }


@contextlib.contextmanager
def _session(markets: int, clock: ManualClock) -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores.open(Path(folder))
        settings = SettingsStore(from_env(Settings, _settings(markets)).settings)
        session = open_session(
            stores, settings, folder=Path(folder), clock=clock, seed="1", environ={}, shape=BRISK
        )
        try:
            yield session
        finally:
            session.close()
            stores.close()


def _quotes_at_hand(venue: Venue) -> None:
    """Let the venue answer the next question for quotes with those of now, four of each market."""
    fresh = type(venue).quotes(venue)
    answer = [quote for quote in fresh for _ in range(QUOTES_A_MARKET)]
    setattr(venue, "quotes", lambda: answer)  # noqa: B010 - the one way to put it on this object alone


def _one_cycle(session: Session, clock: ManualClock, run: Run) -> None:
    clock.advance(CYCLE_SECONDS)
    for venue in session.markets.venues.values():
        with contextlib.suppress(VenueUnavailable):  # then the cycle has the prices of the last one
            _quotes_at_hand(venue)
    began = time.process_time()
    session.engine.cycle(clock.now())
    run.times.append(1e3 * (time.process_time() - began))
    run.found.append(session.engine.report.found)


def measure(markets: int, cycles: int) -> Run:
    """Run so many cycles, and a first one, in so many markets."""
    run, clock = Run([], []), ManualClock(START)
    gc.collect()
    with _session(markets, clock) as session:
        for _ in range(cycles + 1):
            _one_cycle(session, clock, run)
    return run


def figures(small: bool) -> list[Figure]:
    """Measure all sizes."""
    runs = {size: measure(size, cycles=24 if small else 80) for size in SIZES}
    run = runs[PROMISED]
    worst, found = max(run.times[1:]), statistics.mean(run.found)
    note = f"worst {worst:.0f} ms, the first {run.times[0]:.0f} ms; {found:.0f} opportunities a cycle"
    least, most = SIZES[0], SIZES[-1]
    growth = (runs[most].quickest / most) / (runs[least].quickest / least)
    told = "quickest of " + ", ".join(f"{size:,}: {runs[size].quickest:.0f} ms" for size in SIZES)
    name = f"cycle, {PROMISED:,} markets, {PROMISED * QUOTES_A_MARKET:,} quotes"
    return [
        at_most(name, run.typical, "ms", CYCLE_MS, note),
        at_most(f"cycle, time a market, {most:,} to {least:,} markets", growth, "×", GROWTH, told),
    ]


def main(argv: Sequence[str]) -> int:
    """Print the table; return 1 when a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cycle", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a third of the cycles")
    found = figures(parser.parse_args(argv).small)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
