"""Reasons not to open a plan that sizing allowed: cooldowns, cash, exposure and market caps.

Pure: what stands at the moment is passed in. The reasons are the documented free texts; ids stand in
parentheses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from arb_bot.money import to_micros
from arb_bot.plan import Plan


@dataclass(frozen=True, slots=True)
class Standing:
    """The books at this moment, with what working orders may still take. Sums in micro-dollars by venue."""

    cash: Mapping[str, int]
    exposure: Mapping[str, int]
    open_markets: Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Caps for each venue, and how long a market rests after an entry (seconds)."""

    max_exposure_usd: float
    max_open_markets: int
    market_cooldown_seconds: float


class Cooldowns:
    """When each market was entered last."""

    def __init__(self) -> None:
        self._entered: dict[tuple[str, str], float] = {}

    def entered(self, plan: Plan, now: float) -> None:
        """Remember an entry into every market of the plan."""
        for leg in plan.opportunity.legs:
            self._entered[leg.venue, leg.market_id] = now

    def active(self, venue: str, market_id: str, seconds: float, now: float) -> bool:
        """Whether the market was entered less than that many seconds ago."""
        entered = self._entered.get((venue, market_id))
        return entered is not None and now - entered < seconds

    def forget(self, before: float) -> None:
        """Drop entries older than `before`, so that markets that are gone take no memory."""
        self._entered = {key: at for key, at in self._entered.items() if at >= before}


def objection(
    plan: Plan, standing: Standing, limits: RiskLimits, cooldowns: Cooldowns, now: float
) -> str | None:
    """Why this plan must not be opened, or None."""
    for leg in plan.opportunity.legs:
        if cooldowns.active(leg.venue, leg.market_id, limits.market_cooldown_seconds, now):
            return f"market cooldown active ({leg.venue}/{leg.market_id})"
    for venue, worst in plan.worst_cost_by_venue().items():
        if worst > standing.cash.get(venue, 0):
            return f"insufficient cash ({venue})"
        if standing.exposure.get(venue, 0) + worst > to_micros(limits.max_exposure_usd):
            return f"venue exposure cap reached ({venue})"
        held = standing.open_markets.get(venue, set())
        wanted = {leg.market_id for leg in plan.opportunity.legs if leg.venue == venue}
        if len(held | wanted) > limits.max_open_markets:
            return f"open market cap reached ({venue})"
    return None
