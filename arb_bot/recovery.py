"""Takes up what an earlier session left: positions, cash, and the reasons to look before trading again.

Intents that were being opened when the earlier session died are closed in the store by what is known of
their legs. That, contracts without a counterpart, or a venue that disagrees with the store put this
session into safe mode; the next start is clean when nothing of it is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from arb_bot import order_store
from arb_bot.money import MICROS
from arb_bot.order_store import LegRecord, OrderStore
from arb_bot.portfolio import Portfolio
from arb_bot.quotes import Side
from arb_bot.venue import Venue


@dataclass(frozen=True, slots=True)
class Recovered:
    """The books as they stand, the legs of each open intent, and why to be careful (empty: no reason)."""

    portfolio: Portfolio
    records: dict[str, list[LegRecord]]
    reasons: tuple[str, ...]


def recover(store: OrderStore, venues: Mapping[str, Venue], realized: int, now: float) -> Recovered:
    """Books from the store and the venues' balances. Raises StoreWriteFailed, VenueUnavailable."""
    portfolio = Portfolio({name: venue.balance() for name, venue in venues.items()}, realized)
    records, elsewhere = {}, 0
    for holding in store.open_holdings():
        if all(lot.venue in venues for lot in holding.lots.values()):
            portfolio.open(holding)
            records[holding.intent_id] = store.legs(holding.intent_id)
        else:
            elsewhere += 1
    interrupted = _close_interrupted(store, now)
    reasons = []
    if interrupted:
        reasons.append(f"{interrupted} open intent(s) from prior session")
    unhedged = sum(len(holding.unhedged()) for holding in portfolio.holdings.values())
    if unhedged:
        reasons.append(f"{unhedged} unhedged position(s)")
    if elsewhere:
        reasons.append(f"{elsewhere} holding(s) at a venue that is not enabled")
    reasons.extend(_disagreements(portfolio, venues))
    return Recovered(portfolio, records, tuple(reasons))


def _close_interrupted(store: OrderStore, now: float) -> int:
    interrupted = store.open_intents()
    for intent_id in interrupted:
        legs = store.legs(intent_id)
        for leg in legs:
            if leg.status in (order_store.PENDING, order_store.SUBMITTED):
                leg.status = order_store.FILLED if leg.filled else order_store.CANCELLED
        store.file.write(
            *(order_store.update_leg(leg, now) for leg in legs),
            order_store.update_intent(
                intent_id,
                order_store.intent_status(legs),
                min(leg.filled for leg in legs),
                "the session ended while it was being opened",
                now,
            ),
        )
    return len(interrupted)


def _disagreements(portfolio: Portfolio, venues: Mapping[str, Venue]) -> list[str]:
    """Where a venue's contracts are not the store's.

    What a venue has paid already is taken off the cash, until its settlement is booked.
    """
    known: dict[str, dict[tuple[str, Side], int]] = {name: {} for name in venues}
    for _, lot in portfolio.lots():
        winner = venues[lot.venue].winner(lot.market_id)
        if winner is None:
            key, contracts = (lot.market_id, lot.side), known[lot.venue]
            contracts[key] = contracts.get(key, 0) + lot.contracts
        elif winner == lot.side:
            portfolio.cash[lot.venue] -= lot.contracts * MICROS
    sentences = []
    for name, venue in venues.items():
        held = venue.contracts_held()
        for market_id, side in sorted({*held, *known[name]}):
            there, here = held.get((market_id, side), 0), known[name].get((market_id, side), 0)
            if there != here:
                sentences.append(f"{name} holds {there} {side} of {market_id}, the order store knows {here}")
    return sentences
