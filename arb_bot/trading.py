"""From the opportunities of one cycle to orders: ranks them, judges each, opens what may be opened."""

import logging
from collections.abc import Iterator, Sequence

from arb_bot import StoreWriteFailed, analytics_store, decision
from arb_bot.analytics_store import DecisionNews
from arb_bot.decision import Decision
from arb_bot.judging import Verdict, draft, judge
from arb_bot.lanes import (
    CROSS_VENUE,
    INTRA_VENUE,
    STRUCTURAL_BUCKET,
    STRUCTURAL_EVENT_TREE,
    STRUCTURAL_PARITY,
    MarketView,
)
from arb_bot.lanes.scanning import LaneOptions, Scan, Scanner, in_turn
from arb_bot.opportunity import MAKER_ESTIMATE, Opportunity
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
        self._scanner = Scanner()
        self._cooldowns = Cooldowns()
        self._news = DecisionNews()
        self._tidy_at = parts.clock.now() + MEMORY_SECONDS
        self.decisions: list[Decision] = []

    def trade(self, view: MarketView, now: float) -> Scan:
        """Look through the view, begin what may be begun; returns what was found."""
        settings = self._p.settings.current
        found = self._scanner.scan(view, _options(settings))
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
        if self._news.is_news(opportunity, refusal.reason, now):
            self._record(opportunity, verdict, now)

    def _verdict(self, opportunity: Opportunity, settings: Settings, now: float) -> Verdict:
        p = self._p
        gate = p.kill.check(opportunity.venues)
        if gate.halted:
            return Verdict(None, f"kill switch: {gate.reason}")
        if p.journal.paused:
            return Verdict(None, f"paused ({p.journal.paused['reason']})")
        if opportunity.execution_style == MAKER_ESTIMATE:
            return Verdict(None, decision.MAKER_ESTIMATE)
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


def _enabled(settings: Settings) -> Iterator[str]:
    structural = settings.structural_arb
    switches = {
        CROSS_VENUE: settings.lane_cross and settings.cross_venue,
        STRUCTURAL_PARITY: settings.lane_parity and structural,
        STRUCTURAL_BUCKET: settings.lane_bucket and structural,
        STRUCTURAL_EVENT_TREE: settings.lane_tree and structural,
        INTRA_VENUE: settings.lane_intra,
    }
    yield from (kind for kind, on in switches.items() if on)


def _options(settings: Settings) -> LaneOptions:
    return LaneOptions(
        floors=dict.fromkeys(_enabled(settings), settings.min_net_edge),
        near_cost=settings.near_cost,
        join_seconds=settings.temporal_join_seconds,
        maker_estimates=settings.maker_estimates,
        maker_ticks={"kalshi": settings.kalshi_maker_tick},
        fuzzy=settings.fuzzy_cross_venue,
        min_match_score=settings.cross_min_match_score,
        mapping_required=settings.cross_mapping_required,
        constraint_pricing=settings.constraint_pricing,
        max_bruteforce=settings.constraint_max_bruteforce,
        equivalence_score=settings.equivalence_min_match_score,
        buckets_exhaustive=settings.assume_exhaustive,
        min_covered_pairs=settings.cross_min_covered_pairs,
        min_covered_rules=settings.parity_min_covered_rules,
    )
