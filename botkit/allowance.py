"""How much one client may ask of the bot: a steady rate with a burst, pure, the clock passed in."""


class Allowance:
    """A token bucket that may be overdrawn: what was spent is spent, then time makes up for it."""

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = burst
        self._at = now

    def spend(self, cost: float, now: float) -> None:
        """Take `cost` off what is left, below zero if need be."""
        self._refill(now)
        self._left -= cost

    def wait(self, now: float) -> float:
        """Return the seconds until something may be spent again, 0 when it may be now."""
        self._refill(now)
        return max(0.0, -self._left / self._per_second)

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
