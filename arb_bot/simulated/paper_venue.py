"""The order side of a venue that trades on paper: takes orders, matches them, keeps the account and the log.

Whoever quotes builds on it: the simulated markets, and the replay of recorded quotes. What an answer told
stands in the venue's file before the answer is given, so that a bot that dies finds at the venue what it
was told, and at most more.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arb_bot import OrderRejected, VenueUnavailable
from arb_bot.fees import FeeSchedule
from arb_bot.quotes import Side
from arb_bot.simulated.account import Account
from arb_bot.simulated.order_board import FindBook, OrderBoard
from arb_bot.simulated.order_log import OrderLog
from arb_bot.trading_hours import Quiet
from arb_bot.venue import OrderReport, OrderRequest, WorkingOrder


@dataclass(frozen=True, slots=True)
class OrderSide:
    """How a paper venue takes orders: seconds until one meets the book, and what it charges."""

    name: str
    fees: FeeSchedule
    latency: tuple[float, float]


class PaperVenue(ABC):
    """Orders and account of one venue. `durable` writes down what changed and may raise OSError.

    Who builds on it says what time it is at the venue (`_answer`), which markets are open, and when it is
    quiet.
    """

    def __init__(
        self,
        side: OrderSide,
        account: Account,
        log: OrderLog,
        rng: random.Random,
        *,
        clock_time: Callable[[float], float],
        order_prefix: str,
        durable: Callable[[], None],
    ) -> None:
        self.name = side.name
        self.account = account
        self.board = OrderBoard(side.name, account, side.fees, rng)
        self._latency = side.latency
        self._log = log
        self._rng = rng
        self._clock_time = clock_time
        self._order_prefix = order_prefix
        self._order_count = 0
        self._durable = durable
        self._winners: dict[str, Side] = {}

    @property
    def changes(self) -> int:
        """Counts what happened to account and orders."""
        return self.account.changes + self.board.changes

    @abstractmethod
    def planned(self, ahead: float = 0.0) -> Quiet | None:
        """The planned quiet that holds, or begins within `ahead` seconds."""

    def place(self, request: OrderRequest) -> str:
        """Take an order; it meets the book after the venue's latency."""
        now = self._answer()
        self._order_count += 1
        order_id = f"{self._order_prefix}-{self._order_count}"
        try:
            self._log.place(self._clock_time(now), order_id, request)
        except OSError as exc:
            raise OrderRejected(f"{self.name} cannot keep its order log: {exc.strerror or exc}") from exc
        quiet = self.planned()
        if quiet is not None:
            raise OrderRejected(f"{self.name} takes no orders now: {quiet.reason}")
        if not self._is_open(request.market_id):
            raise OrderRejected(f"{self.name} has no open market {request.market_id}")
        arrives = now + self._rng.uniform(*self._latency)
        self.board.accept(order_id, request, placed_at=self._clock_time(now), arrives_at=arrives)
        try:
            self._durable()
        except OSError as exc:
            self.board.cancel(order_id)
            raise OrderRejected(f"{self.name} cannot keep its orders: {exc.strerror or exc}") from exc
        return order_id

    def report(self, order_id: str) -> OrderReport:
        """What became of an order; one that the venue does not know (any more) raises `OrderRejected`."""
        self._answer()
        self._keep()
        return self.board.report(order_id)

    def orders_tagged(self, tag: str) -> Sequence[OrderReport]:
        """What became of every order with that tag, as far back as the venue remembers."""
        self._answer()
        self._keep()
        return self.board.tagged(tag)

    def cancel(self, order_id: str) -> None:
        """Take an order off the book."""
        now = self._answer()
        self.board.cancel(order_id)
        self._log.cancel(self._clock_time(now), order_id)
        self._keep()

    def cancel_all(self) -> None:
        """Take every order off the book."""
        now = self._answer()
        self.board.cancel_all()
        self._log.cancel_all(self._clock_time(now))
        self._keep()

    def open_orders(self) -> Sequence[WorkingOrder]:
        """Every order on the book."""
        self._answer()
        self._keep()
        return self.board.working()

    def winner(self, market_id: str) -> Side | None:
        """The side that a market paid; None while it is open."""
        self._answer()
        winner = self._winners.get(market_id)
        if winner is not None:
            self._keep()
        return winner

    def balance(self) -> int:
        """Cash in the account, micro-dollars."""
        self._answer()
        self._keep()
        return self.account.cash

    def contracts_held(self) -> dict[tuple[str, Side], int]:
        """Contracts in the account."""
        self._answer()
        self._keep()
        return dict(self.account.contracts)

    def close(self) -> None:
        """The session is over: its orders go, the log is closed."""
        self.board.cancel_all()
        self._log.close()

    @abstractmethod
    def _answer(self) -> float:
        """The venue's time now. Raises VenueUnavailable while it does not answer."""

    @abstractmethod
    def _is_open(self, market_id: str) -> bool:
        """Whether orders in a market are taken now."""

    def _keep(self) -> None:
        try:
            self._durable()
        except OSError as exc:
            raise VenueUnavailable(f"{self.name} cannot keep its account: {exc.strerror or exc}") from exc

    def _match(self, book_of: FindBook, now: float, rivals: float = 0.0) -> None:
        for execution in self.board.match(book_of, now, rivals):
            self._log.fill(self._clock_time(now), execution)

    def _pay(self, market_id: str, winner: Side, now: float) -> None:
        """A market is over: pay the account and take its orders off the book."""
        held = {side: self.account.contracts[market_id, side] for side in self.account.sides(market_id)}
        self._winners[market_id] = winner
        self.account.pay_out(market_id, winner)
        self.board.close_market(market_id)
        if held:
            self._log.payout(self._clock_time(now), market_id, winner, held)
