"""What the settings say about trading, as the deciding modules take it: built once for each change.

A lane's own thresholds go before the global ones; in discovery mode the discovery thresholds stand in for
the global ones; canary mode lowers the caps of a trade.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from arb_bot.bucket_quality import BucketRules
from arb_bot.fill_model import FillModel
from arb_bot.kelly import KellyRules
from arb_bot.lanes import (
    CROSS_VENUE,
    INTRA_VENUE,
    STRUCTURAL_BUCKET,
    STRUCTURAL_EVENT_TREE,
    STRUCTURAL_PARITY,
)
from arb_bot.risk import RiskLimits
from arb_bot.settings import Settings
from arb_bot.sizing import SizeLimits
from arb_bot.time_regime import Regimes, Shift, Thresholds

PREFIXES = {
    CROSS_VENUE: "cross",
    STRUCTURAL_PARITY: "parity",
    STRUCTURAL_BUCKET: "bucket",
    STRUCTURAL_EVENT_TREE: "tree",
    INTRA_VENUE: "intra",
}
"""How the settings of each lane's kind begin."""


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """What one lane asks for before regimes, and how it sizes."""

    enabled: bool
    thresholds: Thresholds
    use_kelly: bool
    kelly: KellyRules


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """Part (0..1) of all cash and locked capital for one cluster, and its most open trades (0: any)."""

    budget_fraction: float = 0.35
    max_positions: int = 3


@dataclass(frozen=True, slots=True)
class Confidence:
    """Whether and how results so far shrink Kelly's fraction."""

    enabled: bool
    window: int
    sensitivity: float
    floor: float


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules of deciding. `max_cross_edge` and `loss_floor` as in the settings' catalogue."""

    lanes: Mapping[str, LanePolicy]
    regimes: Regimes
    fill: FillModel
    min_fill_quality: float
    sizes: SizeLimits
    clusters: ClusterLimits
    loss_floor: float
    confidence: Confidence
    buckets: BucketRules
    max_cross_edge: float
    risk: RiskLimits

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The policy that these settings make."""
        s = settings
        return cls(
            lanes={kind: _lane(s, kind, prefix) for kind, prefix in PREFIXES.items()},
            regimes=_regimes(s),
            fill=FillModel(
                enabled=s.fill_model,
                queue_depth_factor=s.queue_depth_factor,
                stale_seconds=s.stale_seconds,
                spread_weight=s.spread_weight,
                transform_penalty=s.transform_penalty,
                partial_penalty=s.partial_penalty,
                same_venue_correlation=s.same_venue_correlation,
            ),
            min_fill_quality=s.min_fill_quality,
            sizes=_sizes(s),
            clusters=ClusterLimits(s.cluster_budget, s.max_positions_per_cluster),
            loss_floor=s.kelly_loss_floor,
            confidence=Confidence(
                s.kelly_confidence,
                s.kelly_confidence_window,
                s.kelly_confidence_sensitivity,
                s.kelly_confidence_floor,
            ),
            buckets=_buckets(s),
            max_cross_edge=s.max_cross_edge,
            risk=RiskLimits(
                max_exposure_usd=s.max_exposure_per_venue,
                max_open_markets=s.max_open_markets_per_venue,
                non_intra_reserve=s.non_intra_reserve,
                market_cooldown_seconds=s.market_cooldown_seconds,
                cooldown_by_side=s.market_cooldown_scope == "market_side",
                opportunity_cooldown_seconds=s.opportunity_cooldown_seconds,
            ),
        )

    def floors(self) -> dict[str, float]:
        """The least net edge at which each lane that runs looks closer, dollars a contract."""
        return {
            kind: self.regimes.least_edge(lane.thresholds)
            for kind, lane in self.lanes.items()
            if lane.enabled
        }


def _lane(s: Settings, kind: str, prefix: str) -> LanePolicy:
    def own(name: str, inherited: float) -> float:
        value: float | None = getattr(s, f"{prefix}_{name}")
        return inherited if value is None else value

    edge, profit = s.min_net_edge, s.min_expected_profit
    if s.discovery_mode:
        edge, profit = s.discovery_min_net_edge, s.discovery_min_expected_profit
    family = {CROSS_VENUE: s.cross_venue, INTRA_VENUE: True}.get(kind, s.structural_arb)
    use_kelly: bool | None = getattr(s, f"{prefix}_use_kelly")
    return LanePolicy(
        enabled=getattr(s, f"lane_{prefix}") and family,
        thresholds=Thresholds(
            min_net_edge=own("min_net_edge", edge),
            min_expected_profit=own("min_expected_profit", profit),
            min_fill_probability=own("min_fill_probability", s.min_fill_probability),
            min_realized_profit=own("min_realized_profit", s.min_realized_profit),
        ),
        use_kelly=s.use_kelly if use_kelly is None else use_kelly,
        kelly=KellyRules(
            cap=own("kelly_cap", s.kelly_cap),
            floor=own("kelly_floor", 0.0),
            multiplier=own("kelly_multiplier", 1.0),
            cluster_penalty=s.cluster_penalty,
        ),
    )


def _regimes(s: Settings) -> Regimes:
    return Regimes(
        enabled=s.time_regime,
        far_days=s.far_days,
        near_days=s.near_days,
        far=Shift(
            s.far_edge_factor,
            s.far_expected_profit_factor,
            s.far_realized_profit_factor,
            s.far_fill_delta,
        ),
        near=Shift(
            s.near_edge_factor,
            s.near_expected_profit_factor,
            s.near_realized_profit_factor,
            s.near_fill_delta,
        ),
    )


def _sizes(s: Settings) -> SizeLimits:
    dollars, contracts = s.max_dollars_per_trade, s.max_contracts_per_trade
    if s.canary_mode:
        dollars, contracts = min(dollars, s.canary_max_dollars), min(contracts, s.canary_max_contracts)
    return SizeLimits(
        bankroll_fraction=s.max_bankroll_fraction,
        max_dollars=dollars,
        liquidity_fraction=s.max_liquidity_fraction,
        max_contracts=contracts,
    )


def _buckets(s: Settings) -> BucketRules:
    return BucketRules(
        enabled=s.bucket_quality,
        max_legs=s.max_bucket_legs,
        max_failures=s.max_bucket_failures,
        min_observations=s.bucket_min_observations,
        max_active=s.bucket_max_active,
        prior_mean=s.bucket_prior_mean,
        prior_strength=s.bucket_prior_strength,
        min_score=s.bucket_min_score,
        leg_penalty=s.bucket_leg_penalty,
        redraw_cycles=s.bucket_redraw_cycles,
    )
