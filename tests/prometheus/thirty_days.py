"""Simulated days of a console: bots that live as bots do, an exporter that watches them, and its scrapes.

Everything that a rule sees of a bot comes from the exporter's own `BotView`, `Attendance` and `Collector`,
fed with messages at simulated times. Nobody waits: time is a queue of things to do. Days are thinned in two
ways, neither of which a rule can see: it is looked (scraped, and evaluated) only in windows around everything
that happens and in some ordinary minutes a day, and what goes on each second, as heartbeats, begins again
shortly before each window. States never stop.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from exporter.backoff import delays
from exporter.collector import Collector, Family
from exporter.control.attendance import Attendance
from exporter.disks import Disk
from exporter.ledger import ANALYTICS, ORDERS, LedgerFigures
from exporter.losscap import utc_day
from exporter.metrics_self import Reporting
from exporter.view import BotView, StoreSeen
from tests.prometheus.promtool import LOST, SCRAPE
from tests.prometheus.thirty_days_bots import Bot, Message

LOST_EVERY = 600
LOST_AT = 305
"""One scrape in ten minutes is lost: the one that many seconds into them."""
INSTANCE = "exporter:9121"
EXPORTER = f'instance="{INSTANCE}",job="tradebot"'
STARTED = f"process_start_time_seconds{{{EXPORTER}}}"
OTHERS = {
    'up{instance="alertmanager:9093",job="alertmanager"}': 1.0,
    'up{instance="localhost:9090",job="prometheus"}': 1.0,
    'alertmanager_config_last_reload_successful{instance="alertmanager:9093",job="alertmanager"}': 1.0,
    'prometheus_config_last_reload_successful{instance="localhost:9090",job="prometheus"}': 1.0,
    'alertmanager_notifications_failed_total{instance="alertmanager:9093",integration="webhook",'
    'job="alertmanager"}': 0.0,
    'prometheus_notifications_errors_total{instance="localhost:9090",job="prometheus"}': 0.0,
    'prometheus_notifications_dropped_total{instance="localhost:9090",job="prometheus"}': 0.0,
    'prometheus_rule_evaluation_failures_total{instance="localhost:9090",job="prometheus",'
    'rule_group="/rules/link.yml;link"}': 0.0,
}
"""What the other two programs say of themselves on days on which nothing is wrong with them."""

Sample = float | str | None


@dataclass
class Window:
    """A stretch in which it is looked; `about` says what happens in it, `series` what was scraped."""

    begins: int
    ends: int
    about: frozenset[str]
    series: dict[str, list[Sample]] = field(default_factory=dict)
    scrapes: int = 0

    def scraped(self, samples: Mapping[str, float] | None, others: Mapping[str, float]) -> None:
        """One scrape: None where it was lost. A series that is no longer there ends."""
        here = {**others, **(samples or {})}
        for name in here.keys() - self.series.keys():
            self.series[name] = [None] * self.scrapes
        for name, values in self.series.items():
            known = bool(values) and values[-1] is not None and values[-1] != LOST
            values.append(here.get(name, LOST if known else None))
        self.scrapes += 1


class Time:
    """The clock, and what is still to be done; also which windows are looked through."""

    def __init__(self, now: float, windows: list[Window]) -> None:
        self.now = now
        self.windows = windows
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._looks = 0

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Do something then."""
        heapq.heappush(self._queue, (max(when, self.now), next(self._number), act))

    def next_beat(self) -> float:
        """When a bot's next heartbeat may be seen by anybody: now, or ten seconds before the next window."""
        while self._looks < len(self.windows) and self.windows[self._looks].ends < self.now:
            self._looks += 1
        return self.windows[self._looks].begins - 10.0 if self._looks < len(self.windows) else float("inf")

    def run(self, until: float) -> None:
        """Go on until then."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, act = heapq.heappop(self._queue)
            act()
        self.now = until


class Line:
    """The exporter's link to one bot, as `exporter.bridge` keeps it: it tries again, later and later."""

    def __init__(self, exporter: Exporter, bot: Bot, view: BotView) -> None:
        self.bot, self.view = bot, view
        self.cut = False
        self.attendance = Attendance(view)
        self._exporter = exporter
        self._waits = delays(exporter.draw)
        self._spoke = False

    def attempt(self) -> None:
        """Connect, if there is somebody."""
        if not self._exporter.runs:
            return
        if self.bot.listens and not self.cut:
            self.bot.client, self._spoke = self, False
            self.view.connected(self._exporter.time.now)
        else:
            self._failed("connection refused")

    def deliver(self, message: Message) -> None:
        """The bot said something."""
        self._spoke = True
        self.view.received(message, self._exporter.time.now)

    def lost(self, why: str) -> None:
        """The connection ended."""
        if self._exporter.runs:
            self._waits = delays(self._exporter.draw) if self._spoke else self._waits
            self._failed(why)

    def _failed(self, why: str) -> None:
        self.view.disconnected(self._exporter.time.now, why)
        self._exporter.time.at(self._exporter.time.now + next(self._waits), self.attempt)


