"""What the exporter can do to its bots: the desks of each, who may use them, and what is written down of it.

Put together once at the start. What is asked of it stands in `exporter.control.actions`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from exporter.bridge import Bridge
from exporter.config import BotConfig, Config
from exporter.control.access import Access
from exporter.control.catalogue import catalogue
from exporter.control.codes import Codes
from exporter.control.command_desk import CommandDesk
from exporter.control.desk import Desk
from exporter.control.gate import Gate
from exporter.control.kill_desk import KillDesk, News
from exporter.control.kill_latch import KillLatch
from exporter.control.kill_records import KillRecords
from exporter.control.maintenance import MaintenanceFiles
from exporter.control.quiet_desk import QuietDesk
from exporter.control.records import ControlRecords
from exporter.control.setting_desk import SettingDesk
from exporter.flight_recorder import FlightRecorder
from exporter.reporting.job import Job
from exporter.service import Watch
from exporter.view import LIVE, PAPER, BotView

Tell = Callable[..., None]
"""`EventLog.record`."""

KILLED: Final = "killed from the console"


@dataclass(frozen=True, slots=True)
class Desks:
    """Everything with which one bot is told something."""

    config: BotConfig
    view: BotView
    desk: Desk
    kill: KillDesk
    settings: SettingDesk
    commands: CommandDesk

    @property
    def counts_as_live(self) -> bool:
        """Whether what is done to it may be about real money; unknown counts."""
        return self.view.last_mode == LIVE or self.view.tier != PAPER


class Console:
    """The desks of all bots. `tell` is `EventLog.record`."""

    def __init__(
        self,
        config: Config,
        bots: Sequence[tuple[BotConfig, BotView, Bridge]],
        tell: Tell,
        recorder: FlightRecorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.clock = clock
        self.tell = tell
        self.access = Access(config)
        self.codes = Codes()
        self.gate = Gate(self.codes, four_eyes=config.four_eyes, people=config.tokens.operators)
        self.maintenance = MaintenanceFiles(config.latch_folder)
        self._recorder = recorder
        self._kills = KillRecords(tell)
        self._records = ControlRecords(self.codes, tell, clock)
        self.news = self._records.news
        self.bots: Mapping[str, Desks] = {
            bot.name: self._desks(bot, view, bridge) for bot, view, bridge in bots
        }
        self._records.keep(desks.settings for desks in self.bots.values())
        self.quiet = QuietDesk([view for _, view, _ in bots], self.maintenance, self.news.tell, clock)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What the keeper writes for the console."""
        return self._kills, self._records

    def watches(self) -> Iterator[Watch]:
        """The tasks that watch what was ordered, and whose token is whose."""
        yield Watch("the files of tokens", self.access.tokens.run, lambda: None)
        for name, desks in self.bots.items():
            died = desks.view.bridge_died
            yield Watch(f"the kill desk of {name}", desks.kill.run, died)
            yield Watch(f"the command desk of {name}", desks.desk.run, died)
        yield Watch("planned quiet", self.quiet.run, lambda: None)

    def _desks(self, bot: BotConfig, view: BotView, bridge: Bridge) -> Desks:
        known = catalogue(bot.kind)
        desk = Desk(view, bridge, told=[self._records.told], clock=self.clock)
        settings = SettingDesk(desk, known, self._records.changed)
        commands = CommandDesk(desk, known, allow_live=self.config.allow_live)
        kill = KillDesk(
            view,
            bridge,
            KillLatch(self.config.latch_folder, bot.name),
            bot.kill_file,
            clock=self.clock,
            told=partial(self._told, bot.name),
        )
        commands.killed = lambda: kill.latched or view.kill_since is not None
        commands.drill_at = lambda: kill.last_drill
        view.control = kill
        bridge.listen(kill.heard, kill.opened)  # the first to hear: nothing stands before a kill
        bridge.listen(settings.heard)
        bridge.listen(desk.heard)
        return Desks(bot, view, desk, kill, settings, commands)

    def _told(self, bot: str, news: News) -> None:
        """Something happened to a kill."""
        self._kills.told(bot, news)
        if news.what == "pressed":
            self._recorder.ask(bot, KILLED)
