"""The engine: follows orders, settlements and the kill switch several times a second, and trades in cycles.

One thread runs `run`. Others only set flags that it reads: the kill switch, the pause in the journal, the
settings store, and `wake`, which asks for a look now.
"""

import contextlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from arb_bot import VenueUnavailable
from arb_bot.decision import EXECUTION_FAILED, Decision
from arb_bot.lanes import MarketView
from arb_bot.lanes.scanning import Scan
from arb_bot.parts import Parts
from arb_bot.results import Results
from arb_bot.snapshot import CycleReport
from arb_bot.stream_health import DEGRADED
from arb_bot.trading import Trader

DRAIN_SECONDS = 8.0
"""How long a clean stop hedges or unwinds each leg in flight or still to come before it cancels them …"""
MOST_DRAIN_SECONDS = 15.0
"""… and for all of them together."""
DRAIN_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the engine rests between two looks, in seconds, while orders work and while nothing does.

    `cycle` is the time between cycles where it is not the setting's.
    """

    busy: float = 0.25
    idle: float = 0.25
    cycle: float | None = None


class Engine:
    """Runs one session. `publish` gets every state, `observe` what each cycle found; set before `run`."""

    def __init__(self, parts: Parts, pace: Pace | None = None) -> None:
        self._p = parts
        self.publish: Callable[[dict[str, object]], None] = lambda _state: None
        self.observe: Callable[[Scan, float], None] = lambda _found, _now: None
        self._pace = pace or Pace()
        self._trader = Trader(parts)
        self._results = Results(parts)
        self._limits = parts.settings.current
        self._halted = dict.fromkeys(parts.venues, False)
        self._uncancelled: dict[str, str] = {}
        self._feeds: dict[str, str] = {}
        self._next_cycle = self._last_cycle = parts.clock.now()
        self._requested = math.inf
        self._day = int(self._last_cycle // 86_400)
        self._stopping = threading.Event()
        self.wake = threading.Event()
        self.report = CycleReport()

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

    def request_cycle(self, spacing: float = 0.0) -> None:
        """Ask for a cycle now, from any thread; with a spacing, not before so many seconds after the last."""
        self._requested = self._last_cycle + spacing
        self.wake.set()

    def tick(self) -> None:
        """One look at everything; a cycle when it is due or when trading was just halted or released."""
        p, now = self._p, self._p.clock.now()
        p.pulse.beat("orders", self.report.number, within=5.0)
        changed = self._watch(now)
        p.executor.step(now)
        self._results.unwinder.step(now, may_send=not p.kill.check().halted)
        self._results.settle(now)
        p.orders.flush(now)
        p.analytics.flush(now)
        self._rebalance(now)
        self._remember(now)
        changed |= self._watch(now)
        if changed or now >= min(self._next_cycle, self._requested):
            self._requested = math.inf
            self._next_cycle = now + (self._pace.cycle or p.settings.current.poll_interval)
            self.cycle(now)

    def cycle(self, now: float) -> None:
        """Look for opportunities, judge them, begin what may be begun, and publish the state."""
        p = self._p
        self._last_cycle = now
        p.pulse.beat("cycle", self.report.number + 1, within=10.0)
        quotes = p.intake.look(now)
        self._warn_of_feeds(now)
        found = self._trader.trade(MarketView(quotes, p.relations()), now)
        self.observe(found, now)
        self.report = CycleReport(
            number=self.report.number + 1,
            duration=p.clock.now() - now,
            quotes=len(quotes),
            found=len(found.found),
            near=found.near,
            decisions=self._take_decisions(now),
        )
        self.publish(p.states.build(self.report, p.clock.now()))

    def finish(self) -> None:
        """A clean stop: hedge or unwind what is in flight, then cancel and read back what still works.

        Unwinding orders are not sent while trading is halted; what is unhedged then stays flagged.
        """
        p = self._p
        p.journal.paused = {"since": p.clock.now(), "reason": "stopping"}
        to_come = max((execution.legs_to_come for execution in p.executor.active), default=1)
        end = p.clock.now() + min(MOST_DRAIN_SECONDS, DRAIN_SECONDS * max(1, to_come))
        while self._exposed() and p.clock.now() < end and not p.kill.check().halted:
            p.executor.step(p.clock.now(), hurry=True)
            self.tick()
            p.clock.wait(self._stopping, DRAIN_LOOK_SECONDS)
        now = p.clock.now()
        if self._busy():
            self._uncancelled = dict.fromkeys(p.venues, "stopped")
            self._cancel(now)
        self._results.settle(now)
        p.orders.flush(now)
        p.analytics.flush(now)
        self.cycle(now)

    def _watch(self, now: float) -> bool:
        """Act on the kill switch and new limits; True when a halt has begun or ended."""
        p, settings = self._p, self._p.settings.current
        if settings is not self._limits:
            self._limits = settings
            p.kill.set_limits(
                daily_loss_cap=settings.daily_loss_cap,
                max_consecutive_failures=settings.max_consecutive_failures,
            )
        verdicts = {venue: p.kill.check((venue,)) for venue in p.venues}
        before, self._halted = self._halted, {venue: v.halted for venue, v in verdicts.items()}
        for venue, verdict in verdicts.items():
            if verdict.halted and not before[venue]:
                self._uncancelled[venue] = f"kill switch: {verdict.reason}"
                p.journal.error(f"{venue} halted: {verdict.reason}", now)
        if self._uncancelled:
            self._cancel(now)
        return self._halted != before

    def _cancel(self, now: float) -> None:
        """Take everything off the books of halted venues; one that does not answer is asked again."""
        p = self._p
        for venue, why in list(self._uncancelled.items()):
            try:
                p.desk.cancel_all(venue)
            except VenueUnavailable:
                continue
            p.executor.abandon(why, now, venue)
            self._results.unwinder.read_back(now, venue)
            if p.desk.nothing_works(venue):
                del self._uncancelled[venue]

    def cancel_everything(self) -> None:
        """Take every order off every book, as far as the venues answer; for the end after a fault."""
        for venue in self._p.venues:
            with contextlib.suppress(VenueUnavailable):
                self._p.desk.cancel_all(venue)

    def _busy(self) -> bool:
        return any(self._p.desk.working().values()) or any(True for _ in self._p.executor.active)

    def _warn_of_feeds(self, now: float) -> None:
        for name, feed in self._p.intake.feeds.items():
            before, status = self._feeds.get(name), feed.health.status
            if before is not None and status != before and DEGRADED in (before, status):
                self._p.journal.error(f"{name}: quotes {status}, {before} before", now, "warning")
            self._feeds[name] = status

    def _exposed(self) -> bool:
        return self._busy() or any(self._p.portfolio.unhedged().values())

    def _take_decisions(self, now: float) -> tuple[Decision, ...]:
        taken: list[Decision] = []
        self._p.experience.concluded(self._p.executor.decisions)
        for source in (self._p.executor, self._results, self._trader):
            taken += source.decisions
            source.decisions.clear()
        for failed in (d for d in taken if d.action == EXECUTION_FAILED):
            self._p.journal.error(f"{failed.kind} {failed.match_key}: {failed.reason}", now, "warning")
        return tuple(taken)

    def _rebalance(self, now: float) -> None:
        """Once a UTC day, when no order is out: cash goes back to where it is needed."""
        day = int(now // 86_400)
        if day == self._day or self._busy() or self._uncancelled:
            return
        self._day = day
        self._p.portfolio.transferred(self._p.rebalance())

    def _remember(self, now: float) -> None:
        """Let the venues write down what they keep; trading halts while they cannot."""
        try:
            self._p.remember()
        except OSError as exc:
            sentence = f"the simulated venues cannot write their file: {exc.strerror or exc}"
            if not self._p.kill.check().safe_mode_active:
                self._p.journal.error(sentence, now)
                self._p.kill.enter_safe_mode(sentence)
