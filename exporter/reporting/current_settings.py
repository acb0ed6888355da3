"""Keeps in `settings` what each bot's states show of its settings, beside what the catalogue knows of them.

A value that changes is an event. Who changed it (`changed_by`) is for those to write who order changes: it is
forgotten with the next change to another value than the one they wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiosqlite

from botkit.messages import STATE
from exporter.control.catalogue import catalogue
from exporter.reporting.news import News
from exporter.reporting.sessions import Run, Sessions
from exporter.reporting.setting_rows import Change, Kept, next_rows, values
from exporter.view import BotView

SEEN_EVERY_SECONDS: Final = 60.0
"""How old `seen_at` may be in the table."""

_UPSERT: Final = """
INSERT INTO settings (bot, key, seen_at, value, session_start, changed_at, number, category, type, unit,
    minimum, maximum, hot, risk, observable, help, default_value)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (bot, key) DO UPDATE SET
    changed_by = CASE WHEN excluded.value IS NOT value AND excluded.value IS NOT wanted THEN NULL
        ELSE changed_by END,
    value = excluded.value, number = excluded.number, session_start = excluded.session_start,
    seen_at = excluded.seen_at, changed_at = excluded.changed_at, category = excluded.category,
    type = excluded.type, unit = excluded.unit, minimum = excluded.minimum, maximum = excluded.maximum,
    hot = excluded.hot, risk = excluded.risk, observable = excluded.observable, help = excluded.help,
    default_value = excluded.default_value
"""


@dataclass(slots=True)
class _Bot:
    """The settings of one bot as its states show them, and as the table has them."""

    kind: str
    snapshot: Mapping[str, object]
    run: Run
    own: bool
    """Whether it is a bot of this project, by its `commands`."""
    since: float
    """When they were first shown so."""
    seen_at: float
    changed: bool = True
    kept: Mapping[str, Kept] | None = None
    """The rows of the table; None until they were looked at."""
    kept_run: Run | None = None
    """The session whose start is in the rows."""
    written_at: float = 0.0
    writing: tuple[dict[str, Kept], list[Change], Run] | None = None

    def due(self) -> bool:
        """Whether the table has to hear of them, and can."""
        aged = not 0 <= self.seen_at - self.written_at < SEEN_EVERY_SECONDS
        return (self.changed or aged) and self.run.name is not None


class CurrentSettings:
    """The settings of all bots; a job of the keeper, after the sessions."""

    name: Final = "settings"

    def __init__(self, sessions: Sessions, news: News) -> None:
        self._sessions = sessions
        self._news = news
        self._bots: dict[str, _Bot] = {}

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came, which the view and the sessions have taken."""
        if message.get("type") != STATE or view.state_at != now:
            return
        snapshot, run = message.get("config_snapshot"), self._sessions.run(view.name)
        if not isinstance(snapshot, dict) or run is None:
            return
        bot = self._bots.get(view.name)
        if bot is None:
            own = isinstance(message.get("commands"), list)
            self._bots[view.name] = _Bot(view.kind, snapshot, run, own, now, now)
            return
        bot.seen_at = now
        if bot.run is not run or bot.snapshot != snapshot:
            bot.snapshot, bot.run, bot.since, bot.changed = snapshot, run, now, True
            bot.own = isinstance(message.get("commands"), list)

    def opened(self) -> None:
        """Another file may be written from now on."""
        for bot in self._bots.values():
            bot.kept, bot.changed = None, True

    def due(self, now: float) -> bool:
        """Whether something has changed, or was seen again so much later."""
        return any(bot.due() for bot in self._bots.values())

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write the settings of every bot that has news."""
        for name, bot in [(name, bot) for name, bot in self._bots.items() if bot.due()]:
            if bot.kept is None:
                bot.kept = await _kept(db, name)
            known = catalogue(bot.kind).parameters
            snapshot, run, bot.changed, bot.written_at = bot.snapshot, bot.run, False, bot.seen_at
            same = run is bot.kept_run or (bot.kept_run is None and run.continued)
            rows, changes = next_rows(snapshot, known, bot.kept, at=bot.since, new_session=not same)
            bot.writing = rows, changes, run
            await db.executemany(
                _UPSERT,
                [
                    (
                        name,
                        key,
                        bot.seen_at,
                        row.value,
                        row.session_start,
                        row.changed_at,
                        *values(snapshot[key], known[key], own=bot.own),
                    )
                    for key, row in rows.items()
                ],
            )
        return False

    def committed(self) -> None:
        """What was written is on disk; only now is a change an event, so that it is told once."""
        for name, bot in self._bots.items():
            if bot.writing is not None:
                rows, changes, run = bot.writing
                for change in changes:
                    self._tell(name, change, bot.written_at, away=bot.kept_run is None)
                bot.kept, bot.kept_run, bot.writing = {**(bot.kept or {}), **rows}, run, None

    def rolled_back(self) -> None:
        """Write them again."""
        for bot in self._bots.values():
            if bot.writing is not None:
                bot.changed, bot.writing = True, None

    def _tell(self, bot: str, change: Change, at: float, *, away: bool) -> None:
        self._news.tell(
            "setting_seen",
            change.key,
            at,
            bot=bot,
            source="bot",
            what=f"{change.key} is {_shown(change.after)}, it was {_shown(change.before)}",
            why="changed while this exporter was away" if away else "",
            before=change.before,
            after=change.after,
            data={"key": change.key},
        )


async def _kept(db: aiosqlite.Connection, bot: str) -> dict[str, Kept]:
    sql = "SELECT key, value, session_start, changed_at FROM settings WHERE bot = ?"
    return {key: Kept(*rest) for key, *rest in await db.execute_fetchall(sql, (bot,))}


def _shown(value: str | None) -> str:
    return "blank" if value is None else value
