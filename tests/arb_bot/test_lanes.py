"""The lanes against every combination by hand; de-duplication, order of turns, near opportunities."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot.lanes import MappedPair, MarketView, in_turn, scan
from arb_bot.lanes.cross_venue import CrossVenueLane
from arb_bot.lanes.intra_venue import IntraVenueLane
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.quotes import Quote

PAIR = MappedPair("g1", ("kalshi", "K1"), ("polymarket", "P1"))


def quote(venue: str, market: str, yes: float, no: float, fee: float = 0.0) -> Quote:
    return Quote(venue, market, market, 100.0, yes - 0.02, yes, no - 0.02, no, 50.0, 60.0, fee, 900.0)


def view(*quotes: Quote, pairs: tuple[MappedPair, ...] = (PAIR,)) -> MarketView:
    return MarketView({(q.venue, q.market_id): q for q in quotes}, pairs)


def test_intra_venue_counts_the_quotes_fee_once_for_both_legs() -> None:
    (found,) = IntraVenueLane().find(view(quote("kalshi", "K1", 0.40, 0.55, fee=0.01)), -1.0)
    assert found.match_key == "kalshi:K1"
    assert found.net_edge == pytest.approx(0.04)
    assert [(leg.side, leg.price, leg.size) for leg in found.legs] == [
        ("yes", 0.40, 50.0),
        ("no", 0.55, 60.0),
    ]


def test_cross_venue_buys_both_ways_round_and_adds_both_fees() -> None:
    left, right = quote("kalshi", "K1", 0.40, 0.63, 0.015), quote("polymarket", "P1", 0.47, 0.52, 0.005)
    both = list(CrossVenueLane().find(view(left, right), -1.0))
    assert {o.match_key for o in both} == {"g1:kalshi:polymarket"}
    assert [o.net_edge for o in both] == pytest.approx([1 - 0.40 - 0.52 - 0.02, 1 - 0.63 - 0.47 - 0.02])
    assert [leg.side for leg in both[1].legs] == ["no", "yes"]
    assert both[0].market_key == "kalshi/K1:polymarket/P1"


def test_a_pair_of_which_one_quote_is_missing_brings_nothing() -> None:
    assert not list(CrossVenueLane().find(view(quote("kalshi", "K1", 0.1, 0.1)), -1.0))


prices = st.integers(1, 99).map(lambda cents: cents / 100)


@given(prices, prices, prices, prices, st.floats(-0.5, 0.5))
def test_the_lanes_find_exactly_the_combinations_above_the_floor(
    ky: float, kn: float, py: float, pn: float, floor: float
) -> None:
    everything = view(quote("kalshi", "K1", ky, kn, 0.01), quote("polymarket", "P1", py, pn))
    expected = sorted(edge for edge in (1 - (ky + kn) - 0.01, 1 - (py + pn) - 0.0) if edge >= floor)
    assert sorted(o.net_edge for o in IntraVenueLane().find(everything, floor)) == pytest.approx(expected)
    crossed = sorted(edge for edge in (1 - (ky + pn) - 0.01, 1 - (kn + py) - 0.01) if edge >= floor)
    assert sorted(o.net_edge for o in CrossVenueLane().find(everything, floor)) == pytest.approx(crossed)


def test_near_opportunities_cost_at_most_the_threshold_and_are_not_found_ones() -> None:
    quotes = view(
        quote("kalshi", "K1", 0.40, 0.55),  # edge 0.05: found
        quote("kalshi", "K2", 0.50, 0.505),  # edge -0.005: near
        quote("kalshi", "K3", 0.60, 0.60),  # far
        pairs=(),
    )
    result = scan([IntraVenueLane()], quotes, min_edge=0.01, near_cost=1.01)
    assert [o.match_key for o in result.found] == ["kalshi:K1"]
    assert result.near == 1


def test_the_same_legs_count_once_and_the_best_edge_comes_first() -> None:
    quotes = view(quote("kalshi", "K1", 0.40, 0.55), quote("polymarket", "P1", 0.30, 0.55))
    twice = scan([IntraVenueLane(), IntraVenueLane()], quotes, 0.01, 1.01)
    assert [o.match_key for o in twice.found] == ["polymarket:P1", "kalshi:K1"]


def test_each_lane_has_its_turn_before_any_has_a_second_one() -> None:
    def candidate(kind: str, name: str) -> Opportunity:
        return Opportunity(
            kind,
            name,
            tuple(Leg("kalshi", name, name, side, 0.4, 10.0, None, 0.0, None) for side in ("yes", "no")),
            0.0,
        )

    cross = [candidate("cross_venue", f"c{i}") for i in range(2)]
    intra = [candidate("intra_venue", f"i{i}") for i in range(2)]
    profits = {"c0": 1.0, "c1": 0.5, "i0": 9.0, "i1": 8.0}
    ranked = [(profits[o.match_key], o) for o, _ in product([*cross, *intra], [0])]
    assert [o.match_key for o in in_turn(ranked)] == ["c0", "i0", "i1", "c1"]
