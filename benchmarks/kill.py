"""How fast a kill works on a real bot: press → ack, working orders gone, proven, and no order after the ack.

A bot with a cycle of half a second is killed at random moments, and one with a cycle of a minute, whose proof
comes with the push that tells the kill.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, at_most, exit_code, table
from benchmarks.kill_lab import Measured, kills

ACK_MS: Final = 250.0
WORKING_GONE_SECONDS: Final = 2.0
VERIFIED_SECONDS: Final = 5.0


def figures(small: bool) -> list[Figure]:
    """Kill lively bots and slow ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lively = asyncio.run(kills(folder / "lively", 30 if small else 1_000))
        slow = asyncio.run(kills(folder / "slow", 10 if small else 100, "--interval", "60"))
    acks = [kill.ack * 1e3 for kill in lively]
    working = [kill.working_gone for kill in lively if kill.worked] or [0.0]
    orders = sum(kill.orders_after for kill in lively + slow)
    count = len(lively) + len(slow)
    return [
        at_most(
            "kill: press → ack, p99", _p99(acks), "ms", ACK_MS, f"median {statistics.median(acks):.2f} ms"
        ),
        at_most(f"… orders sent after the ack of {count:,} kills", orders, "", 0, _worked(lively)),
        at_most("… working orders gone, p99", _p99(working), "s", WORKING_GONE_SECONDS),
        at_most("… VERIFIED, the slowest", max(k.verified for k in lively), "s", VERIFIED_SECONDS),
        at_most("… VERIFIED with a cycle of 60 s", max(k.verified for k in slow), "s", VERIFIED_SECONDS),
    ]


def _worked(measured: Sequence[Measured]) -> str:
    return f"orders worked at {sum(kill.worked for kill in measured)} of {len(measured)} presses"


def _p99(values: Sequence[float]) -> float:
    """The 99th percentile, the largest of fewer than a hundred."""
    return statistics.quantiles(values, n=100)[98] if len(values) >= 100 else max(values)


def main() -> int:
    """Print the table; answer 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="1,000 kills")
    found = figures(small=not parser.parse_args().long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
