"""The account that a simulated venue keeps for the bot: its own view of cash and contracts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from arb_bot.money import MICROS
from arb_bot.quotes import Side


@dataclass(slots=True)
class Account:
    """Cash in micro-dollars, contracts by (market id, side). `changes` counts what happened to it."""

    cash: int
    contracts: dict[tuple[str, Side], int] = field(default_factory=dict)
    changes: int = 0

    def bought(self, market_id: str, side: Side, contracts: int, paid: int) -> None:
        """Contracts came in for `paid` micro-dollars, fees included."""
        self.cash -= paid
        self._move(market_id, side, contracts)

    def sold(self, market_id: str, side: Side, contracts: int, received: int) -> None:
        """Contracts left for `received` micro-dollars, fees taken off."""
        self.cash += received
        self._move(market_id, side, -contracts)

    def transferred(self, amount: int) -> None:
        """Cash came from (or, negative, went to) another account of the bot's owner."""
        self.cash += amount
        self.changes += 1

    def pay_out(self, market_id: str, winner: Side) -> None:
        """The market is over: $1 for each contract of the winning side, nothing for the other."""
        for side in self.sides(market_id):
            contracts = self.contracts.pop((market_id, side))
            self.cash += contracts * MICROS if side == winner else 0
            self.changes += 1

    def sides(self, market_id: str) -> Iterable[Side]:
        """The sides of a market that the account holds."""
        return [side for held, side in self.contracts if held == market_id]

    def _move(self, market_id: str, side: Side, contracts: int) -> None:
        left = self.contracts.get((market_id, side), 0) + contracts
        if left:
            self.contracts[market_id, side] = left
        else:
            self.contracts.pop((market_id, side), None)
        self.changes += 1
