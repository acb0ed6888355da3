"""What an opportunity must promise to be traded, where its lane has no threshold of its own."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Thresholds:
    """Settings of the category `lanes` that all lanes share."""

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
    min_fill_quality: float = setting(
        -0.5,
        key="ARB_FILL_MIN_QUALITY_SCORE",
        category="lanes",
        minimum=-2,
        maximum=2,
        risk="down",
        help="how far below the middle the legs must buy on average, in spreads; at the ask that is -0.5",
    )
    discovery_mode: bool = setting(
        False,
        key="ARB_DISCOVERY_MODE",
        category="lanes",
        risk="up",
        help="look further: the discovery thresholds stand in for the least edge and expected profit",
    )
    discovery_min_net_edge: float = setting(
        -0.01,
        key="ARB_DISCOVERY_MIN_NET_EDGE_PER_CONTRACT",
        category="lanes",
        unit="USD",
        minimum=-1,
        maximum=1,
        risk="down",
        help="in discovery mode: least edge after estimated fees",
    )
    discovery_min_expected_profit: float = setting(
        0.0,
        key="ARB_DISCOVERY_MIN_EXPECTED_PROFIT_USD",
        category="lanes",
        unit="USD",
        minimum=-1000,
        risk="down",
        help="in discovery mode: least profit of a whole trade at its planned prices",
    )
