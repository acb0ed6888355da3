"""A simulated venue: lists events, gives quotes, matches orders against its books, fails now and then.

Orders arrive late, meet what then stands, and rest until cancelled. The feed freezes and the venue goes
down at random; a small share of its quotes is malformed, as real feeds' are.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from arb_bot import VenueUnavailable
from arb_bot.fees import FeeSchedule
from arb_bot.money import to_usd
from arb_bot.quotes import Quote, Side
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import Book, MakerStyle
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.paper_venue import OrderSide, PaperVenue
from arb_bot.simulated.world import Event
from arb_bot.trading_hours import Quiet, WeeklyPause, quiet_at

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
    freeze_seconds: tuple[float, float] = (8.0, 60.0)
    pauses: tuple[WeeklyPause, ...] = ()


@dataclass(slots=True)
class _Market:
    event: Event
    yes: Book
    no: Book
    opinion: float


class SimulatedVenue(PaperVenue):
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
        durable: Callable[[], None],
    ) -> None:
        super().__init__(
            OrderSide(style.name, style.fees, style.latency),
            account,
            log,
            rng,
            clock_time=clock_time,
            order_prefix=order_prefix,
            durable=durable,
        )
        self._style = style
        self._catch_up = catch_up
        self._estimated_fee = estimated_fee
        self._markets: dict[str, _Market] = {}
        self._by_slot: dict[int, str] = {}
        self._down_until = self._frozen_until = 0.0
        self._frozen: tuple[Quote, ...] = ()
        self._answered_at: float | None = None

    # What the engine asks; orders and account are the paper venue's

    def planned(self, ahead: float = 0.0) -> Quiet | None:
        """The weekly pause that holds, or begins within `ahead` seconds; known without asking the venue."""
        return quiet_at(self._style.pauses, self._clock_time(self._catch_up()), ahead)

    def last_heartbeat(self) -> float | None:
        """When the venue last answered, epoch seconds."""
        return self._answered_at

    def listed(self) -> int:
        """How many markets are listed."""
        return len(self._markets)

    def quotes(self) -> Sequence[Quote]:
        """The best prices of all markets; the last known ones while the feed is frozen, none in a pause."""
        now = self._answer()
        if self.planned() is not None:
            return ()
        if now < self._frozen_until:
            self._frozen = self._frozen or tuple(self._current_quotes(now))
            return self._frozen
        self._frozen = ()
        return tuple(self._current_quotes(now))

    def quote(self, market_id: str) -> Quote | None:
        """The best prices of one market, as the feed has them."""
        return next((quote for quote in self.quotes() if quote.market_id == market_id), None)

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
        if now >= self._down_until and quiet_at(self._style.pauses, self._clock_time(now)) is None:
            self._match(self._book, now, rivals)

    def resolve(self, number: int, outcome: bool, now: float) -> None:
        """An event is over: pay the account and take its market's orders off the book."""
        self._pay(self._style.market_id.format(number), "yes" if outcome else "no", now)

    def forget(self, number: int) -> None:
        """Drop what is known of an event that is long over."""
        market_id = self._style.market_id.format(number)
        self._winners.pop(market_id, None)
        self.board.forget_market(market_id)

    # Inside

    def _answer(self) -> float:
        now = self._catch_up()
        if now < self._down_until:
            raise VenueUnavailable(f"{self.name} does not answer")
        self._answered_at = self._clock_time(now)
        return now

    def _is_open(self, market_id: str) -> bool:
        return market_id in self._markets

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
