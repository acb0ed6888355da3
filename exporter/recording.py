"""Puts together everything that writes the reporting database, and who tells it what."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from botkit.messages import STATE
from exporter import __version__, service
from exporter.config import Config
from exporter.control.evidence import LONGEST_WORDS
from exporter.disks import Disks, folders
from exporter.enforcement import CapGuard
from exporter.flight_recorder import FlightRecorder
from exporter.notifications import notifications
from exporter.notified import Notified
from exporter.notifier import Notifier
from exporter.reporting.chain_watch import ChainWatch
from exporter.reporting.days import OperatorDay
from exporter.reporting.from_sockets import FromSockets
from exporter.reporting.keeper import Keeper
from exporter.reporting.ledger import LedgerJob
from exporter.reporting.mirror import Mirror
from exporter.reporting.rollups import Rollups
from exporter.reporting.taking import Word
from exporter.view import BotView, StoreSeen


class Recording:
    """The keeper of the database with its jobs, and the recorder of what went over the links lately."""

    def __init__(
        self, config: Config, views: Sequence[BotView], keep: Callable[[BotView], object] = lambda view: None
    ) -> None:
        """`keep` puts a view's breach latch on disk, which also what the ledger says may set."""
        self.keeper = Keeper(config.reporting_db)
        self._views = {view.name: view for view in views}
        self._guards = {view.name: CapGuard(view) for view in views}
        self.recorder = FlightRecorder(config.reporting_db.parent, self._views, told=self._recorded)
        day = OperatorDay(config.day.tz, config.day.rolls_at)
        self._sockets = FromSockets(
            views,
            self._record,
            tz=day.tz,
            rolls_at=f"{day.rolls_at // 60:02}:{day.rolls_at % 60:02}",
            alarm=self.recorder.ask,
        )
        self.intents: dict[str, Callable[[float, str], None]] = {}
        """Who is told of each bot's new order intents: when (by the bot's clock), and which."""
        self.disks = Disks(folders(config))
        self.chain = ChainWatch(
            config.reporting_db,
            self._record,
            discontinued=lambda: self.keeper.events.discontinued,
        )
        kept = Notified(config.latch_folder)
        told = {name: kept.restore(name) for name in self._views}
        self._notifier = Notifier(notifications(), self._record, told, kept.keep)
        self._has_stores = any(bot.stores for bot in config.bots)
        self._mirror = Mirror(
            [(bot.name, bot.kind, bot.stores) for bot in config.bots],
            Rollups(dict.fromkeys(self._views, day)),
            self,
            self.keeper.wake,
        )
        self._keep = keep
        self._ledger = LedgerJob(views, self._judged)
        self.keeper.add(*self._sockets.jobs, self._mirror, self._ledger)
        self._record("exporter", source="exporter", what=f"started, version {__version__}")

    def watches(self) -> Iterator[service.Watch]:
        """The tasks. The one that writes is told last that the end has come, and writes what others say."""
        if self._has_stores:
            yield service.Watch("the mirror of the bots' stores", self._mirror.run, self.keeper.died)
        yield service.Watch("the look at the disks", self.disks.run, lambda: None)
        yield service.Watch("the look at the chain of events", self.chain.run, lambda: None)
        yield service.Watch("the reporting database", self.keeper.run, self.keeper.died)

    def trouble(self) -> str:
        """What is wrong with what is recorded, in a sentence; empty while all is well."""
        said = [f"Reporting database: {status}"] if (status := self.keeper.status) else []
        if self.chain.broken(time.time()):
            said.append("The chain of events is broken, see the log and verify-events")
        return "; ".join(said)

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came, which the view has taken."""
        self._sockets.heard(view, message, now)
        self._guards[view.name].heard(message, now)
        if message.get("type") == STATE:
            self._notifier.look(view, now)

    def changed(self, view: BotView) -> None:
        """Something came from the bot, or its link was made or lost."""
        self._sockets.linked(view, time.time())

    def ending(self) -> None:
        """The program ends."""
        self._notifier.tick(time.time(), last=True)
        self._sockets.ending(time.time())
        self._record("exporter", source="exporter", what="stopped")

    def news(self, bot: str) -> None:
        """Rows from this bot's stores were committed."""
        self._ledger.news(bot)

    def store_seen(self, bot: str, store: str, word: Word, now: float) -> None:
        """A look at a store ended."""
        self._views[bot].stores[store] = StoreSeen(word.status, now)

    def intent_created(self, bot: str, at: float, intent: str) -> None:
        """An order intent came into a bot's store."""
        self._guards[bot].ledger_opened(at, f"order intent {intent}"[:LONGEST_WORDS], time.time())
        self._judged(self._views[bot])
        if bot in self.intents:
            self.intents[bot](at, f"order intent {intent}")

    def store_kept(self, bot: str, store: str, at: float) -> None:
        """Everything that a store held at a time is in the database."""
        self._ledger.store_kept(bot, store, at)

    def _judged(self, view: BotView) -> None:
        self._keep(view)
        self.changed(view)
        self._notifier.look(view, time.time())

    def _record(self, kind: str, **told: object) -> None:
        self.keeper.events.record(kind, **told)  # type: ignore[arg-type] # each listener names what it tells

    def _recorded(self, bot: str, path: Path, why: str) -> None:
        self._record("flight_recorded", bot=bot, source="exporter", what=f"recorded as {path.name}", why=why)
