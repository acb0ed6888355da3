"""Brings both stores of a session that died to what the venues know, so that nothing is lost or doubled.

Every order carries a tag: the leg's id when it buys, the position's when it sells. Results are written to
the analytics store before the order store forgets what they came from; so a result that is in the first and
not in the second has been booked already, and only the second is brought up.
"""

import json
from collections.abc import Iterable, Mapping

from arb_bot import VenueUnavailable, order_store
from arb_bot.analytics_store import SETTLEMENT, UNWIND, Realized, insert_fill
from arb_bot.money import MICROS, share
from arb_bot.order_store import LegRecord, OrderStore
from arb_bot.portfolio import Holding, Lot
from arb_bot.sqlite_file import SqliteFile, Statement
from arb_bot.venue import OrderReport, Venue, selling_tag

RECOVERY = "recovery"
"""Stands as the session of results that are booked at a start."""


def close_interrupted(store: OrderStore, intent_id: str, venues: Mapping[str, Venue], now: float) -> bool:
    """Book what the venues know of an intent's legs, then close it; False while one of them is unknown."""
    rows = store.file.read(
        "SELECT venue, market_id, side FROM leg_executions WHERE intent_id = ? ORDER BY leg_index",
        (intent_id,),
    )
    legs, statements = store.legs(intent_id), []
    try:
        for index, (leg, row) in enumerate(zip(legs, rows, strict=True)):
            told = total(venues[row["venue"]].orders_tagged(leg.leg_id))
            if told.filled > leg.filled:
                venue, market_id, side = row
                new = Lot(leg.leg_id, index, venue, market_id, market_id, side, now)
                lot = _grown(store, intent_id, new, leg, told)
                statements.append(order_store.put_position(intent_id, lot))
                leg.held_fee += told.fee - leg.fee
                leg.filled, leg.cost, leg.fee = told.filled, told.value, told.fee
            leg.order_id = leg.order_id or told.order_id or None
            if leg.status in (order_store.PENDING, order_store.SUBMITTED):
                leg.status = order_store.FILLED if leg.filled else order_store.CANCELLED
    except (KeyError, VenueUnavailable):
        return False
    store.file.write(
        *statements,
        *(order_store.update_leg(leg, now) for leg in legs),
        order_store.update_intent(
            intent_id,
            order_store.intent_status(legs),
            min(leg.filled for leg in legs),
            "the session ended while it was being opened",
            now,
        ),
    )
    return True


def finish_results(store: OrderStore, analytics: SqliteFile, venues: Mapping[str, Venue], now: float) -> None:
    """Book sales that the stores never heard of, and close what was settled. Raises VenueUnavailable."""
    booked = _booked(analytics)
    for holding in store.open_holdings():
        if (holding.intent_id, SETTLEMENT) in booked:
            closing = [order_store.close_position(lot.position_id, now) for lot in holding.lots.values()]
            store.file.write(*closing)
            continue
        for lot in list(holding.lots.values()):
            if lot.venue not in venues:
                continue
            told = total(venues[lot.venue].orders_tagged(selling_tag(lot.position_id)))
            known = booked.get((holding.intent_id, lot.position_id), 0)
            _finish_sale(store, analytics, holding, lot, sales=(told, known), now=now)


def total(reports: Iterable[OrderReport]) -> OrderReport:
    """Several orders as one: sums, and the id of the last."""
    order_id, filled, value, fee = "", 0, 0, 0
    for report in reports:
        order_id = report.order_id
        filled, value, fee = filled + report.filled, value + report.value, fee + report.fee
    return OrderReport(order_id, False, filled, value, fee)


def _grown(store: OrderStore, intent_id: str, new: Lot, leg: LegRecord, told: OrderReport) -> Lot:
    """The position of a leg with everything that its orders got; `new` where the store has none yet."""
    rows = store.file.read(
        "SELECT * FROM positions WHERE intent_id = ? AND venue = ? AND market_id = ? AND side = ?",
        (intent_id, new.venue, new.market_id, new.side),
    )
    for row in rows:
        new.position_id, new.opened_at = row["position_id"], row["opened_at"]
        new.contracts = row["net_contracts"]
        new.cost = round(row["average_entry"] * row["net_contracts"] * MICROS)
    new.contracts += told.filled - leg.filled
    new.cost += told.value - leg.cost
    return new


def _booked(analytics: SqliteFile) -> dict[tuple[str, str], int]:
    """Contracts of the analytics store by intent, and by `settlement` or the id of the position sold."""
    found: dict[tuple[str, str], int] = {}
    for row in analytics.read("SELECT intent_id, filled_contracts, metadata_json FROM fills"):
        metadata = json.loads(row["metadata_json"])
        key = row["intent_id"], metadata.get("position_id") or metadata["event"]
        found[key] = found.get(key, 0) + row["filled_contracts"]
    return found


def _finish_sale(
    store: OrderStore,
    analytics: SqliteFile,
    holding: Holding,
    lot: Lot,
    *,
    sales: tuple[OrderReport, int],
    now: float,
) -> None:
    """`sales`: what the venue says was sold of a lot, and the contracts that the analytics store has."""
    leg, (told, known) = store.legs(holding.intent_id)[lot.leg_index], sales
    sold = max(told.filled, known)
    unbooked, unclosed = sold - known, sold - (leg.filled - lot.contracts)
    if unbooked > 0:
        proceeds = share(told.value, unbooked, sold) - share(told.fee, unbooked, sold)
        paid = share(lot.cost + lot.fees, unbooked, lot.contracts)
        result = Realized(UNWIND, lot.venue, unbooked, unbooked, proceeds - paid, lot.position_id)
        analytics.write(insert_fill(holding, result, session=RECOVERY, now=now))
    if unclosed > 0:
        lot.cost -= share(lot.cost, unclosed, lot.contracts)
        leg.held_fee -= share(lot.fees, unclosed, lot.contracts)
        lot.contracts -= unclosed
        changed: Statement = order_store.close_position(lot.position_id, now)
        if lot.contracts:
            changed = order_store.put_position(holding.intent_id, lot)
        store.file.write(changed, order_store.update_leg(leg, now))
