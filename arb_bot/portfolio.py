"""The bot's own books: cash, what is held and at what cost, what has been earned.

Everything is in micro-dollars, and one identity holds after every step:
cash + locked + fees of what is still held = money brought in + realised PnL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from arb_bot.money import MICROS, share
from arb_bot.quotes import Side


@dataclass(slots=True)
class Lot:
    """Contracts of one leg, their cost without fees, and the fees paid for them."""

    position_id: str
    leg_index: int
    venue: str
    market_id: str
    title: str
    side: Side
    opened_at: float
    contracts: int = 0
    cost: int = 0
    fees: int = 0

    @property
    def average_entry(self) -> float:
        """Micro-dollars a contract, without fees."""
        return self.cost / self.contracts if self.contracts else 0.0


@dataclass(slots=True)
class Holding:
    """What one intent bought: a lot for each leg that has fills, and what the plan promised."""

    intent_id: str
    kind: str
    match_key: str
    market_key: str
    cluster: str
    leg_count: int
    planned_contracts: int
    planned_edge: float
    settles_at: float | None
    lots: dict[int, Lot] = field(default_factory=dict)
    closing: bool = False
    """Whether a person ordered all of it to be sold."""

    @property
    def hedged(self) -> int:
        """Complete sets: the fewest contracts over all legs."""
        if len(self.lots) < self.leg_count:
            return 0
        return min(lot.contracts for lot in self.lots.values())

    def excess(self, lot: Lot) -> int:
        """Contracts of a lot that no other leg covers."""
        return lot.contracts - self.hedged

    def to_sell(self, lot: Lot) -> int:
        """Contracts of a lot that should go: all of a holding that is being closed, else the excess."""
        return lot.contracts if self.closing else self.excess(lot)

    def unhedged(self) -> list[Lot]:
        """The lots that hold more than complete sets."""
        return [lot for lot in self.lots.values() if self.excess(lot) > 0]

    @property
    def markets(self) -> set[tuple[str, str]]:
        """(venue, market id) of everything held."""
        return {(lot.venue, lot.market_id) for lot in self.lots.values() if lot.contracts}


class Portfolio:
    """Cash by venue, holdings by intent, realised PnL; micro-dollars throughout."""

    def __init__(self, cash: Mapping[str, int], realized: int = 0) -> None:
        self.cash = dict(cash)
        self.realized = realized
        self.holdings: dict[str, Holding] = {}

    def open(self, holding: Holding) -> None:
        """Begin to keep the books of an intent."""
        self.holdings[holding.intent_id] = holding

    def bought(self, holding: Holding, lot: Lot, contracts: int, cost: int, fee: int) -> None:
        """Contracts came in for `cost` and `fee`."""
        holding.lots.setdefault(lot.leg_index, lot)
        lot.contracts += contracts
        lot.cost += cost
        lot.fees += fee
        self.cash[lot.venue] -= cost + fee

    def sold(self, lot: Lot, contracts: int, proceeds: int, fee: int) -> int:
        """Contracts left for `proceeds` less `fee`; returns the PnL that this realises."""
        cost = share(lot.cost, contracts, lot.contracts)
        fees = share(lot.fees, contracts, lot.contracts)
        lot.contracts -= contracts
        lot.cost -= cost
        lot.fees -= fees
        self.cash[lot.venue] += proceeds - fee
        pnl = proceeds - fee - cost - fees
        self.realized += pnl
        return pnl

    def transferred(self, gained: Mapping[str, int]) -> None:
        """Cash was moved between venues; the amounts add up to nothing."""
        for venue, amount in gained.items():
            self.cash[venue] += amount

    def settle(self, holding: Holding, winners: Mapping[tuple[str, str], Side]) -> int:
        """Every market of a holding has paid: $1 a winning contract. Returns the PnL; the holding is gone."""
        pnl = 0
        for lot in holding.lots.values():
            if not lot.contracts:
                continue
            payout = lot.contracts * MICROS if winners[lot.venue, lot.market_id] == lot.side else 0
            self.cash[lot.venue] += payout
            pnl += payout - lot.cost - lot.fees
        self.realized += pnl
        del self.holdings[holding.intent_id]
        return pnl

    def drop_if_empty(self, holding: Holding) -> bool:
        """Forget a holding that holds nothing (any more); True when it did."""
        if holding.markets:
            return False
        self.holdings.pop(holding.intent_id, None)
        return True

    def lots(self) -> Iterable[tuple[Holding, Lot]]:
        """Everything that holds contracts, with its holding."""
        for holding in self.holdings.values():
            for lot in holding.lots.values():
                if lot.contracts:
                    yield holding, lot

    def locked(self) -> dict[str, int]:
        """Cost of what is held, by venue, without fees."""
        totals = dict.fromkeys(self.cash, 0)
        for _, lot in self.lots():
            totals[lot.venue] += lot.cost
        return totals

    def fees_held(self) -> int:
        """Fees paid for what is still held: spent, but not realised yet."""
        return sum(lot.fees for _, lot in self.lots())

    def unhedged(self) -> dict[str, int]:
        """Cost of contracts that no other leg covers, by venue."""
        totals = dict.fromkeys(self.cash, 0)
        for holding, lot in self.lots():
            totals[lot.venue] += share(lot.cost, holding.excess(lot), lot.contracts)
        return totals

    def open_markets(self) -> dict[str, set[str]]:
        """Market ids held, by venue."""
        markets: dict[str, set[str]] = {venue: set() for venue in self.cash}
        for _, lot in self.lots():
            markets[lot.venue].add(lot.market_id)
        return markets

    def total(self) -> int:
        """Cash, locked capital and fees held: equals the money brought in plus realised PnL, always."""
        return sum(self.cash.values()) + sum(self.locked().values()) + self.fees_held()
