"""Sends the daily digest through Alertmanager once each day of the operator, also across restarts.

That it was sent stands in the audit trail, which is asked first. A digest that Alertmanager did not take is
tried again; one that it took twice, because this program ended in between, is one alert to it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from exporter.alerting import digest, digest_rows
from exporter.alertmanager import AlertDesk
from exporter.config import Config
from exporter.control.errand import errand
from exporter.errors import Invalid
from exporter.reporting.claim import DatabaseUnwritable
from exporter.reporting.database import open_sync
from exporter.reporting.days import OperatorDay, Span

log = logging.getLogger(__name__)

T = TypeVar("T")

EVERY: Final = 30.0


class DigestDesk:
    """The digest of the bots in one database."""

    def __init__(self, path: Path, day: OperatorDay, bots: Sequence[str], desk: AlertDesk) -> None:
        self._path = path
        self._day = day
        self._bots = tuple(bots)
        self._desk = desk
        self._settled = ""
        """The last day of which the digest was sent, or of which there is none."""
        self._warned = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Send what is due."""
        now = self._desk.clock()
        if (over := digest.due(self._day, now)) is None or over.date == self._settled:
            return
        try:
            day = await errand(lambda: _read(self._path, lambda db: self._unsent(db, over)))
        except sqlite3.Error as error:
            self._warn(f"the reporting database cannot be read: {error}")
            return
        if day is None:
            self._settled = over.date
            return
        answer = await self._desk.api.send("POST", "/alerts", [digest.alert(day, now)])
        if answer.status != 200:
            self._warn(f"Alertmanager did not take it: {answer.error or f'it answered {answer.status}'}")
            return
        self._settled, self._warned = over.date, False
        self._desk.record(
            "digest",
            source="exporter",
            what=f"the daily digest of {day.span.date} was sent",
            answer=digest.text(day),
            data={"date": day.span.date, "tz": day.tz, "count": day.count, "hash": day.hash},
        )

    def _unsent(self, db: sqlite3.Connection, over: Span) -> digest.Day | None:
        """That day, unless an earlier run of this program sent its digest, or nobody watched it."""
        began = digest_rows.began(db)
        if began is None or began >= over.ends_at or digest_rows.sent(db, over):
            return None
        return digest_rows.read(db, self._day, over, self._bots)

    def _warn(self, why: str) -> None:
        if not self._warned:
            log.warning("the daily digest waits: %s", why)
        self._warned = True


def command(config: Config, options: argparse.Namespace) -> int:
    """Print the digest of a day; the last one that is over where none is named."""
    day = OperatorDay(config.day.tz, config.day.rolls_at)
    span = _named(day, options.date) if options.date else day.at(day.at(time.time()).starts_at - 1)
    names = [bot.name for bot in config.bots]
    try:
        found = _read(config.reporting_db, lambda db: digest_rows.read(db, day, span, names))
    except sqlite3.Error as error:
        raise DatabaseUnwritable(f"{config.reporting_db} cannot be read: {error}.") from error
    as_json = json.dumps(asdict(found), indent=2)
    print(as_json if options.json else f"{digest.title(found)}\n{digest.text(found)}")  # noqa: T201
    return 0


def _named(day: OperatorDay, date: str) -> Span:
    """The day of that date; raises Invalid."""
    try:
        around = datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Invalid(f"--date {date}: expected a date such as 2026-11-20") from error
    found = (span for span in day.spans(around - 2 * 86_400, around + 2 * 86_400) if span.date == date)
    if (span := next(found, None)) is None:
        raise Invalid(f"--date {date}: there is no such day in {day}")
    return span


def _read(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T:
    with contextlib.closing(open_sync(path, read_only=True)) as db:
        return ask(db)
