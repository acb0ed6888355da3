"""The orders of one simulated venue: accepted or refused, matched against the books, booked."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from arb_bot import OrderRejected
from arb_bot.fees import FeeSchedule
from arb_bot.money import MICROS, to_usd
from arb_bot.quotes import Side
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import Book, Take
from arb_bot.venue import OrderReport, OrderRequest, WorkingOrder

FindBook = Callable[[str, Side], Book]


@dataclass(slots=True)
class _Order:
    request: OrderRequest
    placed_at: float
    arrives_at: float
    seen: bool = False
    filled: int = 0
    value: int = 0
    weight: int = 0
    fee: int = 0

    @property
    def remaining(self) -> int:
        return self.request.contracts - self.filled


class OrderBoard:
    """Orders by id. Those that work are tried against their books at every `match`."""

    def __init__(self, venue: str, account: Account, fees: FeeSchedule, rng: random.Random) -> None:
        self._venue = venue
        self._account = account
        self._fees = fees
        self._rng = rng
        self._orders: dict[str, _Order] = {}
        self._working: dict[str, _Order] = {}

    def accept(self, order_id: str, request: OrderRequest, *, placed_at: float, arrives_at: float) -> None:
        """Take an order for an open market. Raises OrderRejected for a senseless or uncovered one."""
        if request.contracts <= 0 or not 0 < request.limit_price < MICROS:
            price = to_usd(request.limit_price)
            raise OrderRejected(f"{self._venue} takes no order for {request.contracts} at ${price:g}")
        self._require_cover(request)
        self._orders[order_id] = self._working[order_id] = _Order(request, placed_at, arrives_at)

    def report(self, order_id: str) -> OrderReport:
        """What became of an order. Raises OrderRejected for one that was never accepted."""
        order = self._orders.get(order_id)
        if order is None:
            raise OrderRejected(f"{self._venue} knows no order {order_id}")
        return OrderReport(order_id, order_id in self._working, order.filled, order.value, order.fee)

    def cancel(self, order_id: str) -> None:
        """Take an order off the book; no error when it is gone."""
        self._working.pop(order_id, None)

    def cancel_all(self) -> None:
        """Take every order off the book."""
        self._working.clear()

    def working(self) -> list[WorkingOrder]:
        """Every order on the book."""
        return [
            WorkingOrder(order_id, order.request.market_id, order.placed_at)
            for order_id, order in self._working.items()
        ]

    def close_market(self, market_id: str) -> None:
        """A market is over: its orders go."""
        self._working = {k: o for k, o in self._working.items() if o.request.market_id != market_id}

    def forget_market(self, market_id: str) -> None:
        """Drop what is known of a market's orders."""
        self._orders = {k: o for k, o in self._orders.items() if o.request.market_id != market_id}

    def match(self, book_of: FindBook, now: float, rivals: float) -> None:
        """Try every order that has arrived; `rivals` is the chance that others were faster than it."""
        for order_id, order in list(self._working.items()):
            if now < order.arrives_at:
                continue
            request = order.request
            book = book_of(request.market_id, request.side)
            if not order.seen:
                order.seen = True
                if self._rng.random() < rivals:
                    book.rivals(request.action)
            walk = book.buy if request.action == "buy" else book.sell
            take = walk(order.remaining, request.limit_price)
            if take.contracts:
                self._fill(order, take)
            if not order.remaining:
                del self._working[order_id]

    def _fill(self, order: _Order, take: Take) -> None:
        request = order.request
        order.filled += take.contracts
        order.value += take.value
        order.weight += take.weight
        fee = self._fees.charge(order.filled, order.weight)
        fee_now, order.fee = fee - order.fee, fee
        if request.action == "buy":
            self._account.bought(request.market_id, request.side, take.contracts, take.value + fee_now)
        else:
            self._account.sold(request.market_id, request.side, take.contracts, take.value - fee_now)

    def _require_cover(self, request: OrderRequest) -> None:
        working = [o for o in self._working.values() if o.request.action == request.action]
        if request.action == "buy":
            reserved = sum(order.remaining * order.request.limit_price for order in working)
            if reserved + request.contracts * request.limit_price > self._account.cash:
                raise OrderRejected(f"{self._venue}: insufficient balance")
            return
        key = (request.market_id, request.side)
        offered = sum(o.remaining for o in working if (o.request.market_id, o.request.side) == key)
        if offered + request.contracts > self._account.contracts.get(key, 0):
            raise OrderRejected(f"{self._venue}: not that many contracts held")
