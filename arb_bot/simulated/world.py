"""The truth behind the simulated markets: families of events whose probabilities drift, jump at news, and
resolve together.

A family has exclusive outcomes of which one comes true, and each of its events is YES in some of them: an
event alone, the exclusive outcomes of a bucket, a parent with its children, two that end alike or never do.
So the prices of related markets hang together as the markets' rules say, and so does what they pay. Log
weights of the outcomes walk with unequal volatility; news comes as a Poisson process. When a family's time
is over, its outcome is drawn with the last probabilities, and a new family of its kind takes its place,
listed at the same venues.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LARGEST_LOG_ODDS = 3.5
"""Probabilities stay between about 3 % and 97 %, where makers still quote both sides."""
TICK_SECONDS = 1.0
MOST_RIVALS = 0.9
FINE_TICKS = 6
FINE_STEP_TICKS = 3
SINGLE, BUCKET, TREE, COMPLEMENT, EQUIVALENT = "single", "bucket", "tree", "complement", "equivalent"


@dataclass(frozen=True, slots=True)
class Pattern:
    """How many exclusive outcomes a family has, and for each of its events those in which it ends YES."""

    outcomes: int
    members: tuple[tuple[int, ...], ...]


PATTERNS: Mapping[str, Pattern] = {
    SINGLE: Pattern(2, ((0,),)),
    BUCKET: Pattern(4, ((0,), (1,), (2,), (3,))),
    # The parent first; the last outcome is that none of the children comes true.
    TREE: Pattern(3, ((0, 1), (0,), (1,))),
    COMPLEMENT: Pattern(2, ((0,), (1,))),
    EQUIVALENT: Pattern(2, ((0,), (0,))),
}


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
    probability: float
    resolves_at: float

    @property
    def title(self) -> str:
        """What a person reads."""
        return f"Simulated event {self.number}"


@dataclass(slots=True)
class Family:
    """Events that share their outcomes, in slots side by side. `weights` are log weights of the outcomes;
    those of two outcomes differ by the first alone. Times are market seconds.
    """

    pattern: str
    slot: int
    numbers: list[int]
    weights: list[float]
    volatility: float
    resolves_at: float

    def chances(self) -> list[float]:
        """Probability of each outcome."""
        if len(self.weights) == 2:
            first = 1.0 / (1.0 + math.exp(self.weights[1] - self.weights[0]))
            return [first, 1.0 - first]
        sizes = [math.exp(weight) for weight in self.weights]
        total = sum(sizes)
        return [size / total for size in sizes]

    def probabilities(self) -> list[float]:
        """Latent probability of YES for each event."""
        chances = self.chances()
        return [
            chances[member[0]] if len(member) == 1 else sum(chances[outcome] for outcome in member)
            for member in PATTERNS[self.pattern].members
        ]

    def events(self) -> Iterator[Event]:
        """The events as they stand."""
        for index, (number, chance) in enumerate(zip(self.numbers, self.probabilities(), strict=True)):
            yield Event(number, self.slot + index, chance, self.resolves_at)


class World:
    """All families, one after the other in the slots that `layout` (names of patterns) gives them; `advance`
    moves them to a time.

    `events` holds every event in its slot; `resolved` collects (number, whether YES) until somebody takes it.
    """

    def __init__(self, rng: random.Random, layout: Sequence[str], now: float, shape: WorldShape) -> None:
        self.rng = rng
        self.shape = shape
        self.now = now
        self._weather = rng.gauss(0.0, 1.0)
        self.resolved: list[tuple[int, bool]] = []
        self.families: list[Family] = []
        self.events: list[Event] = []
        self._next_number = 1
        self._start = now
        self._ticks = 0
        for pattern in layout:
            family = self._new_family(pattern, len(self.events))
            family.resolves_at = now + (family.resolves_at - now) * rng.uniform(0.1, 1.0)
            self.families.append(family)
            self.events += family.events()

    def restore(self, families: Sequence[Family], next_number: int) -> None:
        """Go on with families of an earlier session, each in its slots; what has no place any more resolves
        at once.
        """
        self._next_number = next_number
        places = {(family.pattern, family.slot): index for index, family in enumerate(self.families)}
        for family in self.families:
            family.numbers = [self._take_number() for _ in family.numbers]
        for family in families:
            index = places.get((family.pattern, family.slot))
            if index is None:
                self._resolve(family)
            else:
                self.families[index] = family
        self.events = [event for family in self.families for event in family.events()]

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
        for index, family in enumerate(self.families):
            self._move(family, scale, news)
            if family.resolves_at <= self.now:
                self._resolve(family)
                family = self.families[index] = self._new_family(family.pattern, family.slot)  # noqa: PLW2901
                self.events[family.slot : family.slot + len(family.numbers)] = family.events()
                continue
            for offset, chance in enumerate(family.probabilities()):
                self.events[family.slot + offset].probability = chance

    def _move(self, family: Family, scale: float, news: float) -> None:
        """Let the weights walk; with the chance `news` one of them jumps."""
        rng, weights = self.rng, family.weights
        most = LARGEST_LOG_ODDS if len(weights) == 2 else LARGEST_LOG_ODDS / 2
        walking = range(1) if len(weights) == 2 else range(len(weights))
        jumps = rng.choice(walking) if rng.random() < news else None
        for index in walking:
            move = rng.gauss(0.0, family.volatility * scale)
            if index == jumps:
                move += rng.gauss(0.0, self.shape.news_size * len(walking))
            weights[index] = max(-most, min(most, weights[index] + move))

    def _resolve(self, family: Family) -> None:
        (outcome,) = self.rng.choices(range(len(family.weights)), family.chances())
        for number, member in zip(family.numbers, PATTERNS[family.pattern].members, strict=True):
            self.resolved.append((number, outcome in member))

    def _new_family(self, pattern: str, slot: int) -> Family:
        rng, shape = self.rng, self.shape
        outcomes = PATTERNS[pattern].outcomes
        weights = (
            [rng.gauss(0.0, 0.9), 0.0] if outcomes == 2 else [rng.gauss(0.0, 0.6) for _ in range(outcomes)]
        )
        return Family(
            pattern=pattern,
            slot=slot,
            numbers=[self._take_number() for _ in PATTERNS[pattern].members],
            weights=weights,
            volatility=shape.volatility * rng.uniform(0.5, 1.6),
            resolves_at=self.now + rng.uniform(shape.shortest_life, shape.longest_life),
        )

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number
