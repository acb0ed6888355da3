"""Every setting that the engine uses, by its documented name, with type, range, unit and direction of risk.

Defaults are the documented ones; `arb_bot.profiles` holds values that belong together. Settings with
`hot=False` are read at start only.
"""

from dataclasses import dataclass

from arb_bot.settings.buckets import Buckets
from arb_bot.settings.cooldowns import Cooldowns
from arb_bot.settings.fill import Fill
from arb_bot.settings.lane_overrides import LaneOverrides
from arb_bot.settings.lanes import Lanes
from arb_bot.settings.regime import Regime
from arb_bot.settings.runtime import Runtime
from arb_bot.settings.safety import Safety
from arb_bot.settings.sizing import Sizing
from arb_bot.settings.thresholds import Thresholds
from arb_bot.settings.venues import Venues


@dataclass(frozen=True)
class Settings(
    LaneOverrides, Regime, Buckets, Fill, Venues, Runtime, Cooldowns, Lanes, Thresholds, Sizing, Safety
):
    """All settings of one process, one module a category; replaced as a whole when one changes.

    The order of the bases is the reverse of the order in which settings are listed.
    """

    def __post_init__(self) -> None:
        if not (self.kalshi_enabled or self.polymarket_enabled):
            raise ValueError(
                "KALSHI_ENABLED and POLYMARKET_ENABLED are both false: there is nothing to trade"
            )

    @property
    def enabled_venues(self) -> tuple[str, ...]:
        """The venues that are traded, Kalshi first."""
        return tuple(
            name
            for name, enabled in (("kalshi", self.kalshi_enabled), ("polymarket", self.polymarket_enabled))
            if enabled
        )

    def bankroll(self, venue: str) -> float:
        """What the paper account of a venue starts with, USD."""
        return dict(self.bankroll_by_venue).get(venue, self.default_bankroll)
