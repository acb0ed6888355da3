"""What becomes of an opportunity: a plan that may be opened, or the documented reason why not. Pure.

The order of the questions is the documented one: cluster positions, sanity, regime's edge, cluster
budget, size, Kelly, chance to fill, quality of the price, expected result, then risk.
"""

from dataclasses import dataclass

from arb_bot import decision, fill_model, kelly
from arb_bot.fill_model import FillEstimate
from arb_bot.lanes import CROSS_VENUE, NOISE
from arb_bot.opportunity import MAKER_ESTIMATE, Opportunity
from arb_bot.plan import Plan
from arb_bot.policy import Policy
from arb_bot.risk import Cooldowns, Standing, objection
from arb_bot.sizing import contracts_within
from arb_bot.time_regime import Thresholds


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is empty when the plan may be opened; there is no plan where nothing was sized."""

    plan: Plan | None
    reason: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What a cluster has, in micro-dollars, and what of it is used."""

    total: int
    used: int

    @property
    def left(self) -> int:
        """What may still be used, micro-dollars."""
        return max(0, self.total - self.used)

    @property
    def used_part(self) -> float:
        """What is used of all, 0..1."""
        return min(1.0, self.used / self.total) if self.total > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a verdict is made with: the books, the rules, the confidence in expectations (0..1), the time."""

    standing: Standing
    policy: Policy
    confidence: float
    now: float

    def budget(self, opportunity: Opportunity) -> Budget:
        """What the opportunity's cluster may take."""
        fraction = self.policy.clusters.budget_fraction
        return Budget(int(self.standing.worth * fraction), self.standing.cluster(opportunity.cluster).used)


def judge(weighed: Verdict, moment: Moment, cooldowns: Cooldowns) -> Verdict:
    """The last questions about what `weigh` found at this moment: the first that objects gives the reason."""
    plan = weighed.plan
    if plan is None or weighed.reason:
        return weighed
    if plan.opportunity.execution_style == MAKER_ESTIMATE:
        return Verdict(plan, decision.MAKER_DISABLED)
    no = objection(plan, moment.standing, moment.policy.risk, cooldowns, moment.now)
    return Verdict(plan, no or "")


def weigh(opportunity: Opportunity, moment: Moment) -> Verdict:
    """What an opportunity is worth: the questions before risk, and the plan where it comes to one."""
    policy, now = moment.policy, moment.now
    lane = policy.lanes[opportunity.kind]
    regime = policy.regimes.name(opportunity.settles_at, now)
    thresholds = policy.regimes.shift(regime).of(lane.thresholds)
    budget = moment.budget(opportunity)
    reason = _before_sizing(opportunity, moment, thresholds, budget)
    if reason:
        return Verdict(None, reason)
    limits = policy.sizes
    contracts = contracts_within(opportunity, moment.standing.cash, limits, cluster_left=budget.left)
    if not _enough(contracts, opportunity, thresholds):
        return Verdict(None, decision.SIZER_REJECTED)
    estimate = fill_model.estimate(opportunity, contracts, now, policy.fill)
    part = 1.0
    if lane.use_kelly:
        raw = _kelly(opportunity, estimate, policy)
        part = kelly.effective(raw, lane.kelly, confidence=moment.confidence, cluster_used=budget.used_part)
        contracts = kelly.resized(contracts, part)
        if not _enough(contracts, opportunity, thresholds):
            return Verdict(None, decision.KELLY_RESIZE_REJECTED if contracts else decision.KELLY_ZERO)
        estimate = fill_model.estimate(opportunity, contracts, now, policy.fill)
    plan = Plan(
        opportunity,
        contracts,
        estimate.probability,
        estimate.edge * contracts,
        notes={"regime": regime, "kelly_fraction": part, "fill_quality": estimate.quality},
    )
    return Verdict(plan, _gates(plan, estimate, thresholds, policy))


def _before_sizing(opportunity: Opportunity, moment: Moment, thresholds: Thresholds, budget: Budget) -> str:
    policy, cluster = moment.policy, moment.standing.cluster(opportunity.cluster)
    if 0 < policy.clusters.max_positions <= cluster.positions:
        return decision.CLUSTER_FULL
    if opportunity.kind == CROSS_VENUE and 0 < policy.max_cross_edge < opportunity.net_edge - NOISE:
        return decision.EDGE_ABOVE_SANITY
    if opportunity.net_edge < thresholds.min_net_edge - NOISE:
        return decision.EDGE_BELOW_DYNAMIC
    return "" if budget.left else decision.CLUSTER_BUDGET_EXHAUSTED


def _enough(contracts: int, opportunity: Opportunity, thresholds: Thresholds) -> bool:
    return contracts > 0 and contracts * opportunity.net_edge >= thresholds.min_expected_profit - NOISE


def _kelly(opportunity: Opportunity, estimate: FillEstimate, policy: Policy) -> float:
    """Kelly's fraction, given what a failure would cost, 0..1."""
    loss = kelly.failure_loss(
        opportunity.total_cost,
        estimate.slippage,
        floor_fraction=policy.loss_floor,
        partial_penalty=policy.fill.partial_penalty,
    )
    return kelly.fraction(opportunity.net_edge, opportunity.total_cost, estimate.probability, loss)


def _gates(plan: Plan, estimate: FillEstimate, thresholds: Thresholds, policy: Policy) -> str:
    """Why a sized plan is not good enough, or nothing; without a fill model there is nothing to judge by."""
    if not policy.fill.enabled:
        return ""
    if plan.fill_probability < thresholds.min_fill_probability:
        return decision.FILL_PROBABILITY_LOW
    if estimate.quality < policy.min_fill_quality:
        return decision.FILL_QUALITY_LOW
    if plan.expected_realized < thresholds.min_realized_profit:
        return decision.REALIZED_PROFIT_LOW
    return ""
