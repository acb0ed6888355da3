"""Cross-venue lane: YES at one venue and NO of the same question at another, which pay $1 together."""

from collections.abc import Iterator

from arb_bot.lanes import CROSS_VENUE, MarketView
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.quotes import Side

DIRECTIONS: tuple[tuple[Side, Side], ...] = (("yes", "no"), ("no", "yes"))


class CrossVenueLane:
    """Buys a question at two venues where YES here and NO there cost less than a dollar."""

    kind = CROSS_VENUE

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """Both directions of every mapped pair with both quotes; the fee is the sum of the quotes' fees."""
        for pair in view.pairs:
            left, right = view.quotes.get(pair.left), view.quotes.get(pair.right)
            if left is None or right is None:
                continue
            fee = left.fee_per_contract + right.fee_per_contract
            for left_side, right_side in DIRECTIONS:
                if 1.0 - (left.ask(left_side) + right.ask(right_side)) - fee < floor:
                    continue
                yield Opportunity(
                    kind=self.kind,
                    match_key=f"{pair.group_id}:{left.venue}:{right.venue}",
                    legs=(Leg.of(left, left_side), Leg.of(right, right_side)),
                    fee=fee,
                    metadata={"left_text": left.title, "right_text": right.title},
                )
