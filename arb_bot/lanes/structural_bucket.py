"""Structural bucket lane: every outcome of an exclusive and exhaustive set, of which exactly one pays."""

from collections.abc import Iterator

from arb_bot.lanes import NOISE, STRUCTURAL_BUCKET, MarketView
from arb_bot.lanes.combining import combination, quotes_of
from arb_bot.opportunity import Opportunity
from arb_bot.relations import EXCHANGE_API

STATED_BAND = (0.70, 1.20)
"""Sums of prices (dollars) that are believed where the exchange itself states the exclusivity …"""
GUESSED_BAND = (0.85, 1.10)
"""… and where it is only concluded from something: further out, an outcome is more likely missing."""


class StructuralBucketLane:
    """Buys the listed side of every leg of a bucket where all together cost less than the payout."""

    kind = STRUCTURAL_BUCKET

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """One combination a bucket with all quotes and a sum of prices within its band."""
        for bucket in view.relations.buckets:
            quotes = quotes_of(view, (leg.market for leg in bucket.legs))
            if quotes is None:
                continue
            choices = [(quote, leg.side) for quote, leg in zip(quotes, bucket.legs, strict=True)]
            low, high = STATED_BAND if bucket.exclusivity_source == EXCHANGE_API else GUESSED_BAND
            total = sum(quote.ask(side) for quote, side in choices)
            if not low - NOISE <= total <= high + NOISE:
                continue
            found = combination(
                self.kind,
                bucket.group_id,
                choices,
                view,
                floor,
                payout=bucket.payout,
                metadata={
                    "structural_class": "bucket",
                    "bucket_group_id": bucket.group_id,
                    "exclusivity_source": bucket.exclusivity_source,
                },
            )
            if found:
                yield found
