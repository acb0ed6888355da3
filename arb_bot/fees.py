"""What venues charge for taking liquidity, in exact integers.

The engine's estimate before a trade is the flat `*_TAKER_FEE_PER_CONTRACT` of the settings; these
schedules are what the simulated venues really charge afterwards. The curve is documented in floats, where
100 contracts at $0.5 cost $1.76: 100 · 0.07 · 100 · 0.5 · 0.5 is 175.00000000000003 there, and a venue
that counts in cents takes 1.75, as these do.
"""

from dataclasses import dataclass
from typing import Protocol

from arb_bot.money import MICROS

MICROS_PER_CENT = MICROS // 100
PPM = 1_000_000


class FeeSchedule(Protocol):
    """Charges of one order.

    `weight` is Σ contracts × price × (1 − price), prices in micro-dollars, hence micros².
    """

    def charge(self, contracts: int, weight: int) -> int:
        """The whole order's fee in micro-dollars when `contracts` were filled with that weight."""
        ...


@dataclass(frozen=True, slots=True)
class CurveFee:
    """The Kalshi curve: coefficient × contracts × P × (1 − P), rounded up to the next cent for each order."""

    coefficient_ppm: int = 70_000

    def charge(self, contracts: int, weight: int) -> int:
        """The fee in micro-dollars; 0 for an order of which nothing was filled."""
        numerator = self.coefficient_ppm * weight
        cents = -(-numerator // (PPM * MICROS * MICROS_PER_CENT))
        return cents * MICROS_PER_CENT


@dataclass(frozen=True, slots=True)
class FlatFee:
    """The same fee for every contract, in micro-dollars."""

    per_contract: int = 0

    def charge(self, contracts: int, weight: int) -> int:
        """The fee in micro-dollars."""
        return self.per_contract * contracts


def fill_weight(contracts: int, price: int) -> int:
    """Contracts × P × (1 − P) of one fill in micros²; 0 where the price is not strictly between 0 and 1."""
    if not 0 < price < MICROS:
        return 0
    return contracts * price * (MICROS - price)
