"""The life of made-up trades, booked by the engine's own portfolio and written by its own statements.

Each step says when the next one is due: an intent is recorded, its legs fill (or do not, or not all), what is
unhedged is unwound, the rest settles. What comes of it is chosen by chance, what is booked of it is not.
"""

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from arb_bot import analytics_store, decision, order_store
from arb_bot.analytics_store import SETTLEMENT, UNWIND, Realized
from arb_bot.execution import Ids
from arb_bot.lanes import INTRA_VENUE
from arb_bot.money import to_micros
from arb_bot.opportunity import Opportunity
from arb_bot.order_store import LegRecord
from arb_bot.plan import Plan
from arb_bot.portfolio import Holding, Lot, Portfolio
from arb_bot.quotes import Side
from arb_bot.sqlite_file import Statement
from benchmarks.ledger_markets import FEES, Catalogue

NOTHING_FILLED: Final = 0.04
LEGGED: Final = 0.05
"""Share of trades of which a later leg got less than the one before it."""
SHORT: Final = 0.12
"""Share of trades of which every leg got the same, but less than planned."""
BROKEN: Final = 0.006
"""Share of trades whose markets did not keep to the relation that was believed: every leg loses."""
BAD_DAY: Final = 11
"""One day of so many ends below zero, because …"""
WORSE: Final = 8
"""… that share is so many times as large."""
LATE: Final = 0.36
"""Share of settlements that bear a time before that of the row before: 81 of 233 in the recorded session."""
REFUSALS: Final = (1, 2, 3)
"""Refusals that are written for each trade, drawn evenly: two on average."""

_REASONS: Final = {
    decision.FILL_QUALITY_LOW: 30,
    "market cooldown active ({venue}/{market})": 22,
    decision.KELLY_ZERO: 10,
    decision.FILL_PROBABILITY_LOW: 9,
    decision.EDGE_BELOW_DYNAMIC: 7,
    decision.REALIZED_PROFIT_LOW: 6,
    "open market cap reached ({venue})": 4,
    "insufficient cash ({venue})": 3,
    "venue exposure cap reached ({venue})": 2,
    decision.SIZER_REJECTED: 2,
    decision.CLUSTER_FULL: 2,
    decision.MAKER_DISABLED: 1,
    decision.EDGE_ABOVE_SANITY: 1,
    "kill switch: kill switch file exists (.kill_switch)": 1,
}


@dataclass(slots=True)
class Rows:
    """Statements for the two stores, in order; `fills` counts all results so far, written or not."""

    orders: list[Statement]
    analytics: list[Statement]
    fills: int = 0


@dataclass(slots=True)
class _Trade:
    """An opened plan. `fills` are the contracts that each leg will get."""

    plan: Plan
    holding: Holding
    records: list[LegRecord]
    fills: list[int]


Step = Callable[[float], None]


