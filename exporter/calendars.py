"""Knows the sessions of the exchanges that schedules name, read anew each day by a process of its own.

The library that knows them brings pandas, which would be most of this program's memory for a table that is
read once a day. What could not be read is not known, so nothing is planned by it: that is logged, and tried
again soon. What was known before stays.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from exporter.config import BotConfig, ExchangeHours
from exporter.exchanges import Closed, Sessions
from exporter.schedule import Entry

log = logging.getLogger(__name__)

PROGRAM: Final = Path(__file__).with_name("exchange_sessions.py")
PATIENCE_SECONDS: Final = 30.0
DAY_SECONDS: Final = 86_400.0
AGAIN_SECONDS: Final = 300.0
SOON_SECONDS: Final = 30 * DAY_SECONDS  # before a calendar ends this is worth a line in the log


class CalendarError(Exception):
    """The calendars could not be read; the text says why."""


class Calendars:
    """The sessions of the exchanges that these bots' schedules name."""

    def __init__(self, bots: Iterable[BotConfig], clock: Callable[[], float] = time.time) -> None:
        entries = (entry for bot in bots for entry in bot.schedule)
        self.codes = sorted({entry.exchange for entry in entries if isinstance(entry, ExchangeHours)})
        self.known: dict[str, Sessions] = {}
        self._clock = clock

    def of(self, bot: BotConfig, venue: str | None = None) -> list[Entry]:
        """The entries of a bot's schedule that are about the bot itself, or about one of its venues."""
        return [
            self._closed(entry) if isinstance(entry, ExchangeHours) else entry
            for entry in bot.schedule
            if entry.venue == venue
        ]

    def by_venue(self, bot: BotConfig) -> dict[str, list[Entry]]:
        """The entries of a bot's schedule by the venue that they are about."""
        return {entry.venue: self.of(bot, entry.venue) for entry in bot.schedule if entry.venue is not None}

    def _closed(self, hours: ExchangeHours) -> Closed:
        reason = hours.reason or f"{hours.exchange} closed"
        return Closed(hours.exchange, hours.open, reason, self.known)

    async def load(self) -> bool:
        """Read the calendars; False, with a line in the log, where they could not be."""
        try:
            found = await read(self.codes)
        except CalendarError as error:
            says = "what was known before stays" if self.known else "nothing is planned by them"
            log.error("the calendars of %s are not known: %s; %s", ", ".join(self.codes), error, says)  # noqa: TRY400
            return False
        self.known.update(found)
        for code, sessions in found.items():
            self._say(code, sessions)
        return True

    def _say(self, code: str, sessions: Sessions) -> None:
        level = logging.WARNING if ends_soon(sessions, self._clock()) else logging.INFO
        says = "the calendar of %s is known until %s; later closings are not planned quiet"
        log.log(level, says, code, last_day(sessions))

    async def run(self) -> None:
        """Read them at once and anew each day, and sooner after a failure.

        A kill must not wait for that; what an earlier run planned holds meanwhile (exporter.quiet).
        """
        while True:
            read = await self.load()
            await asyncio.sleep(DAY_SECONDS if read else AGAIN_SECONDS)


def last_day(sessions: Sessions) -> str:
    """The last day of which a calendar knows, as YYYY-MM-DD."""
    return f"{datetime.fromtimestamp(sessions.closes[-1], UTC):%Y-%m-%d}"


def ends_soon(sessions: Sessions, now: float) -> bool:
    """Whether a calendar ends so soon that somebody should see to it."""
    return sessions.closes[-1] - now < SOON_SECONDS


async def read(codes: Sequence[str]) -> dict[str, Sessions]:
    """The sessions by code, from a process of its own; raises CalendarError. Without codes nothing is run."""
    return parsed(await _printed(codes), codes) if codes else {}


async def _printed(codes: Iterable[str]) -> bytes:
    """What the program prints; its folder is kept off its path, where modules have names like any other's."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(PROGRAM), *codes),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise CalendarError(f"no process for them: {error.strerror}") from error
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            printed, said = await process.communicate()
    except TimeoutError:
        raise CalendarError(f"no answer within {PATIENCE_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"status {process.returncode}"]
        raise CalendarError(lines[-1][:200])
    return printed


def parsed(printed: bytes, codes: Iterable[str]) -> dict[str, Sessions]:
    """The sessions by code from what the program printed; raises CalendarError where that is not sound."""
    try:
        found = json.loads(printed)
        return {code: _sound(code, found[code]["opens"], found[code]["closes"]) for code in codes}
    except (ValueError, KeyError, TypeError) as error:
        raise CalendarError(f"they came in no form that is known: {error!r}") from error


def _sound(code: str, opens: list[float], closes: list[float]) -> Sessions:
    """Sessions that are finite, in order, and do not overlap."""
    times = [time for pair in zip(opens, closes, strict=True) for time in pair]
    if len(times) < 2 or not all(math.isfinite(time) for time in times):
        raise ValueError(f"{code} has no sessions")
    if any(later < sooner for sooner, later in pairwise(times)):
        raise ValueError(f"sessions of {code} overlap")
    return Sessions(tuple(map(float, opens)), tuple(map(float, closes)))
