"""What a combination pays at worst, over all outcomes that the known relations allow; and its cluster.

Markets that relations tie together, directly or over others, are a cluster. The outcomes of its n markets are
the 2ⁿ rows of a truth table, and a set of rows is one integer with a bit for each row: constraints are a
few bitwise operations, however many rows there are. Clusters of more markets than the limit keep the payout
that their lane promises: an integer program could price them, but needs a solver, and the bot needs nothing
but the standard library.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from arb_bot.opportunity import Opportunity
from arb_bot.relations import Bucket, EventTree, MappedPair, Market, ParityCheck, Relations

Relation = MappedPair | Bucket | EventTree | ParityCheck


@dataclass
class _Cluster:
    """Markets that hang together, the relations that tie them, and the rows that these allow, once asked
    for.
    """

    markets: list[Market]
    relations: list[Relation] = field(default_factory=list)
    allowed: int | None = None

    @cached_property
    def name(self) -> str:
        """`constraint:a+b` of its rules' groups, or `match:slug` where only pairs tie it."""
        groups = {r.group_id for r in self.relations if not isinstance(r, MappedPair)}
        if groups:
            return "constraint:" + "+".join(sorted(groups))
        return "match:" + min(r.group_id for r in self.relations).replace(" ", "-")

    @cached_property
    def tables(self) -> dict[Market, int]:
        """For each market the rows in which it ends YES."""
        count = len(self.markets)
        return {market: _variable(index, count) for index, market in enumerate(self.markets)}

    @property
    def every_row(self) -> int:
        """All rows."""
        return (1 << (1 << len(self.markets))) - 1


class ConstraintPricing:
    """Prices combinations by `relations`, which it takes as true.

    Pairs count as equal from `equivalence_score` on. `exhaustive`: one leg of a bucket comes true, else at
    most one.
    """

    def __init__(
        self, relations: Relations, *, max_markets: int, equivalence_score: float, exhaustive: bool
    ) -> None:
        self._max_markets = max_markets
        self._equivalence_score = equivalence_score
        self._exhaustive = exhaustive
        self._cluster_of = _clusters(relations)
        self._constrained = {
            market for relation in _all(relations) if self._binds(relation) for market in _markets(relation)
        }
        self._worst: dict[tuple[tuple[str, str, str], ...], float] = {}

    def cluster(self, opportunity: Opportunity) -> str:
        """The name under which everything counts that stands and falls with this opportunity."""
        leg = opportunity.legs[0]
        cluster = self._cluster_of.get((leg.venue, leg.market_id))
        return cluster.name if cluster else f"market:{leg.venue}:{leg.market_id}"

    def payout(self, opportunity: Opportunity) -> float:
        """Dollars that one set pays at worst, never more than its lane promises.

        Unchanged where nothing binds its markets or their cluster is too large; 0 where the relations
        contradict each other, for then nothing is known.
        """
        legs = tuple((leg.venue, leg.market_id, leg.side) for leg in opportunity.legs)
        worst = self._worst.get(legs)
        if worst is None:
            worst = self._worst[legs] = self._worst_payout(legs)
        return min(opportunity.payout, worst)

    def _worst_payout(self, legs: Sequence[tuple[str, str, str]]) -> float:
        """Dollars; infinite where nothing is known that could lower what a lane promises."""
        cluster = self._cluster_of.get(legs[0][:2])
        if cluster is None or len(cluster.markets) > self._max_markets:
            return math.inf
        if self._constrained.isdisjoint(leg[:2] for leg in legs):
            return math.inf
        return float(self._fewest_winners(cluster, legs))

    def _fewest_winners(self, cluster: _Cluster, legs: Sequence[tuple[str, str, str]]) -> int:
        """How many legs pay at least, in every allowed row; each pays a dollar."""
        every_row = cluster.every_row
        if cluster.allowed is None:
            cluster.allowed = self._allowed_rows(cluster)
        if not cluster.allowed:
            return 0
        wins = []
        for venue, market_id, side in legs:
            yes = cluster.tables[venue, market_id]
            wins.append(yes if side == "yes" else yes ^ every_row)
        levels = _at_least(wins, every_row)
        return max(count for count, rows in enumerate(levels) if not cluster.allowed & ~rows)

    def _allowed_rows(self, cluster: _Cluster) -> int:
        rows = cluster.every_row
        for relation in cluster.relations:
            if self._binds(relation):
                rows &= self._rows_of(relation, cluster)
        return rows

    def _rows_of(self, relation: Relation, cluster: _Cluster) -> int:
        """The rows that one relation allows."""
        every_row, tables = cluster.every_row, cluster.tables
        if isinstance(relation, Bucket):
            listed = [
                tables[leg.market] if leg.side == "yes" else tables[leg.market] ^ every_row
                for leg in relation.legs
            ]
            _, one, two, *_ = _at_least(listed, every_row)
            return (one if self._exhaustive else every_row) & ~two
        if isinstance(relation, EventTree):
            _, one, *more = _at_least([tables[child] for child in relation.children], every_row)
            alike = every_row ^ tables[relation.parent] ^ one
            return alike & ~more[0] if more else alike
        differ = tables[relation.left] ^ tables[relation.right]
        if isinstance(relation, ParityCheck) and relation.relationship == "complement":
            return differ
        return every_row ^ differ

    def _binds(self, relation: Relation) -> bool:
        return not isinstance(relation, MappedPair) or relation.score >= self._equivalence_score


def _all(relations: Relations) -> Iterable[Relation]:
    yield from relations.pairs
    yield from relations.buckets
    yield from relations.trees
    yield from relations.parities


def _markets(relation: Relation) -> tuple[Market, ...]:
    if isinstance(relation, Bucket):
        return tuple(leg.market for leg in relation.legs)
    if isinstance(relation, EventTree):
        return (relation.parent, *relation.children)
    return relation.left, relation.right


def _clusters(relations: Relations) -> dict[Market, _Cluster]:
    """The cluster of every market that a relation names; the smaller joins the larger."""
    cluster_of: dict[Market, _Cluster] = {}
    for relation in _all(relations):
        first, *others = _markets(relation)
        cluster = cluster_of.setdefault(first, _Cluster([first]))
        for market in others:
            other = cluster_of.setdefault(market, _Cluster([market]))
            if other is cluster:
                continue
            if len(other.markets) > len(cluster.markets):
                cluster, other = other, cluster
            cluster.markets += other.markets
            cluster.relations += other.relations
            for moved in other.markets:
                cluster_of[moved] = cluster
        cluster.relations.append(relation)
    return cluster_of


def _variable(index: int, count: int) -> int:
    """The truth table of one of `count` variables: blocks of 2^index zeros and ones by turns."""
    half = 1 << index
    table, length = ((1 << half) - 1) << half, 2 * half
    while length < 1 << count:
        table |= table << length
        length *= 2
    return table


def _at_least(tables: Sequence[int], every_row: int) -> list[int]:
    """For each number from 0 to all of them the rows in which at least so many tables are true."""
    levels = [every_row]
    for table in tables:
        levels.append(0)
        for count in range(len(levels) - 1, 0, -1):
            levels[count] |= levels[count - 1] & table
    return levels
