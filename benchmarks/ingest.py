"""What one exporter takes in: states a second and a core, the way from the wire to /metrics, its memory.

The exporter runs as a real process with its web server; this process is its bots and its Prometheus. Rates
are states for each second of the exporter's own processor time, so that other work on the machine does not
count; `json.loads` of the same lines is their floor. A state has arrived when an answer of /metrics shows its
value; the best of three stretches counts, and the floor is an answer without figures.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.exporter_process import Exporter
from benchmarks.figure import Figure, at_least, at_most, exit_code, table
from benchmarks.ledgers import ledger
from benchmarks.mirrored import rows_in, wait_for_rows
from benchmarks.publish import state

MEBIBYTE: Final = 1 << 20
LEAST_RATE: Final = {"5 kB": (16, 5_000.0), "80 kB": (400, 500.0)}
PUSHES_A_SECOND: Final = 100
LATENCY_MS: Final = 5.0
MEMORY_MIB: Final = 100.0
GROWTH_MIB: Final = 2.0
BOTS: Final = 10
SETTLED_SECONDS: Final = 5.0
LEDGER_FILLS: Final = 10_000
CPU: Final = "process_cpu_seconds_total"
RESIDENT: Final = "process_resident_memory_bytes"


def figures(small: bool) -> list[Figure]:
    """Measure all of it."""
    return [
        *(rate(size, seconds=2 if small else 20) for size in LEAST_RATE),
        latency(pushes=200 if small else 2_000),
        *memory(rounds=8 if small else 60),
    ]


def lines_of(decisions: int, count: int, first: int = 1) -> list[bytes]:
    """States of one session, each of a cycle of its own, as they come over the wire."""
    template, now = state(decisions), time.time()
    lines = []
    for cycle in range(first, first + count):
        numbers = {"cycle": cycle, "ts": now + cycle * 1e-3, "uptime_seconds": cycle * 1e-3}
        lines.append(json.dumps(template | numbers).encode() + b"\n")
    return lines


def rate(size: str, seconds: float) -> Figure:
    """States a second and a core; one lost state or decision misses the target."""
    decisions, least = LEAST_RATE[size]
    count = int(least * seconds)
    lines = lines_of(decisions, count)
    data = b"".join(lines)
    with Exporter() as exporter:
        exporter.feeders[0].send(lines_of(decisions, 1, first=0)[0])
        exporter.wait_for_states(1)
        before = exporter.total(CPU)
        exporter.feeders[0].send(data)
        exporter.wait_for_states(count + 1)
        body = exporter.get("/metrics")
        used = exporter.total(CPU, body) - before
        counted = exporter.total("tradebot_decisions_total", body)
    lost = (count + 1) * decisions - counted
    name = f"states of {size} taken in by one core" + (f", {lost:.0f} decisions lost" if lost else "")
    note = f"json.loads alone {_per_second(lines[:500], json.loads):,.0f}/s; {count:,} sent, {lost:.0f} lost"
    return at_least(name, 0.0 if lost else count / used, "/s", least, note)


def latency(pushes: int) -> Figure:
    """99th percentile from the first byte on the wire to the answer that shows it, at 100 pushes a second."""
    with Exporter() as exporter:
        stretches = [_stretch(exporter, first=1 + number * pushes, pushes=pushes) for number in range(3)]
    best = min((took for took, _ in stretches), key=_p99_ms)
    bare = min((floor for _, floor in stretches), key=_p99_ms)
    name = f"state on the wire → value in /metrics, p99 at {PUSHES_A_SECOND}/s"
    note = f"an answer without figures {_p99_ms(bare):.2f} ms; median {statistics.median(best) * 1e3:.2f} ms"
    return at_most(name, _p99_ms(best), "ms", LATENCY_MS, note)


def _stretch(exporter: Exporter, first: int, pushes: int) -> tuple[list[float], list[float]]:
    """Seconds that each push took to be shown, and that each bare answer took beside it."""
    took, bare = [], []
    begin = time.perf_counter()
    for number in range(first, first + pushes):
        numbers = {"cycle": number, "ts": time.time(), "realized_pnl": number}
        line = json.dumps(state(16) | numbers).encode() + b"\n"
        time.sleep(max(0.0, begin + (number - first) / PUSHES_A_SECOND - time.perf_counter()))
        started = time.perf_counter()
        exporter.get("/-/healthy")
        bare.append(time.perf_counter() - started)
        started = time.perf_counter()
        exporter.feeders[0].send(line)
        while exporter.total("tradebot_realized_pnl_usd") != number:
            pass
        took.append(time.perf_counter() - started)
    return took, bare


def memory(rounds: int) -> list[Figure]:
    """Resident memory with ten bots whose ledgers are mirrored, and how much its median grew by the half.

    What the first mirror takes for itself is given back within seconds, and told apart.
    """
    count, resident = 400, []
    stores = [ledger(LEDGER_FILLS)] * BOTS
    with Exporter(BOTS, stores=stores) as exporter:
        wait_for_rows(exporter.database, BOTS * rows_in(stores[0]))
        most = exporter.total(RESIDENT) / MEBIBYTE
        time.sleep(SETTLED_SECONDS)
        for number in range(rounds):
            data = b"".join(lines_of(16, count, first=1 + number * count))
            senders = [threading.Thread(target=feeder.send, args=(data,)) for feeder in exporter.feeders]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            exporter.wait_for_states(BOTS * count * (number + 1))
            resident.append(exporter.total(RESIDENT) / MEBIBYTE)
    half = rounds // 2
    grown = statistics.median(resident[half:]) - statistics.median(resident[:half])
    note = f"{BOTS * count * rounds:,} states; {most:.0f} MiB when the first mirror ended"
    name = f"exporter memory, {BOTS} bots with {LEDGER_FILLS:,} fills each"
    return [
        at_most(name, max(resident), "MiB", MEMORY_MIB, note),
        at_most("… growth from the first half to the second", grown, "MiB", GROWTH_MIB),
    ]


def _per_second(lines: Sequence[bytes], work: Callable[[bytes], object]) -> float:
    started = time.process_time()
    for line in lines:
        work(line)
    return len(lines) / (time.process_time() - started)


def _p99_ms(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1e3


def main() -> int:
    """Print the table; answer 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="ten times as much of everything")
    found = figures(small=not parser.parse_args().long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
