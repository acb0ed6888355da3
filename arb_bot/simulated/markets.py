"""All simulated venues over one world: moved together through time, remembered between sessions."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path

from arb_bot.clock import Clock
from arb_bot.fees import CurveFee, FlatFee
from arb_bot.money import share
from arb_bot.relations import Relations
from arb_bot.simulated import listing, memory
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import MakerStyle
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.venue import SimulatedVenue, VenueStyle
from arb_bot.simulated.world import World, WorldShape
from arb_bot.trading_hours import WeeklyPause

KALSHI, POLYMARKET = "kalshi", "polymarket"
KEPT = 200
"""Outcomes that are remembered, the newest."""

STYLES = {
    KALSHI: VenueStyle(
        name=KALSHI,
        market_id="SIMKX-{:05d}",
        makers=MakerStyle(tick=0.01, half_spread=0.010, noise=0.003, refresh=4.0, reaction=1.2, size=60.0),
        opinion=0.016,
        fees=CurveFee(),
        pauses=(WeeklyPause("America/New_York", 3, time(3), time(5), "weekly maintenance"),),
    ),
    POLYMARKET: VenueStyle(
        name=POLYMARKET,
        market_id="0xsim{:05d}",
        makers=MakerStyle(tick=0.005, half_spread=0.010, noise=0.007, refresh=6.0, reaction=2.5, size=80.0),
        opinion=0.020,
        fees=FlatFee(),
        latency=(0.5, 2.5),
        outages_per_hour=0.7,
    ),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """What a venue lists and starts with: markets, cash in micro-dollars, the fee its quotes carry."""

    markets: int
    cash: int
    estimated_fee: Callable[[], float]


class SimulatedMarkets:
    """Builds the venues named in `listings` and keeps them in step with the clock.

    Market time starts at the clock's time and runs `speed` times as fast. State is kept in `folder`, where an
    earlier session's accounts and open events are taken up again.
    """

    def __init__(
        self,
        listings: Mapping[str, Listing],
        *,
        folder: Path,
        clock: Clock,
        seed: str,
        session_id: str,
        speed: float = 1.0,
        shape: WorldShape | None = None,
    ) -> None:
        self._clock = clock
        self._speed = speed
        self._start = clock.now()
        self._file = folder / "venues_simulated.json"
        layout, self._slots = listing.blocks({name: listed.markets for name, listed in listings.items()})
        self.world = World(random.Random(f"{seed}:world"), layout, self._start, shape or WorldShape())  # noqa: S311
        self._stepped = self._start
        self._outcomes: dict[int, bool] = {}
        self._bankroll = {name: listed.cash for name, listed in listings.items()}
        remembered = memory.load(self._file)
        self._elsewhere = {n: a for n, a in remembered.accounts.items() if n not in listings}
        self.venues = {
            name: SimulatedVenue(
                STYLES[name],
                remembered.accounts.get(name) or Account(listed.cash),
                OrderLog(folder / f"venue_{name}_orders.jsonl", session_id),
                random.Random(f"{seed}:{name}"),  # noqa: S311 - a game, no secret
                catch_up=self.catch_up,
                clock_time=self.clock_time,
                estimated_fee=listed.estimated_fee,
                order_prefix=f"{name}-{session_id[:12]}",
                durable=self.remember,
            )
            for name, listed in listings.items()
        }
        self._resume(remembered)
        self._step(self._start)
        self._saved = -1
        self._related: tuple[int, ...] = ()
        self._relations = Relations()

    def clock_time(self, market_time: float) -> float:
        """The bot's epoch seconds at a market time."""
        return self._start + (market_time - self._start) / self._speed

    def market_time(self) -> float:
        """Market seconds now."""
        return self._start + (self._clock.now() - self._start) * self._speed

    def catch_up(self) -> float:
        """Move world and venues to the present; returns the market time."""
        now = self.market_time()
        for moment in self.world.advance(now):
            self._step(moment)
        return now

    def relations(self) -> Relations:
        """What is known of the events of this moment; the same object until another one is listed."""
        numbers = tuple(event.number for event in self.world.events)
        if numbers != self._related:
            self._related = numbers
            self._relations = listing.relations(
                self.world.families, self._slots, lambda venue, number: STYLES[venue].market_id.format(number)
            )
        return self._relations

    def rebalance(self) -> dict[str, int]:
        """Move paper cash between the accounts to the shares of the start; what each gained, micro-dollars.

        Settlements pay at whichever venue won, so without this one account would run dry in time.
        """
        accounts = {name: venue.account for name, venue in self.venues.items()}
        total, shares = sum(a.cash for a in accounts.values()), sum(self._bankroll.values())
        gained = {
            name: share(total, self._bankroll[name], shares) - account.cash
            for name, account in accounts.items()
        }
        first = next(iter(gained))
        gained[first] -= sum(gained.values())
        for name, account in accounts.items():
            account.transferred(gained[name])
        return gained

    def remember(self) -> None:
        """Write accounts, orders and events down if one changed since the last time. Raises OSError."""
        changes = sum(venue.changes for venue in self.venues.values())
        if changes == self._saved:
            return
        families = [
            replace(family, resolves_at=self.clock_time(family.resolves_at)) for family in self.world.families
        ]
        accounts = self._elsewhere | {name: venue.account for name, venue in self.venues.items()}
        now = self.clock_time(self.world.now)
        orders = {name: venue.board.remembered(now) for name, venue in self.venues.items()}
        memory.save(
            self._file, memory.Memory(families, self.world.next_number, self._outcomes, accounts, orders)
        )
        self._saved = changes

    def close(self) -> None:
        """Write everything down and end the session at the venues."""
        self._saved = -1
        try:
            self.remember()
        finally:
            for venue in self.venues.values():
                venue.close()

    def _resume(self, remembered: memory.Memory) -> None:
        for name, orders in remembered.orders.items():
            if name in self.venues:
                self.venues[name].board.restore(orders)
        for number, outcome in remembered.outcomes.items():
            self._resolve(number, outcome)
        if remembered.next_number > 1:
            self.world.restore(remembered.families, remembered.next_number)

    def _resolve(self, number: int, outcome: bool) -> None:
        self._outcomes[number] = outcome
        for venue in self.venues.values():
            venue.resolve(number, outcome, self.world.now)

    def _step(self, moment: float) -> None:
        seconds, self._stepped = moment - self._stepped, moment
        for number, outcome in self.world.resolved:
            self._resolve(number, outcome)
        self.world.resolved.clear()
        for name, venue in self.venues.items():
            venue.step(
                [self.world.events[slot] for slot in self._slots[name]], seconds, moment, self.world.rivals
            )
        while len(self._outcomes) > KEPT:
            number = next(iter(self._outcomes))
            del self._outcomes[number]
            for venue in self.venues.values():
                venue.forget(number)
