"""All simulated venues over one world: moved together through time, remembered between sessions."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from arb_bot.clock import Clock
from arb_bot.fees import CurveFee, FlatFee
from arb_bot.lanes import MappedPair
from arb_bot.money import share
from arb_bot.simulated import memory
from arb_bot.simulated.account import Account
from arb_bot.simulated.book import MakerStyle
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.venue import SimulatedVenue, VenueStyle
from arb_bot.simulated.world import World, WorldShape

KALSHI, POLYMARKET = "kalshi", "polymarket"
SHARED_PART = 0.7
"""The part of the smaller venue's markets that the other venue lists too."""
KEPT = 200
"""Outcomes that are remembered, the newest."""

STYLES = {
    KALSHI: VenueStyle(
        name=KALSHI,
        market_id="SIMKX-{:05d}",
        makers=MakerStyle(tick=0.01, half_spread=0.010, noise=0.003, refresh=4.0, reaction=1.2, size=60.0),
        opinion=0.016,
        fees=CurveFee(),
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
        self._slots = _slots({name: listing.markets for name, listing in listings.items()})
        count = 1 + max((slot for slots in self._slots.values() for slot in slots), default=-1)
        self.world = World(random.Random(f"{seed}:world"), count, self._start, shape or WorldShape())  # noqa: S311
        self._stepped = self._start
        self._outcomes: dict[int, bool] = {}
        self._bankroll = {name: listing.cash for name, listing in listings.items()}
        remembered = memory.load(self._file)
        self._elsewhere = {n: a for n, a in remembered.accounts.items() if n not in listings}
        self.venues = {
            name: SimulatedVenue(
                STYLES[name],
                remembered.accounts.get(name) or Account(listing.cash),
                OrderLog(folder / f"venue_{name}_orders.jsonl", session_id),
                random.Random(f"{seed}:{name}"),  # noqa: S311 - a game, no secret
                catch_up=self.catch_up,
                clock_time=self.clock_time,
                estimated_fee=listing.estimated_fee,
                order_prefix=f"{name}-{session_id[:12]}",
            )
            for name, listing in listings.items()
        }
        self._resume(remembered)
        self._step(self._start)
        self._saved = -1

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

    def pairs(self) -> list[MappedPair]:
        """The events that both venues list now, Kalshi's market on the left."""
        left, right = self._slots.get(KALSHI, ()), set(self._slots.get(POLYMARKET, ()))
        events = self.world.events
        return [
            MappedPair(
                f"sim-{events[slot].number:05d}",
                (KALSHI, STYLES[KALSHI].market_id.format(events[slot].number)),
                (POLYMARKET, STYLES[POLYMARKET].market_id.format(events[slot].number)),
            )
            for slot in left
            if slot in right
        ]

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
        """Write accounts and events down if an account changed since the last time. Raises OSError."""
        changes = sum(venue.account.changes for venue in self.venues.values())
        if changes == self._saved:
            return
        events = [
            replace(event, resolves_at=self.clock_time(event.resolves_at)) for event in self.world.events
        ]
        accounts = self._elsewhere | {name: venue.account for name, venue in self.venues.items()}
        memory.save(self._file, memory.Memory(events, self.world.next_number, self._outcomes, accounts))
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
        for number, outcome in remembered.outcomes.items():
            self._resolve(number, outcome)
        if remembered.next_number > 1:
            self.world.restore(remembered.events, remembered.next_number)

    def _resolve(self, number: int, outcome: bool) -> None:
        self._outcomes[number] = outcome
        for venue in self.venues.values():
            venue.resolve(number, outcome)

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


def _slots(sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Which event slots each venue lists: the shared ones first, then its own."""
    if len(sizes) < 2:
        return {name: tuple(range(size)) for name, size in sizes.items()}
    shared = round(min(sizes.values()) * SHARED_PART)
    slots, following = {}, shared
    for name, size in sizes.items():
        own = size - shared
        slots[name] = (*range(shared), *range(following, following + own))
        following += own
    return slots
