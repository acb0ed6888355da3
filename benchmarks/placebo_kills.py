"""Kills that do nothing: bots that ack and trade on, of which not one may be called killed.

Each simulated bot opens by chance, at 1 to 1,000 fills a day in cycles of 5 or 60 s, and is killed at a
random moment after 20 to 400 cycles that were watched. What is judged is what the exporter judges; cycles in
which nothing more can change until the next opening are skipped. The recorded session of a deployed bot,
where it is beside this checkout, is killed at every cycle.

Silence tells a killed bot from one that opens by chance, not from one that happens to stop by itself just
then: bots that trade in bursts are shown beside the others, and carry no target.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.figure import Figure, at_most, exit_code, table
from exporter.control.evidence import Evidence, Witness
from exporter.control.kill import Kill, Order, Stage, pressed
from exporter.control.proof import Habit, Sighting
from exporter.view import BotView

RECORDED: Final = Path(__file__).parents[2] / "shared" / "samples" / "arb-session" / "states.jsonl"
DAY: Final = 86_400.0
INTERVALS: Final = (5.0, 60.0)
ACK_SECONDS: Final = 0.05
MOST_CYCLES: Final = 200_000
"""Cycles after which a bot that opened nothing more is left alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one placebo kill: whether it was ever called proven or unproven, and when found out.

    `seconds` and `cycles` are from the ack to NOT_VERIFIED, None where the bot opened nothing any more.
    """

    verified: bool
    unproven: bool
    seconds: float | None
    cycles: int | None


class Trader:
    """Whether each cycle of a bot opens something: by chance, at a rate, in bursts or without."""

    def __init__(self, draw: Random, fills_a_day: float, interval: float, *, bursts: bool) -> None:
        self.interval = interval
        self._draw = draw
        self._share = 1 - math.exp(-fills_a_day * interval / DAY)
        self._bursts = bursts
        self._on = True
        if bursts:  # a third of the time at thrice the rate
            self._share = min(1.0, 3 * self._share)

    def opens(self) -> bool:
        """Whether the next cycle does."""
        if self._bursts and self._draw.random() < (1 / 20 if self._on else 1 / 40):
            self._on = not self._on
        return self._on and self._draw.random() < self._share


def placebo(draw: Random, *, bursts: bool = False) -> Outcome:
    """Kill one simulated bot that ignores it."""
    fills_a_day = 10 ** draw.uniform(0, 3)
    bot = Trader(draw, fills_a_day, draw.choice(INTERVALS), bursts=bursts)
    habit = Habit()
    for _ in range(draw.randrange(20, 400)):
        habit.seen(_sighting(0.0, bot.opens()))
    into_the_cycle = draw.random() * bot.interval
    kill = pressed(Order("k", "bench", "bench", "", 0.0), habit.quiet_cycles_needed, 0.0).acked(ACK_SECONDS)
    at, stages = bot.interval - into_the_cycle, set[Stage]()
    for cycle in range(1, MOST_CYCLES):
        opened = bot.opens()
        if opened or not _settled(kill):
            kill = kill.seen(_sighting(at, opened))
        stages.add(kill.stage)
        if kill.stage is Stage.NOT_VERIFIED:
            return _outcome(stages, at - ACK_SECONDS, cycle)
        at += bot.interval
    return _outcome(stages)


def recorded_session() -> Iterator[Outcome]:
    """Kill the recorded bot at each of its cycles; it was never told, and traded on."""
    states = [json.loads(line) for line in RECORDED.read_bytes().splitlines()]
    for place in range(1, len(states)):
        yield _killed_at(states, place)


def _killed_at(states: Sequence[dict[str, Any]], place: int) -> Outcome:
    view, witness, habit = BotView("arb", now=states[0]["ts"]), Witness(), Habit()
    for state in states[:place]:
        if (evidence := _heard(view, witness, state)) is not None:
            habit.seen(evidence.of(None))
    base = states[place - 1]["ts"]
    kill = pressed(Order("k", "bench", "bench", "", base), habit.quiet_cycles_needed, base).acked(base)
    stages: set[Stage] = set()
    for cycle, state in enumerate(states[place:], start=1):
        if (evidence := _heard(view, witness, state)) is not None:
            kill = kill.seen(evidence.of(None))
        stages.add(kill.stage)
        if kill.stage is Stage.NOT_VERIFIED:
            return _outcome(stages, state["ts"] - base, cycle)
    return _outcome(stages)


def _outcome(stages: Set[Stage], seconds: float | None = None, cycle: int | None = None) -> Outcome:
    return Outcome(Stage.VERIFIED in stages, Stage.UNPROVEN in stages, seconds, cycle)


def _heard(view: BotView, witness: Witness, state: dict[str, Any]) -> Evidence | None:
    view.received(state, state["ts"])
    return witness.heard(view, state, state["ts"])


def _sighting(at: float, opened: bool) -> Sighting:
    return Sighting(at, built_at=at, opening="filled" if opened else "")


def _settled(kill: Kill) -> bool:
    """Whether only an opening can change anything any more."""
    hopeless = kill.stage is Stage.UNPROVEN and kill.need is None
    return hopeless or kill.stage is Stage.VERIFIED


def figures(small: bool) -> list[Figure]:
    """Placebo kills of simulated bots and of the recorded one."""
    count = 2_000 if small else 10_000
    draw = Random(20_261_121)  # a seed makes the figures the same each time
    found = _report(f"{count:,} placebo kills", [placebo(draw) for _ in range(count)])
    bursts = [placebo(draw, bursts=True) for _ in range(count // 5)]
    fooled = 100 * sum(outcome.verified for outcome in bursts) / len(bursts)
    name = "… called proven between two bursts, of bots that trade in bursts"
    found.append(Figure(name, fooled, "%", "", passed=True))
    if RECORDED.exists():
        found += _report("recorded session, a kill at every cycle", list(recorded_session()))
    return found


def _report(name: str, outcomes: Sequence[Outcome]) -> list[Figure]:
    caught = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    cycles = [outcome.cycles for outcome in outcomes if outcome.cycles is not None]
    unproven = sum(outcome.unproven for outcome in outcomes) / len(outcomes)
    times = statistics.quantiles(caught, n=100)
    median, p99 = times[49] / 60, times[98] / 3600
    note = f"median {median:.3g} min, p99 {p99:.3g} h; {statistics.median(cycles):.0f} cycles at the median"
    return [
        at_most(f"{name}: called proven", sum(outcome.verified for outcome in outcomes), "", 0),
        Figure("… UNPROVEN before that", 100 * unproven, "%", "", passed=True),
        Figure("… found out (NOT KILLED) after, median", median, "min", "", passed=True, floor_note=note),
    ]


def main() -> int:
    """Print the table; answer 1 when a placebo was called proven."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="10,000 bots")
    found = figures(small=not parser.parse_args().long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
