"""A set of contracts that together pay a known sum, and what it would cost to buy it now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from arb_bot.quotes import Quote, Side

TAKER = "taker"
MAKER_ESTIMATE = "maker_estimate"
OPPOSITE_BID_TRANSFORM = "opposite_bid_transform"
"""The source of an ask that nobody quoted: one minus the other side's bid."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One kind of contract to buy: where, which side, the ask in dollars, the contracts offered at it."""

    venue: str
    market_id: str
    title: str
    side: Side
    price: float
    size: float
    bid: float | None
    observed_at: float
    settles_at: float | None
    source: str = ""

    @classmethod
    def of(cls, quote: Quote, side: Side) -> "Leg":
        """The leg that buys `side` at the quote's ask."""
        return cls(
            venue=quote.venue,
            market_id=quote.market_id,
            title=quote.title,
            side=side,
            price=quote.ask(side),
            size=quote.size(side),
            bid=quote.bid(side),
            observed_at=quote.observed_at,
            settles_at=quote.settles_at,
            source=OPPOSITE_BID_TRANSFORM if side in quote.derived else "",
        )

    @property
    def spread(self) -> float:
        """Ask minus bid in dollars; 0 where no bid is known."""
        return 0.0 if self.bid is None else max(0.0, self.price - self.bid)


@dataclass(frozen=True)
class Opportunity:
    """Legs bought together. Edges in dollars a contract: gross = payout − Σ prices, net = gross − fee.

    What follows from the fields is worked out once: a cycle asks for it many times.
    """

    kind: str
    match_key: str
    legs: tuple[Leg, ...]
    fee: float
    payout: float = 1.0
    execution_style: str = TAKER
    match_score: float = 1.0
    metadata: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def gross_edge(self) -> float:
        """Payout minus what the legs cost, before fees."""
        return self.payout - sum(leg.price for leg in self.legs)

    @property
    def net_edge(self) -> float:
        """What one set earns after the estimated fees."""
        return self.gross_edge - self.fee

    @cached_property
    def total_cost(self) -> float:
        """Dollars that one set takes, fees included."""
        return sum(leg.price for leg in self.legs) + self.fee

    @cached_property
    def venues(self) -> tuple[str, ...]:
        """The venues of the legs, each once, in leg order."""
        return tuple(dict.fromkeys(leg.venue for leg in self.legs))

    @cached_property
    def identity(self) -> tuple[str, str, tuple[tuple[str, str, str], ...]]:
        """What makes two opportunities the same one: kind, style and the legs in any order."""
        legs = sorted((leg.venue, leg.market_id, leg.side) for leg in self.legs)
        return self.kind, self.execution_style, tuple(legs)

    @cached_property
    def market_key(self) -> str:
        """`venue/market` of every leg, sorted, joined by `:`."""
        return ":".join(sorted(f"{leg.venue}/{leg.market_id}" for leg in self.legs))

    @property
    def cluster(self) -> str:
        """What this trade stands and falls with: the cluster of its constraint, else its match or market."""
        named = self.metadata.get("correlation_cluster")
        if named:
            return str(named)
        markets = {(leg.venue, leg.market_id) for leg in self.legs}
        return f"{'market' if len(markets) == 1 else 'match'}:{self.match_key}"

    @property
    def settles_at(self) -> float | None:
        """When the last leg is expected to pay, epoch seconds; None when a leg does not say."""
        times = [leg.settles_at for leg in self.legs]
        return None if None in times else max(t for t in times if t is not None)

    def unit_cost_by_venue(self) -> dict[str, float]:
        """Dollars that one set takes at each venue: its legs plus an equal share of the fee."""
        venues = self.venues
        costs = dict.fromkeys(venues, self.fee / len(venues))
        for leg in self.legs:
            costs[leg.venue] += leg.price
        return costs
