"""The venues of a recording: quotes as they were, orders on paper against them, moved by the clock."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arb_bot import StartRefused
from arb_bot.clock import Clock
from arb_bot.quotes import Quote, Side, reject_reason
from arb_bot.relations import Market, Relations
from arb_bot.replay.book import TopOfBook
from arb_bot.replay.recording import Line
from arb_bot.replay.timeline import TAIL_SECONDS, Played
from arb_bot.simulated.account import Account
from arb_bot.simulated.markets import STYLES, Listing
from arb_bot.simulated.order_board import TradedBook
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.paper_venue import OrderSide, PaperVenue
from arb_bot.trading_hours import Quiet

GAP = "nothing was recorded here"


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """What is played: sessions on the bot's clock, what is known, assumed outcomes, assumed size."""

    played: tuple[Played, ...]
    relations: Relations
    outcomes: Mapping[Market, tuple[float, str]]
    assumed_size: float
    venues: tuple[str, ...]


class ReplayVenue(PaperVenue):
    """One recorded venue. `quiet` says whether the recording has something at the moment, or soon."""

    def __init__(
        self,
        name: str,
        account: Account,
        log: OrderLog,
        *,
        catch_up: Callable[[], float],
        quiet: Callable[[float], Quiet | None],
        estimated_fee: Callable[[], float],
        assumed_size: float,
        order_prefix: str,
    ) -> None:
        style = STYLES[name]
        super().__init__(
            OrderSide(name, style.fees, style.latency),
            account,
            log,
            random.Random(f"replay:{name}"),  # noqa: S311 - latencies, no secret
            clock_time=float,
            order_prefix=order_prefix,
            durable=lambda: None,
        )
        self._catch_up = catch_up
        self._quiet = quiet
        self._estimated_fee = estimated_fee
        self._assumed_size = assumed_size
        self._books: dict[str, TopOfBook] = {}
        self._quotes: dict[str, tuple[float, Line]] = {}
        self._refused: set[str] = set()
        self._heard: float | None = None

    def planned(self, ahead: float = 0.0) -> Quiet | None:
        """Where the recording has nothing: between its sessions, and after the last."""
        return self._quiet(ahead)

    def last_heartbeat(self) -> float | None:
        """When the last line of this venue was played."""
        return self._heard

    def listed(self) -> int:
        """Markets of which something was recorded and that are not over."""
        return len(self._quotes)

    def quotes(self) -> Sequence[Quote]:
        """The last recorded prices of every market, with the times of their own lines.

        What must not be traded on is given once, so that it is counted once, and then left out; so is a
        market of which our own orders took everything.
        """
        now = self._answer()
        return tuple(quote for market in self._quotes if (quote := self._worth(market, now)) is not None)

    def quote(self, market_id: str) -> Quote | None:
        """The last recorded prices of one market."""
        self._answer()
        return self._quote(market_id) if market_id in self._quotes else None

    def play(self, line: Line, at: float) -> None:
        """A recorded change happens: orders that were there before it meet what stood before it."""
        self.match(at)
        self._books.setdefault(line.market, TopOfBook(self._assumed_size)).record(line)
        self._quotes[line.market] = (at, line)
        self._refused.discard(line.market)
        self._heard = at

    def match(self, now: float) -> None:
        """Try the working orders."""
        if self.board.working():
            self._match(self._traded, now)

    def forget(self) -> None:
        """A session is over: nothing of it is held."""
        self._quotes.clear()
        for book in self._books.values():
            book.forget()

    def resolve(self, market_id: str, winner: Side, now: float) -> None:
        """A market is over and pays."""
        self._quotes.pop(market_id, None)
        self._pay(market_id, winner, now)

    def _answer(self) -> float:
        return self._catch_up()

    def _is_open(self, market_id: str) -> bool:
        return market_id in self._quotes

    def _traded(self, market_id: str, side: Side) -> TradedBook:
        return self._books[market_id].side(side)

    def _worth(self, market_id: str, now: float) -> Quote | None:
        if self._books[market_id].emptied:
            return None
        quote = self._quote(market_id)
        if reject_reason(quote, now) is None:
            return quote
        if market_id in self._refused:
            return None
        self._refused.add(market_id)
        return quote

    def _quote(self, market_id: str) -> Quote:
        (at, line), book = self._quotes[market_id], self._books[market_id]
        mirrored = None not in (line.no_ask, line.yes_bid) and line.no_ask == round(
            1 - (line.yes_bid or 0), 9
        )
        return Quote(
            venue=self.name,
            market_id=market_id,
            title=line.title,
            observed_at=at,
            yes_bid=line.yes_bid,
            yes_ask=line.yes_ask,
            no_bid=line.no_bid,
            no_ask=line.no_ask,
            yes_size=book.size("ask"),
            no_size=book.size("bid"),
            fee_per_contract=self._estimated_fee(),
            settles_at=None if line.close_ts is None else at + (line.close_ts - line.ts),
            derived=frozenset({"no"} if mirrored else ()),
        )


