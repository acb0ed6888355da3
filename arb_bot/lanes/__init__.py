"""Where opportunities come from: one lane for each way in which contracts must pay a known sum together.

A lane looks at the market view of one cycle and yields combinations; `scanning` prices them by what is
known, keeps those with enough edge, and counts the near ones. A new lane is a module here, a line in
`LANE_ORDER` and one in `scanning.LANES`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from arb_bot.opportunity import TAKER, Opportunity
from arb_bot.quotes import Quote
from arb_bot.relations import Market, Relations

CROSS_VENUE = "cross_venue"
STRUCTURAL_PARITY = "structural_parity"
STRUCTURAL_BUCKET = "structural_bucket"
STRUCTURAL_EVENT_TREE = "structural_event_tree"
INTRA_VENUE = "intra_venue"
LANE_ORDER = (CROSS_VENUE, STRUCTURAL_PARITY, STRUCTURAL_BUCKET, STRUCTURAL_EVENT_TREE, INTRA_VENUE)
"""The order in which lanes take their turn when several have something."""
NOISE = 1e-9
"""Dollars. Sums of cents carry float noise: what is at a limit to the digit printed has reached it."""


@dataclass(frozen=True, slots=True)
class MarketView:
    """What the lanes look at in one cycle: good quotes by market, what is known of the markets, and whether
    asks are paid or bids are made (`style`).
    """

    quotes: Mapping[Market, Quote]
    relations: Relations = field(default_factory=Relations)
    style: str = TAKER


class Lane(Protocol):
    """One way of finding opportunities."""

    kind: str

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """Every combination of this lane in the view with a net edge of at least `floor`, in dollars."""
        ...
