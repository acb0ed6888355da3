"""One look of all lanes: what is known, combinations, worst payouts, and what is left of them in order."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from arb_bot.constraint_pricing import ConstraintPricing
from arb_bot.lanes import CROSS_VENUE, LANE_ORDER, NOISE, STRUCTURAL_PARITY, Lane, MarketView
from arb_bot.lanes.cross_venue import CrossVenueLane
from arb_bot.lanes.intra_venue import IntraVenueLane
from arb_bot.lanes.maker_estimate import maker_view
from arb_bot.lanes.structural_bucket import StructuralBucketLane
from arb_bot.lanes.structural_event_tree import StructuralEventTreeLane
from arb_bot.lanes.structural_parity import StructuralParityLane
from arb_bot.matching import USUAL_SCORE, TitleMatcher
from arb_bot.opportunity import Opportunity
from arb_bot.relations import MappedPair, Relations

LANES: Sequence[Lane] = (
    CrossVenueLane(),
    StructuralParityLane(),
    StructuralBucketLane(),
    StructuralEventTreeLane(),
    IntraVenueLane(),
)


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """What the settings say about finding. Defaults are the documented ones.

    `floors`: least net edge by kind, in dollars; a lane without one is off. `near_cost`: dollars.
    `join_seconds`: legs whose quotes were observed further apart than this are not joined; 0 joins any.
    `min_covered_…`: that many written pairs or rules must have all quotes, else their lane rests.
    """

    floors: Mapping[str, float]
    near_cost: float = 1.01
    join_seconds: float = 600.0
    maker_estimates: bool = True
    maker_ticks: Mapping[str, float] = field(default_factory=dict)
    fuzzy: bool = True
    min_match_score: float = USUAL_SCORE
    mapping_required: bool = False
    constraint_pricing: bool = True
    max_bruteforce: int = 14
    equivalence_score: float = 0.9
    buckets_exhaustive: bool = True
    min_covered_pairs: int = 0
    min_covered_rules: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """What one cycle found: opportunities, best net edge first, and how many were merely near."""

    found: tuple[Opportunity, ...]
    near: int


class Scanner:
    """Looks through one view after the other; keeps what does not change with prices from one to the next."""

    def __init__(self) -> None:
        self._matcher = TitleMatcher(USUAL_SCORE)
        self._source: tuple[object, ...] = ()
        self._known = Relations()
        self._pricing: ConstraintPricing

    def scan(self, view: MarketView, options: LaneOptions) -> Scan:
        """Opportunities with the net edge that their lane wants, and the count of near ones.

        Near: payout 1 and a net edge of at least 1 − `near_cost`, and not among the found ones by identity.
        Edges are those after constraint pricing. The same legs found twice count once, with the better edge.
        """
        self._learn(view, options)
        views = [MarketView(view.quotes, self._known, view.style)]
        if options.maker_estimates:
            views.append(maker_view(views[0], options.maker_ticks))
        found: dict[object, Opportunity] = {}
        near: set[object] = set()
        near_edge = 1.0 - options.near_cost
        for opportunity in self._combinations(views, options, near_edge):
            edge = opportunity.net_edge
            if edge >= options.floors[opportunity.kind] - NOISE:
                best = found.get(opportunity.identity)
                if best is None or edge > best.net_edge:
                    found[opportunity.identity] = opportunity
            elif edge >= near_edge - NOISE and opportunity.payout == 1.0:
                near.add(opportunity.identity)
        ordered = sorted(without_aliases(found.values()), key=lambda o: (-o.net_edge, o.match_key))
        return Scan(tuple(self._in_cluster(o) for o in ordered), len(near - found.keys()))

    def _learn(self, view: MarketView, options: LaneOptions) -> None:
        """Take in what is known now: written relations, and pairs that titles suggest where none is."""
        alike: tuple[MappedPair, ...] = ()
        if options.fuzzy and not options.mapping_required and CROSS_VENUE in options.floors:
            if options.min_match_score != self._matcher.min_score:
                self._matcher = TitleMatcher(options.min_match_score)
            alike = self._matcher.pairs(view.quotes)
        pricing = (options.max_bruteforce, options.equivalence_score, options.buckets_exhaustive)
        source = (view.relations, alike, pricing)
        if source == self._source:
            return
        suggested = Relations(pairs=tuple(_unmapped(alike, view.relations.pairs)))
        self._source, self._known = source, view.relations.joined(suggested)
        self._pricing = ConstraintPricing(
            self._known,
            max_markets=options.max_bruteforce,
            equivalence_score=options.equivalence_score,
            exhaustive=options.buckets_exhaustive,
        )

    def _combinations(
        self, views: Iterable[MarketView], options: LaneOptions, near_edge: float
    ) -> Iterator[Opportunity]:
        for view in views:
            for lane in LANES:
                floor = options.floors.get(lane.kind)
                if floor is None or not _covered(lane.kind, view, options):
                    continue
                for opportunity in lane.find(view, min(floor, near_edge)):
                    if _joined_in_time(opportunity, options.join_seconds):
                        yield self._priced(opportunity) if options.constraint_pricing else opportunity

    def _priced(self, opportunity: Opportunity) -> Opportunity:
        payout = self._pricing.payout(opportunity)
        if payout == opportunity.payout:
            return opportunity
        metadata = {**opportunity.metadata, "constraint_payout": payout}
        return replace(opportunity, payout=payout, metadata=metadata)

    def _in_cluster(self, opportunity: Opportunity) -> Opportunity:
        cluster = self._pricing.cluster(opportunity)
        return replace(opportunity, metadata={**opportunity.metadata, "correlation_cluster": cluster})


def without_aliases(found: Iterable[Opportunity]) -> list[Opportunity]:
    """Cross-venue and parity opportunities of the same legs are one: a bit of the SHA-256 of their markets
    says under which name it stays, the same one every time.
    """
    opportunities = list(found)
    kinds: dict[object, set[str]] = {}
    for o in opportunities:
        kinds.setdefault(o.identity[1:], set()).add(o.kind)
    return [o for o in opportunities if o.kind not in _beaten(kinds[o.identity[1:]], o.market_key)]


def in_turn(ranked: Iterable[tuple[float, Opportunity]]) -> list[Opportunity]:
    """The order of trying: the best of each lane first, in lane order, then all others.

    `ranked` holds (expected realised profit in USD, opportunity); higher comes first within each pass.
    """
    by_profit = [o for _, o in sorted(ranked, key=lambda pair: (-pair[0], pair[1].kind, pair[1].match_key))]
    first = [next((o for o in by_profit if o.kind == kind), None) for kind in LANE_ORDER]
    leaders = [o for o in first if o is not None]
    chosen = {id(o) for o in leaders}
    return leaders + [o for o in by_profit if id(o) not in chosen]


def _beaten(kinds: set[str], market_key: str) -> tuple[str, ...]:
    if not {CROSS_VENUE, STRUCTURAL_PARITY} <= kinds:
        return ()
    bit = hashlib.sha256(market_key.encode()).digest()[-1] & 1
    return ((STRUCTURAL_PARITY, CROSS_VENUE)[bit],)


def _unmapped(alike: Iterable[MappedPair], mapped: Iterable[MappedPair]) -> Iterator[MappedPair]:
    """The pairs by title of which neither market is mapped to the other one's venue already."""
    taken = {
        (here, there[0])
        for pair in mapped
        for here, there in ((pair.left, pair.right), (pair.right, pair.left))
    }
    for pair in alike:
        if (pair.left, pair.right[0]) not in taken and (pair.right, pair.left[0]) not in taken:
            yield pair


def _joined_in_time(opportunity: Opportunity, seconds: float) -> bool:
    times = [leg.observed_at for leg in opportunity.legs]
    return seconds <= 0 or max(times) - min(times) <= seconds


def _covered(kind: str, view: MarketView, options: LaneOptions) -> bool:
    """Whether enough of what is written down has quotes for this lane to be trusted."""
    known, quotes = view.relations, view.quotes
    if kind == CROSS_VENUE and options.min_covered_pairs:
        seen = sum(p.mapped and p.left in quotes and p.right in quotes for p in known.pairs)
        return seen >= options.min_covered_pairs
    if kind == STRUCTURAL_PARITY and options.min_covered_rules:
        seen = sum(c.left in quotes and c.right in quotes for c in known.parities)
        return seen >= options.min_covered_rules
    return True
