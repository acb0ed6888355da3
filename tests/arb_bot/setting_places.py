"""Where each setting that can change while the bot runs arrives: what the deciding modules are handed.

A `Probe` listens at the doors of those modules (scanning, judging, confidence, the health of streams, the
kill switch, the pace of cycles), so that an effect is looked up where it works and not in the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from arb_bot import trading
from arb_bot.experience import Experience
from arb_bot.lanes import (
    CROSS_VENUE,
    INTRA_VENUE,
    STRUCTURAL_BUCKET,
    STRUCTURAL_EVENT_TREE,
    STRUCTURAL_PARITY,
)
from arb_bot.lanes.scanning import Scanner
from arb_bot.policy import LanePolicy, Policy
from arb_bot.session import Session
from arb_bot.stream_health import LEAST_STALE_SECONDS, StreamHealth

LANES = {
    "INTRA": INTRA_VENUE,
    "CROSS": CROSS_VENUE,
    "STRUCTURAL_BUCKET": STRUCTURAL_BUCKET,
    "STRUCTURAL_EVENT_TREE": STRUCTURAL_EVENT_TREE,
    "STRUCTURAL_PARITY": STRUCTURAL_PARITY,
}


class Probe:
    """What the modules were handed last; `session` is the running one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.session: Session | None = None
        self.moment: Any = None
        self.options: Any = None
        self.view: Any = None
        self.confidence: Any = None
        self.patience: Any = None
        self._listen(patch)

    def _listen(self, patch: pytest.MonkeyPatch) -> None:
        moment, scan, answered = trading.Moment, Scanner.scan, StreamHealth.answered
        confidence = Experience.confidence

        def of_moment(*handed: Any) -> Any:
            self.moment = moment(*handed)
            return self.moment

        def of_scan(scanner: Scanner, view: Any, options: Any) -> Any:
            self.view, self.options = view, options
            return scan(scanner, view, options)

        def of_health(health: StreamHealth, newest: Any, now: float, patience: Any) -> None:
            self.patience = patience
            answered(health, newest, now, patience)

        def of_confidence(experience: Experience, rules: Any) -> float:
            self.confidence = rules
            return confidence(experience, rules)

        patch.setattr(trading, "Moment", of_moment)
        patch.setattr(Scanner, "scan", of_scan)
        patch.setattr(StreamHealth, "answered", of_health)
        patch.setattr(Experience, "confidence", of_confidence)

    @property
    def policy(self) -> Policy:
        policy: Policy = self.moment.policy
        return policy

    def lane(self, kind: str) -> LanePolicy:
        return self.policy.lanes[kind]

    def fee(self, venue: str) -> float:
        (fee,) = {quote.fee_per_contract for quote in self.view.quotes.values() if quote.venue == venue}
        return float(fee)

    @property
    def live(self) -> Session:
        assert self.session is not None
        return self.session


Look = Callable[[Probe], object]


@dataclass(frozen=True)
class Place:
    """Where a setting works; `expected` is what stands there for a value, `needs` what else must be set."""

    look: Look
    expected: Callable[[Any], object] = lambda value: value
    needs: dict[str, object] = field(default_factory=dict)


def sizes(name: str) -> Place:
    return Place(lambda probe: getattr(probe.policy.sizes, name))


def risk(name: str) -> Place:
    return Place(lambda probe: getattr(probe.policy.risk, name))


def fill(name: str) -> Place:
    return Place(lambda probe: getattr(probe.policy.fill, name))


def buckets(name: str) -> Place:
    return Place(lambda probe: getattr(probe.policy.buckets, name))


def options(name: str) -> Place:
    return Place(lambda probe: getattr(probe.options, name))


def confidence(name: str) -> Place:
    return Place(lambda probe: getattr(probe.confidence, name))


def threshold(name: str, kind: str = CROSS_VENUE, **needs: object) -> Place:
    return Place(lambda probe: getattr(probe.lane(kind).thresholds, name), needs=needs)


