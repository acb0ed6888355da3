"""Cross-venue lane: YES at one venue and NO of the same question at another, which pay $1 together."""

from collections.abc import Iterator

from arb_bot.lanes import CROSS_VENUE, MarketView
from arb_bot.lanes.combining import combination, quotes_of
from arb_bot.opportunity import Opportunity
from arb_bot.quotes import Side

DIRECTIONS: tuple[tuple[Side, Side], ...] = (("yes", "no"), ("no", "yes"))


class CrossVenueLane:
    """Buys a question at two venues where YES here and NO there cost less than a dollar."""

    kind = CROSS_VENUE

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """Both directions of every pair with both quotes."""
        for pair in view.relations.pairs:
            quotes = quotes_of(view, (pair.left, pair.right))
            if quotes is None:
                continue
            left, right = quotes
            for left_side, right_side in DIRECTIONS:
                found = combination(
                    self.kind,
                    pair.match_key,
                    ((left, left_side), (right, right_side)),
                    view,
                    floor,
                    match_score=pair.score,
                    metadata={"left_text": left.title, "right_text": right.title},
                )
                if found:
                    yield found
