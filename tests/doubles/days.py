"""A bot second by second: it beats, pushes states, goes away and comes back, and is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exporter.control.attendance import Attendance, Told
from exporter.control.maintenance import Maintenance
from exporter.schedule import Entry
from exporter.view import BotView
from tests.doubles.messages import T0, goodbye, heartbeat, state

INTERVAL = 5


class Day:
    """A view and whoever follows it, second by second from T0; `up` says whether the bot runs."""

    def __init__(self, *, schedule: Sequence[Entry] = (), now: float = T0, beats: bool = True) -> None:
        self.now = now
        self.view = BotView("arb", now=now, schedule=schedule, expected_interval=INTERVAL)
        self.follower = Attendance(self.view)
        self.told: list[Told] = []
        self.up = True
        self.began = now
        self.beats = beats
        self.pushes = True
        self._session = 1

    def pass_by(self, seconds: int, until: Callable[[], bool] = lambda: False) -> Day:
        """So many seconds pass, or fewer where `until` becomes true."""
        for _ in range(seconds):
            self.now += 1
            self._second()
            self.told += self.follower.look(self.now)
            if until():
                break
        return self

    def _second(self) -> None:
        link = self.view.link
        if not self.up:
            if link.opened_at is None:
                self.view.disconnected(self.now, "refused")  # an attempt that failed
            return
        if link.opened_at is None:
            self.view.connected(self.now)
        cycle = int(self.now - self.began) // INTERVAL + 1
        if self.beats:
            self.view.received(heartbeat(self.now, cycle=cycle), self.now)
        if self.pushes and (self.now - self.began) % INTERVAL == 0:
            uptime = self.now - self.began
            said = state(cycle, self.now, uptime_seconds=uptime, session_id=f"s{self._session}")
            self.view.received(said, self.now)

    def stop(self, *, says_goodbye: bool = False) -> Day:
        """The bot goes."""
        if says_goodbye:
            self.view.received(goodbye("stopped"), self.now)
        self.view.disconnected(self.now, "closed by the bot")
        self.up = False
        return self

    def start(self) -> Day:
        """Another session of the bot begins."""
        self.up, self.began = True, self.now
        self._session += 1
        return self

    def lose_link(self, seconds: int) -> Day:
        """The same session of the bot is not heard for a while."""
        self.view.disconnected(self.now, "network")
        self.up = False
        self.pass_by(seconds)
        self.up = True
        return self

    def order(self, minutes: int = 30, who: str = "ann") -> Day:
        """Somebody orders maintenance."""
        self.view.maintenance = Maintenance(self.now, self.now + 60 * minutes, "new disk", who)
        return self

    def restart_exporter(self, seconds: int = 3) -> Day:
        """Another run of this program, which knows what the file kept."""
        kept = self.view.maintenance, self.view.last_quiet
        self.now += seconds
        self.view = BotView("arb", now=self.now, schedule=self.view.schedule, expected_interval=INTERVAL)
        self.view.maintenance, self.view.last_quiet = kept
        self.follower = Attendance(self.view)
        return self

    @property
    def expected(self) -> bool:
        """Whether the bot is meant to be there now."""
        return self.view.at(self.now).expected

    @property
    def ordered(self) -> bool:
        """Whether a maintenance holds now."""
        return self.view.maintenance is not None and self.view.maintenance.holds(self.now)

    @property
    def words(self) -> list[str]:
        """What was told, without why."""
        return [told.what for told in self.told]
