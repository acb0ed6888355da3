"""Constraint pricing against going through every outcome one by one; the names of clusters."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot.constraint_pricing import ConstraintPricing
from arb_bot.lanes import MarketView
from arb_bot.lanes.scanning import LaneOptions, Scanner
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.quotes import Quote, Side
from arb_bot.relations import Bucket, EventTree, MappedPair, Market, ParityCheck, Relations, RuleLeg

NAMES = [f"M{n}" for n in range(6)]
sides = st.sampled_from(["yes", "no"])


def at(name: str) -> Market:
    return "kalshi", name


def opportunity(*legs: tuple[str, Side], payout: float = 1.0) -> Opportunity:
    bought = (Leg("kalshi", name, name, side, 0.4, 10.0, None, 0.0, None) for name, side in legs)
    return Opportunity("structural_bucket", "k", tuple(bought), 0.0, payout=payout)


def pricing(
    relations: Relations, most: int = 14, score: float = 0.9, exhaustive: bool = True
) -> ConstraintPricing:
    return ConstraintPricing(relations, max_markets=most, equivalence_score=score, exhaustive=exhaustive)


def yes_bucket(group: str, *names: str) -> Bucket:
    return Bucket(group, tuple(RuleLeg("kalshi", name) for name in names))


@st.composite
def known(draw: st.DrawFn) -> Relations:
    """Relations of every kind over six markets."""
    several = st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True)
    buckets = [
        Bucket(f"b{n}", tuple(RuleLeg("kalshi", name, draw(sides)) for name in names))
        for n, names in enumerate(draw(st.lists(several, max_size=2)))
    ]
    trees = [
        EventTree(f"t{n}", at(parent), tuple(map(at, children)))
        for n, (parent, *children) in enumerate(draw(st.lists(several, max_size=2)))
    ]
    parities = [
        ParityCheck(f"p{n}", at(left), at(right), draw(st.sampled_from(["complement", "equivalent"])))
        for n, (left, right, *_) in enumerate(draw(st.lists(several, max_size=2)))
    ]
    pairs = [
        MappedPair(f"m{n}", at(left), at(right), draw(st.sampled_from([0.7, 1.0])))
        for n, (left, right, *_) in enumerate(draw(st.lists(several, max_size=2)))
    ]
    return Relations(tuple(pairs), tuple(buckets), tuple(trees), tuple(parities))


def worst(relations: Relations, legs: list[tuple[str, Side]], exhaustive: bool) -> int:
    """The fewest winning legs over all outcomes of all six markets that every relation allows; 0 if none."""
    fewest = None
    for outcome in product((False, True), repeat=len(NAMES)):
        ends = dict(zip(NAMES, outcome, strict=True))
        counts = [
            sum(ends[leg.market_id] == (leg.side == "yes") for leg in b.legs) for b in relations.buckets
        ]
        allowed = (
            all(count == 1 or (count == 0 and not exhaustive) for count in counts)
            and all(sum(ends[c] for _, c in t.children) == ends[t.parent[1]] for t in relations.trees)
            and all(
                (ends[p.left[1]] == ends[p.right[1]]) == (p.relationship == "equivalent")
                for p in relations.parities
            )
            and all(ends[p.left[1]] == ends[p.right[1]] for p in relations.pairs if p.score >= 0.9)
        )
        if allowed:
            wins = sum(ends[name] == (side == "yes") for name, side in legs)
            fewest = wins if fewest is None else min(fewest, wins)
    return fewest or 0


@given(known(), st.data(), st.booleans())
def test_the_payout_is_the_worst_of_all_outcomes_gone_through(
    relations: Relations, data: st.DataObject, exhaustive: bool
) -> None:
    rule = data.draw(st.sampled_from([*relations.buckets, *relations.trees, *relations.parities, None]))
    if rule is None:
        return
    if isinstance(rule, Bucket):
        names = [leg.market_id for leg in rule.legs]
    elif isinstance(rule, EventTree):
        names = [rule.parent[1], *(name for _, name in rule.children)]
    else:
        names = [rule.left[1], rule.right[1]]
    legs = [(name, data.draw(sides)) for name in names]
    priced = pricing(relations, exhaustive=exhaustive)
    expected = worst(relations, legs, exhaustive)
    contradicted = worst(relations, [("M0", "yes"), ("M0", "no")], exhaustive) == 0
    paid = priced.payout(opportunity(*legs, payout=9.0))
    assert paid == priced.payout(opportunity(*legs, payout=9.0)), "also from memory"
    # Relations elsewhere that contradict each other say nothing about this cluster.
    assert paid == expected or contradicted


BUCKET = Relations(buckets=(yes_bucket("temps", "A", "B", "C"),))


def test_what_rules_promise_is_what_they_pay() -> None:
    tree = Relations(trees=(EventTree("t", at("P"), (at("A"), at("B"))),))
    assert pricing(BUCKET).payout(opportunity(("A", "yes"), ("B", "yes"), ("C", "yes"))) == 1.0
    assert pricing(tree).payout(opportunity(("P", "no"), ("A", "yes"), ("B", "yes"))) == 1.0
    assert pricing(tree).payout(opportunity(("P", "yes"), ("A", "no"), ("B", "no"), payout=2.0)) == 2.0
    assert pricing(BUCKET).payout(opportunity(("A", "yes"), ("A", "no"))) == 1.0


def test_a_bucket_that_may_end_without_a_winner_pays_nothing_at_worst() -> None:
    three = opportunity(("A", "yes"), ("B", "yes"), ("C", "yes"))
    assert pricing(BUCKET, exhaustive=False).payout(three) == 0.0
    assert pricing(BUCKET, exhaustive=False).payout(opportunity(("A", "no"), ("B", "no"))) == 1.0


def test_a_cluster_above_the_limit_keeps_the_lanes_payout() -> None:
    three = opportunity(("A", "yes"), ("B", "yes"), ("C", "yes"))
    assert pricing(BUCKET, most=2, exhaustive=False).payout(three) == 1.0
    assert pricing(BUCKET, most=3, exhaustive=False).payout(three) == 0.0


def test_fourteen_markets_are_priced() -> None:
    names = [f"X{n}" for n in range(14)]
    all_of_them = opportunity(*((name, "yes") for name in names))
    relations = Relations(buckets=(yes_bucket("large", *names),))
    assert pricing(relations, exhaustive=False).payout(all_of_them) == 0.0
    assert pricing(relations).payout(all_of_them) == 1.0


def test_relations_that_contradict_each_other_leave_nothing_to_count_on() -> None:
    both = (
        ParityCheck("e", at("A"), at("B"), "equivalent"),
        ParityCheck("c", at("A"), at("B"), "complement"),
    )
    assert pricing(Relations(parities=both)).payout(opportunity(("A", "yes"), ("B", "no"))) == 0.0


def test_a_pair_by_title_is_the_same_outcome_only_from_the_equivalence_score_on() -> None:
    def paid(score: float, *buckets: Bucket) -> float:
        pair = MappedPair("x", at("A"), at("D"), score, mapped=False)
        relations = Relations((pair,), buckets)
        return pricing(relations).payout(opportunity(("A", "yes"), ("D", "no")))

    assert paid(0.9, BUCKET.buckets[0]) == 1.0
    assert paid(0.89, BUCKET.buckets[0]) == 0.0, "rules bind A, and nothing ties D to it"
    assert paid(0.89) == 1.0, "nothing binds either: the lane's word stands"


@pytest.mark.parametrize(
    ("relations", "name"),
    [
        (Relations(), "market:kalshi:A"),
        (
            Relations(pairs=(MappedPair("rain in rome", at("A"), at("D"), 0.8, mapped=False),)),
            "match:rain-in-rome",
        ),
        (BUCKET, "constraint:temps"),
        (
            Relations(
                (MappedPair("m", at("C"), at("Z")),),
                BUCKET.buckets,
                (EventTree("state", at("Z"), (at("Y"),)),),
            ),
            "constraint:state+temps",
        ),
        (Relations(parities=(ParityCheck("p", at("X"), at("Y"), "complement"),)), "market:kalshi:A"),
    ],
)
def test_a_cluster_is_named_by_everything_that_ties_its_markets(relations: Relations, name: str) -> None:
    assert pricing(relations).cluster(opportunity(("A", "yes"), ("A", "no"))) == name


@pytest.fixture
def look() -> Callable[[bool], MarketView]:
    def made(rules: bool) -> MarketView:
        quotes = {
            at(n): Quote("kalshi", n, n, 100.0, 0.28, 0.3, 0.68, 0.7, 9.0, 9.0, 0.0, 900.0) for n in "ABC"
        }
        return MarketView(quotes, BUCKET if rules else Relations())

    return made


def test_a_scan_decides_by_the_worst_payout_and_names_the_cluster(look: Callable[[bool], MarketView]) -> None:
    scanner, options = Scanner(), LaneOptions({"structural_bucket": 0.01}, maker_estimates=False)
    (found,) = scanner.scan(look(True), options).found
    assert found.net_edge == pytest.approx(0.10)
    assert found.cluster == "constraint:temps"
    assert not scanner.scan(look(False), options).found, "rules that are gone are forgotten"
    doubtful = LaneOptions({"structural_bucket": -1.0}, maker_estimates=False, buckets_exhaustive=False)
    (found,) = scanner.scan(look(True), doubtful).found
    assert (found.payout, found.metadata["constraint_payout"]) == (0.0, 0.0)
    assert found.net_edge == pytest.approx(-0.9)
    assert (
        not Scanner()
        .scan(look(True), LaneOptions({"structural_bucket": 0.0}, buckets_exhaustive=False))
        .found
    )
