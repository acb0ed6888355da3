"""What a console costs the bot: the time to publish a state, and the rate of its cycles, whatever clients do.

An engine of 20 cycles a second (some work, a state built, encoded bare as the floor, published, a sleep)
runs in short slices, by turns with the same engine without a console, so that whatever else the machine
does falls on both. Floors: the bare encoding of the same state in the same cycles, and the engine alone
just before; how far two runs of the engine alone differ is the noise of that figure.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from benchmarks.disturbers import Disturber
from benchmarks.figure import Figure, at_least, at_most, exit_code, table
from botkit import messages
from botkit.control_socket import ControlSocket
from botkit.heartbeat import Pulse

PUBLISH_RATIO: Final = 1.05
CYCLE_RATIO: Final = 0.99
SLEEP_SECONDS: Final = 0.045
WORK_TURNS: Final = 20_000
DECISIONS: Final = {"5 kB": 17, "80 kB": 367}

SITUATIONS: Final = {
    "no client": "rest",
    "a client that never reads": "never_reads",
    "50 clients that connect and vanish": "vanishes",
    "a client that sends 10 MB of garbage": "garbage",
}


@dataclass
class Slice:
    """The times of one slice in seconds; of the cycles their mean, for a rate counts every hold-up."""

    publishes: list[float]
    bares: list[float]
    cycle: float


def state(decisions: int) -> dict[str, object]:
    """Make a state as an arbitrage bot sends it: about 1.4 kB and 215 bytes for each decision."""
    kinds = ("intra_venue", "cross_venue", "structural_bucket")
    return {
        "type": messages.STATE,
        "ts": time.time(),
        "cycle": 1,
        "mode": "paper",
        "uptime_seconds": 12.5,
        "cash_by_venue": {"kalshi": 987.598, "polymarket": 574.689},
        "locked_capital_by_venue": {"kalshi": 12.402, "polymarket": 25.311},
        "open_positions": [{"market_id": f"KXCPI-26MAR-T{n}.0", "venue": "kalshi"} for n in range(6)],
        "last_cycle": {
            "duration_ms": 28,
            "quotes_count": 19,
            "opportunities_found": decisions,
            "near_opportunities": 5,
            "decisions": [
                {
                    "action": "skipped",
                    "kind": kinds[n % 3],
                    "match_key": f"xmap_{n}:kalshi:polymarket",
                    "reason": f"market cooldown active (kalshi/KXCPI-26MAR-T{n}.0)",
                    "edge": 0.033 + n / 7e5,
                    "fill_prob": 0.96 - n / 7e5,
                }
                for n in range(decisions)
            ],
        },
        "config_snapshot": {f"ARB_SETTING_NUMBER_{n}": n * 1.5 for n in range(24)},
    }


def _one_slice(console: ControlSocket | None, decisions: int, seconds: float) -> Slice:
    """Run the engine for a while, with a console to publish to or without one."""
    bares, publishes, cycles = [], [], []
    begun = time.perf_counter()
    end = begun + seconds
    while begun < end:
        sum(turn & 7 for turn in range(WORK_TURNS))
        built = state(decisions)
        before = time.perf_counter()
        messages.encode(built)
        between = time.perf_counter()
        if console:
            console.publish(built)
        after = time.perf_counter()
        time.sleep(SLEEP_SECONDS)
        now = time.perf_counter()
        bares.append(between - before)
        publishes.append(after - between)
        cycles.append(now - begun)
        begun = now
    return Slice(publishes, bares, statistics.mean(cycles))


def _fill_its_buffers(console: ControlSocket) -> None:
    """Publish large states until the client that never reads has begun to lose them."""
    large, lost, deadline = state(DECISIONS["80 kB"]), console.dropped_states, time.perf_counter() + 5
    while console.dropped_states == lost and time.perf_counter() < deadline:
        console.publish(large)
        time.sleep(0.005)


def _measure(decisions: int, rounds: int, seconds: float) -> dict[str, list[tuple[Slice, Slice]]]:
    """Return for each situation the pairs of slices, the engine alone and with its console."""
    measured: dict[str, list[tuple[Slice, Slice]]] = {name: [] for name in SITUATIONS}
    console = ControlSocket(handlers={}, heartbeat=Pulse().read, port=0)
    console.start()
    disturber = Disturber()
    try:
        for _ in range(rounds):
            for name, order in SITUATIONS.items():
                alone = _one_slice(None, decisions, seconds)
                disturber.order(f"{order} {console.port}")
                if order == "never_reads":
                    _fill_its_buffers(console)
                measured[name].append((alone, _one_slice(console, decisions, seconds)))
                disturber.order("rest")
    finally:
        disturber.close()
        console.stop("the benchmark is over")
    return measured


def _publish_figure(name: str, pairs: Sequence[tuple[Slice, Slice]]) -> Figure:
    bare = statistics.median(bare for _, slice_ in pairs for bare in slice_.bares)
    publishes = sorted(publish for _, slice_ in pairs for publish in slice_.publishes)
    publish, late = publishes[len(publishes) // 2], publishes[len(publishes) * 99 // 100]
    note = f"bare encoding {bare * 1e6:.0f} µs; publish {publish * 1e6:.1f} µs, p99 {late * 1e6:.0f} µs"
    return at_most(name, publish / bare, "× bare", PUBLISH_RATIO, note)


def _rate_figure(name: str, pairs: Sequence[tuple[Slice, Slice]]) -> Figure:
    ratio = statistics.median(alone.cycle / disturbed.cycle for alone, disturbed in pairs)
    cycles = [alone.cycle for alone, _ in pairs]
    noise = statistics.median(abs(one / other - 1) for one, other in pairwise(cycles))
    note = f"alone {1 / statistics.median(cycles):.2f}/s, from run to run ± {noise:.1%}"
    return at_least(name, ratio, "× alone", CYCLE_RATIO, note)


def figures(small: bool) -> list[Figure]:
    """Measure both sizes of a state; `small` takes half a minute, else two."""
    rounds, seconds = (9, 0.25) if small else (15, 0.5)
    found = []
    for size, decisions in DECISIONS.items():
        measured = _measure(decisions, rounds, seconds)
        found += [_publish_figure(f"publish {size}, {name}", pairs) for name, pairs in measured.items()]
        found += [_rate_figure(f"cycle rate {size}, {name}", pairs) for name, pairs in measured.items()]
    return found


def main(argv: Sequence[str]) -> int:
    """Print the table; return 1 when a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__)
    parser.add_argument("--small", action="store_true", help="half a minute instead of two")
    found = figures(parser.parse_args(argv).small)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
