"""A simulated venue: lists events, gives quotes, matches orders against its books, fails now and then.

Orders arrive late, meet what then stands, and rest until cancelled. The feed freezes and the venue goes
down at random; a small share of its quotes is malformed, as real feeds' are.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from arb_bot import OrderRejected, VenueUnavailable
from arb_bot.fees import FeeSchedule
from arb_bot.money import to_usd
from arb_bot.quotes import Quote, Side
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import Book, MakerStyle
from arb_bot.simulated.order_board import OrderBoard
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.world import Event
from arb_bot.venue import CONNECTED, DEGRADED, RECOVERING, OrderReport, OrderRequest, WorkingOrder

MALFORMED_PROBABILITY = 0.0015


@dataclass(frozen=True, slots=True)
class VenueStyle:
    """How a simulated venue behaves. `market_id` is a format for an event's number; rates per market hour.

    `opinion` is how far (in probability) the venue's crowd typically strays from the truth about an
    event, and `opinion_memory` how many seconds it stays with it: what makes two venues differ for a
    while.
    """

    name: str
    market_id: str
    makers: MakerStyle
    fees: FeeSchedule
    opinion: float = 0.015
    opinion_memory: float = 250.0
    latency: tuple[float, float] = (0.3, 1.5)
    outages_per_hour: float = 0.4
    outage_seconds: tuple[float, float] = (10.0, 45.0)
    freezes_per_hour: float = 1.5
    freeze_seconds: tuple[float, float] = (8.0, 30.0)


@dataclass(slots=True)
class _Market:
    event: Event
    yes: Book
    no: Book
    opinion: float


class SimulatedVenue:
    """One venue on top of shared events. `clock_time` turns market seconds into the bot's epoch seconds.

    `catch_up` lets the markets move to the present before anything is answered; `step` is what it calls back.
    """

    def __init__(
        self,
        style: VenueStyle,
        account: Account,
        log: OrderLog,
        rng: random.Random,
        *,
        catch_up: Callable[[], float],
        clock_time: Callable[[float], float],
        estimated_fee: Callable[[], float],
        order_prefix: str,
    ) -> None:
        self.name = style.name
        self.account = account
        self._style = style
        self._log = log
        self._rng = rng
        self._catch_up = catch_up
        self._clock_time = clock_time
        self._estimated_fee = estimated_fee
        self._order_prefix = order_prefix
        self._order_count = 0
        self._board = OrderBoard(style.name, account, style.fees, rng)
        self._markets: dict[str, _Market] = {}
        self._by_slot: dict[int, str] = {}
        self._winners: dict[str, Side] = {}
        self._down_until = self._frozen_until = 0.0
        self._frozen: tuple[Quote, ...] = ()
        self._answered_at: float | None = None
        self._status = RECOVERING

    # What the engine asks

    def status(self) -> str:
        """`connected`; `degraded` while down or frozen; `recovering` until quotes come (again)."""
        now = self._catch_up()
        if now < self._down_until or now < self._frozen_until:
            self._status = DEGRADED
        elif self._status == DEGRADED:
            self._status = RECOVERING
        return self._status

    def last_heartbeat(self) -> float | None:
        """When the venue last answered, epoch seconds."""
        return self._answered_at

    def listed(self) -> int:
        """How many markets are listed."""
        return len(self._markets)

    def quotes(self) -> Sequence[Quote]:
        """The best prices of all markets; the last known ones while the feed is frozen."""
        now = self._answer()
        if now < self._frozen_until:
            self._frozen = self._frozen or tuple(self._current_quotes(now))
            return self._frozen
        self._frozen = ()
        self._status = CONNECTED
        return tuple(self._current_quotes(now))

    def quote(self, market_id: str) -> Quote | None:
        """The best prices of one market, as the feed has them."""
        return next((quote for quote in self.quotes() if quote.market_id == market_id), None)

    def place(self, request: OrderRequest) -> str:
        """Take an order; it meets the book after the venue's latency."""
        now = self._answer()
        self._order_count += 1
        order_id = f"{self._order_prefix}-{self._order_count}"
        try:
            self._log.place(self._clock_time(now), order_id, request)
        except OSError as exc:
            raise OrderRejected(f"{self.name} cannot keep its order log: {exc.strerror or exc}") from exc
        if request.market_id not in self._markets:
            raise OrderRejected(f"{self.name} has no open market {request.market_id}")
        arrives = now + self._rng.uniform(*self._style.latency)
        self._board.accept(order_id, request, placed_at=self._clock_time(now), arrives_at=arrives)
        return order_id

    def report(self, order_id: str) -> OrderReport:
        """What became of an order; one of an earlier session is unknown here and raises `OrderRejected`."""
        self._answer()
        return self._board.report(order_id)

    def cancel(self, order_id: str) -> None:
        """Take an order off the book."""
        now = self._answer()
        self._board.cancel(order_id)
        self._log.cancel(self._clock_time(now), order_id)

    def cancel_all(self) -> None:
        """Take every order off the book."""
        now = self._answer()
        self._board.cancel_all()
        self._log.cancel_all(self._clock_time(now))

    def open_orders(self) -> Sequence[WorkingOrder]:
        """Every order on the book."""
        self._answer()
        return self._board.working()

    def winner(self, market_id: str) -> Side | None:
        """The side that a market paid; None while it is open."""
        self._answer()
        return self._winners.get(market_id)

    def balance(self) -> int:
        """Cash in the account, micro-dollars."""
        self._answer()
        return self.account.cash

    def contracts_held(self) -> dict[tuple[str, Side], int]:
        """Contracts in the account."""
        self._answer()
        return dict(self.account.contracts)

    # What the markets tell it

    def step(self, events: Iterable[Event], seconds: float, now: float, rivals: float) -> None:
        """Follow the events to `now`, `seconds` after the last step; `rivals` as for `OrderBoard.match`."""
        self._trouble(seconds, now)
        keep = math.exp(-seconds / self._style.opinion_memory)
        stray = self._style.opinion * math.sqrt(1.0 - keep * keep)
        for event in events:
            market = self._markets.get(self._by_slot.get(event.slot, ""))
            if market is None or market.event is not event:
                market = self._list(event, now)
            market.opinion = keep * market.opinion + self._rng.gauss(0.0, stray)
            believed = event.probability + market.opinion
            market.yes.follow(believed, now)
            market.no.follow(1.0 - believed, now)
        if now >= self._down_until:
            self._board.match(self._book, now, rivals)

    def resolve(self, number: int, outcome: bool) -> None:
        """An event is over: pay the account and take its market's orders off the book."""
        market_id = self._style.market_id.format(number)
        self._winners[market_id] = "yes" if outcome else "no"
        self.account.pay_out(market_id, self._winners[market_id])
        self._board.close_market(market_id)

    def forget(self, number: int) -> None:
        """Drop what is known of an event that is long over."""
        market_id = self._style.market_id.format(number)
        self._winners.pop(market_id, None)
        self._board.forget_market(market_id)

    def close(self) -> None:
        """The session is over: its orders go, the log is closed."""
        self._board.cancel_all()
        self._log.close()

    # Inside

    def _answer(self) -> float:
        now = self._catch_up()
        if now < self._down_until:
            raise VenueUnavailable(f"{self.name} does not answer")
        self._answered_at = self._clock_time(now)
        return now

    def _trouble(self, seconds: float, now: float) -> None:
        style, hours = self._style, seconds / 3600.0
        if self._rng.random() < style.outages_per_hour * hours:
            self._down_until = now + self._rng.uniform(*style.outage_seconds)
        if self._rng.random() < style.freezes_per_hour * hours:
            self._frozen_until = now + self._rng.uniform(*style.freeze_seconds)

    def _book(self, market_id: str, side: Side) -> Book:
        market = self._markets[market_id]
        return market.yes if side == "yes" else market.no

    def _list(self, event: Event, now: float) -> _Market:
        self._markets.pop(self._by_slot.get(event.slot, ""), None)
        market_id = self._style.market_id.format(event.number)
        makers, opinion = self._style.makers, self._rng.gauss(0.0, self._style.opinion)
        believed = event.probability + opinion
        market = _Market(
            event,
            Book(self._rng, makers, believed, now),
            Book(self._rng, makers, 1.0 - believed, now),
            opinion,
        )
        self._markets[market_id] = market
        self._by_slot[event.slot] = market_id
        return market

    def _current_quotes(self, now: float) -> Iterable[Quote]:
        fee = self._estimated_fee()
        for market_id, market in self._markets.items():
            yes, no = market.yes, market.no
            quote = Quote(
                venue=self.name,
                market_id=market_id,
                title=market.event.title,
                observed_at=self._clock_time(now) - self._rng.uniform(0.1, 1.2),
                yes_bid=to_usd(yes.bid),
                yes_ask=to_usd(yes.ask),
                no_bid=to_usd(no.bid),
                no_ask=to_usd(no.ask),
                yes_size=float(yes.ask_size),
                no_size=float(no.ask_size),
                fee_per_contract=fee,
                settles_at=self._clock_time(market.event.resolves_at),
            )
            yield self._malformed(quote) if self._rng.random() < MALFORMED_PROBABILITY else quote

    def _malformed(self, quote: Quote) -> Quote:
        broken: tuple[dict[str, float | str | None], ...] = (
            {"market_id": ""},
            {"observed_at": math.nan},
            {"observed_at": quote.observed_at + 3600.0},
            {"yes_ask": None},
            {"no_ask": math.inf},
            {"yes_ask": 1.04},
            {"no_size": 0.0},
            {"fee_per_contract": -0.01},
        )
        return replace(quote, **self._rng.choice(broken))  # type: ignore[arg-type] # each is a field of its type
