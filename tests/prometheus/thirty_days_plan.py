"""What happens on the simulated days, and when it is looked.

Every day has a restart of each bot (ours say goodbye, the deployed one does not), one of the exporter, a
midnight, and the opening and closing of an exchange where it trades. Weeks have windows by New York's clock
on Thursday and Sunday and a venue's pause on Tuesday. Single days have an hour of flapping, a bot that is
killed and back within a second, and, planted, a real outage: if that is not found, silence proves nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from exporter.config import Window as Weekly
from exporter.exchange_sessions import sessions
from exporter.exchanges import REGULAR, Closed, Sessions
from tests.prometheus.thirty_days import Exporter, Time, Window, scrapes_of
from tests.prometheus.thirty_days_bots import DAY, Bot, Nature

NEW_YORK = ZoneInfo("America/New_York")
EXCHANGE = "XNYS"
BEFORE, AFTER = 60, 240
"""Seconds that are looked at before and after something happens."""
FLAPPING, KILLED, OUTAGE = "flapping", "killed", "outage"


@dataclass(frozen=True)
class Scenario:
    """So many days from the first one, and on which of them (counted from 0) the single things happen."""

    first: date
    days: int
    flapping: int | None = None
    killed: int | None = None
    outage: int | None = None
    flaps: int = 3_600
    """Seconds of flapping."""
    steady: int = 1_200
    """Seconds of every day in which it is looked although nothing happens."""
    seed: int = 7

    @property
    def begins(self) -> int:
        """The first midnight."""
        return int(datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC).timestamp())


THIRTY = Scenario(date(2026, 10, 12), 30, flapping=11, killed=3, outage=25)
"""From Monday, 12 October 2026: clocks change in Europe on the 25th and in America on 1 November."""
SUNDAY = Scenario(date(2026, 11, 1), 1, flapping=0, flaps=720, steady=600)
THURSDAY = Scenario(date(2026, 11, 5), 1, killed=0, outage=0, steady=600)


@cache
def market() -> dict[str, Sessions]:
    """The sessions of the exchange around those days, by the library that the exporter has them from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a later pandas, about what the library does
        opens, closes = zip(*sessions(EXCHANGE, "2026-09-25", "2026-11-30"), strict=True)
    return {EXCHANGE: Sessions(tuple(map(float, opens)), tuple(map(float, closes)))}


def weekly(tz: str, day: str, opens: str, closes: str) -> Weekly:
    """A window as `exporter.yml` has it."""
    hours = {"days": day, "from": opens, "to": closes}
    return Weekly.model_validate({"tz": tz, "reason": "maintenance", **hours})


