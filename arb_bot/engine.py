"""The engine: between cycles it follows orders, settlements and the kill switch; in a cycle it looks for trades.

One thread runs `run`. Others only set flags that it reads: the kill switch, the pause in the journal, the settings
store, and `wake`, which asks for a cycle now.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arb_bot import StoreWriteFailed, VenueUnavailable, analytics_store, decision, order_store
from arb_bot.analytics_store import DecisionNews
from arb_bot.clock import Clock
from arb_bot.decision import Decision
from arb_bot.execution import Executor
from arb_bot.intake import Intake
from arb_bot.judging import Verdict, draft, judge
from arb_bot.lanes import Lane, MappedPair, MarketView, in_turn, scan
from arb_bot.lanes.cross_venue import CrossVenueLane
from arb_bot.lanes.intra_venue import IntraVenueLane
from arb_bot.money import to_usd
from arb_bot.opportunity import Opportunity
from arb_bot.order_desk import OrderDesk
from arb_bot.plan import Plan
from arb_bot.portfolio import Holding, Lot, Portfolio
from arb_bot.quotes import Side
from arb_bot.recorder import Recorder
from arb_bot.risk import Cooldowns, Standing
from arb_bot.settings import Settings
from arb_bot.snapshot import CycleReport, Journal, StateBuilder
from arb_bot.unwinding import Unwinder
from arb_bot.venue import Venue
from botkit.heartbeat import Pulse
from botkit.hot_reload import SettingsStore
from botkit.kill_switch import KillSwitch

MEMORY_SECONDS = 86_400.0
DRAIN_SECONDS = 3.0
"""How long a clean stop waits for legs in flight before it cancels them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the engine rests between two looks, in seconds, while orders work and while nothing does.

    `cycle` is the time between cycles where it is not the setting's.
    """

    busy: float = 0.25
    idle: float = 0.25
    cycle: float | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is made of; `remember` lets the venues write down what they keep."""

    clock: Clock
    settings: SettingsStore[Settings]
    venues: Mapping[str, Venue]
    pairs: Callable[[], Sequence[MappedPair]]
    remember: Callable[[], None]
    kill: KillSwitch
    desk: OrderDesk
    portfolio: Portfolio
    executor: Executor
    intake: Intake
    orders: Recorder
    analytics: Recorder
    journal: Journal
    states: StateBuilder
    pulse: Pulse


