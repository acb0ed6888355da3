"""How likely a plan's legs are to fill, and what it then earns on average.

Formulas and constants are those of the documented model: displayed size against the order, age of the
quote, width of the spread. Prices and edges in dollars a contract.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from arb_bot.opportunity import Leg, Opportunity

STALE_SECONDS = 120.0
"""E-folding time of a quote's age."""
PARTIAL_PENALTY = 0.0003
"""Dollars a contract that a plan loses on average when it does not fill."""
MAX_SPREAD_PENALTY = 0.9


@dataclass(frozen=True, slots=True)
class FillEstimate:
    """Probability that all legs fill (0..1), and the expected realised edge in dollars a contract."""

    probability: float
    edge: float


def leg_probability(leg: Leg, contracts: int, now: float) -> float:
    """Chance (0..1) that one leg of that many contracts fills."""
    age = max(0.0, now - leg.observed_at)
    depth = min(1.0, leg.size / max(1, contracts))
    return depth * math.exp(-age / STALE_SECONDS) * (1.0 - min(MAX_SPREAD_PENALTY, leg.spread))


def joint_probability(probabilities: Iterable[float]) -> float:
    """Chance that independent legs all fill: the product."""
    return math.prod(probabilities)


def estimate(opportunity: Opportunity, contracts: int, now: float) -> FillEstimate:
    """Joint fill probability and expected realised edge of buying that many sets."""
    chances = [leg_probability(leg, contracts, now) for leg in opportunity.legs]
    joint = joint_probability(chances)
    legs = opportunity.legs
    slippage = sum(leg.spread * (1.0 - p) for leg, p in zip(legs, chances, strict=True)) / len(legs)
    return FillEstimate(joint, opportunity.net_edge * joint - PARTIAL_PENALTY * (1.0 - joint) - slippage)
