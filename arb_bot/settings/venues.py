"""Which venues are traded, and what they are assumed to charge."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Venues:
    """Settings of the category `venues`."""

    kalshi_enabled: bool = setting(
        True,
        key="KALSHI_ENABLED",
        category="venues",
        hot=False,
        risk="up",
        help="trade at the simulated Kalshi",
    )
    kalshi_fee: float = setting(
        0.0,
        key="KALSHI_TAKER_FEE_PER_CONTRACT",
        category="venues",
        unit="USD",
        minimum=0,
        maximum=1,
        risk="down",
        help="fee a contract that is assumed before a trade at Kalshi",
    )
    kalshi_markets: int = setting(
        40,
        key="KALSHI_MARKET_LIMIT",
        category="venues",
        minimum=1,
        maximum=2000,
        hot=False,
        help="markets listed",
    )
    polymarket_enabled: bool = setting(
        False,
        key="POLYMARKET_ENABLED",
        category="venues",
        hot=False,
        risk="up",
        help="trade at the simulated Polymarket",
    )
    polymarket_fee: float = setting(
        0.0,
        key="POLYMARKET_TAKER_FEE_PER_CONTRACT",
        category="venues",
        unit="USD",
        minimum=0,
        maximum=1,
        risk="down",
        help="fee a contract that is assumed before a trade at Polymarket",
    )
    polymarket_markets: int = setting(
        25,
        key="POLYMARKET_MARKET_LIMIT",
        category="venues",
        minimum=1,
        maximum=2000,
        hot=False,
        help="markets listed",
    )
