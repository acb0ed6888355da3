"""What is known of how markets hang together: the same question elsewhere, exclusive outcomes, trees, parity.

Pure values. Whoever gives `Relations` gives the same object while nothing has changed: caches compare it by
identity.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from arb_bot.quotes import Side

Market = tuple[str, str]
"""(venue, market id)."""

Relationship = Literal["complement", "equivalent"]

EXCHANGE_API = "exchange_api"
"""The `exclusivity_source` of a bucket whose exclusivity the exchange itself states."""
HEURISTIC = "heuristic"

_VENUE_ORDER = ("kalshi", "polymarket", "forecastex")


@dataclass(frozen=True, slots=True)
class MappedPair:
    """Two markets that ask the same question: the left one's venue first in every key.

    `score` is 1 for a pair that somebody wrote down, else how alike the titles are (0..1); for a pair found
    by titles `mapped` is false and `group_id` is the title's normalised text.
    """

    group_id: str
    left: Market
    right: Market
    score: float = 1.0
    mapped: bool = True

    @property
    def match_key(self) -> str:
        """What the pair is called in decisions."""
        return f"{self.group_id}:{self.left[0]}:{self.right[0]}" if self.mapped else self.group_id


@dataclass(frozen=True, slots=True)
class RuleLeg:
    """One outcome of a bucket: the side of a market that pays when it comes true."""

    venue: str
    market_id: str
    side: Side = "yes"

    @property
    def market(self) -> Market:
        """The market."""
        return self.venue, self.market_id


@dataclass(frozen=True, slots=True)
class Bucket:
    """Outcomes of which exactly one comes true (at most one where buckets are not taken as exhaustive).

    `payout` in dollars for one contract of every leg.
    """

    group_id: str
    legs: tuple[RuleLeg, ...]
    payout: float = 1.0
    exclusivity_source: str = HEURISTIC


@dataclass(frozen=True, slots=True)
class EventTree:
    """A parent that is true exactly when one of its children is; no two children are true together."""

    group_id: str
    parent: Market
    children: tuple[Market, ...]


@dataclass(frozen=True, slots=True)
class ParityCheck:
    """Two markets that always end alike (`equivalent`) or always differently (`complement`)."""

    group_id: str
    left: Market
    right: Market
    relationship: Relationship


@dataclass(frozen=True, slots=True)
class Relations:
    """Everything that is known."""

    pairs: tuple[MappedPair, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    trees: tuple[EventTree, ...] = ()
    parities: tuple[ParityCheck, ...] = ()

    def joined(self, other: "Relations") -> "Relations":
        """What is known from both."""
        return Relations(
            self.pairs + other.pairs,
            self.buckets + other.buckets,
            self.trees + other.trees,
            self.parities + other.parities,
        )


class JoinedRelations:
    """What was written down beside what the markets know themselves; one object while that is one."""

    def __init__(self, written: Relations, own: Callable[[], Relations]) -> None:
        self._written = written
        self._own = own
        self._seen = own()
        self._joined = written.joined(self._seen)

    def __call__(self) -> Relations:
        """Both, as they are now."""
        own = self._own()
        if own is not self._seen:
            self._seen, self._joined = own, self._written.joined(own)
        return self._joined


def in_venue_order(markets: Iterable[Market]) -> list[Market]:
    """Markets sorted as pairs name them: Kalshi, Polymarket, ForecastEx, then others by name."""

    def rank(market: Market) -> tuple[int, Market]:
        venue = market[0]
        return (_VENUE_ORDER.index(venue) if venue in _VENUE_ORDER else len(_VENUE_ORDER)), market

    return sorted(markets, key=rank)
