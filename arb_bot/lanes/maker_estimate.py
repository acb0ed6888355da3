"""The prices at which orders would rest instead of taking: what a maker would pay, as an estimate.

An order one tick above the best bid is the first to be served; where that would already meet the ask, it
joins the bid. The size is the displayed one of the ask, for want of a better guess.
"""

from collections.abc import Mapping
from dataclasses import replace

from arb_bot.lanes import MarketView
from arb_bot.opportunity import MAKER_ESTIMATE

USUAL_TICK = 0.01
"""Smallest step of prices, in dollars, where none is set for a venue."""


def maker_view(view: MarketView, ticks: Mapping[str, float]) -> MarketView:
    """The same markets at a maker's prices; a side without a bid has none. `ticks` in dollars by venue."""
    quotes = {
        market: replace(
            quote,
            yes_ask=_maker_price(quote.yes_bid, quote.yes_ask, tick),
            no_ask=_maker_price(quote.no_bid, quote.no_ask, tick),
        )
        for market, quote in view.quotes.items()
        for tick in (ticks.get(market[0], USUAL_TICK),)
    }
    return MarketView(quotes, view.relations, MAKER_ESTIMATE)


def _maker_price(bid: float | None, ask: float | None, tick: float) -> float | None:
    if bid is None or ask is None:
        return None
    better = round(bid + tick, 9)
    return better if better < ask else bid
