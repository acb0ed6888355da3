"""How the chance of a plan to fill is estimated."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Fill:
    """Settings of the category `fill_model`."""

    fill_model: bool = setting(
        True,
        key="ARB_FILL_MODEL_ENABLED",
        category="fill_model",
        risk="down",
        help="estimate the chance to fill; off: everything is taken to fill as planned and is not gated",
    )
    queue_depth_factor: float = setting(
        1.0,
        key="ARB_FILL_QUEUE_DEPTH_FACTOR",
        category="fill_model",
        minimum=1,
        maximum=1000,
        risk="down",
        help="how many times its own contracts an order needs on display to fill for sure",
    )
    stale_seconds: float = setting(
        120.0,
        key="ARB_FILL_STALE_HALF_LIFE_SECONDS",
        category="fill_model",
        unit="s",
        minimum=0.1,
        risk="up",
        help="age at which a quote's chance has fallen to 37 % (e-folding, whatever the name says)",
    )
    spread_weight: float = setting(
        1.0,
        key="ARB_FILL_SPREAD_PENALTY_WEIGHT",
        category="fill_model",
        minimum=0,
        maximum=1000,
        risk="down",
        help="how strongly a wide spread lowers the chance",
    )
    transform_penalty: float = setting(
        0.05,
        key="ARB_FILL_TRANSFORM_SOURCE_PENALTY",
        category="fill_model",
        minimum=0,
        maximum=1,
        risk="down",
        help="what an ask that was only derived from the other side's bid takes off the chance",
    )
    partial_penalty: float = setting(
        0.0003,
        key="ARB_FILL_PARTIAL_PENALTY_PER_CONTRACT",
        category="fill_model",
        unit="USD",
        minimum=0,
        maximum=1,
        risk="down",
        help="what a contract loses on average when a plan does not fill",
    )
    same_venue_correlation: float = setting(
        0.7,
        key="ARB_FILL_SAME_VENUE_CORRELATION",
        category="fill_model",
        minimum=0,
        maximum=1,
        risk="up",
        help="how far the legs of a structural trade at one venue fill and miss together",
    )
