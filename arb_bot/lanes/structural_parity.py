"""Structural parity lane: two markets of which rules say that they end alike, or that they never do."""

from collections.abc import Iterator

from arb_bot.lanes import STRUCTURAL_PARITY, MarketView
from arb_bot.lanes.combining import combination, quotes_of
from arb_bot.opportunity import Opportunity
from arb_bot.quotes import Side

DIRECTIONS: dict[str, tuple[tuple[Side, Side], ...]] = {
    "complement": (("yes", "yes"), ("no", "no")),
    "equivalent": (("yes", "no"), ("no", "yes")),
}


class StructuralParityLane:
    """Buys two sides of which exactly one pays, where they cost less than a dollar."""

    kind = STRUCTURAL_PARITY

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """Both directions of every rule with both quotes."""
        for check in view.relations.parities:
            quotes = quotes_of(view, (check.left, check.right))
            if quotes is None:
                continue
            left, right = quotes
            for left_side, right_side in DIRECTIONS[check.relationship]:
                found = combination(
                    self.kind,
                    f"{check.group_id}:left_{left_side}_right_{right_side}",
                    ((left, left_side), (right, right_side)),
                    view,
                    floor,
                    metadata={"structural_class": "parity", "relationship": check.relationship},
                )
                if found:
                    yield found
