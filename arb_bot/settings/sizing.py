"""How much one trade may take."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Sizing:
    """Settings of the category `sizing`."""

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
