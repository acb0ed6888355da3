"""Sells what should go: contracts that no other leg covers, which count as unhedged until then, and holdings
that a person ordered to be closed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arb_bot import OrderRejected, TradingHalted, VenueUnavailable, order_store
from arb_bot.execution import POLL_SECONDS, Executor
from arb_bot.money import to_micros
from arb_bot.order_desk import Fill, OrderDesk, Ticket
from arb_bot.portfolio import Holding, Lot, Portfolio
from arb_bot.quotes import reject_reason
from arb_bot.recorder import Recorder
from arb_bot.venue import OrderRequest, Venue, selling_tag

SELL_TOLERANCE = to_micros(0.03)
"""How far below the bid an unwinding order may sell."""
LOWEST_PRICE = to_micros(0.005)
PATIENCE_SECONDS = 5.0
QUICK_ATTEMPTS = 3
SLOW_SECONDS = 30.0
"""After three attempts in a row the next ones come this far apart."""

Unwound = Callable[[Holding, Lot, int, int, float], None]
"""Called with (holding, lot, contracts sold, PnL in micro-dollars, now)."""


@dataclass(slots=True)
class _Attempts:
    count: int = 0
    next_at: float = 0.0
    ticket: Ticket | None = None


class Unwinder:
    """Watches the books for lots that should go and that no execution is working on, and sells them."""

    def __init__(
        self,
        venues: Mapping[str, Venue],
        desk: OrderDesk,
        portfolio: Portfolio,
        *,
        executor: Executor,
        orders: Recorder,
        on_unwound: Unwound,
    ) -> None:
        self._venues = venues
        self._desk = desk
        self._portfolio = portfolio
        self._executor = executor
        self._orders = orders
        self._on_unwound = on_unwound
        self._attempts: dict[str, _Attempts] = {}

    def step(self, now: float, *, may_send: bool) -> None:
        """Look at orders that are due, and send new ones for what should go, unless trading is halted."""
        for holding in list(self._portfolio.holdings.values()):
            if self._executor.is_active(holding.intent_id):
                continue
            for lot in list(holding.lots.values()):
                attempts = self._attempts.get(lot.position_id)
                if attempts is not None and attempts.ticket is not None:
                    self._look(holding, lot, attempts, now)
                elif may_send and lot.contracts and holding.to_sell(lot) > 0:
                    self._send(holding, lot, now)
        held = {lot.position_id for _, lot in self._portfolio.lots()}
        self._attempts = {key: attempts for key, attempts in self._attempts.items() if key in held}

    def read_back(self, now: float, venue: str) -> None:
        """A venue is halted and its orders are cancelled: book what they still got."""
        for holding in list(self._portfolio.holdings.values()):
            for lot in list(holding.lots.values()):
                attempts = self._attempts.get(lot.position_id)
                if lot.venue == venue and attempts is not None and attempts.ticket is not None:
                    self._look(holding, lot, attempts, now, patience=0.0)

    def is_selling(self, holding: Holding) -> bool:
        """Whether an order to sell some of a holding is not read back to its end yet."""
        attempts = (self._attempts.get(lot.position_id) for lot in holding.lots.values())
        return any(a is not None and a.ticket is not None for a in attempts)

    def _send(self, holding: Holding, lot: Lot, now: float) -> None:
        attempts = self._attempts.setdefault(lot.position_id, _Attempts())
        if now < attempts.next_at:
            return
        attempts.count += 1
        attempts.next_at = now + (POLL_SECONDS if attempts.count < QUICK_ATTEMPTS else SLOW_SECONDS)
        try:
            quote = self._venues[lot.venue].quote(lot.market_id)
            bid = None if quote is None or reject_reason(quote, now) else quote.bid(lot.side)
            if bid is None:
                return
            limit = max(LOWEST_PRICE, to_micros(bid) - SELL_TOLERANCE)
            tag = selling_tag(lot.position_id)
            request = OrderRequest(lot.market_id, lot.side, "sell", holding.to_sell(lot), limit, tag)
            attempts.ticket = self._desk.send(lot.venue, request, now)
        except (TradingHalted, OrderRejected, VenueUnavailable):
            return  # still held and shown as such; the next attempt comes

    def _look(
        self,
        holding: Holding,
        lot: Lot,
        attempts: _Attempts,
        now: float,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        ticket = attempts.ticket
        if ticket is None or (patience and now - ticket.looked_at < POLL_SECONDS):
            return
        try:
            self._book(holding, lot, self._desk.look(ticket, now), now)
            if ticket.working and now - ticket.placed_at >= patience:
                self._book(holding, lot, self._desk.cancel(ticket, now), now)
        except VenueUnavailable:
            ticket.looked_at = now
            return
        if not ticket.working:
            attempts.ticket = None

    def _book(self, holding: Holding, lot: Lot, fill: Fill, now: float) -> None:
        if not fill.contracts:
            return
        pnl = self._portfolio.sold(lot, fill.contracts, fill.value, fill.fee)
        # The result first: a start that finds it takes the contracts off and books nothing twice.
        self._on_unwound(holding, lot, fill.contracts, pnl, now)
        if lot.contracts:
            self._orders.write(order_store.put_position(holding.intent_id, lot), now=now)
        else:
            self._orders.write(order_store.close_position(lot.position_id, now), now=now)
        record = self._executor.records.get(holding.intent_id)
        if record is not None:
            record[lot.leg_index].held_fee = lot.fees
            self._orders.write(order_store.update_leg(record[lot.leg_index], now), now=now)
        if self._portfolio.drop_if_empty(holding):
            self._executor.records.pop(holding.intent_id, None)
