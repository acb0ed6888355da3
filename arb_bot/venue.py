"""What the engine needs from a venue of any kind: quotes, orders, what became of them, settlement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from arb_bot.quotes import Quote, Side
from arb_bot.trading_hours import Quiet

Action = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A limit order for contracts of one side of a market. `limit_price` in micro-dollars a contract.

    `tag` is our own name for what the order serves; the venue keeps it, and a bot that died finds its orders
    by it.
    """

    market_id: str
    side: Side
    action: Action
    contracts: int
    limit_price: int
    tag: str = ""


def selling_tag(position_id: str) -> str:
    """The tag of orders that sell a position."""
    return f"unwind-{position_id}"


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What a venue says about an order: filled contracts, their total price and fee in micro-dollars."""

    order_id: str
    working: bool
    filled: int
    value: int
    fee: int


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that is still on a venue's book, and since when (epoch seconds)."""

    order_id: str
    market_id: str
    placed_at: float


class Venue(Protocol):
    """One venue. Every call may raise `VenueUnavailable`, except `name`, `planned` and `last_heartbeat`."""

    name: str

    def planned(self, ahead: float = 0.0) -> Quiet | None:
        """The announced quiet that holds, or begins within `ahead` seconds: no orders are taken then."""
        ...

    def last_heartbeat(self) -> float | None:
        """When the venue last answered, epoch seconds; None before its first answer."""
        ...

    def listed(self) -> int:
        """How many markets are listed."""
        ...

    def quotes(self) -> Sequence[Quote]:
        """The best prices of all markets it can give now."""
        ...

    def quote(self, market_id: str) -> Quote | None:
        """The best prices of one market; None where it is not listed (any more)."""
        ...

    def place(self, request: OrderRequest) -> str:
        """Send an order; returns its id. Raises `OrderRejected`."""
        ...

    def report(self, order_id: str) -> OrderReport:
        """What became of an order; raises `OrderRejected` for one that the venue does not know."""
        ...

    def orders_tagged(self, tag: str) -> Sequence[OrderReport]:
        """What became of every order with that tag, of earlier sessions too, oldest first."""
        ...

    def cancel(self, order_id: str) -> None:
        """Take an order off the book; no error when it is gone already."""
        ...

    def cancel_all(self) -> None:
        """Take every order off the book."""
        ...

    def open_orders(self) -> Sequence[WorkingOrder]:
        """Every order on the book."""
        ...

    def winner(self, market_id: str) -> Side | None:
        """The side that a market paid; None while it is open."""
        ...

    def balance(self) -> int:
        """Cash in the account, micro-dollars."""
        ...

    def contracts_held(self) -> dict[tuple[str, Side], int]:
        """Contracts in the account by (market id, side)."""
        ...
