"""What a made-up ledger trades: some 400 sets of markets in five lanes on three venues, and prices for them.

Everything is drawn from the generator that is passed in, so a ledger can be made again to the last digit.
"""

import random
from dataclasses import dataclass
from typing import Final

from arb_bot.fees import CurveFee, FeeSchedule, FlatFee
from arb_bot.lanes import (
    CROSS_VENUE,
    INTRA_VENUE,
    STRUCTURAL_BUCKET,
    STRUCTURAL_EVENT_TREE,
    STRUCTURAL_PARITY,
)
from arb_bot.opportunity import MAKER_ESTIMATE, TAKER, Leg, Opportunity
from arb_bot.quotes import Side

FEES: Final[dict[str, FeeSchedule]] = {
    "kalshi": CurveFee(17_500),
    "polymarket": FlatFee(),
    "forecastex": FlatFee(5_000),
}
"""What each venue charges a trade."""
ESTIMATED_FEE: Final = {"kalshi": 0.0045, "polymarket": 0.0, "forecastex": 0.005}
"""What a plan reckons with, dollars a contract."""
BUCKET_GROUPS: Final = 200
SETS: Final = {CROSS_VENUE: 80, STRUCTURAL_PARITY: 40, STRUCTURAL_EVENT_TREE: 30, INTRA_VENUE: 50}
LANE_WEIGHT: Final = {
    CROSS_VENUE: 0.27,
    STRUCTURAL_PARITY: 0.14,
    STRUCTURAL_BUCKET: 0.36,
    STRUCTURAL_EVENT_TREE: 0.09,
    INTRA_VENUE: 0.14,
}
"""Share of the trades of each lane."""
_TOPICS: Final = ("HIGHNY", "CPI", "FED", "NBAMVP", "SENATE", "OSCARS", "GDP", "RAINSEA")
_SHORTEST_LIFE: Final = 900.0
_LONGEST_LIFE: Final = 36 * 3600.0
MEAN_LIFE: Final = _SHORTEST_LIFE + (_LONGEST_LIFE - _SHORTEST_LIFE) / 5
"""Seconds from an offer to its settlement at pace 1."""


@dataclass(frozen=True, slots=True)
class MarketSet:
    """Markets whose listed sides pay a dollar together: (venue, market id, title, side) of each."""

    kind: str
    match_key: str
    markets: tuple[tuple[str, str, str, Side], ...]
    metadata: dict[str, object]


class Catalogue:
    """All sets, and what is offered of them; a few sets of each lane are traded far more than the rest.

    `pace` shortens the time until an offer settles (1: a quarter of an hour to a day and a half).
    """

    def __init__(self, rng: random.Random, pace: float = 1.0) -> None:
        self._rng = rng
        self._pace = pace
        self._sets = {
            STRUCTURAL_BUCKET: [_bucket(rng, number) for number in range(BUCKET_GROUPS)],
            CROSS_VENUE: [_cross(rng, number) for number in range(SETS[CROSS_VENUE])],
            STRUCTURAL_PARITY: [_parity(rng, number) for number in range(SETS[STRUCTURAL_PARITY])],
            STRUCTURAL_EVENT_TREE: [_tree(rng, number) for number in range(SETS[STRUCTURAL_EVENT_TREE])],
            INTRA_VENUE: [_intra(rng, number) for number in range(SETS[INTRA_VENUE])],
        }
        self._lanes = list(LANE_WEIGHT)
        self._weights = list(LANE_WEIGHT.values())

    def offered(self, now: float) -> Opportunity:
        """An opportunity at this time, with prices of its own."""
        rng = self._rng
        lane = rng.choices(self._lanes, self._weights)[0]
        sets = self._sets[lane]
        chosen = sets[int(len(sets) * rng.random() ** 2)]
        fee = sum(ESTIMATED_FEE[market[0]] for market in chosen.markets)
        edge = max(0.002, rng.gauss(0.022, 0.012))
        life = _SHORTEST_LIFE + (_LONGEST_LIFE - _SHORTEST_LIFE) * rng.random() ** 4
        settles_at = now + life * self._pace
        prices = _split(rng, 1.0 - fee - edge, len(chosen.markets))
        legs = tuple(
            Leg(
                venue=venue,
                market_id=market_id,
                title=title,
                side=side,
                price=price,
                size=float(rng.randrange(20, 2_000)),
                bid=max(0.01, price - 0.02),
                observed_at=now,
                settles_at=settles_at,
            )
            for (venue, market_id, title, side), price in zip(chosen.markets, prices, strict=True)
        )
        return Opportunity(
            kind=lane,
            match_key=chosen.match_key,
            legs=legs,
            fee=fee,
            execution_style=MAKER_ESTIMATE if rng.random() < 0.03 else TAKER,
            metadata=chosen.metadata,
        )


