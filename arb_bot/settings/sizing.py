"""How much one trade may take."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Sizing:
    """Settings of the category `sizing`."""

    default_bankroll: float = setting(
        250.0,
        key="ARB_DEFAULT_BANKROLL_USD",
        category="sizing",
        unit="USD",
        minimum=0,
        hot=False,
        risk="up",
        help="what the paper account of a venue starts with that ARB_BANKROLL_BY_VENUE does not name",
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
    use_kelly: bool = setting(
        True,
        key="ARB_ENABLE_EXECUTION_AWARE_KELLY",
        category="sizing",
        risk="down",
        help="take the part of an allowed size that chance to fill and cost of a failure justify",
    )
    kelly_cap: float = setting(
        1.0,
        key="ARB_KELLY_FRACTION_CAP",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="up",
        help="largest part of an allowed size that Kelly may take",
    )
    kelly_loss_floor: float = setting(
        0.0005,
        key="ARB_KELLY_FAILURE_LOSS_FLOOR_FRACTION",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="down",
        help="least part of the cost that a failed trade is taken to lose",
    )
    kelly_confidence: bool = setting(
        True,
        key="ARB_ENABLE_KELLY_CONFIDENCE_SHRINKAGE",
        category="sizing",
        risk="down",
        help="take less while results miss what was expected of them",
    )
    kelly_confidence_window: int = setting(
        200,
        key="ARB_KELLY_CONFIDENCE_WINDOW",
        category="sizing",
        minimum=1,
        maximum=5000,
        help="how many of the last results count for the confidence",
    )
    kelly_confidence_sensitivity: float = setting(
        1.0,
        key="ARB_KELLY_CONFIDENCE_SENSITIVITY",
        category="sizing",
        minimum=0,
        maximum=1000,
        risk="down",
        help="how strongly missed expectations lower the confidence",
    )
    kelly_confidence_floor: float = setting(
        0.25,
        key="ARB_KELLY_CONFIDENCE_FLOOR",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="up",
        help="lowest confidence",
    )
    cluster_budget: float = setting(
        0.35,
        key="ARB_CLUSTER_BUDGET_FRACTION",
        category="sizing",
        minimum=0,
        maximum=1,
        risk="up",
        help="most of all cash and locked capital that trades that depend on each other may lock",
    )
    max_positions_per_cluster: int = setting(
        3,
        key="ARB_MAX_OPEN_POSITIONS_PER_CLUSTER",
        category="sizing",
        minimum=0,
        risk="up",
        help="most open trades that depend on each other; 0 switches this off",
    )
    cluster_penalty: float = setting(
        0.75,
        key="ARB_CLUSTER_EXPOSURE_PENALTY_LAMBDA",
        category="sizing",
        minimum=0,
        maximum=10,
        risk="down",
        help="how strongly a filled cluster budget lowers the Kelly fraction",
    )
