"""The step that all lanes share: contracts of several quotes bought together, where that leaves enough."""

from collections.abc import Iterable, Mapping, Sequence

from arb_bot.lanes import NOISE, MarketView
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.quotes import Quote, Side
from arb_bot.relations import Market

Choice = tuple[Quote, Side]


def quotes_of(view: MarketView, markets: Iterable[Market]) -> list[Quote] | None:
    """The quotes of all these markets in their order; None where one is missing."""
    found = [view.quotes.get(market) for market in markets]
    complete = [quote for quote in found if quote is not None]
    return complete if len(complete) == len(found) else None


def combination(
    kind: str,
    match_key: str,
    choices: Sequence[Choice],
    view: MarketView,
    floor: float,
    *,
    fee: float | None = None,
    payout: float = 1.0,
    match_score: float = 1.0,
    metadata: Mapping[str, object] | None = None,
) -> Opportunity | None:
    """These contracts bought together, or None where the net edge is below `floor` or a price is missing.

    `fee` in dollars a set; the sum of the quotes' fees where it is not given, as for every lane but intra.
    """
    cost = fees = 0.0
    for quote, side in choices:
        cost += quote.ask(side)
        fees += quote.fee_per_contract
    if fee is None:
        fee = fees
    if not payout - cost - fee >= floor - NOISE:  # a missing price makes the edge NaN, which is no edge
        return None
    return Opportunity(
        kind=kind,
        match_key=match_key,
        legs=tuple(Leg.of(quote, side) for quote, side in choices),
        fee=fee,
        payout=payout,
        execution_style=view.style,
        match_score=match_score,
        metadata=metadata or {},
    )
