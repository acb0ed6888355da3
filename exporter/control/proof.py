"""What later states can prove about a kill: the rungs of proof, and how much silence proves anything.

Pure. A rung is a kind of evidence: `flag`, the bot reports itself killed; `gate`, it refuses what it finds
because of the kill; `quiet`, a bot that reports neither opens nothing for longer than chance explains.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

CHANCE: Final = 0.001
"""The most that a silence by chance may weigh before it proves a kill."""

LEAST_QUIET_CYCLES: Final = 5
HABIT_CYCLES: Final = 200
LEAST_OPENINGS: Final = 20
"""Opening cycles that must have been seen before the kill, of the last HABIT_CYCLES."""

STANDARD_ERRORS: Final = 5.0
"""How far below the observed share of opening cycles the bot's true habit may lie.

The share is an estimate, and a bot that was just seen to be busy is busier in it than it is: with the share
itself, one placebo kill in a thousand would be taken for a proven one; the promise is none in ten thousand.
"""

ORDER_SLACK_SECONDS: Final = 1.0
"""How far two machines' clocks are trusted to be told apart, where an order is compared with an ack …"""
SAME_CLOCK_SLACK_SECONDS: Final = 0.25
"""… and within the bot's own clock: how long an order that was on its way may take."""


class Rung(StrEnum):
    """What a verified kill stands on."""

    FLAG = "flag"
    GATE = "gate"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One state of a bot as a kill is judged by it; all times by the exporter's clock.

    `killed` and `working` (orders) are None where the bot does not report them; what is not reported of one
    venue's orders makes their number unknown.
    """

    at: float
    built_at: float | None = None
    """When the bot built the state; one built before an ack may come after it."""
    new_cycle: bool = True
    """Whether it is of a cycle that was not seen before, so that its decisions count."""
    opening: str = ""
    """What the cycle opened or tried to open, in a few words."""
    refused: bool = False
    """Whether it refused something because of an operator's kill."""
    could_open: bool = True
    """Whether it had quotes to trade on, outside planned quiet."""
    killed: bool | None = None
    by_operator: bool = False
    """Whether the bot names an operator's kill among the reasons why it is killed."""
    killed_since: float | None = None
    working: float | None = None
    ordered_at: float | None = None
    """When the bot last sent an order."""

    def activity_since(self, base: float) -> str:
        """What shows that orders are about after the moment `base`; empty where nothing does."""
        if self.working:
            return f"{self.working:.0f} working {'order' if self.working == 1 else 'orders'}"
        return "an order was sent after the kill" if self.ordered_since(base) else ""

    def ordered_since(self, base: float) -> bool:
        """Whether the bot says that it sent an order after `base`, or after it was killed."""
        if self.ordered_at is None:
            return False
        since = self.killed_since
        return self.ordered_at > base + ORDER_SLACK_SECONDS or (
            since is not None and self.ordered_at > since + SAME_CLOCK_SLACK_SECONDS
        )


class Habit:
    """In which of a bot's last cycles it opened something, while it was not killed."""

    __slots__ = ("_cycles",)

    def __init__(self, cycles: Iterable[bool] = ()) -> None:
        self._cycles = deque(cycles, maxlen=HABIT_CYCLES)

    def seen(self, sighting: Sighting) -> None:
        """Take in a state; a cycle that could open nothing says nothing."""
        if sighting.new_cycle and sighting.could_open:
            self._cycles.append(bool(sighting.opening))

    @property
    def quiet_cycles_needed(self) -> int | None:
        """Full cycles without an opening that prove a kill; None where none would."""
        by_chance = quiet_cycles_needed(sum(self._cycles), len(self._cycles))
        return None if by_chance is None else max(by_chance, 2 * self._longest_silence + 1)

    @property
    def _longest_silence(self) -> int:
        """Cycles without an opening in a row: a bot whose openings come in bursts is silent between them."""
        return max((len(list(run)) for opened, run in groupby(self._cycles) if not opened), default=0)


def quiet_cycles_needed(opening: int, seen: int) -> int | None:
    """The least n ≥ 5 with (1 − p)ⁿ ≤ 0.001; None below 20 opening cycles.

    p is the lower bound of the share opening ÷ seen, STANDARD_ERRORS below it (score interval of E. B.
    Wilson, Journal of the American Statistical Association 22, 1927), and so never more than the share.
    """
    if opening < LEAST_OPENINGS:
        return None
    share, z2 = opening / seen, STANDARD_ERRORS**2
    middle = share + z2 / (2 * seen)
    spread = STANDARD_ERRORS * math.sqrt(share * (1 - share) / seen + z2 / (4 * seen * seen))
    lower = (middle - spread) / (1 + z2 / seen)
    return max(LEAST_QUIET_CYCLES, math.ceil(math.log(CHANCE) / math.log1p(-lower)))
