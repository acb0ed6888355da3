"""Best prices of a market as a venue reported them, and the reasons for which a quote is not used."""

import math
from dataclasses import dataclass
from typing import Literal

Side = Literal["yes", "no"]
FUTURE_TOLERANCE_SECONDS = 300.0

REJECT_REASONS = (
    "missing_identity",
    "invalid_observed_at",
    "future_observed_at",
    "missing_required_field",
    "non_finite_numeric",
    "price_out_of_range",
    "non_positive_size",
    "negative_fee",
)


@dataclass(frozen=True, slots=True)
class Quote:
    """One market of one venue. Prices in dollars a contract (payout $1), sizes in contracts at the asks.

    Fields that a feed left out are None; only a quote without `reject_reason` reaches the lanes. `derived`
    are the sides at which nobody quotes an ask of its own: it is one minus the other side's bid.
    """

    venue: str
    market_id: str
    title: str
    observed_at: float
    yes_bid: float | None
    yes_ask: float | None
    no_bid: float | None
    no_ask: float | None
    yes_size: float | None
    no_size: float | None
    fee_per_contract: float
    settles_at: float | None = None
    derived: frozenset[Side] = frozenset()

    def ask(self, side: Side) -> float:
        """What a contract of that side costs; NaN where nobody offers one."""
        price = self.yes_ask if side == "yes" else self.no_ask
        return math.nan if price is None else price

    def bid(self, side: Side) -> float | None:
        """What a contract of that side would fetch, None where nobody bids."""
        return self.yes_bid if side == "yes" else self.no_bid

    def size(self, side: Side) -> float:
        """Contracts offered at the ask."""
        return (self.yes_size if side == "yes" else self.no_size) or 0.0


def reject_reason(quote: Quote, now: float) -> str | None:
    """Why this quote must not be traded on, in the documented words, or None when it is good."""
    if not quote.venue or not quote.market_id:
        return "missing_identity"
    if not math.isfinite(quote.observed_at) or quote.observed_at <= 0:
        return "invalid_observed_at"
    if quote.observed_at > now + FUTURE_TOLERANCE_SECONDS:
        return "future_observed_at"
    return _numbers_reason(quote)


def _numbers_reason(quote: Quote) -> str | None:
    if quote.yes_ask is None or quote.no_ask is None or quote.yes_size is None or quote.no_size is None:
        return "missing_required_field"
    prices = [p for p in (quote.yes_ask, quote.no_ask, quote.yes_bid, quote.no_bid) if p is not None]
    if not all(map(math.isfinite, (*prices, quote.yes_size, quote.no_size, quote.fee_per_contract))):
        return "non_finite_numeric"
    if not all(0.0 <= price <= 1.0 for price in prices):
        return "price_out_of_range"
    if quote.yes_size <= 0 or quote.no_size <= 0:
        return "non_positive_size"
    if quote.fee_per_contract < 0:
        return "negative_fee"
    return None
