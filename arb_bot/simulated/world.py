"""The truth behind the simulated markets: events whose probability drifts, jumps at news, and resolves.

The probability walks in log-odds with unequal volatility; news comes as a Poisson process. When an
event's time is over it pays YES with its last probability, and a new event takes its place, listed at the
same venues.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_LOG_ODDS = 3.5
"""Probabilities stay between about 3 % and 97 %, where makers still quote both sides."""
TICK_SECONDS = 1.0
MOST_RIVALS = 0.9
FINE_TICKS = 6
FINE_STEP_TICKS = 3


@dataclass(frozen=True, slots=True)
class WorldShape:
    """How lively the simulated events are. Lifetimes in seconds, volatility in log-odds per √hour.

    News and rivals come and go with the weather, which keeps for `weather_hours`: some days lose money.
    """

    shortest_life: float = 300.0
    longest_life: float = 3000.0
    volatility: float = 0.8
    news_per_hour: float = 1.5
    news_size: float = 0.35
    rivals: float = 0.5
    weather_hours: float = 8.0


@dataclass(slots=True)
class Event:
    """A question that resolves YES or NO. Times are market seconds; `slot` says where it is listed."""

    number: int
    slot: int
    log_odds: float
    volatility: float
    resolves_at: float

    @property
    def probability(self) -> float:
        """The latent probability of YES."""
        return 1.0 / (1.0 + math.exp(-self.log_odds))

    @property
    def title(self) -> str:
        """What a person reads."""
        return f"Simulated event {self.number}"


class World:
    """All events; `advance` moves them to a time.

    `resolved` collects (number, whether YES) until somebody takes it.
    """

    def __init__(self, rng: random.Random, slots: int, now: float, shape: WorldShape) -> None:
        self.rng = rng
        self.shape = shape
        self.now = now
        self._weather = rng.gauss(0.0, 1.0)
        self.resolved: list[tuple[int, bool]] = []
        self.events: list[Event] = []
        self._next_number = 1
        self._start = now
        self._ticks = 0
        for slot in range(slots):
            event = self._new_event(slot)
            event.resolves_at = now + (event.resolves_at - now) * rng.uniform(0.1, 1.0)
            self.events.append(event)

    def restore(self, events: list[Event], next_number: int) -> None:
        """Go on with events of an earlier session; one whose slot is gone resolves at once."""
        self._next_number = next_number
        for event in self.events:
            event.number = self._take_number()
        for event in events:
            if event.slot < len(self.events):
                self.events[event.slot] = event
            else:
                self._resolve(event)

    @property
    def rivals(self) -> float:
        """How often (0..1) somebody else sees the same price and is faster."""
        return min(MOST_RIVALS, self.shape.rivals * math.exp(0.45 * self._weather))

    @property
    def next_number(self) -> int:
        """The number that the next new event gets."""
        return self._next_number

    def advance(self, now: float) -> Iterator[float]:
        """Move to `now` in whole ticks; yields the time whenever makers should look.

        A long gap is crossed in one stride and the rest in small steps, so that prices at its end are as
        lively as usual.
        """
        due = math.floor((now - self._start) / TICK_SECONDS)
        if due - self._ticks > 2 * FINE_TICKS:
            self._step(due - FINE_TICKS - self._ticks)
        while self._ticks < due:
            self._step(min(due - self._ticks, FINE_STEP_TICKS))
            yield self.now

    def _step(self, ticks: int) -> None:
        rng, shape = self.rng, self.shape
        self._ticks += ticks
        self.now = self._start + self._ticks * TICK_SECONDS
        hours = ticks * TICK_SECONDS / 3600.0
        scale = math.sqrt(hours)
        keep = math.exp(-hours / shape.weather_hours)
        self._weather = keep * self._weather + rng.gauss(0.0, math.sqrt(1.0 - keep * keep))
        news = 1.0 - math.exp(-shape.news_per_hour * math.exp(self._weather) * hours)
        for index, event in enumerate(self.events):
            move = rng.gauss(0.0, event.volatility * scale)
            if rng.random() < news:
                move += rng.gauss(0.0, shape.news_size)
            event.log_odds = max(-LARGEST_LOG_ODDS, min(LARGEST_LOG_ODDS, event.log_odds + move))
            if event.resolves_at <= self.now:
                self._resolve(event)
                self.events[index] = self._new_event(event.slot)

    def _resolve(self, event: Event) -> None:
        self.resolved.append((event.number, self.rng.random() < event.probability))

    def _new_event(self, slot: int) -> Event:
        rng, shape = self.rng, self.shape
        return Event(
            number=self._take_number(),
            slot=slot,
            log_odds=rng.gauss(0.0, 0.9),
            volatility=shape.volatility * rng.uniform(0.5, 1.6),
            resolves_at=self.now + rng.uniform(shape.shortest_life, shape.longest_life),
        )

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number