class Trades:
    """All trades of one ledger; `pace` is that of the catalogue.

    `begin` one at its time and `advance` past what is due; both only add to `rows`.
    """

    def __init__(self, seed: int, *, session: str, pace: float = 1.0) -> None:
        self._rng = random.Random(seed)
        self._ids = Ids(f"ledger-{seed}")
        self._catalogue = Catalogue(self._rng, pace)
        self._portfolio = Portfolio(dict.fromkeys(FEES, 0))
        self._seen: deque[Opportunity] = deque(maxlen=500)
        self._due: list[tuple[float, int, Step]] = []
        self._order = itertools.count()
        self._session = session
        self._newest = 0.0
        self.rows = Rows([], [])

    @property
    def open(self) -> int:
        """Intents that still hold contracts."""
        return len(self._portfolio.holdings)

    def begin(self, now: float) -> None:
        """Refuse a few opportunities and open one."""
        rng, opportunity = self._rng, self._catalogue.offered(now)
        self._seen.append(opportunity)
        for _ in range(rng.choice(REFUSALS)):
            self._refuse(rng.choice(self._seen), now)
        plan = Plan(
            opportunity,
            contracts=rng.randrange(4, 60),
            fill_probability=round(rng.uniform(0.3, 1.0), 4),
            expected_realized=round(opportunity.net_edge * 10, 4),
            notes={"regime": "mid_neutral"},
        )
        trade = _Trade(plan, self._holding(plan), [], self._drawn_fills(plan))
        trade.records = [LegRecord(self._ids.new()) for _ in opportunity.legs]
        self.rows.orders += order_store.insert_intent(trade.holding.intent_id, plan, trade.records, now)
        self._decided(opportunity, plan, "", now)
        patience = min(12.0, ((opportunity.settles_at or now) - now) / 10)
        self._later(now + rng.uniform(0.1, 1.0) * patience, lambda at: self._filled(trade, at))

    def advance(self, now: float, most: float = math.inf) -> None:
        """Take every step that is due by now, but no more once there are `most` results."""
        while self._due and self._due[0][0] <= now and self.rows.fills < most:
            at, _, step = heapq.heappop(self._due)
            step(at)

    def _later(self, at: float, step: Step) -> None:
        heapq.heappush(self._due, (at, next(self._order), step))

    def _refuse(self, opportunity: Opportunity, now: float) -> None:
        reason = self._rng.choices(list(_REASONS), list(_REASONS.values()))[0]
        leg = opportunity.legs[0]
        self._decided(opportunity, None, reason.format(venue=leg.venue, market=leg.market_id), now)

    def _decided(self, opportunity: Opportunity, plan: Plan | None, reason: str, now: float) -> None:
        self.rows.analytics.append(
            analytics_store.insert_decision(opportunity, plan, reason, session=self._session, now=now)
        )

    def _holding(self, plan: Plan) -> Holding:
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
        self._portfolio.open(holding)
        return holding

    def _drawn_fills(self, plan: Plan) -> list[int]:
        legs, chance = len(plan.opportunity.legs), self._rng.random()
        if chance < NOTHING_FILLED:
            return [0] * legs
        got = plan.contracts
        if chance < NOTHING_FILLED + SHORT + LEGGED:
            got = self._rng.randint(1, got)
        fills = [got] * legs
        if NOTHING_FILLED + SHORT <= chance < NOTHING_FILLED + SHORT + LEGGED:
            short = self._rng.randrange(1, legs)
            fills[short:] = [self._rng.randrange(got)] + [0] * (legs - short - 1)
        return fills

    def _filled(self, trade: _Trade, now: float) -> None:
        """Every leg's order is done: book what it got, settle the intent's rows."""
        for index, got in enumerate(trade.fills):
            self._leg_filled(trade, index, got, now)
        hedged, status = min(trade.fills), order_store.intent_status(trade.records)
        trouble = None
        if status != order_store.FILLED:
            trouble = "not filled in time" if status == order_store.FAILED else decision.LEGGING_ABORTED
        intent_id = trade.holding.intent_id
        self.rows.orders.append(order_store.update_intent(intent_id, status, hedged, trouble, now))
        if self._portfolio.drop_if_empty(trade.holding):
            return
        for lot in trade.holding.unhedged():
            excess = trade.holding.excess(lot)
            self._later(now + self._rng.uniform(1.0, 4.0), self._unwinding(trade, lot, excess))
        if hedged:
            settles_at = trade.plan.opportunity.settles_at or now
            self._later(max(settles_at, now + 5.0), lambda at: self._settled(trade, at))

    def _leg_filled(self, trade: _Trade, index: int, got: int, now: float) -> None:
        leg, record = trade.plan.opportunity.legs[index], trade.records[index]
        if got:
            price = to_micros(min(0.99, max(0.005, leg.price + self._rng.gauss(0.001, 0.006))))
            fee = FEES[leg.venue].charge(got, got * price * (1_000_000 - price))
            lot = Lot(self._ids.new(), index, leg.venue, leg.market_id, leg.title, leg.side, now)
            self._portfolio.bought(trade.holding, lot, got, got * price, fee)
            record.filled, record.cost, record.fee, record.held_fee = got, got * price, fee, fee
            self.rows.orders.append(order_store.put_position(trade.holding.intent_id, lot))
        record.order_id = f"{leg.venue}-{record.leg_id[:12]}"
        record.status = order_store.FILLED if got else order_store.FAILED
        record.error = None if got else "not filled in time"
        self.rows.orders.append(order_store.update_leg(record, now))

    def _unwinding(self, trade: _Trade, lot: Lot, contracts: int) -> Step:
        def unwind(now: float) -> None:
            entry = lot.average_entry
            bid = to_micros(max(0.005, entry / 1_000_000 - abs(self._rng.gauss(0.015, 0.01))))
            fee = FEES[lot.venue].charge(contracts, contracts * bid * (1_000_000 - bid))
            pnl = self._portfolio.sold(lot, contracts, contracts * bid, fee)
            self._realized(
                trade, Realized(UNWIND, lot.venue, contracts, contracts, pnl, lot.position_id), now
            )
            if lot.contracts:
                self.rows.orders.append(order_store.put_position(trade.holding.intent_id, lot))
            else:
                self.rows.orders.append(order_store.close_position(lot.position_id, now))
            self._portfolio.drop_if_empty(trade.holding)

        return unwind

    def _settled(self, trade: _Trade, now: float) -> None:
        holding = trade.holding
        lots = [lot for lot in holding.lots.values() if lot.contracts]
        filled = holding.hedged
        pnl = self._portfolio.settle(holding, self._winners(trade, now))
        self._realized(trade, Realized(SETTLEMENT, lots[0].venue, trade.plan.contracts, filled, pnl), now)
        self.rows.orders += [order_store.close_position(lot.position_id, now) for lot in lots]

    def _winners(self, trade: _Trade, now: float) -> dict[tuple[str, str], Side]:
        """What the markets paid: one leg of the set wins, or none where the relation was none."""
        legs = trade.plan.opportunity.legs
        lucky = legs[self._rng.randrange(len(legs))]
        worse = WORSE if now // 86_400 % BAD_DAY == 3 else 1
        none_wins = trade.holding.kind != INTRA_VENUE and self._rng.random() < BROKEN * worse
        winners: dict[tuple[str, str], Side] = {}
        for leg in legs:
            if leg is not lucky and (leg.venue, leg.market_id) in winners:
                continue
            wins = leg is lucky and not none_wins
            winners[leg.venue, leg.market_id] = leg.side if wins else "no" if leg.side == "yes" else "yes"
        return winners

    def _realized(self, trade: _Trade, result: Realized, now: float) -> None:
        if result.event == SETTLEMENT and self._rng.random() < LATE:
            opened = max(lot.opened_at for lot in trade.holding.lots.values())
            now = max(opened, self._newest - self._rng.uniform(0.5, 20.0))
        self._newest = max(self._newest, now)
        self.rows.fills += 1
        self.rows.analytics.append(
            analytics_store.insert_fill(trade.holding, result, session=self._session, now=now)
        )
