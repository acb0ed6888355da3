"""How the time until settlement moves the thresholds: far markets are asked less of, near ones more."""

from dataclasses import dataclass

FAR = "far_momentum"
NEAR = "near_mean_reversion"
MID = "mid_neutral"
UNKNOWN = "unknown"
DISABLED = "disabled"
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What an opportunity must promise: dollars a contract, profits in dollars a trade, a chance 0..1."""

    min_net_edge: float
    min_expected_profit: float
    min_fill_probability: float
    min_realized_profit: float


@dataclass(frozen=True, slots=True)
class Shift:
    """What a regime makes of thresholds: factors, and an amount added to the chance."""

    edge: float = 1.0
    expected_profit: float = 1.0
    realized_profit: float = 1.0
    fill_probability: float = 0.0

    def of(self, base: Thresholds) -> Thresholds:
        """The thresholds in this regime."""
        return Thresholds(
            base.min_net_edge * self.edge,
            base.min_expected_profit * self.expected_profit,
            min(1.0, max(0.0, base.min_fill_probability + self.fill_probability)),
            base.min_realized_profit * self.realized_profit,
        )


@dataclass(frozen=True, slots=True)
class Regimes:
    """Where far and near begin, in days, and what they do."""

    enabled: bool
    far_days: float
    near_days: float
    far: Shift
    near: Shift

    def name(self, settles_at: float | None, now: float) -> str:
        """The regime of something that settles then; unknown where nobody says when."""
        if not self.enabled:
            return DISABLED
        if settles_at is None:
            return UNKNOWN
        days = (settles_at - now) / DAY_SECONDS
        return FAR if days >= self.far_days else NEAR if days <= self.near_days else MID

    def shift(self, name: str) -> Shift:
        """What the regime of that name does; nothing in all but the far and the near one."""
        return {FAR: self.far, NEAR: self.near}.get(name, Shift())

    def least_edge(self, base: Thresholds) -> float:
        """The lowest edge that any regime asks for, dollars a contract."""
        shifts = (Shift(), self.far, self.near) if self.enabled else (Shift(),)
        return min(shift.of(base).min_net_edge for shift in shifts)
