"""The limits that halt a bot by themselves, as pure latches: daily loss and consecutive failures."""

import math
from dataclasses import dataclass
from typing import Final

OPERATOR: Final = "operator"
AUTOMATIC: Final = "automatic"
ENVIRONMENT: Final = "environment"

_DAY_SECONDS: Final = 86_400
_MICRO_DOLLARS: Final = 6
"""Decimals at which a loss is held against its cap, so that sums of binary fractions meet it."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One reason to halt, since when (epoch seconds) and by whose doing."""

    reason: str
    since: float
    cause: str


class DailyLoss:
    """Realised PnL of a UTC day against a cap, in USD; a breach holds until the day ends."""

    def __init__(self, realized: float, now: float) -> None:
        self.realized = finite(realized)
        self.cap = 0.0
        self.breach: Trigger | None = None
        self._day = int(now // _DAY_SECONDS)

    @property
    def remaining(self) -> float | None:
        """Headroom, cap − max(0, −realised), negative past the cap; None without a cap."""
        return self.cap - max(0.0, -self.realized) if self.cap > 0 else None

    def roll(self, now: float) -> None:
        """Begin a new day where `now` is in one; a clock set back neither ends a day nor begins it again."""
        day = int(now // _DAY_SECONDS)
        if day > self._day:
            self._day, self.realized, self.breach = day, 0.0, None

    def book(self, amount: float, now: float) -> None:
        """Add a realised profit or loss."""
        self.realized += finite(amount)
        self.judge(self.realized, now)

    def judge(self, realized: float, now: float) -> None:
        """Trip where a realised PnL reaches the cap."""
        if self.breach is None and 0 < self.cap <= round(-realized, _MICRO_DOLLARS):
            reason = f"daily loss cap breached (realized={realized:.2f}, cap={self.cap:.2f})"
            self.breach = Trigger(reason, now, AUTOMATIC)


class FailureRun:
    """Failures since the last success against a limit; after a breach no success helps."""

    def __init__(self) -> None:
        self.count = 0
        self.limit = 0
        self.breach: Trigger | None = None

    def failed(self, now: float) -> None:
        """Count a failure."""
        self.count += 1
        self.judge(now)

    def succeeded(self) -> None:
        """Begin anew, unless the limit was reached: a leg in flight that succeeds late proves nothing."""
        if self.breach is None:
            self.count = 0

    def clear(self) -> None:
        """Begin anew by a person's decision."""
        self.count, self.breach = 0, None

    def judge(self, now: float) -> None:
        """Hold the count against the limit, which may have changed; ≤ 0 disables it."""
        if not 0 < self.limit <= self.count:
            self.breach = None
        elif self.breach is None:
            reason = f"consecutive failures breached ({self.count} >= {self.limit})"
            self.breach = Trigger(reason, now, AUTOMATIC)


def finite(amount: float) -> float:
    """Raise ValueError for an amount that is not finite: it would silently switch the loss cap off."""
    if not math.isfinite(amount):
        raise ValueError(f"an amount of money must be finite, got {amount}")
    return float(amount)
