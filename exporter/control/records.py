"""Writes commands, settings, changes of them and codes to the reporting database, and tells the audit trail.

A job of the keeper. Commands are sent before anything is written, so everything waits here, bounded, until it
is on disk. What an earlier run of this program left undecided is unknown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import aiosqlite

from exporter.control import record_rows
from exporter.control.codes import Codes
from exporter.control.desk import Entry
from exporter.control.order import Stage
from exporter.control.setting_desk import SettingDesk
from exporter.control.settings_book import HISTORY, Record
from exporter.reporting.news import News

log = logging.getLogger(__name__)

PENDING: Final = 5000
ENDED: Final = "this console ended before it was decided: unknown, look at the state"

Tell = Callable[..., None]
"""`EventLog.record`."""


class ControlRecords:
    """What was ordered of all bots and what became of it: `told` by desks, `changed` by setting desks."""

    name: Final = "control"

    def __init__(self, codes: Codes, tell: Tell, clock: Callable[[], float] = time.time) -> None:
        self._codes = codes
        self._tell = tell
        self.news = News(tell)
        """What may come too often to be kept for ever, one by one."""
        self._started = clock()
        self._desks: dict[str, SettingDesk] = {}
        self._commands: dict[str, Entry] = {}
        self._changes: dict[object, tuple[str, Record]] = {}
        self._dirty: set[str] = set()
        self._recalled = False
        self._shown: list[tuple[object, ...]] | None = None
        self._writing: tuple[dict[str, Entry], dict[object, tuple[str, Record]], set[str], Any] | None = None

    def keep(self, desks: Iterable[SettingDesk]) -> None:
        """Keep the settings of these."""
        self._desks |= {desk.bot: desk for desk in desks}
        self._dirty |= set(self._desks)

    def told(self, entry: Entry) -> None:
        """A command was sent, answered or decided."""
        _bounded(self._commands, entry.id)[entry.id] = entry
        if entry.stage is Stage.SENT or entry.stage.final:
            self._tell(**record_rows.event(entry))

    def changed(self, bot: str, record: Record | None) -> None:
        """A setting changed; without a record, rows of settings are to be written."""
        self._dirty.add(bot)
        if record is None or (record.command_id is None and not self._observed(bot, record)):
            return
        identity = record.command_id or object()
        _bounded(self._changes, identity)[identity] = (bot, record)

    def _observed(self, bot: str, record: Record) -> bool:
        """Tell of a change that nobody here ordered; False where that key swings too often for a row each."""
        return self.news.tell(
            "setting_observed",
            f"the setting {record.key}",
            record.at,
            bot=bot,
            severity="warning",
            source=record.source,
            what=f"{record.key} is another value: {record.state.replace('_', ' ')}",
            before=record.before,
            after=record.after,
        )

    def opened(self) -> None:
        """It may be another file: everything is written again, and what stood in it is read once."""
        self._dirty |= set(self._desks)
        self._shown = None

    def due(self, now: float) -> bool:
        """Whether something is to be written."""
        self.news.tick(now)
        return bool(
            not self._recalled
            or self._commands
            or self._changes
            or self._dirty
            or self._on_panel(now) != self._shown
        )

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write all that waits; it is little."""
        if not self._recalled:
            await self._recall(db, now)
        commands, changes, dirty = dict(self._commands), dict(self._changes), set(self._dirty)
        await db.executemany(record_rows.COMMAND, [record_rows.command(entry) for entry in commands.values()])
        await db.executemany(record_rows.CHANGE, [record_rows.change(*made) for made in changes.values()])
        for bot in dirty & self._desks.keys():
            await db.executemany(record_rows.SETTING, list(record_rows.settings(self._desks[bot])))
        panel = self._on_panel(now)
        if panel != self._shown:
            await db.execute("DELETE FROM codes")
            await db.executemany("INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?)", panel)
        self._writing = (commands, changes, dirty, panel)
        return False

    def committed(self) -> None:
        """What was written and has not changed since need not be kept."""
        if self._writing is None:
            return
        commands, changes, dirty, self._shown = self._writing
        for identity, entry in commands.items():
            if self._commands.get(identity) is entry:
                del self._commands[identity]
        for key, change in changes.items():
            if self._changes.get(key) is change:
                del self._changes[key]
        self._dirty -= dirty
        self._recalled = True

    def rolled_back(self) -> None:
        """Everything waits on."""
        self._writing = None

    def _on_panel(self, now: float) -> list[tuple[object, ...]]:
        return [
            (code.act.bot, code.act.action, code.act.says, code.code, code.who, code.expires)
            for code in self._codes.shown(now)
        ]

    async def _recall(self, db: aiosqlite.Connection, now: float) -> None:
        """Take in what an earlier run of this program knew."""
        await db.execute(record_rows.END_COMMANDS, (ENDED, now, self._started))
        await db.execute(record_rows.END_CHANGES, (self._started,))
        for bot, desk in self._desks.items():
            cursor = await db.execute(record_rows.SETTINGS_BEFORE, (bot,))
            settings = [record_rows.setting(desk.catalogue, row) for row in await cursor.fetchall()]
            cursor = await db.execute(record_rows.CHANGES_BEFORE, (bot, self._started, HISTORY))
            history = [record_rows.record(desk.catalogue, row) for row in await cursor.fetchall()]
            desk.book.recall([setting for setting in settings if setting is not None], reversed(history))
            desk.desk.view.unverified = desk.book.unverified()


def _bounded(pending: dict[Any, Any], key: object) -> dict[Any, Any]:
    """The same, with room for this key; what the database could not take for so long goes to the log."""
    if len(pending) >= PENDING and key not in pending:
        log.error("not written to the database: %s", pending.pop(next(iter(pending))))
    return pending
