"""Opens plans leg by leg: the first leg's order works, then the next one for what it got, and so on to the
verdict.

Every step is driven by `step(now)`; nothing waits here. What one leg got and the next did not is left
unhedged in the books, where `unwinding` sees it at once.
"""

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from arb_bot import OrderRejected, TradingHalted, VenueUnavailable, decision, order_store
from arb_bot.decision import Decision
from arb_bot.money import to_micros
from arb_bot.order_desk import Fill, OrderDesk, Ticket
from arb_bot.order_store import LegRecord
from arb_bot.plan import FEE_RESERVE, Plan
from arb_bot.portfolio import Holding, Lot, Portfolio
from arb_bot.quotes import reject_reason
from arb_bot.recorder import Recorder
from arb_bot.venue import OrderRequest, Venue
from botkit.kill_switch import KillSwitch

POLL_SECONDS = 1.0
FIRST_LEG_SECONDS = 5.0
"""An order that is not the last one's is cancelled when it has worked for this long; what it got goes on."""
LEG_WINDOW_SECONDS = 10.0
"""A leg is not begun when the one before it was begun longer ago than this."""
POLL_TIMEOUT_SECONDS = 15.0
"""The last leg's order is cancelled when it has worked for this long."""
HURRIED_LEG_SECONDS = 3.0
"""The most that a later leg's order works while the program is stopping."""


class Ids:
    """Ids of 32 hex digits from a seed, so that a session can be played again."""

    def __init__(self, seed: str) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a name, no secret

    def new(self) -> str:
        """The next id."""
        return uuid.UUID(int=self._rng.getrandbits(128), version=4).hex


@dataclass(slots=True)
class Execution:
    """A plan being opened. `leg` is the one at work, `ticket` its order."""

    plan: Plan
    holding: Holding
    legs: list[LegRecord]
    leg: int = 0
    ticket: Ticket | None = None
    trouble: str = ""

    @property
    def intent_id(self) -> str:
        """The intent's id."""
        return self.holding.intent_id

    @property
    def legs_to_come(self) -> int:
        """Legs after the one at work."""
        return len(self.legs) - self.leg - 1

    def may_take(self) -> Iterator[tuple[str, int]]:
        """Venue and micro-dollars of every leg that is not done yet: the most it may still cost."""
        for index in range(self.leg, len(self.legs)):
            left = self.plan.contracts - self.legs[index].filled
            yield self.plan.opportunity.legs[index].venue, left * (self.plan.limit_price(index) + FEE_RESERVE)


