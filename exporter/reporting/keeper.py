"""The one task that writes the reporting database: gives each job a short transaction, at most once a second.

Whatever happens to the database, the exporter goes on: the keeper says what is wrong (`status`), counts it,
and comes back by itself when the cause is gone. A job's fault costs that job its transaction, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiosqlite

from exporter.labels import REPORTING_STATES
from exporter.metrics_self import Reporting
from exporter.reporting import database
from exporter.reporting.claim import Claim, ReportingError, pause_wanted
from exporter.reporting.database import DatabaseRefused
from exporter.reporting.events import EventLog
from exporter.reporting.job import Follows, Job, Prepares
from exporter.reporting.transaction import commit, undo

log = logging.getLogger(__name__)

PACE: Final = 1.0  # seconds between two rounds
JOB_SECONDS: Final = 30.0  # that one transaction may take before it is given up
REOPEN_SECONDS: Final = 5.0  # between two attempts to open what cannot be used
THOROUGH_SECONDS: Final = 600.0  # between two searches of the whole file for damage
LAST_SECONDS: Final = 0.5  # for what is pending when the program ends

OPENING, OK, SET_ASIDE, FAILING, REFUSED, UNWRITABLE = REPORTING_STATES

_REOPEN: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class _Reopen(Exception):  # noqa: N818 - named for what is to be done
    """The connection is of no use any more."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