def regime(which: str, name: str) -> Place:
    return Place(lambda probe: getattr(getattr(probe.policy.regimes, which), name))


def scanned(*kinds: str) -> Place:
    """Whether lanes of these kinds are looked at."""
    return Place(lambda probe: all(kind in probe.options.floors for kind in kinds))


def or_inherited(look: Look, inherited: object) -> Place:
    """A lane's own value, or what it inherits while it is blank."""
    return Place(look, lambda value: inherited if value is None else value)


def _of_lane(name: str, kind: str) -> Iterator[tuple[str, Place]]:
    """The nine settings of a lane; what is inherited is what `PLAIN` and the defaults say."""
    key = f"ARB_LANE_{name}_"
    yield key + "ENABLED", scanned(kind)
    for suffix, where, inherited in (
        ("MIN_NET_EDGE_PER_CONTRACT", "min_net_edge", 0.01),
        ("MIN_EXPECTED_PROFIT_USD", "min_expected_profit", 0.1),
        ("MIN_FILL_PROBABILITY", "min_fill_probability", 0.3),
        ("MIN_REALIZED_PROFIT_USD", "min_realized_profit", 0.0),
    ):
        yield key + suffix, or_inherited(threshold(where, kind).look, inherited)
    yield key + "USE_EXECUTION_AWARE_KELLY", or_inherited(lambda probe: probe.lane(kind).use_kelly, True)
    for suffix, where, inherited in (
        ("KELLY_FRACTION_MULTIPLIER", "multiplier", 1.0),
        ("KELLY_FRACTION_FLOOR", "floor", 0.0),
        ("KELLY_FRACTION_CAP", "cap", 1.0),
    ):
        yield key + suffix, or_inherited(_kelly(kind, where), inherited)


def _kelly(kind: str, where: str) -> Look:
    return lambda probe: getattr(probe.lane(kind).kelly, where)


