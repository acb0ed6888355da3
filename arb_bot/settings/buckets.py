"""Which buckets are worth trading."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Buckets:
    """Settings of the category `bucket_quality`."""

    max_bucket_legs: int = setting(
        0,
        key="ARB_MAX_BUCKET_LEGS",
        category="bucket_quality",
        minimum=0,
        risk="up",
        help="leave buckets with more legs alone; 0 switches this off",
    )
    max_bucket_failures: int = setting(
        3,
        key="ARB_MAX_BUCKET_CONSECUTIVE_FAILURES",
        category="bucket_quality",
        minimum=0,
        risk="up",
        help="leave a bucket alone after so many failed entries in a row; 0 switches this off",
    )
    bucket_quality: bool = setting(
        True,
        key="ARB_BUCKET_QUALITY_ENABLED",
        category="bucket_quality",
        risk="down",
        help="judge buckets by what they have brought so far",
    )
    bucket_min_observations: int = setting(
        8,
        key="ARB_BUCKET_QUALITY_MIN_OBSERVATIONS",
        category="bucket_quality",
        minimum=0,
        help="results of a bucket from which on its score counts",
    )
    bucket_max_active: int = setting(
        0,
        key="ARB_BUCKET_QUALITY_MAX_ACTIVE_BUCKETS",
        category="bucket_quality",
        minimum=0,
        risk="up",
        help="most buckets traded at a time, chosen by Thompson sampling; 0 takes all",
    )
    bucket_prior_mean: float = setting(
        0.002,
        key="ARB_BUCKET_QUALITY_PRIOR_MEAN_REALIZED_PROFIT",
        category="bucket_quality",
        unit="USD",
        minimum=-1,
        maximum=1,
        risk="up",
        help="profit a contract that is expected of a bucket of which nothing is known",
    )
    bucket_prior_strength: float = setting(
        12.0,
        key="ARB_BUCKET_QUALITY_PRIOR_STRENGTH",
        category="bucket_quality",
        minimum=0.1,
        maximum=100000,
        help="how many results that expectation weighs as much as",
    )
    bucket_min_score: float = setting(
        -0.02,
        key="ARB_BUCKET_QUALITY_MIN_SCORE",
        category="bucket_quality",
        unit="USD",
        minimum=-1,
        maximum=1,
        risk="down",
        help="buckets with a lower score are left alone",
    )
    bucket_leg_penalty: float = setting(
        0.00025,
        key="ARB_BUCKET_QUALITY_LEG_COUNT_PENALTY",
        category="bucket_quality",
        unit="USD",
        minimum=0,
        maximum=1,
        risk="down",
        help="taken off the score for every leg above two",
    )
    bucket_redraw_cycles: int = setting(
        25,
        key="ARB_BUCKET_QUALITY_LIVE_UPDATE_INTERVAL",
        category="bucket_quality",
        unit="cycles",
        minimum=1,
        help="how long a choice of active buckets holds",
    )
