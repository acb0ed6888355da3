"""Money as whole micro-dollars, so that cash, locked capital and PnL balance exactly.

Prices and sums are integers of 1/1,000,000 USD from the order on; floats of dollars exist only at the
edges: quotes, settings, stores, the wire.
"""

MICROS = 1_000_000


def to_micros(usd: float) -> int:
    """Whole micro-dollars nearest to a sum or price in dollars."""
    return round(usd * MICROS)


def to_usd(micros: int) -> float:
    """Dollars as a float, for stores and the wire."""
    return micros / MICROS


def share(total: int, part: int, whole: int) -> int:
    """What of `total` belongs to `part` of `whole` units; what rounding leaves stays with the rest."""
    return total * part // whole


def by_venue_usd(amounts: dict[str, int]) -> dict[str, float]:
    """A mapping venue → micro-dollars as venue → dollars."""
    return {venue: to_usd(amount) for venue, amount in amounts.items()}
