"""Which lanes run, and what they look at."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Lanes:
    """Settings of the category `lanes`."""

    lane_intra: bool = setting(
        True,
        key="ARB_LANE_INTRA_ENABLED",
        category="lanes",
        risk="up",
        help="trade YES and NO of one market",
    )
    lane_cross: bool = setting(
        True,
        key="ARB_LANE_CROSS_ENABLED",
        category="lanes",
        risk="up",
        help="trade the same question at two venues",
    )
    lane_bucket: bool = setting(
        True,
        key="ARB_LANE_STRUCTURAL_BUCKET_ENABLED",
        category="lanes",
        risk="up",
        help="trade every outcome of an exclusive set together",
    )
    lane_tree: bool = setting(
        True,
        key="ARB_LANE_STRUCTURAL_EVENT_TREE_ENABLED",
        category="lanes",
        risk="up",
        help="trade an event against all its parts",
    )
    lane_parity: bool = setting(
        True,
        key="ARB_LANE_STRUCTURAL_PARITY_ENABLED",
        category="lanes",
        risk="up",
        help="trade two markets that must be equal or opposite",
    )
    structural_arb: bool = setting(
        True,
        key="ARB_ENABLE_STRUCTURAL_ARB",
        category="lanes",
        risk="up",
        help="run the three structural lanes at all",
    )
    cross_venue: bool = setting(
        True,
        key="ARB_ENABLE_CROSS_VENUE",
        category="lanes",
        risk="up",
        help="run the cross-venue lane at all",
    )
    fuzzy_cross_venue: bool = setting(
        True,
        key="ARB_ENABLE_FUZZY_CROSS_VENUE_FALLBACK",
        category="lanes",
        risk="up",
        help="pair markets of different venues by their titles where none of them is mapped",
    )
    cross_min_match_score: float = setting(
        0.62,
        key="ARB_CROSS_VENUE_MIN_MATCH_SCORE",
        category="lanes",
        minimum=0.1,
        maximum=1,
        risk="down",
        help="least likeness of two titles (shared words by all words) at which they are a pair",
    )
    cross_mapping_required: bool = setting(
        False,
        key="ARB_CROSS_VENUE_MAPPING_REQUIRED",
        category="lanes",
        risk="down",
        help="trade across venues only what is mapped, nothing paired by titles",
    )
    cross_min_covered_pairs: int = setting(
        0,
        key="ARB_CROSS_LANE_MIN_COVERED_PAIRS",
        category="lanes",
        minimum=0,
        risk="down",
        help="the cross-venue lane rests while fewer mapped pairs than this have both quotes",
    )
    parity_min_covered_rules: int = setting(
        0,
        key="ARB_PARITY_LANE_MIN_COVERED_RULES",
        category="lanes",
        minimum=0,
        risk="down",
        help="the parity lane rests while fewer rules than this have both quotes",
    )
    temporal_join_seconds: float = setting(
        600.0,
        key="ARB_STRICT_MAPPING_TEMPORAL_JOIN_SECONDS",
        category="lanes",
        unit="s",
        minimum=0,
        risk="up",
        help="quotes observed further apart than this are not joined in one opportunity; 0 joins any",
    )
    maker_estimates: bool = setting(
        True,
        key="ARB_ENABLE_MAKER_ESTIMATES",
        category="lanes",
        help="also look at every combination at the prices of resting orders; reported, never opened",
    )
    kalshi_maker_tick: float = setting(
        0.01,
        key="KALSHI_MAKER_TICK_SIZE",
        category="lanes",
        unit="USD",
        minimum=0,
        maximum=1,
        help="how far above the best bid a resting order at Kalshi is assumed to stand",
    )
    constraint_pricing: bool = setting(
        True,
        key="ARB_ENABLE_CONSTRAINT_PRICING",
        category="lanes",
        risk="down",
        help="count on the worst payout over all outcomes that rules and mappings allow",
    )
    constraint_max_bruteforce: int = setting(
        14,
        key="ARB_CONSTRAINT_MAX_BRUTEFORCE_MARKETS",
        category="lanes",
        minimum=0,
        maximum=18,
        risk="down",
        help="markets that may hang together for their outcomes to be gone through; more keep the payout",
    )
    equivalence_min_match_score: float = setting(
        0.9,
        key="ARB_CROSS_VENUE_EQUIVALENCE_MIN_MATCH_SCORE",
        category="lanes",
        minimum=0,
        maximum=1,
        risk="down",
        help="likeness from which a pair counts as the same outcome in constraint pricing",
    )
    assume_exhaustive: bool = setting(
        True,
        key="ARB_ASSUME_STRUCTURAL_BUCKETS_EXHAUSTIVE",
        category="lanes",
        risk="up",
        help="take it that one outcome of every bucket comes true, rather than at most one",
    )
    rules_path: str | None = setting(
        None,
        key="ARB_STRUCTURAL_RULES_PATH",
        category="lanes",
        hot=False,
        help="JSON file of buckets, event trees and parity checks",
    )
    mapping_path: str | None = setting(
        None,
        key="ARB_CROSS_VENUE_MAPPING_PATH",
        category="lanes",
        hot=False,
        help="CSV file of markets that ask the same question at several venues",
    )
    near_cost: float = setting(
        1.01,
        key="ARB_NEAR_ARB_TOTAL_COST_THRESHOLD",
        category="lanes",
        unit="USD",
        minimum=0,
        maximum=2,
        help="combinations that cost at most this are counted as near opportunities",
    )
