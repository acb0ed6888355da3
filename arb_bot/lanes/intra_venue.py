"""Intra-venue lane: YES and NO of one market at one venue, which pay $1 together."""

from collections.abc import Iterator

from arb_bot.lanes import INTRA_VENUE, MarketView
from arb_bot.lanes.combining import combination
from arb_bot.opportunity import Opportunity


class IntraVenueLane:
    """Buys both sides of one market where they cost less than a dollar."""

    kind = INTRA_VENUE

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """One combination a market; the flat fee of the quote counts once for both legs, as documented."""
        for (venue, market_id), quote in view.quotes.items():
            found = combination(
                self.kind,
                f"{venue}:{market_id}",
                ((quote, "yes"), (quote, "no")),
                view,
                floor,
                fee=quote.fee_per_contract,
                metadata={"market_text": quote.title},
            )
            if found:
                yield found