def _split(rng: random.Random, total: float, parts: int) -> list[float]:
    """Prices of so many legs that add up to `total`, each at least a cent."""
    weights = [0.15 + rng.random() for _ in range(parts)]
    unit = (total - 0.01 * parts) / sum(weights)
    prices = [round(0.01 + unit * weight, 3) for weight in weights[1:]]
    return [round(total - sum(prices), 4), *prices]


def _venue(rng: random.Random) -> str:
    return rng.choices(("kalshi", "polymarket", "forecastex"), (6, 3, 1))[0]


def _market(venue: str, name: str) -> str:
    return {"kalshi": f"KX{name}", "polymarket": f"0x{name.lower()}", "forecastex": f"FX-{name}"}[venue]


def _name(number: int) -> str:
    return f"{_TOPICS[number % len(_TOPICS)]}-{number // len(_TOPICS):02d}"


def _bucket(rng: random.Random, number: int) -> MarketSet:
    name, venue = _name(number), _venue(rng)
    legs = rng.choices((3, 4, 5, 6), (6, 3, 2, 1))[0]
    markets = tuple(
        (venue, _market(venue, f"{name}-B{leg}"), f"{name}: outcome {leg + 1} of {legs}", _yes())
        for leg in range(legs)
    )
    group = f"bucket_{name.lower()}"
    return MarketSet(
        STRUCTURAL_BUCKET,
        group,
        markets,
        {"structural_class": "bucket", "bucket_group_id": group, "exclusivity_source": "exchange_api"},
    )


def _cross(rng: random.Random, number: int) -> MarketSet:
    name = _name(number)
    left, right = rng.sample(("kalshi", "polymarket", "forecastex"), 2)
    markets = ((left, _market(left, name), name, _yes()), (right, _market(right, name), name, _no()))
    return MarketSet(
        CROSS_VENUE, f"xmap_{number}:{left}:{right}", markets, {"left_text": name, "right_text": name}
    )


def _parity(rng: random.Random, number: int) -> MarketSet:
    name, venue = _name(number), _venue(rng)
    markets = tuple((venue, _market(venue, f"{name}-{end}"), f"{name} {end}", _yes()) for end in ("A", "B"))
    return MarketSet(
        STRUCTURAL_PARITY,
        f"parity_{name.lower()}:left_yes_right_yes",
        markets,
        {"structural_class": "parity", "relationship": "complement"},
    )


def _tree(rng: random.Random, number: int) -> MarketSet:
    name, venue = _name(number), _venue(rng)
    children = [(venue, _market(venue, f"{name}-C{n}"), f"{name} by way {n + 1}", _yes()) for n in range(2)]
    parent = (venue, _market(venue, f"{name}-P"), f"{name} at all", _no())
    group = f"tree_{name.lower()}"
    return MarketSet(
        STRUCTURAL_EVENT_TREE,
        f"{group}:parent_no_children_yes",
        (parent, *children),
        {"structural_class": "event_tree", "event_tree_group_id": group},
    )


def _intra(rng: random.Random, number: int) -> MarketSet:
    name, venue = _name(number), _venue(rng)
    market_id = _market(venue, f"{name}-S")
    markets = ((venue, market_id, name, _yes()), (venue, market_id, name, _no()))
    return MarketSet(INTRA_VENUE, f"{venue}:{market_id}", markets, {"market_text": name})


def _yes() -> Side:
    return "yes"


def _no() -> Side:
    return "no"
