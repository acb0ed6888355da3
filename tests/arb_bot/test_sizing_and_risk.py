"""Sizes within every limit, and the documented reason for every refusal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot import decision
from arb_bot.judging import judge
from arb_bot.money import to_micros
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.plan import Plan
from arb_bot.quotes import Side
from arb_bot.risk import Cooldowns, Standing
from arb_bot.settings import Settings
from arb_bot.sizing import SizeLimits, contracts_within

NOW = 1_000.0
RICH = Standing(
    cash={"kalshi": to_micros(1000), "polymarket": to_micros(1000)},
    exposure={"kalshi": 0, "polymarket": 0},
    open_markets={"kalshi": set(), "polymarket": set()},
)


def cross(yes: float, no: float, *, size: float = 1000.0, fee: float = 0.0, age: float = 0.0) -> Opportunity:
    def leg(venue: str, side: Side, price: float) -> Leg:
        return Leg(venue, f"{venue}-1", "t", side, price, size, price - 0.01, NOW - age, NOW + 600)

    legs = (leg("kalshi", "yes", yes), leg("polymarket", "no", no))
    return Opportunity("cross_venue", "g:kalshi:polymarket", legs, fee)


cents = st.integers(1, 98).map(lambda c: c / 100)


@given(
    st.builds(cross, cents, cents, fee=st.floats(0, 0.05), size=st.floats(0, 5000)),
    st.tuples(st.integers(-100, 2_000_000_000), st.integers(0, 2_000_000_000)),
    st.builds(SizeLimits, st.floats(0, 1), st.floats(0, 100), st.floats(-0.5, 1.5), st.integers(0, 300)),
)
def test_no_size_is_above_any_limit_and_one_more_would_be(
    opportunity: Opportunity, funds: tuple[int, int], limits: SizeLimits
) -> None:
    size = opportunity.legs[0].size
    cash = dict(zip(("kalshi", "polymarket"), funds, strict=True))

    def allowed(contracts: int) -> bool:
        unit = opportunity.unit_cost_by_venue()
        return (
            contracts <= limits.max_contracts
            and contracts * to_micros(opportunity.total_cost) <= to_micros(limits.max_dollars)
            and contracts <= size * min(1.0, max(0.0, limits.liquidity_fraction))
            and all(
                contracts * to_micros(unit[venue]) <= max(0, cash[venue]) * limits.bankroll_fraction
                for venue in unit
            )
        )

    contracts = contracts_within(opportunity, cash, limits)
    assert contracts == 0 or allowed(contracts)
    assert not allowed(contracts + 1)


def refusal(opportunity: Opportunity, standing: Standing = RICH, **settings: float) -> str:
    wanted = replace(Settings(min_expected_profit=0.1), **settings)
    return judge(opportunity, standing, wanted, Cooldowns(), NOW).reason


def test_a_good_opportunity_is_planned_at_the_smallest_limit() -> None:
    verdict = judge(cross(0.45, 0.50), RICH, Settings(), Cooldowns(), NOW)
    assert verdict.reason == ""
    assert verdict.plan is not None
    assert verdict.plan.contracts == 42  # 40 dollars at 0.95


@pytest.mark.parametrize(
    ("opportunity", "settings", "reason"),
    [
        (cross(0.30, 0.30), {}, decision.EDGE_ABOVE_SANITY),
        (cross(0.45, 0.50), {"max_contracts_per_trade": 0}, decision.SIZER_REJECTED),
        (cross(0.45, 0.50), {"min_expected_profit": 5.0}, decision.SIZER_REJECTED),
        (cross(0.45, 0.50, age=200), {}, decision.FILL_PROBABILITY_LOW),
        (cross(0.45, 0.50), {"min_realized_profit": 50.0}, decision.REALIZED_PROFIT_LOW),
        (cross(0.45, 0.50), {"max_exposure_per_venue": 5.0}, "venue exposure cap reached (kalshi)"),
        (cross(0.45, 0.50), {"max_open_markets_per_venue": 0}, "open market cap reached (kalshi)"),
    ],
)
def test_each_limit_refuses_in_its_own_words(
    opportunity: Opportunity, settings: dict[str, float], reason: str
) -> None:
    assert refusal(opportunity, **settings) == reason


def test_a_sanity_threshold_of_zero_is_no_threshold() -> None:
    assert refusal(cross(0.30, 0.30), max_cross_edge=0.0) == ""


def test_cash_that_the_worst_case_needs_must_be_there() -> None:
    thin = replace(RICH, cash={"kalshi": to_micros(7.8), "polymarket": to_micros(1000)})
    assert refusal(cross(0.45, 0.50), thin, max_bankroll_fraction=1.0) == "insufficient cash (kalshi)"


def test_a_market_rests_after_an_entry() -> None:
    cooldowns = Cooldowns()
    cooldowns.entered(Plan(cross(0.45, 0.50), 10, 0.9, 0.3), NOW - 100)
    settings = Settings(market_cooldown_seconds=120)
    reason = judge(cross(0.45, 0.50), RICH, settings, cooldowns, NOW).reason
    assert reason == "market cooldown active (kalshi/kalshi-1)"
    assert judge(cross(0.45, 0.50), RICH, settings, cooldowns, NOW + 21).reason == ""
