"""The orders of one paper venue: accepted or refused, matched against the books, booked, remembered."""

import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Protocol

from arb_bot import OrderRejected
from arb_bot.fees import FeeSchedule
from arb_bot.money import MICROS, to_usd
from arb_bot.quotes import Side
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import Take
from arb_bot.venue import OrderReport, OrderRequest, WorkingOrder

REMEMBERED_SECONDS = 600.0
"""Orders that are done are kept in the venue's file for so long, for a bot that died before it read them."""


class TradedBook(Protocol):
    """What an order meets: one side of one market."""

    def buy(self, contracts: int, limit: int) -> Take:
        """Take asks up to `limit` micro-dollars."""
        ...

    def sell(self, contracts: int, limit: int) -> Take:
        """Hit bids down to `limit` micro-dollars."""
        ...

    def rivals(self, action: str) -> None:
        """Others were faster."""
        ...


FindBook = Callable[[str, Side], TradedBook]


@dataclass(slots=True)
class Order:
    """An order and what it got. Times: `placed_at` epoch seconds, `arrives_at` the venue's own."""

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
        """Contracts not filled yet."""
        return self.request.contracts - self.filled


@dataclass(frozen=True, slots=True)
class Execution:
    """Contracts that an order just got, their price and fee in micro-dollars."""

    order_id: str
    order: Order
    contracts: int
    value: int
    fee: int


class OrderBoard:
    """Orders by id. Those that work are tried against their books at every `match`.

    `changes` counts what happened to orders.
    """

    def __init__(self, venue: str, account: Account, fees: FeeSchedule, rng: random.Random) -> None:
        self._venue = venue
        self._account = account
        self._fees = fees
        self._rng = rng
        self._orders: dict[str, Order] = {}
        self._working: dict[str, Order] = {}
        self.changes = 0

    def accept(self, order_id: str, request: OrderRequest, *, placed_at: float, arrives_at: float) -> None:
        """Take an order for an open market. Raises OrderRejected for a senseless or uncovered one."""
        if request.contracts <= 0 or not 0 < request.limit_price < MICROS:
            price = to_usd(request.limit_price)
            raise OrderRejected(f"{self._venue} takes no order for {request.contracts} at ${price:g}")
        self._require_cover(request)
        self._orders[order_id] = self._working[order_id] = Order(request, placed_at, arrives_at)
        self.changes += 1

    def report(self, order_id: str) -> OrderReport:
        """What became of an order. Raises OrderRejected for one that was never accepted."""
        order = self._orders.get(order_id)
        if order is None:
            raise OrderRejected(f"{self._venue} knows no order {order_id}")
        return OrderReport(order_id, order_id in self._working, order.filled, order.value, order.fee)

    def tagged(self, tag: str) -> list[OrderReport]:
        """What became of every order with that tag."""
        return [self.report(order_id) for order_id, order in self._orders.items() if order.request.tag == tag]

    def cancel(self, order_id: str) -> None:
        """Take an order off the book; no error when it is gone."""
        if self._working.pop(order_id, None) is not None:
            self.changes += 1

    def cancel_all(self) -> None:
        """Take every order off the book."""
        self.changes += len(self._working)
        self._working.clear()

    def working(self) -> list[WorkingOrder]:
        """Every order on the book."""
        return [
            WorkingOrder(order_id, order.request.market_id, order.placed_at)
            for order_id, order in self._working.items()
        ]

    def close_market(self, market_id: str) -> None:
        """A market is over: its orders go."""
        for order_id in [k for k, o in self._working.items() if o.request.market_id == market_id]:
            self.cancel(order_id)

    def forget_market(self, market_id: str) -> None:
        """Drop what is known of a market's orders."""
        self._orders = {k: o for k, o in self._orders.items() if o.request.market_id != market_id}

    def match(self, book_of: FindBook, now: float, rivals: float) -> list[Execution]:
        """Try every order that has arrived; `rivals` is the chance that others were faster than it."""
        executions = []
        for order_id, order in list(self._working.items()):
            if now < order.arrives_at:
                continue
            request = order.request
            book = book_of(request.market_id, request.side)
            if not order.seen:
                order.seen = True
                if rivals and self._rng.random() < rivals:
                    book.rivals(request.action)
            walk = book.buy if request.action == "buy" else book.sell
            take = walk(order.remaining, request.limit_price)
            if take.contracts:
                executions.append(self._fill(order_id, order, take))
            if not order.remaining:
                del self._working[order_id]
        return executions

    def remembered(self, now: float) -> list[dict[str, object]]:
        """Orders as the venue's file keeps them: those that work and the latest of the others."""
        return [
            {**asdict(order), "order_id": order_id, "working": order_id in self._working}
            for order_id, order in self._orders.items()
            if order_id in self._working or now - order.placed_at < REMEMBERED_SECONDS
        ]

    def restore(self, orders: Iterable[dict[str, object]]) -> None:
        """Take up the orders of an earlier session. Raises TypeError, KeyError for what is none."""
        for kept in orders:
            fields = dict(kept)
            order_id, working = str(fields.pop("order_id")), fields.pop("working")
            request = OrderRequest(**fields.pop("request"))  # type: ignore[arg-type] # as it was written
            order = Order(request, **fields)  # type: ignore[arg-type] # as it was written
            order.arrives_at = 0.0  # it has reached the book long ago
            self._orders[order_id] = order
            if working:
                self._working[order_id] = order

    def _fill(self, order_id: str, order: Order, take: Take) -> Execution:
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
        self.changes += 1
        return Execution(order_id, order, take.contracts, take.value, fee_now)

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
