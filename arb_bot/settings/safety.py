"""Safety rails: when trading stops by itself, and what it may never exceed."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Safety:
    """Settings of the category `safety`."""

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
    canary_mode: bool = setting(
        False,
        key="ARB_CANARY_MODE",
        category="safety",
        risk="down",
        help="trade with the small caps of the canary where they are lower than the usual ones",
    )
    canary_max_dollars: float = setting(
        10.0,
        key="ARB_CANARY_MAX_DOLLARS_PER_TRADE",
        category="safety",
        unit="USD",
        minimum=0,
        risk="up",
        help="in canary mode: most that one trade may cost at its planned prices",
    )
    canary_max_contracts: int = setting(
        25,
        key="ARB_CANARY_MAX_CONTRACTS_PER_TRADE",
        category="safety",
        minimum=0,
        risk="up",
        help="in canary mode: most contracts of each leg in one trade",
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
    non_intra_reserve: int = setting(
        2,
        key="ARB_NON_INTRA_OPEN_MARKET_RESERVE_PER_VENUE",
        category="safety",
        minimum=0,
        risk="none",
        help="how many of a venue's open markets the intra-venue lane leaves to the other lanes",
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
    kill_file: str = setting(
        ".kill_switch",
        key="ARB_KILL_SWITCH_FILE",
        category="safety",
        hot=False,
        help="while this file is there nothing is traded; a relative path is one in the data folder",
    )
    kill_env_var: str = setting(
        "ARB_KILL_SWITCH",
        key="ARB_KILL_SWITCH_ENV_VAR",
        category="safety",
        hot=False,
        help="name of the environment variable that halts trading while it is true",
    )
    venue_kill_prefix: str = setting(
        "ARB_KILL_",
        key="ARB_VENUE_KILL_SWITCH_ENV_PREFIX",
        category="safety",
        hot=False,
        help="with a venue's name in capitals behind it: the variable that halts that venue while it is true",
    )
