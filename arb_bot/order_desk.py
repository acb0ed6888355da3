"""The one place from which orders go to venues: the kill switch is asked before each.

An order is sent under a lock that a kill also takes, so that when a kill is acknowledged no order is on
its way.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arb_bot import OrderRejected, TradingHalted, VenueUnavailable
from arb_bot.venue import OrderRequest, Venue
from botkit.kill_switch import KillSwitch
from botkit.metrics_registry import Registry


@dataclass(frozen=True, slots=True)
class Fill:
    """What came in since the last look: contracts, their total price and fee in micro-dollars."""

    contracts: int
    value: int
    fee: int


@dataclass(slots=True)
class Ticket:
    """One order that was sent, and what has been booked of it. Times in epoch seconds."""

    venue: str
    order_id: str
    request: OrderRequest
    placed_at: float
    looked_at: float
    working: bool = True
    filled: int = 0
    value: int = 0
    fee: int = 0

    @property
    def remaining(self) -> int:
        """Contracts not filled yet."""
        return self.request.contracts - self.filled


class OrderDesk:
    """Sends, reads back and cancels orders; knows what is working, and when something was sent or filled
    last. `unknown` are venues whose orders of an earlier session nobody could list yet.
    """

    def __init__(
        self, venues: Mapping[str, Venue], kill: KillSwitch, registry: Registry, unknown: Iterable[str] = ()
    ) -> None:
        self._venues = venues
        self._kill = kill
        self._sending = threading.Lock()
        self._tickets: dict[str, Ticket] = {}
        self.unknown = set(unknown)
        self._placed = registry.counter("orders_placed")
        self._cancelled = registry.counter("orders_cancelled")
        self._refused = registry.counter("orders_refused")
        self._fills = registry.counter("order_fills")
        self.last_order_at: float | None = None
        self.last_fill_at: float | None = None

    def send(self, venue: str, request: OrderRequest, now: float) -> Ticket:
        """Place an order. Raises TradingHalted, OrderRejected, VenueUnavailable."""
        with self._sending:
            verdict = self._kill.check((venue,))
            if verdict.halted:
                raise TradingHalted(verdict.reason)
            quiet = self._venues[venue].planned()
            if quiet is not None:
                raise OrderRejected(f"{venue} is quiet as planned: {quiet.reason}")
            try:
                order_id = self._venues[venue].place(request)
            except (OrderRejected, VenueUnavailable):
                self._refused.inc()
                raise
        self._placed.inc()
        self.last_order_at = now
        ticket = Ticket(venue, order_id, request, now, now)
        self._tickets[order_id] = ticket
        return ticket

    def nothing_on_its_way(self, timeout: float) -> bool:
        """Wait until no order is just being sent; False when one still is. For the thread that kills."""
        if not self._sending.acquire(timeout=timeout):
            return False
        self._sending.release()
        return True

    def look(self, ticket: Ticket, now: float) -> Fill:
        """Read an order back and book what is new. Raises VenueUnavailable."""
        report = self._venues[ticket.venue].report(ticket.order_id)
        fill = Fill(report.filled - ticket.filled, report.value - ticket.value, report.fee - ticket.fee)
        ticket.filled, ticket.value, ticket.fee = report.filled, report.value, report.fee
        ticket.looked_at = now
        ticket.working = report.working
        if not report.working:
            self._tickets.pop(ticket.order_id, None)
        if fill.contracts:
            self._fills.inc()
            self.last_fill_at = now
        return fill

    def cancel(self, ticket: Ticket, now: float) -> Fill:
        """Take an order off the book, then read it back a last time. Raises VenueUnavailable."""
        self._venues[ticket.venue].cancel(ticket.order_id)
        self._cancelled.inc()
        return self.look(ticket, now)

    def cancel_all(self, venue: str) -> None:
        """Take every order of a venue off its book. Raises VenueUnavailable."""
        self._venues[venue].cancel_all()
        self._cancelled.inc(sum(1 for ticket in self._tickets.values() if ticket.venue == venue))

    def nothing_works(self, venue: str) -> bool:
        """Whether neither the venue nor this desk knows of an order on the venue's book."""
        try:
            nothing = not self._venues[venue].open_orders() and not self.working()[venue]
        except VenueUnavailable:
            return False
        if nothing:
            self.unknown.discard(venue)
        return nothing

    def working(self) -> dict[str, list[Ticket]]:
        """Orders that are, as far as is known, on a book, by venue."""
        by_venue: dict[str, list[Ticket]] = {venue: [] for venue in self._venues}
        for ticket in self._tickets.values():
            by_venue[ticket.venue].append(ticket)
        return by_venue
