"""Reasons not to open a plan that sizing allowed: cooldowns, cash, exposure and market caps.

Pure: what stands at the moment is passed in. The reasons are the documented free texts; ids stand in
parentheses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from arb_bot.lanes import INTRA_VENUE
from arb_bot.money import to_micros
from arb_bot.plan import Plan


@dataclass(frozen=True, slots=True)
class Cluster:
    """Open trades that depend on each other, and the micro-dollars that they hold or may still take."""

    positions: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The books at this moment, with what working orders may still take. Sums in micro-dollars by venue.

    `worth` is all cash and locked capital.
    """

    cash: Mapping[str, int]
    exposure: Mapping[str, int]
    open_markets: Mapping[str, set[str]]
    worth: int
    clusters: Mapping[str, Cluster] = field(default_factory=dict)

    def cluster(self, key: str) -> Cluster:
        """What is open in a cluster."""
        return self.clusters.get(key, Cluster())


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Caps for each venue, and how long markets and opportunities rest after an entry (seconds).

    `non_intra_reserve` of a venue's open markets are not for the intra-venue lane.
    """

    max_exposure_usd: float
    max_open_markets: int
    non_intra_reserve: int
    market_cooldown_seconds: float
    cooldown_by_side: bool
    opportunity_cooldown_seconds: float


class Cooldowns:
    """When each market, each side of one, and each opportunity was entered last."""

    def __init__(self) -> None:
        self._entered: dict[tuple[str, ...], float] = {}

    def entered(self, plan: Plan, now: float) -> None:
        """Remember an entry into the opportunity and every market of the plan."""
        self._entered[_opportunity(plan)] = now
        for leg in plan.opportunity.legs:
            self._entered[leg.venue, leg.market_id] = now
            self._entered[leg.venue, leg.market_id, leg.side] = now

    def resting(self, plan: Plan, limits: RiskLimits, now: float) -> str | None:
        """The first market of the plan that rests, `venue/market` or `venue/market:side`."""
        for leg in plan.opportunity.legs:
            side = (leg.side,) if limits.cooldown_by_side else ()
            if self._active((leg.venue, leg.market_id, *side), limits.market_cooldown_seconds, now):
                return ":".join((f"{leg.venue}/{leg.market_id}", *side))
        return None

    def opportunity_rests(self, plan: Plan, limits: RiskLimits, now: float) -> bool:
        """Whether the same opportunity was entered too short a time ago."""
        return self._active(_opportunity(plan), limits.opportunity_cooldown_seconds, now)

    def forget(self, before: float) -> None:
        """Drop entries older than `before`, so that markets that are gone take no memory."""
        self._entered = {key: at for key, at in self._entered.items() if at >= before}

    def _active(self, key: tuple[str, ...], seconds: float, now: float) -> bool:
        entered = self._entered.get(key)
        return entered is not None and now - entered < seconds


def objection(
    plan: Plan, standing: Standing, limits: RiskLimits, cooldowns: Cooldowns, now: float
) -> str | None:
    """Why this plan must not be opened, or None."""
    resting = cooldowns.resting(plan, limits, now)
    if resting:
        return f"market cooldown active ({resting})"
    worst = plan.worst_cost_by_venue()
    for venue, cost in worst.items():
        if cost > standing.cash.get(venue, 0):
            return f"insufficient cash ({venue})"
    for venue, cost in worst.items():
        if standing.exposure.get(venue, 0) + cost > to_micros(limits.max_exposure_usd):
            return f"venue exposure cap reached ({venue})"
    for venue in worst:
        too_many = _too_many_markets(plan, venue, standing.open_markets.get(venue, ()), limits)
        if too_many:
            return too_many
    if cooldowns.opportunity_rests(plan, limits, now):
        return f"opportunity cooldown active ({'/'.join(_opportunity(plan)[1:])})"
    return None


def _too_many_markets(plan: Plan, venue: str, held: Iterable[str], limits: RiskLimits) -> str | None:
    wanted = {leg.market_id for leg in plan.opportunity.legs if leg.venue == venue}
    count = len({*held, *wanted})
    if count > limits.max_open_markets:
        return f"open market cap reached ({venue})"
    reserve = limits.non_intra_reserve if plan.opportunity.kind == INTRA_VENUE else 0
    if reserve and count > max(0, limits.max_open_markets - reserve):
        return f"open market cap reached ({venue}; intra reserve)"
    return None


def _opportunity(plan: Plan) -> tuple[str, ...]:
    return "opportunity", plan.opportunity.kind, plan.opportunity.match_key
