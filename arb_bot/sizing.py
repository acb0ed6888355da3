"""How many sets of an opportunity may be bought: the smallest of all limits, in whole contracts.

Computed in micro-dollars, so that a limit is kept to the last digit and not to float noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from arb_bot.money import to_micros
from arb_bot.opportunity import Opportunity


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Limits for one trade: share of a venue's free cash, dollars, share of displayed size, contracts."""

    bankroll_fraction: float
    max_dollars: float
    liquidity_fraction: float
    max_contracts: int


def contracts_within(
    opportunity: Opportunity, cash: Mapping[str, int], limits: SizeLimits, *, cluster_left: int
) -> int:
    """The most sets that every limit allows; 0 when none.

    `cash`: free micro-dollars by venue; `cluster_left`: what is left of the cluster's budget, micro-dollars.
    """
    allowed = [limits.max_contracts]
    for venue, unit_cost in opportunity.unit_cost_by_venue().items():
        budget = int(max(0, cash.get(venue, 0)) * limits.bankroll_fraction)
        allowed.append(_affordable(budget, unit_cost))
    allowed.append(_affordable(min(to_micros(limits.max_dollars), cluster_left), opportunity.total_cost))
    thinnest = min(leg.size for leg in opportunity.legs)
    allowed.append(int(thinnest * min(1.0, max(0.0, limits.liquidity_fraction))))
    return max(0, min(allowed))


def _affordable(budget: int, unit_cost: float) -> int:
    unit = to_micros(unit_cost)
    return budget // unit if unit > 0 else 0
