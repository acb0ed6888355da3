"""What a bot's own ledger says of the day, and for how long that may be shown as true.

Pure. The figures are sums over the fills and intents that a bot wrote, as the reporting database holds them.
They are shown while that database is known to hold all that the stores do: a store counts as kept up with
until 30 seconds after the last look that found (or mirrored) everything in it. That covers a store that is
locked for ten seconds; a store that cannot be read for longer, a first mirror under way and a database that
cannot be written take the figures away rather than let old ones stand as now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from exporter.losscap import utc_day

KEPT_SECONDS: Final = 30.0
CLOCK_SLACK: Final = 1.0

ANALYTICS: Final = "analytics"
ORDERS: Final = "orders"
"""The stores that fills, and intents, are read from."""


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """Sums over a bot's ledger at one moment. None is unknown: a store without any fill says nothing.

    `pnl` (USD) and `trades` (fills) are those of the UTC day `day`; `realized` is USD over all fills that
    were ever mirrored; `failures` counts intents that failed or filled in part since the last that filled.
    """

    day: str
    pnl: float | None = None
    trades: int | None = None
    realized: float | None = None
    newest_fill: float | None = None
    failures: int | None = None


@dataclass(slots=True)
class Ledger:
    """The figures that were computed last, and when each store was last known to be in them in full."""

    figures: LedgerFigures | None = None
    kept: dict[str, float] = field(default_factory=dict)

    def today(self, now: float) -> LedgerFigures | None:
        """Figures of the UTC day that `now` is in, while they are true."""
        known = self.of_fills(now)
        return known if known is not None and known.day == utc_day(now) else None

    def of_fills(self, now: float) -> LedgerFigures | None:
        """Figures from fills, of whatever day, while they are true."""
        return self.figures if self._kept(ANALYTICS, now) else None

    def failures(self, now: float) -> int | None:
        """Failures in a row, while that is true."""
        return self.figures.failures if self.figures is not None and self._kept(ORDERS, now) else None

    def _kept(self, store: str, now: float) -> bool:
        at = self.kept.get(store)
        return at is not None and -CLOCK_SLACK <= now - at <= KEPT_SECONDS
