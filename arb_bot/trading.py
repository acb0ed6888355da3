"""From the opportunities of one cycle to orders: ranks them, judges each, opens what may be opened."""

import logging
from collections.abc import Sequence

from arb_bot import StoreWriteFailed, analytics_store, decision
from arb_bot.analytics_store import DecisionNews
from arb_bot.decision import Decision
from arb_bot.judging import Verdict, draft, judge
from arb_bot.lanes import Lane, MarketView, Scan, in_turn, scan
from arb_bot.lanes.cross_venue import CrossVenueLane
from arb_bot.lanes.intra_venue import IntraVenueLane
from arb_bot.opportunity import Opportunity
from arb_bot.parts import Parts
from arb_bot.plan import Plan
from arb_bot.risk import Cooldowns, Standing
from arb_bot.settings import Settings

MEMORY_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


class Trader:
    """The decisions of a session; `decisions` collects refusals until the engine takes them."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._cooldowns = Cooldowns()
        self._news = DecisionNews()
        self._tidy_at = parts.clock.now() + MEMORY_SECONDS
        self.decisions: list[Decision] = []

    def trade(self, view: MarketView, now: float) -> Scan:
        """Look through the view, begin what may be begun; returns what was found."""
        settings = self._p.settings.current
        found = scan(_lanes(settings), view, settings.min_net_edge, settings.near_cost)
        for opportunity in self._ranked(found.found, settings, now):
            self._consider(opportunity, settings, now)
        if now >= self._tidy_at:
            self._tidy_at = now + MEMORY_SECONDS
            self._cooldowns.forget(now - MEMORY_SECONDS)
            self._news.forget(now - MEMORY_SECONDS)
        return found

    def _ranked(self, found: Sequence[Opportunity], settings: Settings, now: float) -> list[Opportunity]:
        standing = self._standing()
        plans = [(draft(opportunity, standing, settings, now), opportunity) for opportunity in found]
        return in_turn((plan.expected_realized if plan else 0.0, opportunity) for plan, opportunity in plans)

    def _consider(self, opportunity: Opportunity, settings: Settings, now: float) -> None:
        """Open it, or say why not."""
        verdict = self._verdict(opportunity, settings, now)
        if verdict.plan is not None and not verdict.reason:
            self._open(verdict.plan, now)
            return
        refusal = Decision(
            decision.SKIPPED,
            opportunity.kind,
            opportunity.match_key,
            verdict.reason,
            opportunity.net_edge,
            verdict.plan.fill_probability if verdict.plan else 1.0,
        )
        self.decisions.append(refusal)
        if self._news.is_news(refusal, now):
            self._record(opportunity, verdict, now)

    def _verdict(self, opportunity: Opportunity, settings: Settings, now: float) -> Verdict:
        p = self._p
        gate = p.kill.check(opportunity.venues)
        if gate.halted:
            return Verdict(None, f"kill switch: {gate.reason}")
        if p.journal.paused:
            return Verdict(None, f"paused ({p.journal.paused['reason']})")
        return judge(opportunity, self._standing(), settings, self._cooldowns, now)

    def _open(self, plan: Plan, now: float) -> None:
        try:
            self._p.executor.start(plan, now)
        except StoreWriteFailed as exc:
            _log.error("not traded: %s", exc)
            return
        self._cooldowns.entered(plan, now)
        self._record(plan.opportunity, Verdict(plan, ""), now)

    def _record(self, opportunity: Opportunity, verdict: Verdict, now: float) -> None:
        session = self._p.journal.session_id
        row = analytics_store.insert_decision(
            opportunity, verdict.plan, verdict.reason, session=session, now=now
        )
        self._p.analytics.write(row, now=now)

    def _standing(self) -> Standing:
        p = self._p
        reserved, locked = p.executor.reserved(), p.portfolio.locked()
        markets = p.portfolio.open_markets()
        for venue, market_id in p.executor.markets():
            markets[venue].add(market_id)
        return Standing(
            cash={venue: cash - reserved[venue] for venue, cash in p.portfolio.cash.items()},
            exposure={venue: locked[venue] + reserved[venue] for venue in locked},
            open_markets=markets,
        )


def _lanes(settings: Settings) -> list[Lane]:
    lanes: list[Lane] = []
    if settings.lane_cross:
        lanes.append(CrossVenueLane())
    if settings.lane_intra:
        lanes.append(IntraVenueLane())
    return lanes
