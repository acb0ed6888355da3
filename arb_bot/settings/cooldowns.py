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
        risk="down",
        help="how long a market rests after an entry",
    )
