"""Where opportunities come from: one lane for each way in which contracts must pay a known sum together.

A lane looks at the market view of one cycle and yields combinations; `scan` keeps those with enough edge,
counts the near ones, and puts them in the order in which they are tried. A new lane is a module here and
a line in `LANE_ORDER`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from arb_bot.opportunity import Opportunity
from arb_bot.quotes import Quote

CROSS_VENUE = "cross_venue"
INTRA_VENUE = "intra_venue"
LANE_ORDER = (CROSS_VENUE, INTRA_VENUE)
"""The order in which lanes take their turn when several have something."""


@dataclass(frozen=True, slots=True)
class MappedPair:
    """Two markets that are known to be the same question: the left one's venue first in every key."""

    group_id: str
    left: tuple[str, str]
    right: tuple[str, str]


@dataclass(frozen=True, slots=True)
class MarketView:
    """What the lanes look at in one cycle: good quotes by (venue, market id), and the known pairs."""

    quotes: Mapping[tuple[str, str], Quote]
    pairs: Sequence[MappedPair] = ()


class Lane(Protocol):
    """One way of finding opportunities."""

    kind: str

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """Every combination of this lane in the view with a net edge of at least `floor`, in dollars."""
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """What one cycle found: opportunities, best net edge first, and how many were merely near."""

    found: tuple[Opportunity, ...]
    near: int


def scan(lanes: Iterable[Lane], view: MarketView, min_edge: float, near_cost: float) -> Scan:
    """Opportunities with a net edge of at least `min_edge`, and the count of near ones.

    Near: payout 1 and a net edge of at least 1 − `near_cost`, and not among the found ones by identity.
    The same legs found twice count once, with the better edge.
    """
    found: dict[object, Opportunity] = {}
    near: set[object] = set()
    near_edge = 1.0 - near_cost
    for lane in lanes:
        for opportunity in lane.find(view, min(min_edge, near_edge)):
            edge = opportunity.net_edge
            if edge >= min_edge:
                best = found.get(opportunity.identity)
                if best is None or edge > best.net_edge:
                    found[opportunity.identity] = opportunity
            elif edge >= near_edge and opportunity.payout == 1.0:
                near.add(opportunity.identity)
    ordered = sorted(found.values(), key=lambda o: (-o.net_edge, o.match_key))
    return Scan(tuple(ordered), len(near - found.keys()))


def in_turn(ranked: Iterable[tuple[float, Opportunity]]) -> list[Opportunity]:
    """The order of trying: the best of each lane first, in lane order, then all others.

    `ranked` holds (expected realised profit in USD, opportunity); higher comes first within each pass.
    """
    by_profit = [o for _, o in sorted(ranked, key=lambda pair: (-pair[0], pair[1].kind, pair[1].match_key))]
    first = [next((o for o in by_profit if o.kind == kind), None) for kind in LANE_ORDER]
    leaders = [o for o in first if o is not None]
    chosen = {id(o) for o in leaders}
    return leaders + [o for o in by_profit if id(o) not in chosen]
