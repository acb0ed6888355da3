"""Events that hang together: their probabilities, what they pay, and what is said of them agree, always."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arb_bot.money import MICROS
from arb_bot.relations import EXCHANGE_API
from arb_bot.simulated import listing
from arb_bot.simulated.markets import KALSHI, POLYMARKET, Listing, SimulatedMarkets
from arb_bot.simulated.world import (
    BUCKET,
    COMPLEMENT,
    EQUIVALENT,
    PATTERNS,
    SINGLE,
    TREE,
    Family,
    World,
    WorldShape,
)
from tests.arb_bot.lab import Lab

BRIEF = WorldShape(shortest_life=5.0, longest_life=60.0, news_per_hour=60.0)


def coherent(pattern: str, values: list[float]) -> bool:
    """Whether probabilities, or outcomes as 0 and 1, of a family's events fit together."""
    if pattern == BUCKET:
        return sum(values) == pytest.approx(1.0)
    if pattern == TREE:
        return values[0] == pytest.approx(sum(values[1:]))
    if pattern == COMPLEMENT:
        return sum(values) == pytest.approx(1.0)
    return pattern != EQUIVALENT or values[0] == pytest.approx(values[1])


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40), st.lists(st.floats(0.5, 40.0), max_size=20))
def test_probabilities_and_outcomes_of_a_family_fit_together_at_every_moment(
    seed: int, slots: int, steps: list[float]
) -> None:
    world = World(random.Random(seed), listing.patterns(slots), 0.0, BRIEF)
    lived: dict[int, Family] = {}
    now = 0.0
    for step in steps:
        now += step
        for _ in world.advance(now):
            lived |= {family.numbers[0]: family for family in world.families}
            assert [event.slot for event in world.events] == list(range(slots))
            for family in world.families:
                chances = [world.events[family.slot + n].probability for n in range(len(family.numbers))]
                assert all(0.0 < chance < 1.0 for chance in chances)
                assert coherent(family.pattern, chances)
    outcomes = dict(world.resolved)
    over = [family for family in lived.values() if family.numbers[0] in outcomes]
    for family in over:
        assert coherent(family.pattern, [float(outcomes[number]) for number in family.numbers])


def test_every_kind_of_family_fits_into_a_listing_and_none_is_cut() -> None:
    layout, slots = listing.blocks({KALSHI: 40, POLYMARKET: 25})
    assert set(layout) == set(PATTERNS)
    assert sum(len(PATTERNS[pattern].members) for pattern in layout) == 40 + 25 - len(
        set(slots[KALSHI]) & set(slots[POLYMARKET])
    )
    assert (len(slots[KALSHI]), len(slots[POLYMARKET])) == (40, 25)
    start = 0
    for pattern in layout:
        family = set(range(start, start + len(PATTERNS[pattern].members)))
        assert all(family <= set(held) or not family & set(held) for held in slots.values())
        start += len(family)
    assert listing.patterns(3) == [SINGLE] * 3, "a bucket would not fit"


@pytest.fixture
def markets(lab: Lab) -> Iterator[SimulatedMarkets]:
    listings = {name: Listing(25, 100 * MICROS, lambda: 0.0) for name in (KALSHI, POLYMARKET)}
    built = SimulatedMarkets(listings, folder=lab.folder, clock=lab.clock, seed="1", session_id="s" * 32)
    yield built
    built.close()


def test_relations_name_listed_markets_and_stay_the_same_object_until_another_event_is_listed(
    markets: SimulatedMarkets, lab: Lab
) -> None:
    known = markets.relations()
    listed = {(name, m) for name, venue in markets.venues.items() for m in venue._markets}
    assert {leg.market for bucket in known.buckets for leg in bucket.legs} <= listed
    assert {market for tree in known.trees for market in (tree.parent, *tree.children)} <= listed
    assert {market for check in known.parities for market in (check.left, check.right)} <= listed
    assert {check.relationship for check in known.parities} == {"complement", "equivalent"}
    assert {bucket.exclusivity_source for bucket in known.buckets if bucket.legs[0].venue == KALSHI} == {
        EXCHANGE_API
    }
    assert markets.relations() is known
    lab.clock.advance(3600)
    markets.catch_up()
    assert markets.relations() is not known


def test_both_venues_pay_a_family_alike_and_as_its_rules_say(markets: SimulatedMarkets, lab: Lab) -> None:
    known = markets.relations()
    lab.clock.advance(3700)
    markets.catch_up()
    for venue in markets.venues.values():
        venue._down_until = 0.0

    def ends(market: tuple[str, str]) -> bool:
        winner = markets.venues[market[0]].winner(market[1])
        assert winner is not None
        return winner == "yes"

    assert known.buckets
    for bucket in known.buckets:
        assert sum(ends(leg.market) for leg in bucket.legs) == 1
    for tree in known.trees:
        assert sum(map(ends, tree.children)) == ends(tree.parent)
    for check in known.parities:
        assert (ends(check.left) == ends(check.right)) == (check.relationship == "equivalent")
    for pair in known.pairs:
        assert ends(pair.left) == ends(pair.right)


def test_a_restart_takes_up_every_family_as_it_stood(lab: Lab) -> None:
    before = lab.start("1").markets
    lab.run(400)
    families = [(f.pattern, f.slot, f.numbers, f.weights) for f in before.world.families]
    known = before.relations()
    lab.end()
    after = lab.start("2").markets
    assert [(f.pattern, f.slot, f.numbers, f.weights) for f in after.world.families] == families
    assert after.relations() == known


def test_families_that_have_no_place_any_more_resolve_at_once(lab: Lab) -> None:
    lab.start("1").markets.remember()
    lab.end()
    smaller = lab.start("1", KALSHI_MARKET_LIMIT="3", POLYMARKET_MARKET_LIMIT="3").markets
    assert {f.pattern for f in smaller.world.families} == {SINGLE}
    assert len(smaller._outcomes) > 30
