"""A sized opportunity: what will be ordered, at which limits, and the most it may take from each venue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from arb_bot.money import MICROS, to_micros, to_usd
from arb_bot.opportunity import Opportunity

LEG_DRIFT_TOLERANCE = to_micros(0.03)
"""How far a later leg's price may have moved against the plan before the trade is given up."""
FEE_RESERVE = to_micros(0.02)
"""Set aside for fees on each contract of a leg: the dearest point of the fee curve, rounded up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Buy `contracts` sets. `fill_probability` 0..1, `expected_realized` in USD for the whole plan.

    `notes` is what else the sizing says, for the store.
    """

    opportunity: Opportunity
    contracts: int
    fill_probability: float
    expected_realized: float
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def expected_profit(self) -> float:
        """USD if everything fills at the planned prices."""
        return self.contracts * self.opportunity.net_edge

    @property
    def capital_required(self) -> float:
        """USD at the planned prices, estimated fees included."""
        return self.contracts * self.opportunity.total_cost

    def capital_by_venue(self) -> dict[str, float]:
        """USD by venue at the planned prices, estimated fees included."""
        return {v: self.contracts * cost for v, cost in self.opportunity.unit_cost_by_venue().items()}

    def limit_price(self, leg_index: int) -> int:
        """The most a contract may cost, in micro-dollars: the ask, and for later legs the drift on top."""
        ask = to_micros(self.opportunity.legs[leg_index].price)
        return ask if leg_index == 0 else min(MICROS, ask + LEG_DRIFT_TOLERANCE)

    def worst_cost(self, leg_index: int) -> int:
        """Micro-dollars that a leg can take at most, fees included."""
        return self.contracts * (self.limit_price(leg_index) + FEE_RESERVE)

    def worst_cost_by_venue(self) -> dict[str, int]:
        """Micro-dollars that the plan can take at most from each venue."""
        worst = dict.fromkeys(self.opportunity.venues, 0)
        for index, leg in enumerate(self.opportunity.legs):
            worst[leg.venue] += self.worst_cost(index)
        return worst

    def as_json(self, simulated: bool) -> str:
        """The `plan_json` of the order store."""
        o = self.opportunity
        legs = [
            {
                "venue": leg.venue,
                "market_id": leg.market_id,
                "side": leg.side,
                "contracts": self.contracts,
                "limit_price": to_usd(self.limit_price(index)),
                "metadata": {
                    "title": leg.title,
                    "ask": leg.price,
                    "size": leg.size,
                    "settles_at": leg.settles_at,
                },
            }
            for index, leg in enumerate(o.legs)
        ]
        return json.dumps(
            {
                "kind": o.kind,
                "execution_style": o.execution_style,
                "legs": legs,
                "contracts": self.contracts,
                "capital_required": self.capital_required,
                "capital_required_by_venue": self.capital_by_venue(),
                "expected_profit": self.expected_profit,
                "edge_per_contract": o.net_edge,
                "gross_edge": o.gross_edge,
                "metadata": {
                    **o.metadata,
                    **self.notes,
                    "correlation_cluster": o.cluster,
                    "match_key": o.match_key,
                    "match_score": o.match_score,
                    "fill_probability": self.fill_probability,
                    "simulated": simulated,
                },
            }
        )