class Exporter:
    """One run of the exporter: views of all bots, a collector, and links that begin at once."""

    def __init__(
        self,
        time: Time,
        bots: Mapping[str, Bot],
        plans: Mapping[str, Mapping[str, object]],
        draw: Random,
        before: Exporter | None = None,
    ) -> None:
        self.time, self.draw = time, draw
        self.runs, self.began = True, time.now
        self.lines = {
            name: Line(self, bot, BotView(name, now=time.now, tier=bot.nature.tier, **plans[name]))  # type: ignore[arg-type]
            for name, bot in bots.items()
        }
        self._collector = Collector(
            [line.view for line in self.lines.values()],
            clock=lambda: time.now,
            reporting=lambda now: Reporting("ok", 0.6, 0),
            chain=lambda now: False if now - self.began > 60 else None,
            disks=lambda now: {"reporting": Disk(60 * 10**9, 100 * 10**9, now)},
        )
        for line in self.lines.values():
            time.at(time.now + draw.uniform(0.05, 0.4), line.attempt)
        if before is not None:  # what it keeps in files
            for name, line in self.lines.items():
                line.view.last_quiet = before.lines[name].view.last_quiet
        self._each_second()

    def _each_second(self) -> None:
        """It looks whether bots are back from what was planned, and into the stores of ours."""
        if not self.runs:
            return
        now = self.time.now
        for line in self.lines.values():
            line.attendance.look(now)
            if line.bot.nature.ours and now - self.began > 3:
                line.view.ledger.figures = LedgerFigures(utc_day(now), pnl=line.bot.pnl_of(now), failures=0)
                line.view.ledger.kept = {ANALYTICS: now, ORDERS: now}
                line.view.ledger_read(now)
                line.view.stores = {name: StoreSeen("ok", now) for name in (ANALYTICS, ORDERS)}
        self.time.at(max(now + 1.0, self.time.next_beat()), self._each_second)

    def stop(self) -> None:
        """End: every link closes, and bots go on."""
        self.runs = False
        for line in self.lines.values():
            if line.bot.client is line:
                line.bot.client = None

    def scrape(self) -> dict[str, float]:
        """What it answers, by series."""
        found = {name: value for family in self._collector.families() for name, value in named(family)}
        return {**found, STARTED: self.began, f"up{{{EXPORTER}}}": 1.0}


def named(family: Family) -> list[tuple[str, float]]:
    """A family's samples by the whole name of their series."""
    found = []
    for name, labels, values, value in family.samples():
        said = "".join(f'{label}="{text}",' for label, text in zip(labels, values, strict=True))
        found.append((f"{name}{{{said}{EXPORTER}}}", value))
    return found


def scrapes_of(time: Time, exporter: Callable[[], Exporter | None]) -> None:
    """Put every scrape of every window into the queue."""
    for window in time.windows:
        for at in range(window.begins, window.ends + 1, SCRAPE):
            time.at(at, lambda window=window, at=at: look(window, at, exporter()))  # type: ignore[misc]


def look(window: Window, at: int, exporter: Exporter | None) -> None:
    """One scrape, which may be lost."""
    answers = exporter is not None and at % LOST_EVERY != LOST_AT
    others = OTHERS if answers else {**OTHERS, f"up{{{EXPORTER}}}": 0.0}
    window.scraped(exporter.scrape() if answers and exporter is not None else None, others)