CANARY: dict[str, object] = {"ARB_CANARY_MODE": True}
PLACES: dict[str, Place] = {
    "ARB_DAILY_LOSS_CAP_USD": Place(lambda probe: probe.live.parts.kill._loss.cap),
    "ARB_MAX_CONSECUTIVE_FAILURES": Place(lambda probe: probe.live.parts.kill._failures.limit),
    "ARB_CANARY_MODE": Place(lambda probe: probe.policy.sizes.max_dollars == 10.0),
    "ARB_CANARY_MAX_DOLLARS_PER_TRADE": Place(
        sizes("max_dollars").look, lambda value: min(40.0, value), CANARY
    ),
    "ARB_CANARY_MAX_CONTRACTS_PER_TRADE": Place(
        sizes("max_contracts").look, lambda value: min(100, value), CANARY
    ),
    "ARB_MAX_EXPOSURE_PER_VENUE_USD": risk("max_exposure_usd"),
    "ARB_MAX_OPEN_MARKETS_PER_VENUE": risk("max_open_markets"),
    "ARB_NON_INTRA_OPEN_MARKET_RESERVE_PER_VENUE": risk("non_intra_reserve"),
    "ARB_CROSS_VENUE_MAX_EDGE_SANITY": Place(lambda probe: probe.policy.max_cross_edge),
    "ARB_MAX_DOLLARS_PER_TRADE": sizes("max_dollars"),
    "ARB_MAX_CONTRACTS_PER_TRADE": sizes("max_contracts"),
    "ARB_MAX_BANKROLL_FRACTION_PER_TRADE": sizes("bankroll_fraction"),
    "ARB_MAX_LIQUIDITY_FRACTION_PER_TRADE": sizes("liquidity_fraction"),
    "ARB_ENABLE_EXECUTION_AWARE_KELLY": Place(lambda probe: probe.lane(CROSS_VENUE).use_kelly),
    "ARB_KELLY_FRACTION_CAP": Place(_kelly(CROSS_VENUE, "cap")),
    "ARB_KELLY_FAILURE_LOSS_FLOOR_FRACTION": Place(lambda probe: probe.policy.loss_floor),
    "ARB_ENABLE_KELLY_CONFIDENCE_SHRINKAGE": confidence("enabled"),
    "ARB_KELLY_CONFIDENCE_WINDOW": confidence("window"),
    "ARB_KELLY_CONFIDENCE_SENSITIVITY": confidence("sensitivity"),
    "ARB_KELLY_CONFIDENCE_FLOOR": confidence("floor"),
    "ARB_CLUSTER_BUDGET_FRACTION": Place(lambda probe: probe.policy.clusters.budget_fraction),
    "ARB_MAX_OPEN_POSITIONS_PER_CLUSTER": Place(lambda probe: probe.policy.clusters.max_positions),
    "ARB_CLUSTER_EXPOSURE_PENALTY_LAMBDA": Place(_kelly(CROSS_VENUE, "cluster_penalty")),
    "ARB_MIN_NET_EDGE_PER_CONTRACT": threshold("min_net_edge"),
    "ARB_MIN_EXPECTED_PROFIT_USD": threshold("min_expected_profit"),
    "ARB_FILL_MIN_PROBABILITY": threshold("min_fill_probability"),
    "ARB_FILL_MIN_REALIZED_PROFIT_USD": threshold("min_realized_profit"),
    "ARB_FILL_MIN_QUALITY_SCORE": Place(lambda probe: probe.policy.min_fill_quality),
    "ARB_DISCOVERY_MODE": Place(lambda probe: probe.lane(CROSS_VENUE).thresholds.min_net_edge == -0.01),
    "ARB_DISCOVERY_MIN_NET_EDGE_PER_CONTRACT": threshold("min_net_edge", ARB_DISCOVERY_MODE=True),
    "ARB_DISCOVERY_MIN_EXPECTED_PROFIT_USD": threshold("min_expected_profit", ARB_DISCOVERY_MODE=True),
    **dict(pair for name, kind in LANES.items() for pair in _of_lane(name, kind)),
    "ARB_ENABLE_CROSS_VENUE": scanned(CROSS_VENUE),
    "ARB_ENABLE_STRUCTURAL_ARB": scanned(STRUCTURAL_BUCKET, STRUCTURAL_EVENT_TREE, STRUCTURAL_PARITY),
    "ARB_ENABLE_FUZZY_CROSS_VENUE_FALLBACK": options("fuzzy"),
    "ARB_CROSS_VENUE_MIN_MATCH_SCORE": options("min_match_score"),
    "ARB_CROSS_VENUE_MAPPING_REQUIRED": options("mapping_required"),
    "ARB_CROSS_LANE_MIN_COVERED_PAIRS": options("min_covered_pairs"),
    "ARB_PARITY_LANE_MIN_COVERED_RULES": options("min_covered_rules"),
    "ARB_STRICT_MAPPING_TEMPORAL_JOIN_SECONDS": options("join_seconds"),
    "ARB_ENABLE_MAKER_ESTIMATES": options("maker_estimates"),
    "KALSHI_MAKER_TICK_SIZE": Place(lambda probe: probe.options.maker_ticks["kalshi"]),
    "ARB_ENABLE_CONSTRAINT_PRICING": options("constraint_pricing"),
    "ARB_CONSTRAINT_MAX_BRUTEFORCE_MARKETS": options("max_bruteforce"),
    "ARB_CROSS_VENUE_EQUIVALENCE_MIN_MATCH_SCORE": options("equivalence_score"),
    "ARB_ASSUME_STRUCTURAL_BUCKETS_EXHAUSTIVE": options("buckets_exhaustive"),
    "ARB_NEAR_ARB_TOTAL_COST_THRESHOLD": options("near_cost"),
    "ARB_FILL_MODEL_ENABLED": fill("enabled"),
    "ARB_FILL_QUEUE_DEPTH_FACTOR": fill("queue_depth_factor"),
    "ARB_FILL_STALE_HALF_LIFE_SECONDS": fill("stale_seconds"),
    "ARB_FILL_SPREAD_PENALTY_WEIGHT": fill("spread_weight"),
    "ARB_FILL_TRANSFORM_SOURCE_PENALTY": fill("transform_penalty"),
    "ARB_FILL_PARTIAL_PENALTY_PER_CONTRACT": fill("partial_penalty"),
    "ARB_FILL_SAME_VENUE_CORRELATION": fill("same_venue_correlation"),
    "ARB_MAX_BUCKET_LEGS": buckets("max_legs"),
    "ARB_MAX_BUCKET_CONSECUTIVE_FAILURES": buckets("max_failures"),
    "ARB_BUCKET_QUALITY_ENABLED": buckets("enabled"),
    "ARB_BUCKET_QUALITY_MIN_OBSERVATIONS": buckets("min_observations"),
    "ARB_BUCKET_QUALITY_MAX_ACTIVE_BUCKETS": buckets("max_active"),
    "ARB_BUCKET_QUALITY_PRIOR_MEAN_REALIZED_PROFIT": buckets("prior_mean"),
    "ARB_BUCKET_QUALITY_PRIOR_STRENGTH": buckets("prior_strength"),
    "ARB_BUCKET_QUALITY_MIN_SCORE": buckets("min_score"),
    "ARB_BUCKET_QUALITY_LEG_COUNT_PENALTY": buckets("leg_penalty"),
    "ARB_BUCKET_QUALITY_LIVE_UPDATE_INTERVAL": buckets("redraw_cycles"),
    "ARB_TIME_REGIME_ENABLED": Place(lambda probe: probe.policy.regimes.enabled),
    "ARB_TIME_REGIME_FAR_DAYS": Place(lambda probe: probe.policy.regimes.far_days),
    "ARB_TIME_REGIME_NEAR_DAYS": Place(lambda probe: probe.policy.regimes.near_days),
    **{
        f"ARB_TIME_REGIME_{which.upper()}_{suffix}": regime(which, name)
        for which in ("far", "near")
        for suffix, name in (
            ("EDGE_MULTIPLIER", "edge"),
            ("EXPECTED_PROFIT_MULTIPLIER", "expected_profit"),
            ("REALIZED_PROFIT_MULTIPLIER", "realized_profit"),
            ("FILL_PROBABILITY_DELTA", "fill_probability"),
        )
    },
    "ARB_MARKET_COOLDOWN_SECONDS": risk("market_cooldown_seconds"),
    "ARB_MARKET_COOLDOWN_SCOPE": Place(risk("cooldown_by_side").look, lambda value: value == "market_side"),
    "ARB_OPPORTUNITY_COOLDOWN_SECONDS": risk("opportunity_cooldown_seconds"),
    "ARB_POLL_INTERVAL_SECONDS": Place(
        lambda probe: round(probe.live.engine._next_cycle - probe.live.engine._last_cycle, 5),
        lambda value: round(value, 5),
    ),
    "ARB_STREAM_STALE_DEGRADE_SECONDS": Place(
        lambda probe: probe.patience.stale, lambda value: max(LEAST_STALE_SECONDS, value)
    ),
    "ARB_STREAM_POLL_ONLY_ON_STALE": Place(lambda probe: probe.patience.poll_only),
    "ARB_STREAM_RECOVERY_ATTEMPT_SECONDS": Place(lambda probe: probe.patience.retry),
    "KALSHI_TAKER_FEE_PER_CONTRACT": Place(lambda probe: probe.fee("kalshi")),
    "POLYMARKET_TAKER_FEE_PER_CONTRACT": Place(lambda probe: probe.fee("polymarket")),
}
"""Every hot setting, with the defaults of the bot and `PLAIN` around it."""
