"""Sizes within every limit, the documented reason for every refusal, and the order of the reasons."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot import decision
from arb_bot.judging import Moment, Verdict, judge, weigh
from arb_bot.money import to_micros
from arb_bot.opportunity import MAKER_ESTIMATE, Leg, Opportunity
from arb_bot.plan import Plan
from arb_bot.policy import Policy
from arb_bot.quotes import Side
from arb_bot.risk import Cluster, Cooldowns, Standing
from arb_bot.settings import Settings
from arb_bot.sizing import SizeLimits, contracts_within

NOW = 1_000.0
DAY = 86_400.0
CLUSTER = "match:g:kalshi:polymarket"
RICH = Standing(
    cash={"kalshi": to_micros(1000), "polymarket": to_micros(1000)},
    exposure={"kalshi": 0, "polymarket": 0},
    open_markets={"kalshi": set(), "polymarket": set()},
    worth=to_micros(2000),
)
PLAIN = Settings(min_expected_profit=0.1, time_regime=False)


def cross(
    yes: float, no: float, *, size: float = 1000.0, fee: float = 0.0, age: float = 0.0, days: float = 10.0
) -> Opportunity:
    def leg(venue: str, side: Side, price: float) -> Leg:
        settles_at = NOW + days * DAY
        return Leg(venue, f"{venue}-1", "t", side, price, size, price - 0.01, NOW - age, settles_at)

    legs = (leg("kalshi", "yes", yes), leg("polymarket", "no", no))
    return Opportunity("cross_venue", "g:kalshi:polymarket", legs, fee)


def verdict(
    opportunity: Opportunity,
    settings: Settings = PLAIN,
    *,
    standing: Standing = RICH,
    cooldowns: Cooldowns | None = None,
    confidence: float = 1.0,
    now: float = NOW,
) -> Verdict:
    moment = Moment(standing, Policy.of(settings), confidence, now)
    return judge(weigh(opportunity, moment), moment, cooldowns or Cooldowns())


def contracts(made: Verdict) -> int:
    assert made.reason == ""
    assert made.plan is not None
    return made.plan.contracts


cents = st.integers(1, 98).map(lambda c: c / 100)


@given(
    st.builds(cross, cents, cents, fee=st.floats(0, 0.05), size=st.floats(0, 5000)),
    st.tuples(st.integers(-100, 2_000_000_000), st.integers(0, 2_000_000_000)),
    st.builds(SizeLimits, st.floats(0, 1), st.floats(0, 100), st.floats(-0.5, 1.5), st.integers(0, 300)),
    st.integers(0, 100_000_000),
)
def test_no_size_is_above_any_limit_and_one_more_would_be(
    opportunity: Opportunity, funds: tuple[int, int], limits: SizeLimits, cluster_left: int
) -> None:
    size = opportunity.legs[0].size
    cash = dict(zip(("kalshi", "polymarket"), funds, strict=True))

    def allowed(contracts: int) -> bool:
        unit = opportunity.unit_cost_by_venue()
        return (
            contracts <= limits.max_contracts
            and contracts * to_micros(opportunity.total_cost) <= to_micros(limits.max_dollars)
            and contracts * to_micros(opportunity.total_cost) <= cluster_left
            and contracts <= size * min(1.0, max(0.0, limits.liquidity_fraction))
            and all(
                contracts * to_micros(unit[venue]) <= max(0, cash[venue]) * limits.bankroll_fraction
                for venue in unit
            )
        )

    sets = contracts_within(opportunity, cash, limits, cluster_left=cluster_left)
    assert sets == 0 or allowed(sets)
    assert not allowed(sets + 1)


def test_a_good_opportunity_is_planned_at_the_smallest_limit() -> None:
    assert contracts(verdict(cross(0.45, 0.50))) == 42  # 40 dollars at 0.95


@pytest.mark.parametrize(
    ("opportunity", "settings", "reason"),
    [
        (cross(0.30, 0.30), {}, decision.EDGE_ABOVE_SANITY),
        (cross(0.45, 0.50), {"min_net_edge": 0.06}, decision.EDGE_BELOW_DYNAMIC),
        (cross(0.45, 0.50), {"cluster_budget": 0.0}, decision.CLUSTER_BUDGET_EXHAUSTED),
        (cross(0.45, 0.50), {"max_contracts_per_trade": 0}, decision.SIZER_REJECTED),
        (cross(0.45, 0.50), {"min_expected_profit": 5.0}, decision.SIZER_REJECTED),
        (cross(0.45, 0.50), {"kelly_cap": 0.0}, decision.KELLY_ZERO),
        (cross(0.45, 0.50), {"kelly_cap": 0.02}, decision.KELLY_RESIZE_REJECTED),
        (cross(0.45, 0.50, age=200), {"use_kelly": False}, decision.FILL_PROBABILITY_LOW),
        (cross(0.45, 0.50), {"min_fill_quality": -0.4}, decision.FILL_QUALITY_LOW),
        (cross(0.45, 0.50), {"min_realized_profit": 50.0}, decision.REALIZED_PROFIT_LOW),
        (cross(0.45, 0.50), {"max_exposure_per_venue": 5.0}, "venue exposure cap reached (kalshi)"),
        (cross(0.45, 0.50), {"max_open_markets_per_venue": 0}, "open market cap reached (kalshi)"),
    ],
)
def test_each_limit_refuses_in_its_own_words(
    opportunity: Opportunity, settings: dict[str, float], reason: str
) -> None:
    assert verdict(opportunity, replace(PLAIN, **settings)).reason == reason


def test_the_reasons_come_in_the_documented_order() -> None:
    """Everything is wrong at once; each thing that is mended uncovers the next reason."""
    opportunity = replace(cross(0.30, 0.30, age=10), execution_style=MAKER_ESTIMATE)
    standing = replace(
        RICH,
        cash={"kalshi": to_micros(2.8), "polymarket": to_micros(1000)},
        clusters={CLUSTER: Cluster(3, to_micros(2000))},
    )
    cooldowns = Cooldowns()
    cooldowns.entered(Plan(opportunity, 1, 1.0, 1.0), NOW)
    settings = replace(
        PLAIN,
        min_net_edge=0.5,
        cluster_budget=0.35,
        max_contracts_per_trade=0,
        kelly_cap=0.0,
        min_expected_profit=0.7,
        min_fill_probability=0.99,
        min_fill_quality=0.0,
        min_realized_profit=50.0,
        max_bankroll_fraction=1.0,
        max_exposure_per_venue=1.0,
        max_open_markets_per_venue=0,
        opportunity_cooldown_seconds=60,
    )
    mends: list[tuple[str, dict[str, float]]] = [
        (decision.CLUSTER_FULL, {"max_positions_per_cluster": 4}),
        (decision.EDGE_ABOVE_SANITY, {"max_cross_edge": 0.0}),
        (decision.EDGE_BELOW_DYNAMIC, {"min_net_edge": 0.01}),
        (decision.CLUSTER_BUDGET_EXHAUSTED, {"cluster_budget": 1.0}),
        (decision.CLUSTER_BUDGET_EXHAUSTED, {}),
        (decision.SIZER_REJECTED, {"max_contracts_per_trade": 9}),
        (decision.KELLY_ZERO, {"kelly_cap": 0.1}),
        (decision.KELLY_RESIZE_REJECTED, {"kelly_cap": 1.0}),
        (decision.FILL_PROBABILITY_LOW, {"min_fill_probability": 0.0}),
        (decision.FILL_QUALITY_LOW, {"min_fill_quality": -0.5}),
        (decision.REALIZED_PROFIT_LOW, {"min_realized_profit": -50.0}),
        (decision.MAKER_DISABLED, {}),
        ("market cooldown active (kalshi/kalshi-1)", {"market_cooldown_seconds": 0}),
        ("insufficient cash (kalshi)", {}),
        ("venue exposure cap reached (kalshi)", {"max_exposure_per_venue": 100.0}),
        ("open market cap reached (kalshi)", {"max_open_markets_per_venue": 5}),
        (
            "opportunity cooldown active (cross_venue/g:kalshi:polymarket)",
            {"opportunity_cooldown_seconds": 0},
        ),
    ]
    seen = []
    for reason, mend in mends:
        said = verdict(opportunity, settings, standing=standing, cooldowns=cooldowns).reason
        seen.append((said, reason))
        settings = replace(settings, **mend)
        if not mend and reason == decision.CLUSTER_BUDGET_EXHAUSTED:
            standing = replace(standing, clusters={CLUSTER: Cluster(3, 0)})
        elif not mend and reason == decision.MAKER_DISABLED:
            opportunity = replace(opportunity, execution_style="taker")
        elif not mend:
            standing = replace(standing, cash=RICH.cash)
    assert [said for said, _ in seen] == [expected for _, expected in seen]
    assert verdict(opportunity, settings, standing=standing, cooldowns=cooldowns).reason == ""


def test_a_sanity_threshold_of_zero_is_no_threshold() -> None:
    assert verdict(cross(0.30, 0.30), replace(PLAIN, max_cross_edge=0.0)).reason == ""


def test_cash_that_the_worst_case_needs_must_be_there() -> None:
    thin = replace(RICH, cash={"kalshi": to_micros(7.8), "polymarket": to_micros(1000)})
    settings = replace(PLAIN, max_bankroll_fraction=1.0)
    assert verdict(cross(0.45, 0.50), settings, standing=thin).reason == "insufficient cash (kalshi)"


def test_a_market_rests_after_an_entry() -> None:
    cooldowns = Cooldowns()
    cooldowns.entered(Plan(cross(0.45, 0.50), 10, 0.9, 0.3), NOW - 100)
    settings = replace(PLAIN, market_cooldown_seconds=120)
    reason = verdict(cross(0.45, 0.50), settings, cooldowns=cooldowns).reason
    assert reason == "market cooldown active (kalshi/kalshi-1)"
    assert verdict(cross(0.45, 0.50), settings, cooldowns=cooldowns, now=NOW + 21).reason == ""


def test_with_the_side_in_its_scope_only_the_side_that_was_bought_rests() -> None:
    cooldowns = Cooldowns()
    cooldowns.entered(Plan(cross(0.45, 0.50), 10, 0.9, 0.3), NOW)
    yes, no = cross(0.45, 0.50).legs
    other = replace(cross(0.45, 0.50), legs=(replace(yes, side="no"), replace(no, side="yes")))
    market, side = PLAIN, replace(PLAIN, market_cooldown_scope="market_side")
    resting = "market cooldown active (kalshi/kalshi-1)"
    assert verdict(other, market, cooldowns=cooldowns).reason == resting
    assert verdict(other, side, cooldowns=cooldowns).reason == ""
    resting = "market cooldown active (kalshi/kalshi-1:yes)"
    assert verdict(cross(0.45, 0.50), side, cooldowns=cooldowns).reason == resting


def test_an_opportunity_rests_by_its_kind_and_key_even_when_its_markets_do_not() -> None:
    cooldowns = Cooldowns()
    cooldowns.entered(Plan(cross(0.45, 0.50), 10, 0.9, 0.3), NOW)
    settings = replace(PLAIN, market_cooldown_seconds=0, opportunity_cooldown_seconds=60)
    reason = verdict(cross(0.45, 0.50), settings, cooldowns=cooldowns, now=NOW + 59).reason
    assert reason == "opportunity cooldown active (cross_venue/g:kalshi:polymarket)"
    assert verdict(cross(0.45, 0.50), settings, cooldowns=cooldowns, now=NOW + 60).reason == ""


def test_the_intra_lane_leaves_some_markets_to_the_others() -> None:
    yes, no = cross(0.45, 0.50).legs
    legs = (replace(yes, market_id="M"), replace(no, venue="kalshi", market_id="M"))
    intra = Opportunity("intra_venue", "kalshi:M", legs, 0.0)
    busy = replace(RICH, open_markets={"kalshi": {f"m{n}" for n in range(8)}, "polymarket": set()})
    reason = "open market cap reached (kalshi; intra reserve)"
    assert verdict(intra, standing=busy).reason == reason
    assert verdict(intra, replace(PLAIN, non_intra_reserve=1), standing=busy).reason == ""
    assert verdict(cross(0.45, 0.50), standing=busy).reason == ""


def test_a_cluster_is_full_by_count_and_by_money_and_crowded_before_that() -> None:
    def among(positions: int, used: float, **settings: float) -> Verdict:
        standing = replace(RICH, clusters={CLUSTER: Cluster(positions, to_micros(used))})
        return verdict(cross(0.45, 0.50), replace(PLAIN, **settings), standing=standing)

    assert among(3, 0).reason == decision.CLUSTER_FULL
    assert contracts(among(3, 0, max_positions_per_cluster=0)) == 42
    assert among(1, 700).reason == decision.CLUSTER_BUDGET_EXHAUSTED
    assert contracts(among(1, 690, use_kelly=False)) == 10  # 10 dollars are left of 700
    assert contracts(among(1, 350)) == int(42 * (1 - 0.75 * 0.5))
    assert contracts(among(1, 350, cluster_penalty=0.0)) == 42
    assert among(1, 700, cluster_budget=0.7).reason == ""


def test_canary_mode_takes_the_smaller_caps_and_never_larger_ones() -> None:
    assert contracts(verdict(cross(0.45, 0.50), replace(PLAIN, canary_mode=True))) == 10  # 10 dollars
    few = replace(PLAIN, canary_mode=True, canary_max_contracts=4)
    assert contracts(verdict(cross(0.45, 0.50), few)) == 4
    wide = replace(PLAIN, canary_mode=True, canary_max_contracts=500, canary_max_dollars=500.0)
    assert contracts(verdict(cross(0.45, 0.50), wide)) == 42


def test_confidence_and_the_lanes_own_kelly_settings_size_the_plan() -> None:
    def sized(confidence: float = 1.0, **settings: object) -> int:
        return contracts(verdict(cross(0.45, 0.50), replace(PLAIN, **settings), confidence=confidence))

    assert sized(0.5) == 21
    assert sized(0.5, use_kelly=False) == 42
    assert sized(0.5, cross_use_kelly=False) == 42
    assert sized(0.5, use_kelly=False, cross_use_kelly=True) == 21
    assert sized(cross_kelly_multiplier=0.5) == 21
    assert sized(0.1, cross_kelly_floor=0.3) == 12
    assert sized(kelly_cap=0.5) == 21
    assert sized(kelly_cap=0.5, cross_kelly_cap=1.0) == 42
    assert sized(0.5, intra_kelly_cap=0.1) == 21


def test_a_lanes_own_thresholds_go_before_the_global_ones_and_discovery_before_neither() -> None:
    def reason(**settings: object) -> str:
        return verdict(cross(0.45, 0.50), replace(PLAIN, **settings)).reason

    assert reason(cross_min_net_edge=0.06) == decision.EDGE_BELOW_DYNAMIC
    assert reason(min_net_edge=0.06, cross_min_net_edge=0.01) == ""
    assert reason(min_net_edge=0.06, discovery_mode=True) == ""
    assert reason(cross_min_net_edge=0.06, discovery_mode=True) == decision.EDGE_BELOW_DYNAMIC
    assert reason(cross_min_expected_profit=9.0) == decision.SIZER_REJECTED
    assert reason(min_expected_profit=9.0, discovery_mode=True) == ""
    assert reason(cross_min_fill_probability=1.0) == decision.FILL_PROBABILITY_LOW
    assert reason(cross_min_realized_profit=9.0) == decision.REALIZED_PROFIT_LOW


def test_what_settles_late_is_asked_less_of() -> None:
    settings = replace(PLAIN, time_regime=True, min_net_edge=0.05 / 0.95)
    assert verdict(cross(0.45, 0.50, days=10), settings).reason == decision.EDGE_BELOW_DYNAMIC
    late = verdict(cross(0.45, 0.50, days=40), settings)
    assert late.reason == ""
    assert late.plan is not None
    assert late.plan.notes["regime"] == "far_momentum"


def test_without_a_fill_model_no_gate_stands() -> None:
    settings = replace(
        PLAIN, fill_model=False, min_fill_probability=1.0, min_fill_quality=2.0, min_realized_profit=99.0
    )
    assert contracts(verdict(cross(0.45, 0.50, age=500), settings)) == 42
