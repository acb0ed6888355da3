"""Keeps the runs of each bot in the table `sessions`, and tells a run that went on while nobody looked.

A run is a session id, or where the bot has none, the second in which it began. After a restart of this
exporter the first run it meets is the last one of the table again if id and beginning agree.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import aiosqlite

from botkit.messages import GOODBYE, STATE
from exporter.labels import UNKNOWN, clean
from exporter.view import BotView, Session

SAME_BEGINNING_SECONDS: Final = 5.0
"""How far two computations of when a run began may differ: delays of messages, small steps of clocks."""
WRITTEN_EVERY_SECONDS: Final = 5.0
"""How old `last_at` may be in the table."""

REPLACED: Final = "another session began"
NOT_SEEN: Final = "its end was not seen"

_UPSERT: Final = """
INSERT INTO sessions (bot, session, first_at, last_at, began, ended, version, mode, simulated, end_reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (bot, session) DO UPDATE SET last_at = excluded.last_at, ended = excluded.ended,
    version = coalesce(excluded.version, version), mode = coalesce(excluded.mode, mode),
    simulated = coalesce(excluded.simulated, simulated), end_reason = excluded.end_reason
"""


class Run:
    """One run of a bot. Times in epoch seconds of this exporter's clock; `began` None where not reported."""

    __slots__ = (
        "began",
        "bot",
        "continued",
        "end_reason",
        "ended",
        "first_at",
        "id",
        "last_at",
        "mode",
        "name",
        "simulated",
        "version",
        "viewed",
    )

    def __init__(self, view: BotView, now: float) -> None:
        state = view.state
        self.bot = view.name
        self.viewed: Session = view.session
        self.id = None if state is None or state.session_id is None else clean(state.session_id)
        self.began = None if state is None or state.uptime is None else view.session.began
        self.first_at = self.last_at = now
        self.ended: float | None = None
        self.end_reason: str | None = None
        self.version: str | None = None
        self.mode: str | None = None
        self.simulated: bool | None = None
        self.name: str | None = None
        """As in the table; None until that was looked at."""
        self.continued = False
        """Whether an earlier run of this exporter had seen it already."""

    def heard(self, view: BotView, now: float) -> None:
        """A state of this run came."""
        self.last_at, self.ended, self.end_reason = now, None, None
        if (state := view.state) is not None:
            self.version = state.version and clean(state.version)
            self.mode = state.mode and clean(state.mode)
            self.simulated = state.simulated

    def end(self, at: float, why: str) -> None:
        """It is over."""
        self.ended, self.end_reason = at, why

    def is_called(self, session: str, began: float | None) -> bool:
        """Whether it is the run that the table calls so."""
        if self.id is not None and self.id != session:
            return False
        if self.began is None or began is None:
            return self.id is not None
        return abs(self.began - began) <= SAME_BEGINNING_SECONDS

    def own_name(self) -> str:
        """What it is called where the table does not know it."""
        began = self.first_at if self.began is None else self.began
        return self.id or time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(began))

    def row(self) -> tuple[object, ...]:
        """Its row in the table."""
        return (
            self.bot,
            self.name,
            self.first_at,
            self.last_at,
            self.began,
            self.ended,
            self.version,
            self.mode,
            self.simulated,
            self.end_reason,
        )


class Sessions:
    """The present run of each bot; a job of the keeper, before all that name a run."""

    name: Final = "sessions"

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._changed: dict[Run, None] = {}
        self._writing: dict[Run, None] = {}
        self._urgent = False
        self._written_at: float | None = None
        self._met: set[str] = set()
        """Bots whose first run here was looked for in the table."""

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came, which the view has taken."""
        run, kind = self._runs.get(view.name), message.get("type")
        if kind == STATE and view.state_at == now:
            if run is None or run.viewed is not view.session:
                if run is not None and run.ended is None:
                    run.end(run.last_at, REPLACED)
                run = self._runs[view.name] = Run(view, now)
                self._urgent = True
            run.heard(view, now)
            self._changed[run] = None
        elif kind == GOODBYE and run is not None:
            reason = message.get("reason")
            run.end(now, clean(reason) if isinstance(reason, str) else UNKNOWN)
            self._changed[run], self._urgent = None, True

    def run(self, bot: str) -> Run | None:
        """The run that the bot's last state came from."""
        return self._runs.get(bot)

    def opened(self) -> None:
        """Another file may be written from now on."""
        self._changed |= dict.fromkeys(self._runs.values())
        self._urgent = bool(self._changed)

    def due(self, now: float) -> bool:
        """Whether there is something to write."""
        written = self._written_at
        recent = written is not None and 0 <= now - written < WRITTEN_EVERY_SECONDS
        return bool(self._changed) and (self._urgent or not recent)

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write the runs that changed; a new one gets its name."""
        self._writing, self._changed, self._urgent = self._changed, {}, False
        self._written_at = now
        for run in self._writing:
            if run.name is None:
                await self._name_it(db, run)
        await db.executemany(_UPSERT, [run.row() for run in self._writing])
        return False

    def committed(self) -> None:
        """What was written is on disk."""
        self._met.update(run.bot for run in self._writing)
        self._writing = {}

    def rolled_back(self) -> None:
        """Write the same again; what was found in the table is looked for again, too."""
        for run in self._writing:
            if run.bot not in self._met:
                run.name = None
        self._changed, self._writing, self._urgent = self._writing | self._changed, {}, True

    async def _name_it(self, db: aiosqlite.Connection, run: Run) -> None:
        """Find out whether the table knows the run; the first of a bot may have begun before this program."""
        if run.bot not in self._met and run.name is None:
            last = await db.execute_fetchall(
                "SELECT session, began, first_at FROM sessions WHERE bot = ? ORDER BY last_at DESC LIMIT 1",
                (run.bot,),
            )
            for session, began, first_at in last:
                if run.is_called(session, began):
                    run.name, run.first_at, run.continued = session, first_at, True
            await db.execute(
                "UPDATE sessions SET ended = last_at, end_reason = ? "
                "WHERE bot = ? AND ended IS NULL AND session IS NOT ?",
                (NOT_SEEN, run.bot, run.name),
            )
        run.name = run.name or run.own_name()
