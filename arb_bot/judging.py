"""What becomes of an opportunity: a plan that may be opened, or the documented reason why not. Pure."""

from dataclasses import dataclass

from arb_bot import decision, fill_model
from arb_bot.lanes import CROSS_VENUE
from arb_bot.opportunity import Opportunity
from arb_bot.plan import Plan
from arb_bot.risk import Cooldowns, RiskLimits, Standing, objection
from arb_bot.settings import Settings
from arb_bot.sizing import SizeLimits, contracts_within


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is empty when the plan may be opened; there is no plan where sizing said no."""

    plan: Plan | None
    reason: str


def draft(opportunity: Opportunity, standing: Standing, settings: Settings, now: float) -> Plan | None:
    """The largest plan that all limits allow; None when it is no contract or too little profit."""
    limits = SizeLimits(
        bankroll_fraction=settings.max_bankroll_fraction,
        max_dollars=settings.max_dollars_per_trade,
        liquidity_fraction=settings.max_liquidity_fraction,
        max_contracts=settings.max_contracts_per_trade,
    )
    contracts = contracts_within(opportunity, standing.cash, limits)
    if contracts <= 0 or contracts * opportunity.net_edge < settings.min_expected_profit:
        return None
    estimate = fill_model.estimate(opportunity, contracts, now)
    return Plan(opportunity, contracts, estimate.probability, estimate.edge * contracts)


def judge(
    opportunity: Opportunity, standing: Standing, settings: Settings, cooldowns: Cooldowns, now: float
) -> Verdict:
    """Sanity, size, chance to fill, expected result, then risk: the first that objects gives the reason."""
    sane = opportunity.kind != CROSS_VENUE or settings.max_cross_edge <= 0
    if not sane and opportunity.net_edge > settings.max_cross_edge:
        return Verdict(None, decision.EDGE_ABOVE_SANITY)
    plan = draft(opportunity, standing, settings, now)
    if plan is None:
        return Verdict(None, decision.SIZER_REJECTED)
    if plan.fill_probability < settings.min_fill_probability:
        return Verdict(plan, decision.FILL_PROBABILITY_LOW)
    if plan.expected_realized < settings.min_realized_profit:
        return Verdict(plan, decision.REALIZED_PROFIT_LOW)
    limits = RiskLimits(
        max_exposure_usd=settings.max_exposure_per_venue,
        max_open_markets=settings.max_open_markets_per_venue,
        market_cooldown_seconds=settings.market_cooldown_seconds,
    )
    return Verdict(plan, objection(plan, standing, limits, cooldowns, now) or "")
