"""Which part of an allowed size to take: Kelly with the chance to fill and the loss when a leg fails.

The documented formulas. Fractions and chances 0..1, edges, costs and losses in dollars a contract.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_CLUSTER_FACTOR = 0.1
SMALLEST_EXPECTATION = 1e-6


@dataclass(frozen=True, slots=True)
class KellyRules:
    """Cap, floor and multiplier of the fraction, and how much a filled cluster takes off it (lambda)."""

    cap: float = 1.0
    floor: float = 0.0
    multiplier: float = 1.0
    cluster_penalty: float = 0.75


def fraction(edge: float, cost: float, fill: float, loss: float | None) -> float:
    """Kelly's fraction for an edge that is won with the chance `fill`, times the root of that chance.

    `loss` is what a failure costs; None means all of the cost, as with a plain bet.
    """
    if edge <= 0.0 or cost <= 0.0:
        return 0.0
    won, lost = edge / cost, (cost if loss is None else loss) / cost
    raw = 1.0 if lost <= 0.0 else max(0.0, (won * fill - lost * (1.0 - fill)) / (lost * won))
    return min(1.0, max(0.0, raw * math.sqrt(fill)))


def failure_loss(cost: float, slippage: float, *, floor_fraction: float, partial_penalty: float) -> float:
    """What a plan that does not fill costs: penalty and slippage, at least a part of the cost."""
    return min(cost, max(0.0, floor_fraction * cost, partial_penalty + slippage))


def effective(raw: float, rules: KellyRules, *, confidence: float, cluster_used: float) -> float:
    """The fraction to take. `cluster_used` is the used part of the cluster's budget, 0..1.

    The floor lifts a small fraction, but never one of 0: it makes no bet that Kelly refuses.
    """
    if raw <= 0.0:
        return 0.0
    crowding = max(LEAST_CLUSTER_FACTOR, 1.0 - rules.cluster_penalty * cluster_used)
    return max(rules.floor, min(rules.cap, raw * crowding * confidence * rules.multiplier))


def resized(contracts: int, part: float) -> int:
    """That part of the contracts in whole ones, at least one of a part above 0."""
    return max(1, int(contracts * part)) if part > 0.0 else 0


def confidence(results: Sequence[tuple[float, float]], *, sensitivity: float, floor: float) -> float:
    """How far past results bear out what was expected: 1 when they do, towards `floor` when they do not.

    `results` are (realised, expected) in dollars a contract. 1 without any.
    """
    if not results:
        return 1.0
    misses = [abs(r - e) / max(SMALLEST_EXPECTATION, abs(e)) for r, e in results]
    return max(floor, min(1.0, 1.0 / (1.0 + sensitivity * sum(misses) / len(misses))))