class Engine:
    """Runs one session. `publish` gets every state."""

    def __init__(
        self, parts: Parts, publish: Callable[[dict[str, object]], None], pace: Pace | None = None
    ) -> None:
        self._p = parts
        self._publish = publish
        self._pace = pace or Pace()
        self.wake = threading.Event()
        self.report = CycleReport()
        self._cooldowns = Cooldowns()
        self._news = DecisionNews()
        self._unwinder = Unwinder(
            parts.venues, parts.desk, parts.portfolio, parts.executor, parts.orders, self._unwound
        )
        self._decisions: list[Decision] = []
        self._limits = parts.settings.current
        self._halted: dict[str, bool] = {}
        self._uncancelled: set[str] = set()
        self._next_cycle = parts.clock.now()
        self._tidy_at = parts.clock.now() + MEMORY_SECONDS

    def run(self, stop: threading.Event, until: float | None = None) -> None:
        """Run until `stop` is set or the clock reaches `until`."""
        clock = self._p.clock
        while not stop.is_set() and (until is None or clock.now() < until):
            self.wake.clear()
            self.tick()
            pause = self._pace.busy if self._busy() else self._pace.idle
            pause = max(0.0, min(pause, self._next_cycle - clock.now()))
            self._p.pulse.beat("idle", self.report.number, within=pause + 1.0)
            clock.wait(self.wake, pause)

    def request_cycle(self) -> None:
        """Ask for a cycle now, from any thread."""
        self._next_cycle = 0.0
        self.wake.set()

    def tick(self) -> None:
        """One look at everything; a cycle when it is due or when trading was just halted or released."""
        now = self._p.clock.now()
        self._p.pulse.beat("orders", self.report.number, within=5.0)
        changed = self._watch(now)
        self._p.executor.step(now)
        self._unwinder.step(now, may_send=not self._p.kill.check().halted)
        self._settle(now)
        self._decisions += self._p.executor.decisions
        self._p.executor.decisions.clear()
        for recorder in (self._p.orders, self._p.analytics):
            recorder.flush(now)
        self._remember(now)
        changed |= self._watch(now)
        if changed or now >= self._next_cycle:
            self._next_cycle = now + (self._pace.cycle or self._p.settings.current.poll_interval)
            self.cycle(now)

    def cycle(self, now: float) -> None:
        """Look for opportunities, judge them, begin what may be begun, and publish the state."""
        p, settings = self._p, self._p.settings.current
        p.pulse.beat("cycle", self.report.number + 1, within=10.0)
        quotes = p.intake.look(now)
        found = scan(
            _lanes(settings), MarketView(quotes, p.pairs()), settings.min_net_edge, settings.near_cost
        )
        for opportunity in self._ranked(found.found, settings, now):
            self._consider(opportunity, settings, now)
        if now >= self._tidy_at:
            self._tidy_at = now + MEMORY_SECONDS
            self._cooldowns.forget(now - MEMORY_SECONDS)
            self._news.forget(now - MEMORY_SECONDS)
        self._decisions += p.executor.decisions
        p.executor.decisions.clear()
        self.report = CycleReport(
            number=self.report.number + 1,
            duration=p.clock.now() - now,
            quotes=len(quotes),
            found=len(found.found),
            near=found.near,
            decisions=tuple(self._decisions),
        )
        self._decisions.clear()
        self._publish(p.states.build(self.report, p.clock.now()))

    def finish(self) -> None:
        """A clean stop: give legs in flight a moment, then cancel and read back what still works."""
        p = self._p
        p.journal.paused = {"since": p.clock.now(), "reason": "stopping"}
        end = p.clock.now() + DRAIN_SECONDS
        while p.clock.now() < end and self._busy() and not p.kill.check().halted:
            self.tick()
            p.clock.wait(threading.Event(), 0.1)
        now = p.clock.now()
        if self._busy():
            self._uncancelled = set(p.venues)
            self._cancel("stopping", now)
        self._settle(now)
        for recorder in (p.orders, p.analytics):
            recorder.flush(now)
        self.cycle(now)

    # The kill switch and limits

    def _watch(self, now: float) -> bool:
        """Act on the kill switch; True when the halt of anything has changed."""
        p, settings = self._p, self._p.settings.current
        if settings is not self._limits:
            self._limits = settings
            p.kill.set_limits(
                daily_loss_cap=settings.daily_loss_cap,
                max_consecutive_failures=settings.max_consecutive_failures,
            )
        halted = {venue: p.kill.check((venue,)).halted for venue in p.venues}
        changed = halted != self._halted and (any(halted.values()) or any(self._halted.values()))
        newly = {venue for venue, stopped in halted.items() if stopped and not self._halted.get(venue)}
        self._halted = halted
        self._uncancelled |= newly
        if self._uncancelled:
            self._cancel(f"kill switch: {p.kill.check(self._uncancelled).reason}", now)
        return changed

    def _cancel(self, why: str, now: float) -> None:
        """Take everything off the books of halted venues; a venue that does not answer is asked again."""
        p = self._p
        for venue in sorted(self._uncancelled):
            try:
                p.desk.cancel_all(venue)
            except VenueUnavailable:
                continue
            self._uncancelled.discard(venue)
            p.executor.abandon(why, now, (venue,))
            self._unwinder.read_back(now)
            if p.desk.working()[venue]:
                self._uncancelled.add(venue)

    def _busy(self) -> bool:
        return any(self._p.desk.working().values()) or any(True for _ in self._p.executor.active)

    # Trading

    def _ranked(self, found: Sequence[Opportunity], settings: Settings, now: float) -> list[Opportunity]:
        standing = self._standing()
        ranked = []
        for opportunity in found:
            plan = draft(opportunity, standing, settings, now)
            ranked.append((plan.expected_realized if plan else 0.0, opportunity))
        return in_turn(ranked)

    def _consider(self, opportunity: Opportunity, settings: Settings, now: float) -> None:
        """Open it, or say why not."""
        p = self._p
        gate = p.kill.check(opportunity.venues)
        if gate.halted:
            verdict = Verdict(None, f"kill switch: {gate.reason}")
        elif p.journal.paused:
            verdict = Verdict(None, f"paused ({p.journal.paused['reason']})")
        else:
            verdict = judge(opportunity, self._standing(), settings, self._cooldowns, now)
        if verdict.plan is not None and not verdict.reason:
            self._open(verdict.plan, now)
            return
        probability = verdict.plan.fill_probability if verdict.plan else 1.0
        refusal = Decision(
            decision.SKIPPED,
            opportunity.kind,
            opportunity.match_key,
            verdict.reason,
            opportunity.net_edge,
            probability,
        )
        self._decisions.append(refusal)
        if self._news.is_news(refusal, now):
            self._record_decision(opportunity, verdict, now)

    def _open(self, plan: Plan, now: float) -> None:
        p = self._p
        if not p.analytics.healthy:
            return
        try:
            p.executor.start(plan, now)
        except StoreWriteFailed as exc:
            _log.error("not traded: %s", exc)
            return
        self._cooldowns.entered(plan, now)
        self._record_decision(plan.opportunity, Verdict(plan, ""), now)

    def _record_decision(self, opportunity: Opportunity, verdict: Verdict, now: float) -> None:
        row = analytics_store.insert_decision(
            opportunity, verdict.plan, verdict.reason, self._p.journal.session_id, now
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

    # Results

    def _settle(self, now: float) -> None:
        p = self._p
        for holding in list(p.portfolio.holdings.values()):
            if p.executor.is_active(holding.intent_id) or self._unwinder.is_selling(holding):
                continue
            winners = self._winners(holding)
            if winners is not None:
                self._settled(holding, winners, now)

    def _winners(self, holding: Holding) -> dict[tuple[str, str], Side] | None:
        """What every market of a holding has paid; None while one is open or cannot be asked."""
        winners: dict[tuple[str, str], Side] = {}
        for venue, market_id in holding.markets:
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
        sets = holding.hedged or max(lot.contracts for lot in lots)
        pnl = p.portfolio.settle(holding, winners)
        p.executor.records.pop(holding.intent_id, None)
        p.orders.write(*(order_store.close_position(lot.position_id, now) for lot in lots), now=now)
        self._realized(holding, "settlement", lots[0].venue, holding.planned_contracts, sets, pnl, now)
        self._decisions.append(
            Decision(
                decision.SETTLED,
                holding.kind,
                holding.match_key,
                decision.PAPER_SETTLED,
                holding.planned_edge,
                sets / holding.planned_contracts,
            )
        )

    def _unwound(self, holding: Holding, lot: Lot, contracts: int, pnl: int, now: float) -> None:
        self._realized(holding, "unwind", lot.venue, contracts, contracts, pnl, now)

    def _realized(
        self, holding: Holding, event: str, venue: str, planned: int, filled: int, pnl: int, now: float
    ) -> None:
        p = self._p
        p.analytics.write(
            analytics_store.insert_fill(
                holding,
                event=event,
                venue=venue,
                planned=planned,
                filled=filled,
                pnl=pnl,
                session=p.journal.session_id,
                now=now,
            ),
            now=now,
        )
        p.journal.trade(now)
        p.kill.record_pnl(to_usd(pnl), now)

    def _remember(self, now: float) -> None:
        try:
            self._p.remember()
        except OSError as exc:
            sentence = f"the simulated venues cannot write their file: {exc.strerror or exc}"
            if not self._p.kill.check().safe_mode_active:
                self._p.journal.error(sentence, now)
            self._p.kill.enter_safe_mode(sentence)


def _lanes(settings: Settings) -> list[Lane]:
    lanes: list[Lane] = []
    if settings.lane_cross:
        lanes.append(CrossVenueLane())
    if settings.lane_intra:
        lanes.append(IntraVenueLane())
    return lanes
