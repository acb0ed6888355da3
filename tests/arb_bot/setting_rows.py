"""What every setting that can change while the bot runs does: the table behind `test_every_setting`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from arb_bot.relations import ParityCheck, Relations
from arb_bot.session import Session
from tests.arb_bot.setting_scenes import (
    NOTHING,
    PAIR,
    Look,
    alike,
    bad_bucket,
    bucket,
    buckets_tried,
    cross,
    does,
    estimates,
    in_full,
    intra,
    loses,
    near,
    pace,
    parity,
    stream,
    tree,
    two_failures,
)
from tests.arb_bot.stage import Scene, quote

ACROSS = does("cross_venue")


@dataclass(frozen=True)
class Row:
    """`cycles` is how many are looked at; all but a few effects show at once."""

    key: str
    value: object
    before: str
    after: str
    scene: Scene = field(default_factory=cross)
    look: Look = ACROSS
    base: dict[str, object] = field(default_factory=dict)
    cycles: int = 4


N42, N21 = "42 contracts", "21 contracts"
SIZER = "position_sizer_rejected"
CHANCE = "fill_probability_below_threshold"
REALIZED = "expected_realized_profit_below_threshold"
DYNAMIC = "edge_below_dynamic_threshold"
OFF = {"ARB_ENABLE_EXECUTION_AWARE_KELLY": False}
HALF = {"ARB_KELLY_FRACTION_CAP": 0.5}
SHRINK = {"ARB_ENABLE_KELLY_CONFIDENCE_SHRINKAGE": True}
REGIME = {"ARB_TIME_REGIME_ENABLED": True}
LATE, SOON = {"days": 40.0}, {"days": 5.0}
FEW = {"ARB_BUCKET_QUALITY_MAX_ACTIVE_BUCKETS": 1}
PARTLY = {"ARB_ASSUME_STRUCTURAL_BUCKETS_EXHAUSTIVE": False}


def lost_ten(session: Session) -> None:
    session.parts.kill.record_pnl(-10.0, session.parts.clock.now())


def failed_twice(session: Session) -> None:
    session.parts.kill.record_failure()
    session.parts.kill.record_failure()


def with_before(scene: Scene, before: Callable[[Session], object], **more: Any) -> Scene:
    return Scene(scene.quotes, scene.relations, before=before, **more)


SAFETY = [
    Row("ARB_DAILY_LOSS_CAP_USD", 5, N42, "kill switch", with_before(cross(), lost_ten)),
    Row("ARB_MAX_CONSECUTIVE_FAILURES", 2, N42, "kill switch", with_before(cross(), failed_twice)),
    Row("ARB_CANARY_MODE", True, N42, "10 contracts"),
    Row("ARB_CANARY_MAX_DOLLARS_PER_TRADE", 5, "10 contracts", "5 contracts", base={"ARB_CANARY_MODE": True}),
    Row(
        "ARB_CANARY_MAX_CONTRACTS_PER_TRADE", 4, "10 contracts", "4 contracts", base={"ARB_CANARY_MODE": True}
    ),
    Row("ARB_MAX_EXPOSURE_PER_VENUE_USD", 5, N42, "venue exposure cap reached"),
    Row("ARB_MAX_OPEN_MARKETS_PER_VENUE", 0, N42, "open market cap reached"),
    Row(
        "ARB_NON_INTRA_OPEN_MARKET_RESERVE_PER_VENUE",
        3,
        N42,
        "open market cap reached",
        intra(),
        does("intra_venue"),
        {"ARB_MAX_OPEN_MARKETS_PER_VENUE": 3},
    ),
    Row("ARB_CROSS_VENUE_MAX_EDGE_SANITY", 0.01, N42, "edge_exceeds_sanity_threshold"),
]

SIZING = [
    Row("ARB_MAX_DOLLARS_PER_TRADE", 19, N42, "20 contracts"),
    Row("ARB_MAX_CONTRACTS_PER_TRADE", 7, N42, "7 contracts"),
    Row("ARB_MAX_BANKROLL_FRACTION_PER_TRADE", 0.01, N42, "20 contracts"),
    Row("ARB_MAX_LIQUIDITY_FRACTION_PER_TRADE", 0.01, N42, "10 contracts"),
    Row("ARB_ENABLE_EXECUTION_AWARE_KELLY", False, N21, N42, base=HALF),
    Row("ARB_KELLY_FRACTION_CAP", 0.5, N42, N21),
    Row("ARB_KELLY_FAILURE_LOSS_FLOOR_FRACTION", 1, N42, "25 contracts"),
    Row(
        "ARB_ENABLE_KELLY_CONFIDENCE_SHRINKAGE",
        False,
        "28 contracts",
        N42,
        with_before(cross(), loses(3)),
        base=SHRINK,
    ),
    Row(
        "ARB_KELLY_CONFIDENCE_WINDOW",
        2,
        "30 contracts",
        N42,
        with_before(cross(), lambda s: (loses(5)(s), loses(2, 0.01)(s))),
        base=SHRINK,
    ),
    Row(
        "ARB_KELLY_CONFIDENCE_SENSITIVITY",
        4,
        "28 contracts",
        "14 contracts",
        with_before(cross(), loses(3)),
        base=SHRINK,
    ),
    Row(
        "ARB_KELLY_CONFIDENCE_FLOOR",
        0.5,
        "10 contracts",
        N21,
        with_before(cross(), loses(3, realized=-1)),
        base=SHRINK,
    ),
    Row("ARB_CLUSTER_BUDGET_FRACTION", 0, N42, "cluster_budget_exhausted"),
    Row(
        "ARB_MAX_OPEN_POSITIONS_PER_CLUSTER",
        1,
        "40 contracts",
        "cluster_open_position_cap_reached",
        with_before(cross(), lambda _s: None, fills=1),
        cycles=5,
    ),
    Row(
        "ARB_CLUSTER_EXPOSURE_PENALTY_LAMBDA",
        0,
        "40 contracts",
        N42,
        with_before(cross(), lambda _s: None, fills=1),
    ),
]

THRESHOLDS = [
    Row("ARB_MIN_NET_EDGE_PER_CONTRACT", 0.5, N42, NOTHING),
    Row("ARB_MIN_EXPECTED_PROFIT_USD", 50, N42, SIZER),
    Row("ARB_FILL_MIN_PROBABILITY", 1, N42, CHANCE),
    Row("ARB_FILL_MIN_REALIZED_PROFIT_USD", 50, N42, REALIZED),
    Row("ARB_FILL_MIN_QUALITY_SCORE", 0, N42, "fill_quality_below_threshold"),
    Row("ARB_DISCOVERY_MODE", True, NOTHING, N42, base={"ARB_MIN_NET_EDGE_PER_CONTRACT": 0.5}),
    Row("ARB_DISCOVERY_MIN_NET_EDGE_PER_CONTRACT", 0.5, N42, NOTHING, base={"ARB_DISCOVERY_MODE": True}),
    Row("ARB_DISCOVERY_MIN_EXPECTED_PROFIT_USD", 50, N42, SIZER, base={"ARB_DISCOVERY_MODE": True}),
    Row("ARB_NEAR_ARB_TOTAL_COST_THRESHOLD", 1.08, "2 near", "3 near", look=near),
]

SCENES: dict[str, tuple[Callable[[], Scene], str, int]] = {
    "INTRA": (intra, "intra_venue", 42),
    "CROSS": (cross, "cross_venue", 42),
    "STRUCTURAL_BUCKET": (bucket, "structural_bucket", 43),
    "STRUCTURAL_EVENT_TREE": (tree, "structural_event_tree", 42),
    "STRUCTURAL_PARITY": (parity, "structural_parity", 42),
}


def lane_rows() -> Iterator[Row]:
    for lane, (scene, kind, full) in SCENES.items():
        does_it, half = does(kind), f"{full // 2} contracts"
        rows: list[tuple[str, object, str, str, dict[str, object]]] = [
            ("ENABLED", False, f"{full} contracts", NOTHING, {}),
            ("MIN_NET_EDGE_PER_CONTRACT", 0.5, f"{full} contracts", NOTHING, {}),
            ("MIN_EXPECTED_PROFIT_USD", 50, f"{full} contracts", SIZER, {}),
            ("MIN_FILL_PROBABILITY", 1, f"{full} contracts", CHANCE, {}),
            ("MIN_REALIZED_PROFIT_USD", 50, f"{full} contracts", REALIZED, {}),
            ("USE_EXECUTION_AWARE_KELLY", False, half, f"{full} contracts", HALF),
            ("KELLY_FRACTION_MULTIPLIER", 0.5, f"{full} contracts", half, {}),
            ("KELLY_FRACTION_FLOOR", 0.8, half, f"{int(full * 0.8)} contracts", HALF),
            ("KELLY_FRACTION_CAP", 0.5, f"{full} contracts", half, {}),
        ]
        for suffix, value, before, after, base in rows:
            yield Row(f"ARB_LANE_{lane}_{suffix}", value, before, after, scene(), does_it, base)


LANES = [
    *lane_rows(),
    Row("ARB_ENABLE_CROSS_VENUE", False, N42, NOTHING),
    Row("ARB_ENABLE_STRUCTURAL_ARB", False, "43 contracts", NOTHING, bucket(), does("structural_bucket")),
    Row("ARB_ENABLE_FUZZY_CROSS_VENUE_FALLBACK", False, N42, NOTHING, alike()),
    Row("ARB_CROSS_VENUE_MIN_MATCH_SCORE", 0.9, N42, NOTHING, alike()),
    Row("ARB_CROSS_VENUE_MAPPING_REQUIRED", True, N42, NOTHING, alike()),
    Row("ARB_CROSS_LANE_MIN_COVERED_PAIRS", 5, N42, NOTHING),
    Row("ARB_PARITY_LANE_MIN_COVERED_RULES", 5, N42, NOTHING, parity(), does("structural_parity")),
    Row(
        "ARB_STRICT_MAPPING_TEMPORAL_JOIN_SECONDS",
        10,
        N42,
        NOTHING,
        Scene(
            (quote("kalshi", "K", 0.45, 0.56, age=15.0), quote("polymarket", "P", 0.51, 0.50)),
            PAIR,
        ),
    ),
    Row("ARB_ENABLE_MAKER_ESTIMATES", True, NOTHING, "0.07", cross(spread=0.02), estimates),
    Row(
        "KALSHI_MAKER_TICK_SIZE",
        0.002,
        "0.07",
        "0.078",
        cross(spread=0.02),
        estimates,
        {"ARB_ENABLE_MAKER_ESTIMATES": True},
    ),
    Row(
        "ARB_ASSUME_STRUCTURAL_BUCKETS_EXHAUSTIVE",
        False,
        "43 contracts",
        NOTHING,
        bucket(),
        does("structural_bucket"),
    ),
    Row(
        "ARB_ENABLE_CONSTRAINT_PRICING",
        False,
        NOTHING,
        "43 contracts",
        bucket(),
        does("structural_bucket"),
        PARTLY,
    ),
    Row(
        "ARB_CONSTRAINT_MAX_BRUTEFORCE_MARKETS",
        2,
        NOTHING,
        "43 contracts",
        bucket(),
        does("structural_bucket"),
        PARTLY,
    ),
    Row(
        "ARB_CROSS_VENUE_EQUIVALENCE_MIN_MATCH_SCORE",
        0.5,
        NOTHING,
        N42,
        alike(Relations(parities=(ParityCheck("p", ("kalshi", "K"), ("kalshi", "X"), "complement"),))),
    ),
]

FILL = [
    Row("ARB_FILL_MODEL_ENABLED", False, CHANCE, N42, base={"ARB_FILL_MIN_PROBABILITY": 1.0}),
    Row("ARB_FILL_QUEUE_DEPTH_FACTOR", 10, N42, CHANCE, cross(size=100.0), base=OFF),
    Row("ARB_FILL_STALE_HALF_LIFE_SECONDS", 5, N42, CHANCE, cross(age=20.0), base=OFF),
    Row("ARB_FILL_SPREAD_PENALTY_WEIGHT", 60, N42, CHANCE, base=OFF),
    Row("ARB_FILL_TRANSFORM_SOURCE_PENALTY", 0.9, N42, CHANCE, cross(derived=("yes", "no")), base=OFF),
    Row(
        "ARB_FILL_PARTIAL_PENALTY_PER_CONTRACT",
        1,
        N42,
        REALIZED,
        base=OFF | {"ARB_FILL_MIN_REALIZED_PROFIT_USD": 1.5},
    ),
    Row(
        "ARB_FILL_SAME_VENUE_CORRELATION",
        0,
        "43 contracts",
        CHANCE,
        bucket(age=40.0),
        does("structural_bucket"),
        OFF | {"ARB_FILL_MIN_PROBABILITY": 0.45},
    ),
]

BUCKETS = [
    Row("ARB_MAX_BUCKET_LEGS", 2, "43 contracts", NOTHING, bucket(), does("structural_bucket")),
    Row(
        "ARB_MAX_BUCKET_CONSECUTIVE_FAILURES",
        2,
        "43 contracts",
        NOTHING,
        bucket(before=two_failures),
        does("structural_bucket"),
    ),
    *(
        Row(
            f"ARB_BUCKET_QUALITY_{name}",
            value,
            NOTHING,
            "43 contracts",
            bucket(before=bad_bucket),
            does("structural_bucket"),
        )
        for name, value in (
            ("ENABLED", False),
            ("MIN_OBSERVATIONS", 9),
            ("PRIOR_MEAN_REALIZED_PROFIT", 0.5),
            ("PRIOR_STRENGTH", 1000),
            ("MIN_SCORE", -1),
        )
    ),
    Row(
        "ARB_BUCKET_QUALITY_LEG_COUNT_PENALTY",
        1,
        "43 contracts",
        NOTHING,
        bucket(),
        does("structural_bucket"),
        {"ARB_BUCKET_QUALITY_MIN_OBSERVATIONS": 0},
    ),
    Row(
        "ARB_BUCKET_QUALITY_MAX_ACTIVE_BUCKETS", 1, "2 tried", "1 tried", bucket(2), buckets_tried, cycles=14
    ),
    Row(
        "ARB_BUCKET_QUALITY_LIVE_UPDATE_INTERVAL",
        1,
        "1 tried",
        "2 tried",
        bucket(2),
        buckets_tried,
        FEW | {"ARB_BUCKET_QUALITY_LIVE_UPDATE_INTERVAL": 1_000_000},
        cycles=14,
    ),
]


def regime(
    edge: float = 0.01, profit: float = 0.1, chance: float = 0.3, realized: float = 0.0
) -> dict[str, Any]:
    return REGIME | {
        "ARB_MIN_NET_EDGE_PER_CONTRACT": edge,
        "ARB_MIN_EXPECTED_PROFIT_USD": profit,
        "ARB_FILL_MIN_PROBABILITY": chance,
        "ARB_FILL_MIN_REALIZED_PROFIT_USD": realized,
    }


REGIMES = [
    Row("ARB_TIME_REGIME_ENABLED", False, N42, NOTHING, cross(**LATE), base=regime(edge=0.0525)),
    Row("ARB_TIME_REGIME_FAR_DAYS", 50, N42, DYNAMIC, cross(**LATE), base=regime(edge=0.0525)),
    Row("ARB_TIME_REGIME_NEAR_DAYS", 1, DYNAMIC, N42, cross(**SOON), base=regime(edge=0.045)),
    *(
        Row(f"ARB_TIME_REGIME_FAR_{name}", value, N42, after, cross(**LATE), base=base)
        for name, value, after, base in (
            ("EDGE_MULTIPLIER", 1, NOTHING, regime(edge=0.0525)),
            ("EXPECTED_PROFIT_MULTIPLIER", 1, SIZER, regime(profit=2.2)),
            ("REALIZED_PROFIT_MULTIPLIER", 1, REALIZED, regime(realized=2.2)),
            ("FILL_PROBABILITY_DELTA", 0, CHANCE, regime(chance=0.99)),
        )
    ),
    *(
        Row(f"ARB_TIME_REGIME_NEAR_{name}", value, before, N42, cross(**SOON), base=base)
        for name, value, before, base in (
            ("EDGE_MULTIPLIER", 1, DYNAMIC, regime(edge=0.045)),
            ("EXPECTED_PROFIT_MULTIPLIER", 1, SIZER, regime(profit=2.0)),
            ("REALIZED_PROFIT_MULTIPLIER", 1, REALIZED, regime(realized=1.95)),
            ("FILL_PROBABILITY_DELTA", 0, CHANCE, regime(chance=0.96)),
        )
    ),
]

RESTING = {"ARB_MARKET_COOLDOWN_SECONDS": 86_400}
FROZEN = Scene(cross().quotes, PAIR, frozen=True)
OTHERS = [
    Row("ARB_MARKET_COOLDOWN_SECONDS", 86_400, N42, "market cooldown active"),
    Row(
        "ARB_MARKET_COOLDOWN_SCOPE",
        "market_side",
        "market cooldown active (kalshi/K)",
        "market cooldown active (kalshi/K:yes)",
        look=in_full,
        base=RESTING,
    ),
    Row("ARB_OPPORTUNITY_COOLDOWN_SECONDS", 86_400, N42, "opportunity cooldown active"),
    Row("ARB_POLL_INTERVAL_SECONDS", 2, "every 5 s", "every 2 s", look=pace),
    Row("KALSHI_TAKER_FEE_PER_CONTRACT", 0.2, N42, NOTHING),
    Row("POLYMARKET_TAKER_FEE_PER_CONTRACT", 0.2, N42, NOTHING),
    Row(
        "ARB_STREAM_POLL_ONLY_ON_STALE",
        False,
        "poll_only recovering",
        "degraded recovering",
        FROZEN,
        stream,
        cycles=50,
    ),
    Row(
        "ARB_STREAM_STALE_DEGRADE_SECONDS",
        3600,
        "poll_only recovering",
        "recovering",
        FROZEN,
        stream,
        cycles=50,
    ),
    Row(
        "ARB_STREAM_RECOVERY_ATTEMPT_SECONDS",
        3600,
        "poll_only recovering",
        "poll_only",
        FROZEN,
        stream,
        cycles=50,
    ),
]

ROWS = [*SAFETY, *SIZING, *THRESHOLDS, *LANES, *FILL, *BUCKETS, *REGIMES, *OTHERS]
