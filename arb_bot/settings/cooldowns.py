"""How long markets rest between entries."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Cooldowns:
    """Settings of the category `cooldowns`."""

    market_cooldown_seconds: int = setting(
        900,
        key="ARB_MARKET_COOLDOWN_SECONDS",
        category="cooldowns",
        unit="s",
        minimum=0,
        maximum=86400,
        risk="down",
        help="how long a market rests after an entry",
    )
    market_cooldown_scope: str = setting(
        "market",
        key="ARB_MARKET_COOLDOWN_SCOPE",
        category="cooldowns",
        choices=("market", "market_side"),
        help="what rests after an entry: the market, or only the side of it that was bought",
    )
    opportunity_cooldown_seconds: int = setting(
        0,
        key="ARB_OPPORTUNITY_COOLDOWN_SECONDS",
        category="cooldowns",
        unit="s",
        minimum=0,
        maximum=86400,
        risk="down",
        help="how long an opportunity rests after an entry; 0 switches this off",
    )
