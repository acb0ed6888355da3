"""Which lanes run, and what an opportunity must promise to be traded."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Lanes:
    """Settings of the category `lanes`."""

    lane_intra: bool = setting(
        True, key="ARB_LANE_INTRA_ENABLED", category="lanes", risk="up", help="trade YES and NO of one market"
    )
    lane_cross: bool = setting(
        True,
        key="ARB_LANE_CROSS_ENABLED",
        category="lanes",
        risk="up",
        help="trade the same question at two venues",
    )
    min_net_edge: float = setting(
        0.01,
        key="ARB_MIN_NET_EDGE_PER_CONTRACT",
        category="lanes",
        unit="USD",
        minimum=-1,
        maximum=1,
        risk="down",
        help="least edge after estimated fees at which a combination counts as an opportunity",
    )
    min_expected_profit: float = setting(
        1.0,
        key="ARB_MIN_EXPECTED_PROFIT_USD",
        category="lanes",
        unit="USD",
        minimum=0,
        risk="down",
        help="least profit of a whole trade at its planned prices",
    )
    min_fill_probability: float = setting(
        0.30,
        key="ARB_FILL_MIN_PROBABILITY",
        category="lanes",
        minimum=0,
        maximum=1,
        risk="down",
        help="least estimated chance that all legs fill",
    )
    min_realized_profit: float = setting(
        0.0,
        key="ARB_FILL_MIN_REALIZED_PROFIT_USD",
        category="lanes",
        unit="USD",
        risk="down",
        help="least profit of a whole trade after expected slippage and missed fills",
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