class Executor:
    """All executions in flight. `decisions` collects verdicts until the engine takes them."""

    def __init__(
        self,
        venues: Mapping[str, Venue],
        desk: OrderDesk,
        portfolio: Portfolio,
        *,
        orders: Recorder,
        kill: KillSwitch,
        ids: Ids,
    ) -> None:
        self._venues = venues
        self._desk = desk
        self._portfolio = portfolio
        self._orders = orders
        self._kill = kill
        self._ids = ids
        self._active: dict[str, Execution] = {}
        self.records: dict[str, list[LegRecord]] = {}
        self.decisions: list[Decision] = []

    @property
    def active(self) -> Iterable[Execution]:
        """Executions in flight."""
        return self._active.values()

    def is_active(self, intent_id: str) -> bool:
        """Whether an intent is still being opened."""
        return intent_id in self._active

    def start(self, plan: Plan, now: float) -> None:
        """Record the intent, then send the first order. Raises StoreWriteFailed before anything is sent."""
        opportunity = plan.opportunity
        holding = Holding(
            intent_id=self._ids.new(),
            kind=opportunity.kind,
            match_key=opportunity.match_key,
            market_key=opportunity.market_key,
            cluster=opportunity.cluster,
            leg_count=len(opportunity.legs),
            planned_contracts=plan.contracts,
            planned_edge=opportunity.net_edge,
            settles_at=opportunity.settles_at,
        )
        legs = [LegRecord(self._ids.new()) for _ in opportunity.legs]
        self._orders.must_write(*order_store.insert_intent(holding.intent_id, plan, legs, now))
        execution = Execution(plan, holding, legs)
        self._portfolio.open(holding)
        self._active[holding.intent_id] = execution
        self.records[holding.intent_id] = legs
        self._send_leg(execution, plan.contracts, now)

    def step(self, now: float, *, hurry: bool = False) -> None:
        """Look at every order that is due for a look, and take the next step where one is finished.

        In a hurry a first leg's order is not waited for: what it got is hedged, the rest is cancelled. A
        later leg gets a moment.
        """
        later_patience = HURRIED_LEG_SECONDS if hurry else POLL_TIMEOUT_SECONDS
        for execution in list(self._active.values()):
            ticket = execution.ticket
            at_once = hurry and execution.leg == 0
            if ticket is None or (now - ticket.looked_at < POLL_SECONDS and not at_once):
                continue
            patience = min(FIRST_LEG_SECONDS, later_patience) if execution.legs_to_come else later_patience
            patience = 0.0 if at_once else patience
            try:
                self._book(execution, self._desk.look(ticket, now), now)
                if ticket.working and now - ticket.placed_at >= patience:
                    self._book(execution, self._desk.cancel(ticket, now), now)
            except VenueUnavailable:
                ticket.looked_at = now
                continue
            if not ticket.working:
                self._leg_done(execution, ticket, now)

    def abandon(self, trouble: str, now: float, venue: str) -> None:
        """A venue is halted and its orders are cancelled: finish what cannot go on, by what it got.

        A last leg that works at another venue goes on: it completes the hedge.
        """
        for execution in list(self._active.values()):
            ticket = execution.ticket
            if ticket is None or venue not in execution.plan.opportunity.venues:
                continue
            try:
                self._book(execution, self._desk.look(ticket, now), now)
                if ticket.working and execution.legs_to_come:
                    self._book(execution, self._desk.cancel(ticket, now), now)
            except VenueUnavailable:
                continue
            if not ticket.working:
                execution.trouble = trouble
                self._finish(execution, now)

    def reserved(self) -> dict[str, int]:
        """Micro-dollars that executions in flight may still take, by venue."""
        totals = dict.fromkeys(self._venues, 0)
        for execution in self._active.values():
            for venue, cost in execution.may_take():
                totals[venue] += cost
        return totals

    def markets(self) -> Iterable[tuple[str, str]]:
        """(venue, market id) of every leg in flight."""
        for execution in self._active.values():
            for leg in execution.plan.opportunity.legs:
                yield leg.venue, leg.market_id

    def _send_leg(self, execution: Execution, contracts: int, now: float) -> None:
        index, record = execution.leg, execution.legs[execution.leg]
        leg = execution.plan.opportunity.legs[index]
        limit = execution.plan.limit_price(index)
        try:
            ticket = self._desk.send(
                leg.venue, OrderRequest(leg.market_id, leg.side, "buy", contracts, limit, record.leg_id), now
            )
        except (TradingHalted, OrderRejected, VenueUnavailable) as exc:
            prefix = "kill switch: " if isinstance(exc, TradingHalted) else ""
            record.status, record.error = order_store.FAILED, f"{prefix}{exc}"
            execution.trouble = record.error
            self._finish(execution, now)
            return
        execution.ticket = ticket
        record.status, record.order_id = order_store.SUBMITTED, ticket.order_id
        self._orders.write(
            order_store.update_leg(record, now),
            order_store.update_intent(execution.intent_id, order_store.SUBMITTED, 0, None, now),
            now=now,
        )

    def _book(self, execution: Execution, fill: Fill, now: float) -> None:
        if not fill.contracts:
            return
        index, record, holding = execution.leg, execution.legs[execution.leg], execution.holding
        lot = holding.lots.get(index)
        if lot is None:
            leg = execution.plan.opportunity.legs[index]
            lot = Lot(self._ids.new(), index, leg.venue, leg.market_id, leg.title, leg.side, now)
        self._portfolio.bought(holding, lot, fill.contracts, fill.value, fill.fee)
        record.filled += fill.contracts
        record.cost += fill.value
        record.fee += fill.fee
        record.held_fee = lot.fees
        self._orders.write(
            order_store.update_leg(record, now), order_store.put_position(holding.intent_id, lot), now=now
        )

    def _leg_done(self, execution: Execution, ticket: Ticket, now: float) -> None:
        record = execution.legs[execution.leg]
        if record.filled == 0:
            record.status, record.error = order_store.FAILED, "not filled in time"
            self._finish(execution, now)
            return
        record.status = order_store.FILLED
        if not execution.legs_to_come:
            self._finish(execution, now)
            return
        execution.leg += 1
        execution.ticket = None
        if now - ticket.placed_at <= LEG_WINDOW_SECONDS and self._leg_still_good(execution, now):
            self._send_leg(execution, record.filled, now)
        else:
            execution.trouble = decision.LEGGING_ABORTED
            self._finish(execution, now)

    def _leg_still_good(self, execution: Execution, now: float) -> bool:
        """Whether the next leg is still asked within the drift tolerance."""
        leg = execution.plan.opportunity.legs[execution.leg]
        try:
            quote = self._venues[leg.venue].quote(leg.market_id)
        except VenueUnavailable:
            return False
        if quote is None or reject_reason(quote, now):
            return False
        return to_micros(quote.ask(leg.side)) <= execution.plan.limit_price(execution.leg)

    def _finish(self, execution: Execution, now: float) -> None:
        """Nothing of this execution works any more: settle its rows, its verdict and the failure count."""
        del self._active[execution.intent_id]
        execution.ticket = None
        fills = [record.filled for record in execution.legs]
        for record in execution.legs:
            if record.filled:
                record.status = order_store.FILLED
            elif record.status in (order_store.PENDING, order_store.SUBMITTED):
                record.status = order_store.CANCELLED
        status = order_store.intent_status(execution.legs)
        errors = "; ".join(record.error for record in execution.legs if record.error) or None
        self._orders.write(
            *(order_store.update_leg(record, now) for record in execution.legs),
            order_store.update_intent(
                execution.intent_id, status, min(fills), errors or execution.trouble or None, now
            ),
            now=now,
        )
        self._conclude(execution, min(fills), max(fills))
        if self._portfolio.drop_if_empty(execution.holding):
            self.records.pop(execution.intent_id, None)

    def _conclude(self, execution: Execution, hedged: int, most: int) -> None:
        if hedged:
            self._kill.record_success()
            verdict = (decision.DRY_RUN, decision.PAPER_OPENED)
        elif most:
            self._kill.record_failure()
            verdict = (decision.EXECUTION_FAILED, execution.trouble or decision.LEGS_FAILED)
        else:
            verdict = (decision.SKIPPED, execution.trouble or decision.PAPER_NO_FILL)
        plan, opportunity = execution.plan, execution.plan.opportunity
        self.decisions.append(
            Decision(
                verdict[0],
                opportunity.kind,
                opportunity.match_key,
                verdict[1],
                opportunity.net_edge,
                plan.fill_probability,
            )
        )
