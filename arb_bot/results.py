"""What trades come to: settlements, booked when every market of a holding has paid, and unwindings."""

from arb_bot import VenueUnavailable, analytics_store, decision, order_store
from arb_bot.analytics_store import SETTLEMENT, UNWIND, Realized
from arb_bot.decision import Decision
from arb_bot.experience import Result
from arb_bot.money import to_usd
from arb_bot.parts import Parts
from arb_bot.portfolio import Holding, Lot
from arb_bot.quotes import Side
from arb_bot.unwinding import Unwinder


class Results:
    """Books results into portfolio, stores, kill switch and journal; owns the unwinder of unhedged lots.

    `decisions` collects settlements until the engine takes them.
    """

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self.decisions: list[Decision] = []
        self.unwinder = Unwinder(
            parts.venues,
            parts.desk,
            parts.portfolio,
            executor=parts.executor,
            orders=parts.orders,
            on_unwound=self._unwound,
        )

    def settle(self, now: float) -> None:
        """Book every holding whose markets have all paid and of which no order is in flight."""
        p = self._p
        for holding in list(p.portfolio.holdings.values()):
            if p.executor.is_active(holding.intent_id) or self.unwinder.is_selling(holding):
                continue
            winners = self._winners(holding)
            if winners is not None:
                self._settled(holding, winners, now)

    def _winners(self, holding: Holding) -> dict[tuple[str, str], Side] | None:
        """What every market of a holding has paid; None while one is open or cannot be asked."""
        winners: dict[tuple[str, str], Side] = {}
        for venue, market_id in sorted(holding.markets):
            try:
                winner = self._p.venues[venue].winner(market_id)
            except VenueUnavailable:
                return None
            if winner is None:
                return None
            winners[venue, market_id] = winner
        return winners

    def _settled(self, holding: Holding, winners: dict[tuple[str, str], Side], now: float) -> None:
        p = self._p
        lots = [lot for lot in holding.lots.values() if lot.contracts]
        filled = holding.hedged or max(lot.contracts for lot in lots)
        pnl = p.portfolio.settle(holding, winners)
        p.executor.records.pop(holding.intent_id, None)
        planned = holding.planned_contracts
        # The result first: a start that finds it closes the positions and books nothing twice.
        self._realized(holding, Realized(SETTLEMENT, lots[0].venue, planned, filled, pnl), now)
        p.orders.write(*(order_store.close_position(lot.position_id, now) for lot in lots), now=now)
        self.decisions.append(
            Decision(
                decision.SETTLED,
                holding.kind,
                holding.match_key,
                decision.PAPER_SETTLED,
                holding.planned_edge,
                filled / planned,
            )
        )

    def _unwound(self, holding: Holding, lot: Lot, contracts: int, pnl: int, now: float) -> None:
        result = Realized(UNWIND, lot.venue, contracts, contracts, pnl, lot.position_id)
        self._realized(holding, result, now)

    def _realized(self, holding: Holding, result: Realized, now: float) -> None:
        p = self._p
        session = p.journal.session_id
        p.analytics.write(analytics_store.insert_fill(holding, result, session=session, now=now), now=now)
        p.experience.realized(
            Result(
                holding.kind,
                holding.match_key,
                realized=to_usd(result.pnl) / result.filled,
                expected=holding.planned_edge,
            )
        )
        p.journal.trade(now)
        p.kill.record_pnl(to_usd(result.pnl), now)
