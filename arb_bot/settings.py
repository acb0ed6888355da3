"""Every setting that the engine uses, by its documented name, with type, range, unit and direction of risk.

Defaults are the documented ones. `SIMULATED_MARKETS` are the values with which the simulated markets are
played; the environment and the command line go before them. Settings with `hot=False` are read at start
only.
"""

from dataclasses import dataclass
from typing import Final

from botkit.hot_reload import setting

SIMULATED_MARKETS: Final[dict[str, str]] = {
    "ARB_POLL_INTERVAL_SECONDS": "5",
    "ARB_BANKROLL_BY_VENUE": "kalshi=1000,polymarket=600",
    "ARB_DAILY_LOSS_CAP_USD": "50",
    "ARB_MAX_CONSECUTIVE_FAILURES": "6",
    "ARB_MARKET_COOLDOWN_SECONDS": "240",
    "ARB_MIN_NET_EDGE_PER_CONTRACT": "0.015",
    "ARB_MIN_EXPECTED_PROFIT_USD": "0.4",
    "KALSHI_TAKER_FEE_PER_CONTRACT": "0.015",
    "POLYMARKET_ENABLED": "true",
}
"""Livelier than the documented defaults, and with a fee, as the simulated Kalshi charges up to 1.75 ¢."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process; replaced as a whole when one changes."""

    live_mode: bool = setting(
        False,
        key="ARB_LIVE_MODE",
        category="safety",
        hot=False,
        risk="up",
        help="trade real money; refused at start, because this version has simulated venues only",
    )
    daily_loss_cap: float = setting(
        0.0,
        key="ARB_DAILY_LOSS_CAP_USD",
        category="safety",
        unit="USD",
        minimum=0,
        risk="up",
        help="halt for the rest of the UTC day when it has lost this much; 0 switches the cap off",
    )
    max_consecutive_failures: int = setting(
        0,
        key="ARB_MAX_CONSECUTIVE_FAILURES",
        category="safety",
        minimum=0,
        risk="up",
        help="halt after so many failed executions in a row; 0 switches this off",
    )
    max_exposure_per_venue: float = setting(
        200.0,
        key="ARB_MAX_EXPOSURE_PER_VENUE_USD",
        category="safety",
        unit="USD",
        minimum=0,
        risk="up",
        help="most capital that may be locked at one venue, working orders included",
    )
    max_open_markets_per_venue: int = setting(
        10,
        key="ARB_MAX_OPEN_MARKETS_PER_VENUE",
        category="safety",
        minimum=0,
        risk="up",
        help="most markets in which one venue may hold contracts",
    )
    max_cross_edge: float = setting(
        0.30,
        key="ARB_CROSS_VENUE_MAX_EDGE_SANITY",
        category="safety",
        unit="USD",
        minimum=0,
        maximum=1,
        risk="up",
        help="skip cross-venue edges above this as too good to be true; 0 switches the check off",
    )
    bankroll_by_venue: tuple[tuple[str, float], ...] = setting(
        (("kalshi", 250.0), ("polymarket", 100.0)),
        key="ARB_BANKROLL_BY_VENUE",
        category="sizing",
        unit="USD",
        minimum=0,
        hot=False,
        risk="up",
        help="what each paper account starts with, once",
    )
    max_dollars_per_trade: float = setting(
        40.0,
        key="ARB_MAX_DOLLARS_PER_TRADE",
        category="sizing",
        unit="USD",
        minimum=0,
        risk="up",
        help="most that one trade may cost at its planned prices",
    )
    max_contracts_per_trade: int = setting(
        100,
        key="ARB_MAX_CONTRACTS_PER_TRADE",
        category="sizing",
        minimum=0,
        risk="up",
        help="most contracts of each leg in one trade",
    )
    max_bankroll_fraction: float = setting(
        0.08,
        key="ARB_MAX_BANKROLL_FRACTION_PER_TRADE",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="up",
        help="most of a venue's free cash that one trade may take",
    )
    max_liquidity_fraction: float = setting(
        0.5,
        key="ARB_MAX_LIQUIDITY_FRACTION_PER_TRADE",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="up",
        help="most of the thinnest leg's displayed size that one trade may take",
    )
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
    market_cooldown_seconds: int = setting(
        900,
        key="ARB_MARKET_COOLDOWN_SECONDS",
        category="cooldowns",
        unit="s",
        minimum=0,
        risk="down",
        help="how long a market rests after an entry",
    )
    poll_interval: float = setting(
        60.0,
        key="ARB_POLL_INTERVAL_SECONDS",
        category="runtime",
        unit="s",
        minimum=0.2,
        maximum=3600,
        help="time between two cycles",
    )
    control_port: int = setting(
        9120,
        key="ARB_CONTROL_SOCKET_PORT",
        category="runtime",
        minimum=0,
        maximum=65535,
        hot=False,
        help="port of the control socket; 0 takes any free one and logs it",
    )
    log_level: str = setting(
        "INFO",
        key="ARB_LOG_LEVEL",
        category="runtime",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        hot=False,
        help="least severe lines that are logged",
    )
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

    def __post_init__(self) -> None:
        if not (self.kalshi_enabled or self.polymarket_enabled):
            raise ValueError(
                "KALSHI_ENABLED and POLYMARKET_ENABLED are both false: there is nothing to trade"
            )
        without = [venue for venue in self.enabled_venues if venue not in dict(self.bankroll_by_venue)]
        if without:
            raise ValueError(f"ARB_BANKROLL_BY_VENUE names no amount for {' and '.join(without)}")

    @property
    def enabled_venues(self) -> tuple[str, ...]:
        """The venues that are traded, Kalshi first."""
        return tuple(
            name
            for name, enabled in (("kalshi", self.kalshi_enabled), ("polymarket", self.polymarket_enabled))
            if enabled
        )
