"""How likely a plan's legs are to fill, and what it then earns on average.

Formulas and constants are those of the documented model: displayed size against the order and the queue
before it, age of the quote, width of the spread, asks that were only derived; legs at one venue fill and
miss together. Prices and edges in dollars a contract.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from arb_bot.opportunity import OPPOSITE_BID_TRANSFORM, Leg, Opportunity

MAX_SPREAD_PENALTY = 0.9
MOST_QUALITY = 2.0
STRUCTURAL = "structural_"


@dataclass(frozen=True, slots=True)
class FillModel:
    """The constants of the model.

    `stale_seconds` is the e-folding time of a quote's age (the documented "half life" is none), the partial
    penalty what a plan loses on average when it does not fill, in dollars a contract.
    """

    enabled: bool = True
    queue_depth_factor: float = 1.0
    stale_seconds: float = 120.0
    spread_weight: float = 1.0
    transform_penalty: float = 0.05
    partial_penalty: float = 0.0003
    same_venue_correlation: float = 0.7


@dataclass(frozen=True, slots=True)
class FillEstimate:
    """Probability that all legs fill (0..1); dollars a contract: slippage, and the realised edge expected.

    `quality` is how far below the middle the legs buy, in spreads: −0.5 at the ask, +0.5 at the bid.
    """

    probability: float
    slippage: float
    quality: float
    edge: float


def leg_probability(leg: Leg, contracts: int, now: float, model: FillModel) -> float:
    """Chance (0..1) that one leg of that many contracts fills."""
    age = max(0.0, now - leg.observed_at)
    depth = min(1.0, leg.size / max(1.0, contracts * max(1.0, model.queue_depth_factor)))
    tight = 1.0 - min(MAX_SPREAD_PENALTY, leg.spread * model.spread_weight)
    quoted = 1.0 - model.transform_penalty if leg.source == OPPOSITE_BID_TRANSFORM else 1.0
    return depth * math.exp(-age / model.stale_seconds) * tight * quoted


def joint_probability(probabilities: Sequence[float], correlation: float = 0.0) -> float:
    """Chance that all legs fill: the geometric mean to the power 1 + (n − 1)(1 − correlation).

    Without correlation that is the product. No legs, or one that can't fill: 1 and 0.
    """
    product = math.prod(probabilities)
    if not correlation or product <= 0.0:
        return product
    count = len(probabilities)
    return float(product ** ((1.0 + (count - 1) * (1.0 - correlation)) / count))


def quality(leg: Leg) -> float:
    """How far below the middle the leg buys, in spreads, within ±2; 0 where no spread is known."""
    if leg.bid is None or leg.spread <= 0.0:
        return 0.0
    below = ((leg.bid + leg.price) / 2.0 - leg.price) / leg.spread
    return max(-MOST_QUALITY, min(MOST_QUALITY, round(below, 9)))


def estimate(opportunity: Opportunity, contracts: int, now: float, model: FillModel) -> FillEstimate:
    """What the model says of buying that many sets; without a model everything fills as planned."""
    if not model.enabled:
        return FillEstimate(1.0, 0.0, 0.0, opportunity.net_edge)
    legs = opportunity.legs
    chances = [leg_probability(leg, contracts, now, model) for leg in legs]
    together = opportunity.kind.startswith(STRUCTURAL) and len(opportunity.venues) == 1
    joint = joint_probability(chances, model.same_venue_correlation if together else 0.0)
    slippage = sum(leg.spread * (1.0 - p) for leg, p in zip(legs, chances, strict=True)) / len(legs)
    missed = model.partial_penalty * (1.0 - joint)
    return FillEstimate(
        probability=joint,
        slippage=slippage,
        quality=sum(map(quality, legs)) / len(legs),
        edge=opportunity.net_edge * joint - missed - slippage,
    )
