"""How the time until settlement moves the thresholds."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Regime:
    """Settings of the category `time_regime`."""

    time_regime: bool = setting(
        True,
        key="ARB_TIME_REGIME_ENABLED",
        category="time_regime",
        help="ask less of what settles late and more of what settles soon",
    )
    far_days: float = setting(
        30.0,
        key="ARB_TIME_REGIME_FAR_DAYS",
        category="time_regime",
        unit="d",
        minimum=0,
        maximum=36500,
        help="what settles in so many days or more is far",
    )
    near_days: float = setting(
        7.0,
        key="ARB_TIME_REGIME_NEAR_DAYS",
        category="time_regime",
        unit="d",
        minimum=0,
        maximum=36500,
        help="what settles in so many days or fewer is near, unless it is far",
    )
    far_edge_factor: float = setting(
        0.9,
        key="ARB_TIME_REGIME_FAR_EDGE_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least edge of what settles late",
    )
    far_expected_profit_factor: float = setting(
        0.9,
        key="ARB_TIME_REGIME_FAR_EXPECTED_PROFIT_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least expected profit of what settles late",
    )
    far_realized_profit_factor: float = setting(
        0.9,
        key="ARB_TIME_REGIME_FAR_REALIZED_PROFIT_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least realised profit of what settles late",
    )
    far_fill_delta: float = setting(
        -0.03,
        key="ARB_TIME_REGIME_FAR_FILL_PROBABILITY_DELTA",
        category="time_regime",
        minimum=-1,
        maximum=1,
        risk="down",
        help="added to the least chance to fill of what settles late",
    )
    near_edge_factor: float = setting(
        1.15,
        key="ARB_TIME_REGIME_NEAR_EDGE_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least edge of what settles soon",
    )
    near_expected_profit_factor: float = setting(
        1.1,
        key="ARB_TIME_REGIME_NEAR_EXPECTED_PROFIT_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least expected profit of what settles soon",
    )
    near_realized_profit_factor: float = setting(
        1.1,
        key="ARB_TIME_REGIME_NEAR_REALIZED_PROFIT_MULTIPLIER",
        category="time_regime",
        minimum=0,
        maximum=100,
        risk="down",
        help="factor on the least realised profit of what settles soon",
    )
    near_fill_delta: float = setting(
        0.03,
        key="ARB_TIME_REGIME_NEAR_FILL_PROBABILITY_DELTA",
        category="time_regime",
        minimum=-1,
        maximum=1,
        risk="down",
        help="added to the least chance to fill of what settles soon",
    )
