"""From the opportunities of one cycle to orders: ranks them, judges each, opens what may be opened."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from arb_bot import StoreWriteFailed, analytics_store, decision
from arb_bot.analytics_store import DecisionNews
from arb_bot.decision import Decision
from arb_bot.judging import Moment, Verdict, judge, weigh
from arb_bot.lanes import STRUCTURAL_BUCKET, MarketView
from arb_bot.lanes.scanning import LaneOptions, Scan, Scanner, in_turn
from arb_bot.opportunity import Opportunity
from arb_bot.parts import Parts
from arb_bot.plan import Plan
from arb_bot.policy import Policy
from arb_bot.risk import Cluster, Cooldowns, Standing
from arb_bot.settings import Settings
from arb_bot.sqlite_file import Statement

MEMORY_SECONDS = 86_400.0
"""No cooldown is longer."""

_log = logging.getLogger(__name__)


class Trader:
    """The decisions of a session; `decisions` collects refusals until the engine takes them."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._scanner = Scanner()
        self._settings = parts.settings.current
        self._policy = Policy.of(self._settings)
        self._cooldowns = Cooldowns()
        self._news = DecisionNews()
        self._tidy_at = parts.clock.now() + MEMORY_SECONDS
        self._rows: list[Statement] = []
        self.decisions: list[Decision] = []

    def trade(self, view: MarketView, now: float) -> Scan:
        """Look through the view, begin what may be begun; returns what was found."""
        settings = self._p.settings.current
        if settings is not self._settings:
            self._settings, self._policy = settings, Policy.of(settings)
        scan = self._scanner.scan(view, _options(settings, self._policy.floors()))
        scan = replace(scan, found=self._worth_a_look(scan.found))
        confidence = self._p.experience.confidence(self._policy.confidence)
        moment = Moment(self._standing(), self._policy, confidence, now)
        weighed = {id(opportunity): weigh(opportunity, moment) for opportunity in scan.found}
        opened = False
        for opportunity in in_turn((_worth(weighed[id(o)]), o) for o in scan.found):
            verdict = weigh(opportunity, moment) if opened else weighed[id(opportunity)]
            if self._consider(opportunity, verdict, moment):
                opened, moment = True, replace(moment, standing=self._standing())
        if self._rows:
            self._p.analytics.write(*self._rows, now=now)  # hundreds of refusals are one transaction
            self._rows.clear()
        if now >= self._tidy_at:
            self._tidy_at = now + MEMORY_SECONDS
            self._cooldowns.forget(now - MEMORY_SECONDS)
            self._news.forget(now - MEMORY_SECONDS)
        return scan

    def _worth_a_look(self, found: Sequence[Opportunity]) -> tuple[Opportunity, ...]:
        """All but the buckets that their size or their record speaks against."""
        legs = {o.match_key: len(o.legs) for o in found if o.kind == STRUCTURAL_BUCKET}
        if not legs:
            return tuple(found)
        admitted = self._p.experience.buckets.admitted(legs, self._policy.buckets)
        return tuple(o for o in found if o.kind != STRUCTURAL_BUCKET or o.match_key in admitted)

    def _consider(self, opportunity: Opportunity, weighed: Verdict, moment: Moment) -> bool:
        """Open it, or say why not; True when something was begun."""
        now = moment.now
        verdict = self._verdict(opportunity, weighed, moment)
        if verdict.plan is not None and not verdict.reason:
            return self._open(verdict.plan, now)
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
            self._rows.append(self._row(opportunity, verdict, now))
        return False

    def _verdict(self, opportunity: Opportunity, weighed: Verdict, moment: Moment) -> Verdict:
        """Kill switch and pause stand before every other question."""
        p = self._p
        gate = p.kill.check(opportunity.venues)
        if gate.halted:
            return Verdict(None, f"kill switch: {gate.reason}")
        if p.journal.paused:
            return Verdict(None, f"paused ({p.journal.paused['reason']})")
        return judge(weighed, moment, self._cooldowns)

    def _open(self, plan: Plan, now: float) -> bool:
        try:
            self._p.executor.start(plan, now)
        except StoreWriteFailed as exc:
            _log.error("not traded: %s", exc)
            return False
        self._cooldowns.entered(plan, now)
        self._p.analytics.write(self._row(plan.opportunity, Verdict(plan, ""), now), now=now)
        return True

    def _row(self, opportunity: Opportunity, verdict: Verdict, now: float) -> Statement:
        session = self._p.journal.session_id
        return analytics_store.insert_decision(
            opportunity, verdict.plan, verdict.reason, session=session, now=now
        )

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
            worth=sum(p.portfolio.cash.values()) + sum(locked.values()),
            clusters=self._clusters(),
        )

    def _clusters(self) -> dict[str, Cluster]:
        """What is open in each cluster, entries in flight included."""
        p = self._p
        positions: dict[str, int] = defaultdict(int)
        used: dict[str, int] = defaultdict(int)
        for holding in p.portfolio.holdings.values():
            positions[holding.cluster] += 1
            used[holding.cluster] += sum(lot.cost for lot in holding.lots.values())
        for execution in p.executor.active:
            used[execution.holding.cluster] += sum(cost for _, cost in execution.may_take())
        return {key: Cluster(count, used[key]) for key, count in positions.items()}


def _worth(verdict: Verdict) -> float:
    return verdict.plan.expected_realized if verdict.plan else 0.0


def _options(settings: Settings, floors: Mapping[str, float]) -> LaneOptions:
    return LaneOptions(
        floors=floors,
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
