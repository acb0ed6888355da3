"""Takes up what an earlier session left: positions, cash, working orders, and the reasons to look first.

What a start does, in this order:

1. Every order that is still on a venue's book is cancelled, and the venue's list is read again. A venue that
   does not answer is *unknown*, never empty: its orders stay out of the state until its list was read.
2. Fills that a venue knows and the stores do not are booked (`repair`), and intents that were being opened
   are closed by what their legs got.
3. Open intents found, contracts without a counterpart, an unknown venue, or a venue that still disagrees
   with the store put the session into safe mode, with these reasons. The next start is clean when nothing
   of it is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arb_bot import VenueUnavailable, repair
from arb_bot.analytics_store import AnalyticsStore
from arb_bot.money import MICROS
from arb_bot.order_store import LegRecord, OrderStore
from arb_bot.portfolio import Portfolio
from arb_bot.quotes import Side
from arb_bot.relations import Market
from arb_bot.venue import Venue

MOST_LOOKS = 10


@dataclass(slots=True)
class Recovered:
    """The books as they stand, the legs of each holding, and why to be careful (empty: no reason).

    `cancelled` counts orders taken off each venue's book; `unknown` are venues that did not answer.
    """

    portfolio: Portfolio
    records: dict[str, list[LegRecord]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    cancelled: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def as_state(self) -> dict[str, object]:
        """The state's `recovery`: the reasons, and by venue how many orders were cancelled, or `unknown`."""
        orders: dict[str, object] = {**self.cancelled, **dict.fromkeys(self.unknown, "unknown")}
        return {"reasons": list(self.reasons), "cancelled_orders": orders}


def recover(
    store: OrderStore, analytics: AnalyticsStore, venues: Mapping[str, Venue], now: float
) -> Recovered:
    """Books from the stores and the venues' own records.

    Raises StoreWriteFailed, and VenueUnavailable when a balance cannot be read.
    """
    found = Recovered(Portfolio({name: venue.balance() for name, venue in venues.items()}))
    _clear_books(found, venues)
    answering = {name: venue for name, venue in venues.items() if name not in found.unknown}
    interrupted = store.open_intents()
    for intent_id in interrupted:
        repair.close_interrupted(store, intent_id, answering, now)
    repair.finish_results(store, analytics.file, answering, now)
    found.portfolio.realized = analytics.realized()
    elsewhere = 0
    for holding in store.open_holdings():
        if all(lot.venue in venues for lot in holding.lots.values()):
            found.portfolio.open(holding)
            found.records[holding.intent_id] = store.legs(holding.intent_id)
        else:
            elsewhere += 1
    unhedged = sum(len(holding.unhedged()) for holding in found.portfolio.holdings.values())
    counts = (
        (len(interrupted), "open intent(s) from prior session"),
        (unhedged, "unhedged position(s)"),
        (elsewhere, "holding(s) at a venue that is not enabled"),
    )
    found.reasons += [f"{count} {what}" for count, what in counts if count]
    found.reasons += [f"{name} did not answer: its working orders are unknown" for name in found.unknown]
    found.reasons += _take_stock(found.portfolio, venues, answering)
    return found


def _clear_books(found: Recovered, venues: Mapping[str, Venue]) -> None:
    """Take what an earlier session left off the venues' books, proven by their lists."""
    for name, venue in venues.items():
        try:
            orders = venue.open_orders()
            if orders:
                venue.cancel_all()
                orders_left = venue.open_orders()
            else:
                orders_left = ()
        except VenueUnavailable:
            found.unknown.append(name)
            continue
        if orders_left:
            found.unknown.append(name)
        else:
            found.cancelled[name] = len(orders)


def _take_stock(
    portfolio: Portfolio, venues: Mapping[str, Venue], answering: Mapping[str, Venue]
) -> list[str]:
    """Cash as the venues have it, less what they have paid for positions that are not booked as settled yet;
    returns where their contracts are not the store's.

    A market may pay while they are asked one after the other: asked again until nothing has moved.
    """
    for _ in range(MOST_LOOKS):
        stock = _stock(venues)
        paid = _paid(portfolio, answering)
        sentences = _disagreements(portfolio, answering, paid)
        if _stock(venues) == stock:
            break
    portfolio.cash = {name: balance for name, (balance, _) in stock.items()}
    for _, lot in portfolio.lots():
        if paid.get((lot.venue, lot.market_id)) == lot.side:
            portfolio.cash[lot.venue] -= lot.contracts * MICROS
    return sentences


def _stock(venues: Mapping[str, Venue]) -> dict[str, tuple[int, dict[tuple[str, Side], int]]]:
    return {name: (venue.balance(), venue.contracts_held()) for name, venue in venues.items()}


def _paid(portfolio: Portfolio, venues: Mapping[str, Venue]) -> dict[Market, Side]:
    """The sides that markets of open positions have paid."""
    paid: dict[Market, Side] = {}
    for _, lot in portfolio.lots():
        winner = venues[lot.venue].winner(lot.market_id) if lot.venue in venues else None
        if winner is not None:
            paid[lot.venue, lot.market_id] = winner
    return paid


def _disagreements(
    portfolio: Portfolio, venues: Mapping[str, Venue], paid: Mapping[Market, Side]
) -> list[str]:
    """Where a venue's contracts are not the store's, markets that have paid left out."""
    known: dict[str, dict[tuple[str, Side], int]] = {name: {} for name in venues}
    for _, lot in portfolio.lots():
        if lot.venue in venues and (lot.venue, lot.market_id) not in paid:
            key, contracts = (lot.market_id, lot.side), known[lot.venue]
            contracts[key] = contracts.get(key, 0) + lot.contracts
    sentences = []
    for name, venue in venues.items():
        held = venue.contracts_held()
        for market_id, side in sorted({*held, *known[name]}):
            there, here = held.get((market_id, side), 0), known[name].get((market_id, side), 0)
            if there != here:
                sentences.append(f"{name} holds {there} {side} of {market_id}, the order store knows {here}")
    return sentences