def in_new_york(day: date, hour: int) -> float:
    """That hour of a day on a clock in New York; of one that is shown twice, the first."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK).timestamp()


def closed(now: float) -> bool:
    """Whether the exchange is closed."""
    return market()[EXCHANGE].closed_at(now) is not None


def venue_pauses(now: float) -> bool:
    """Tuesdays from 07:00 to 08:00 UTC."""
    at = datetime.fromtimestamp(now, UTC)
    return at.weekday() == 1 and at.hour == 7


BOTS = (
    Nature("live", "live", 15.0, pauses=venue_pauses),
    Nature("deployed", "live", 60.0, ours=False),
    Nature("paper", "paper", 15.0),
    Nature("stocks", "live", 30.0, sleeps=closed),
)


def plans() -> Mapping[str, Mapping[str, object]]:
    """The schedules of the bots."""
    return {
        "live": {"venue_schedule": {"kalshi": (weekly("UTC", "tue", "07:00", "08:00"),)}},
        "deployed": {"schedule": (weekly("America/New_York", "thu", "03:00", "05:00"),)},
        "paper": {"schedule": (weekly("America/New_York", "sun", "01:00", "03:00"),)},
        "stocks": {"schedule": (Closed(EXCHANGE, REGULAR, "closed", market()),)},
    }


@dataclass
class Days:
    """The scenario under way: time, bots, whoever watches them; and what was looked at."""

    scenario: Scenario
    windows: list[Window] = field(default_factory=list)
    messages: int = 0

    def __post_init__(self) -> None:
        self._draw = Random(self.scenario.seed)
        self._acts: list[tuple[float, Callable[[], None]]] = []
        self._looks: list[tuple[float, float, str]] = []
        self.time = Time(self.scenario.begins - 3_600.0, self.windows)
        self.bots = {n.name: Bot(n, self.time, seed) for seed, n in enumerate(BOTS)}
        self.exporter: Exporter | None = None
        self._last: Exporter | None = None
        for number in range(self.scenario.days):
            self._day(number)
        self.windows += merged(self._looks)

    def run(self) -> list[Window]:
        """Live through all of it."""
        for bot in self.bots.values():
            bot.start()
        self.time.at(self.time.now, self._watch)
        scrapes_of(self.time, lambda: self.exporter)
        for when, act in self._acts:
            self.time.at(when, act)
        self.time.run(self.scenario.begins + self.scenario.days * DAY)
        return self.windows

    def _watch(self) -> None:
        self.exporter = self._last = Exporter(self.time, self.bots, plans(), self._draw, self._last)

    def _blind(self) -> None:
        assert self.exporter is not None
        self.exporter.stop()
        self.exporter = None

    def _do(self, when: float, act: Callable[[], None]) -> None:
        self._acts.append((when, act))

    def _look(self, since: float, until: float | None = None, about: str = "") -> None:
        self._looks.append((since - BEFORE, (since if until is None else until) + AFTER, about))

    def _day(self, number: int) -> None:
        midnight = self.scenario.begins + number * DAY
        day = self.scenario.first + timedelta(days=number)
        if number:
            self._look(midnight)
        self._look(midnight + 18 * 3600, midnight + 18 * 3600 + self.scenario.steady - AFTER)
        self._restarts(midnight)
        self._hours(midnight)
        if day.weekday() == 3:
            self._away("deployed", in_new_york(day, 3), in_new_york(day, 5))
        if day.weekday() == 6:
            self._away("paper", in_new_york(day, 1), in_new_york(day, 3))
        if day.weekday() == 1:
            self._look(midnight + 7 * 3600, midnight + 8 * 3600)
        if number == self.scenario.flapping:
            self._flap(midnight + 10 * 3600)
        if number == self.scenario.killed:
            self._kill(midnight + 15 * 3600)
        if number == self.scenario.outage:
            self._outage(midnight + 21 * 3600)

    def _restarts(self, midnight: int) -> None:
        """Once a day each: three bots with a goodbye, one without, and the exporter."""
        for name, hour, least, most in (
            ("live", 4.2, 20, 70),
            ("paper", 5.4, 15, 100),
            ("deployed", 9.5, 2, 8),
            ("stocks", 15.5, 20, 70),
        ):
            bot, at = self.bots[name], midnight + hour * 3600 + self._draw.uniform(0, 300)
            self._do(at, lambda bot=bot: bot.stop(word=bot.nature.ours))  # type: ignore[misc]
            self._do(at + self._draw.uniform(least, most), bot.start)
            self._look(at)
        at = midnight + 11.7 * 3600 + self._draw.uniform(0, 300)
        self._do(at, self._blind)
        self._do(at + self._draw.uniform(6, 14), self._watch)
        self._look(at)

    def _hours(self, midnight: int) -> None:
        """The exchange opens and closes."""
        known = market()[EXCHANGE]
        for at in (*known.opens, *known.closes):
            if midnight <= at < midnight + DAY:
                self._look(at)

    def _away(self, name: str, since: float, until: float) -> None:
        """A bot that is down in its window, and back shortly before it ends."""
        bot = self.bots[name]
        self._do(since + self._draw.uniform(1, 20), lambda: bot.stop(word=False))
        self._do(until - self._draw.uniform(20, 240), bot.start)
        self._look(since)
        self._look(until)

    def _flap(self, since: float) -> None:
        """A relay between the exporter and a bot loses the connection every 40 s for 4 s, for an hour."""
        for at in range(int(since), int(since) + self.scenario.flaps, 40):
            self._do(at, lambda: self._cut(True))
            self._do(at + 4, lambda: self._cut(False))
        self._look(since, since + self.scenario.flaps + 300, FLAPPING)

    def _cut(self, cut: bool) -> None:
        assert self.exporter is not None
        line = self.exporter.lines["live"]
        line.cut = cut
        if cut and line.bot.client is line:
            line.bot.client = None
            line.lost("connection reset")

    def _kill(self, at: float) -> None:
        """SIGKILL, and a supervisor that is quick."""
        bot = self.bots["live"]
        self._do(at, lambda: bot.stop(word=False))
        self._do(at + 0.4, bot.start)
        self._look(at, about=KILLED)

    def _outage(self, at: float) -> None:
        """A leg is open, and the bot is killed and stays away for ten minutes."""
        bot = self.bots["live"]
        self._do(at - 20, lambda: setattr(bot, "unhedged", 38.0))
        self._do(at, lambda: bot.stop(word=False))
        self._do(at + 600, lambda: setattr(bot, "unhedged", 0.0))
        self._do(at + 600, bot.start)
        self._look(at, at + 600, OUTAGE)


def merged(looks: list[tuple[float, float, str]]) -> list[Window]:
    """The stretches in order, those that overlap as one, on the grid of scrapes."""

    def joined() -> Iterator[tuple[float, float, frozenset[str]]]:
        begins, ends, about = 0.0, -1.0, frozenset[str]()
        for since, until, what in sorted(looks):
            if since > ends >= 0:
                yield begins, ends, about
                begins, about = since, frozenset()
            elif ends < 0:
                begins = since
            ends, about = max(ends, until), about | ({what} if what else frozenset())
        yield begins, ends, about

    return [Window(int(since // 5 * 5), int(until // 5 * 5), about) for since, until, about in joined()]