class Keeper:
    """Owns the writing connection. `run` lasts until it is cancelled; everything else answers at once."""

    def __init__(
        self,
        path: Path,
        jobs: Sequence[Job] = (),
        *,
        clock: Callable[[], float] = time.time,
        pace: float = PACE,
    ) -> None:
        self.events = EventLog(path, clock)
        self.errors = 0
        self._path = path
        self._jobs: tuple[Job, ...] = (self.events, *jobs)
        self._clock = clock
        self._pace = pace
        self._claim = Claim(path)
        self._written_at = clock()
        self._wrong: tuple[str, str] | None = (OPENING, f"{path} is being opened")
        self._failing: dict[str, str] = {}
        self._set_aside: str | None = None
        self._searched_at: float | None = None
        self._search = database.CHECK_SECONDS
        self._stop = threading.Event()
        self._woken = asyncio.Event()

    def add(self, *jobs: Job) -> None:
        """Serve these, too, after those that are there; before `run`."""
        self._jobs += jobs

    @property
    def state(self) -> str:
        """How the database is, one of REPORTING_STATES."""
        if self._wrong is not None:
            return self._wrong[0]
        return FAILING if self._failing else SET_ASIDE if self._set_aside else OK

    @property
    def status(self) -> str:
        """The same as a sentence for people; empty while all is well."""
        if self._wrong is not None:
            return self._wrong[1]
        return "; ".join(f"{job}: {says}" for job, says in self._failing.items()) or self._set_aside or ""

    def health(self, now: float) -> Reporting:
        """The same for a scrape."""
        return Reporting(self.state, self.lag(now), self.errors)

    def lag(self, now: float) -> float:
        """Seconds since everything that waited was written, at most a round old while all is well."""
        behind = [job.behind_since for job in self._jobs if isinstance(job, Follows)]
        return max(0.0, now - min([self._written_at, *(since for since in behind if since is not None)]))

    def died(self) -> None:
        """A fault that nobody foresaw ended `run`; it is started anew."""
        self.errors += 1

    def wake(self) -> None:
        """Begin the next round now: something came that should not wait for the rest of a second."""
        self._woken.set()

    async def run(self) -> None:
        """Open the database and write, again and again, until cancelled; then write what is pending."""
        self._stop.clear()
        try:
            while True:
                try:
                    await self._open_and_write()
                except ReportingError as error:
                    self._trouble(REFUSED if isinstance(error, DatabaseRefused) else UNWRITABLE, str(error))
                except _Reopen as error:
                    self._trouble(UNWRITABLE, f"{self._path}: {error}; it is opened again")
                    self._search = database.ALL if database.is_damage(error.why) and self._may_search() else 0
                    await asyncio.sleep(self._pace)
                    continue
                await asyncio.sleep(REOPEN_SECONDS * self._pace)
        finally:
            self._stop.set()
            self._claim.release()

    async def _open_and_write(self) -> None:
        self._claim.take()
        prepared = await self._prepared()
        self._search = 0.0
        for note in filter(None, (prepared.set_aside, prepared.migrated)):
            log.warning("%s", note)
            self.events.record("reporting", severity="warning", source="exporter", what=note)
        self._set_aside = prepared.set_aside or self._set_aside
        db = await database.connect(self._path)
        try:
            self._opened()
            while True:
                await self._round(db)
        except asyncio.CancelledError:
            await self._last(db)
            raise
        finally:
            await db.close()

    async def _prepared(self) -> database.Prepared:
        """The work of a thread; when the program ends, it is told so and waited for."""
        preparing = asyncio.ensure_future(
            asyncio.to_thread(
                database.prepare, self._path, self._clock(), stop=self._stop.is_set, search=self._search
            )
        )
        try:
            return await asyncio.shield(preparing)
        except asyncio.CancelledError:
            self._stop.set()
            with contextlib.suppress(ReportingError):
                await preparing
            raise

    def _opened(self) -> None:
        for job in self._jobs:
            job.opened()
        if not self._failing:
            self._wrong = None

    def _may_search(self) -> bool:
        """Whether all of the file may be searched for damage: not each second while a fault lasts."""
        now, last = self._clock(), self._searched_at
        if last is not None and 0 <= now - last < THOROUGH_SECONDS:
            return False
        self._searched_at = now
        return True

    async def _round(self, db: aiosqlite.Connection) -> None:
        """Serve every job that is due, the busy ones again and again until the second is over."""
        began = time.monotonic()
        self._woken.clear()
        jobs: list[Job] = [job for job in self._jobs if self._due(job)]
        failed = False
        while jobs and not pause_wanted(self._path):
            busy = []
            for job in jobs:
                more = await self._serve(db, job)
                failed = failed or more is None
                if more:
                    busy.append(job)
            jobs = busy
            if time.monotonic() - began >= self._pace:
                break
        if not jobs and not failed:
            self._written_at = self._clock()
        if not jobs:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._pace - (time.monotonic() - began))):
                    await self._woken.wait()
        elif pause_wanted(self._path):
            await asyncio.sleep(self._pace / 10)

    def _due(self, job: Job) -> bool:
        try:
            return job.due(self._clock())
        except Exception as error:  # noqa: BLE001 - the boundary of a job: counted, logged once, asked again
            self._failed(job, error)
            return False

    async def _serve(self, db: aiosqlite.Connection, job: Job) -> bool | None:
        """One transaction of one job; whether it has more, None if it failed. Raises _Reopen."""
        task = asyncio.current_task()
        assert task is not None
        asked = task.cancelling()
        try:
            return await self._transaction(db, job)
        finally:
            if task.cancelling() > asked:  # a commit was under way, and its outcome had to be known first
                raise asyncio.CancelledError

    async def _transaction(self, db: aiosqlite.Connection, job: Job) -> bool | None:
        try:
            if isinstance(job, Prepares):
                await job.prepare(db)
            await db.execute_fetchall("BEGIN IMMEDIATE")
            async with asyncio.timeout(JOB_SECONDS):
                more = await job.write(db, self._clock())
            await commit(db)
        except Exception as error:  # the boundary of a job: counted, logged once, tried again
            await undo(db)
            job.rolled_back()
            self._failed(job, error)
            if database.code(error) in _REOPEN or database.is_damage(error):
                raise _Reopen(error) from error
            return None
        except BaseException:
            await undo(db)
            job.rolled_back()
            raise
        try:
            job.committed()
        except Exception as error:  # noqa: BLE001 - the same boundary
            self._failed(job, error)
            return None
        self._succeeded(job)
        return more

    async def _last(self, db: aiosqlite.Connection) -> None:
        """What waits when the program ends is written as far as that is quick, what people did first."""
        with contextlib.suppress(TimeoutError, _Reopen):
            async with asyncio.timeout(LAST_SECONDS):
                for job in (self.events, *self._jobs, self.events):
                    if self._due(job):
                        await self._serve(db, job)

    def _failed(self, job: Job, error: BaseException) -> None:
        self.errors += 1
        says = str(error) or type(error).__name__
        if self._failing.get(job.name) != says:
            known = isinstance(error, sqlite3.Error | TimeoutError)
            log.error(
                "reporting, %s: %s; it is tried again", job.name, says, exc_info=None if known else error
            )
        self._failing[job.name] = says
        if database.code(error) in _NO_ROOM:
            self._wrong = (UNWRITABLE, f"{self._path} cannot be written: {says}; it goes on when it can")

    def _succeeded(self, job: Job) -> None:
        if self._failing.pop(job.name, None) is not None:
            log.info("reporting, %s: it is written again", job.name)
            self._wrong = self._wrong if self._failing else None

    def _trouble(self, state: str, says: str) -> None:
        self.errors += 1
        if self._wrong != (state, says):
            log.error("reporting: %s", says)
        self._wrong = (state, says)