class ReplayMarkets:
    """Plays the lines that are due whenever somebody asks a venue."""

    def __init__(
        self,
        source: ReplaySource,
        listings: Mapping[str, Listing],
        *,
        folder: Path,
        clock: Clock,
        session_id: str,
    ) -> None:
        names = [name for name in source.venues if name in listings]
        if not names:
            raise StartRefused(f"the recording has {' and '.join(source.venues)}, and none of it is enabled")
        self._source = source
        self._clock = clock
        self._session = self._next = 0
        self._ends = sorted((self._played_end(key), key) for key in source.outcomes if key[0] in names)
        self.venues = {
            name: ReplayVenue(
                name,
                Account(listings[name].cash),
                OrderLog(folder / f"venue_{name}_orders.jsonl", session_id),
                catch_up=self.catch_up,
                quiet=self.quiet,
                estimated_fee=listings[name].estimated_fee,
                assumed_size=source.assumed_size,
                order_prefix=f"{name}-{session_id[:12]}",
            )
            for name in names
        }

    def relations(self) -> Relations:
        """What is known of the recorded markets."""
        return self._source.relations

    def rebalance(self) -> dict[str, int]:
        """Nothing is moved: a replay ends before an account could run dry."""
        return {}

    def remember(self) -> None:
        """A replay is not taken up again: nothing is written."""

    def close(self) -> None:
        """End the session at the venues."""
        for venue in self.venues.values():
            venue.close()

    def catch_up(self) -> float:
        """Play every line until now, match orders, pay what is over."""
        now = self._clock.now()
        for line, at in self._due(now):
            venue = self.venues.get(line.venue)
            if venue is not None:
                venue.play(line, at)
        for venue in self.venues.values():
            venue.match(now)
        if self.quiet(0.0) is not None:
            for venue in self.venues.values():
                venue.forget()
        while self._ends and self._ends[0][0] <= now:
            at, (name, market_id) = self._ends.pop(0)
            winner: Side = "yes" if self._source.outcomes[name, market_id][1] == "yes" else "no"
            self.venues[name].resolve(market_id, winner, at)
        return now

    def quiet(self, ahead: float) -> Quiet | None:
        """The end of the gap that holds, or begins within `ahead` seconds."""
        for moment in (self._clock.now(), self._clock.now() + ahead):
            for played in self._source.played:
                if moment < played.begins:
                    return Quiet(played.begins, GAP)
                if moment <= played.ends:
                    break
            else:
                return Quiet(self._source.played[-1].ends + TAIL_SECONDS, "the recording is over")
        return None

    def _due(self, now: float) -> Iterable[tuple[Line, float]]:
        while self._session < len(self._source.played):
            played = self._source.played[self._session]
            while self._next < len(played.span.lines):
                line = played.span.lines[self._next]
                at = played.at(line.ts)
                if at > now:
                    return
                self._next += 1
                yield line, at
            self._session, self._next = self._session + 1, 0
            if self._session < len(self._source.played) and self._source.played[self._session].begins <= now:
                for venue in self.venues.values():
                    venue.forget()

    def _played_end(self, key: Market) -> float:
        """When a market is over, on the bot's clock: a moment after its last line."""
        recorded = self._source.outcomes[key][0]
        played = next(p for p in self._source.played if recorded <= p.span.end)
        return played.at(recorded) + TAIL_SECONDS / 2
