"""Money, fees, fill probability, edges: against the documented golden values."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot import fill_model
from arb_bot.fees import CurveFee, FlatFee, fill_weight
from arb_bot.money import MICROS, share, to_micros, to_usd
from arb_bot.opportunity import OPPOSITE_BID_TRANSFORM, Leg, Opportunity

NOW = 1_000.0
MODEL = fill_model.FillModel()


def leg(
    price: float, *, venue: str = "kalshi", size: float = 100.0, bid: float | None = None, age: float = 0.0
) -> Leg:
    return Leg(venue, "M", "a market", "yes", price, size, bid, NOW - age, NOW + 600)


def curve(contracts: int, price: float) -> float:
    return to_usd(CurveFee().charge(contracts, fill_weight(contracts, to_micros(price))))


@pytest.mark.parametrize(
    ("contracts", "price", "fee"),
    [(1, 0.5, 0.02), (10, 0.5, 0.18), (100, 0.5, 1.75), (10, 0.1, 0.07), (10, 0.99, 0.01), (7, 0.33, 0.11)],
)
def test_the_fee_curve_gives_the_documented_fees_in_exact_arithmetic(
    contracts: int, price: float, fee: float
) -> None:
    assert curve(contracts, price) == fee


@pytest.mark.parametrize("price", [0.0, 1.0])
def test_a_certain_price_costs_no_fee(price: float) -> None:
    assert curve(10, price) == 0.0


@given(st.integers(1, 500), st.integers(1, MICROS - 1))
def test_the_fee_curve_is_the_formula_rounded_up_to_the_cent(contracts: int, price: int) -> None:
    exact = Fraction(7, 100) * contracts * Fraction(price, MICROS) * (1 - Fraction(price, MICROS))
    assert CurveFee().charge(contracts, fill_weight(contracts, price)) == math.ceil(exact * 100) * 10_000


def test_a_flat_fee_counts_contracts() -> None:
    assert FlatFee(5_000).charge(7, 0) == 35_000


@given(st.integers(0, 10**12), st.integers(1, 1000), st.data())
def test_parts_of_a_sum_add_up_to_it(total: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    taken = share(total, part, whole)
    assert 0 <= taken <= total
    assert (
        share(total - taken, whole - part, whole - part) == total - taken if whole > part else taken == total
    )


@pytest.mark.parametrize(
    ("contracts", "price", "fee"),
    [(1, 0.5, 0.02), (10, 0.5, 0.18), (100, 0.5, 1.76), (10, 0.1, 0.07), (10, 0.99, 0.01), (7, 0.33, 0.11)],
)
def test_in_floats_the_formula_of_the_curve_gives_a_cent_too_much_once(
    contracts: int, price: float, fee: float
) -> None:
    """The documented 1.76 for 100 at 0.5 is ceil(175.00000000000003); nothing in it needs a cent more."""
    in_floats = math.ceil(100 * 0.07 * contracts * price * (1 - price)) / 100
    assert in_floats == fee
    assert curve(contracts, price) == (1.75 if contracts == 100 else fee)


@pytest.mark.parametrize(
    ("chances", "correlation", "joint"),
    [
        ([0.54] * 3, 0.0, "0.157464"),
        ([0.54] * 3, 0.7, "0.373104"),
        ([0.9, 0.8], 0.7, "0.807730"),
        ([0.9, 0.0], 0.7, "0.000000"),
    ],
)
def test_legs_fill_together_with_the_documented_probability(
    chances: list[float], correlation: float, joint: str
) -> None:
    assert f"{fill_model.joint_probability(chances, correlation):.6f}" == joint


def test_only_structural_legs_at_one_venue_fill_and_miss_together() -> None:
    def joint(kind: str, *venues: str) -> str:
        legs = tuple(leg(0.3, venue=venue, size=54) for venue in venues)
        return f"{fill_model.estimate(Opportunity(kind, 'k', legs, 0.0), 100, NOW, MODEL).probability:.6f}"

    assert joint("structural_bucket", "kalshi", "kalshi", "kalshi") == "0.373104"
    assert joint("structural_event_tree", "kalshi", "kalshi", "kalshi") == "0.373104"
    assert joint("structural_bucket", "kalshi", "kalshi", "polymarket") == "0.157464"
    assert joint("intra_venue", "kalshi", "kalshi", "kalshi") == "0.157464"


def test_a_legs_probability_is_depth_times_freshness_times_tightness() -> None:
    chance = fill_model.leg_probability(leg(0.5, size=10, bid=0.46, age=60), 20, NOW, MODEL)
    assert chance == pytest.approx(0.5 * math.exp(-60 / 120) * (1 - 0.04))


def test_the_models_constants_each_lower_the_chance_in_their_way() -> None:
    def chance(asked: Leg, **constants: float) -> float:
        return fill_model.leg_probability(asked, 20, NOW, replace(MODEL, **constants))

    wide, derived = leg(0.5, bid=0.3), replace(leg(0.5), source=OPPOSITE_BID_TRANSFORM)
    assert chance(leg(0.5, size=30), queue_depth_factor=3.0) == pytest.approx(0.5)
    assert chance(leg(0.5, size=30), queue_depth_factor=0.1) == 1.0, "a factor below 1 counts as 1"
    assert chance(leg(0.5, age=10), stale_seconds=10.0) == pytest.approx(1 / math.e)
    assert chance(wide, spread_weight=2.0) == pytest.approx(0.6)
    assert chance(wide, spread_weight=100.0) == pytest.approx(0.1), "a spread never takes more than 90 %"
    assert chance(derived) == pytest.approx(0.95)
    assert chance(derived, transform_penalty=0.2) == pytest.approx(0.8)


def test_quality_is_exactly_minus_a_half_at_the_ask_and_nothing_without_a_bid() -> None:
    assert {fill_model.quality(leg(ask / 100, bid=(ask - 3) / 100)) for ask in range(4, 100)} == {-0.5}
    assert fill_model.quality(leg(0.5)) == 0.0
    assert fill_model.quality(leg(0.5, bid=0.5)) == 0.0


def test_without_a_model_everything_fills_as_planned() -> None:
    opportunity = Opportunity("cross_venue", "k", (leg(0.4, bid=0.1, age=900), leg(0.5)), fee=0.01)
    estimate = fill_model.estimate(opportunity, 500, NOW, replace(MODEL, enabled=False))
    assert estimate == fill_model.FillEstimate(1.0, 0.0, 0.0, opportunity.net_edge)


def test_the_expected_edge_takes_off_missed_fills_and_slippage() -> None:
    legs = (leg(0.40, bid=0.36, size=10), leg(0.50, bid=0.49, size=40))
    opportunity = Opportunity("intra_venue", "k", legs, fee=0.02)
    estimate = fill_model.estimate(opportunity, 20, NOW, MODEL)
    first, second = 0.5 * 0.96, 0.99
    slippage = (0.04 * (1 - first) + 0.01 * (1 - second)) / 2
    assert estimate.probability == pytest.approx(first * second)
    assert estimate.slippage == pytest.approx(slippage)
    assert estimate.quality == -0.5
    assert estimate.edge == pytest.approx(0.08 * first * second - 0.0003 * (1 - first * second) - slippage)


def test_edges_and_costs_are_the_documented_ones() -> None:
    opportunity = Opportunity("cross_venue", "k", (leg(0.318), leg(0.649, venue="polymarket")), fee=0.01)
    assert opportunity.gross_edge == pytest.approx(0.033)
    assert opportunity.net_edge == pytest.approx(0.023)
    assert opportunity.total_cost == pytest.approx(0.977)
    assert opportunity.unit_cost_by_venue() == pytest.approx({"kalshi": 0.323, "polymarket": 0.654})
