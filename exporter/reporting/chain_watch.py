"""Looks whether the chain of events is whole: all of it at the start and daily, and what is new meanwhile.

It reads the file through a connection of its own, a few rows at a time, in threads, and rests after each
piece for many times as long as it took: neither the loop nor whoever writes waits for it, and a million rows
take some minutes. A break is a line in the log, an event and a metric; it stops nothing. Nothing is said of a
chain that was not yet seen in full, nor when no look was answered for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from exporter.control.errand import errand
from exporter.reporting.chain import COLUMNS, Head, verify
from exporter.reporting.database import open_sync
from exporter.reporting.news import Record

log = logging.getLogger(__name__)

PIECE: Final = 50
"""Rows of one piece: about a millisecond of work, so that the loop gets its turn in time."""
REST: Final = 9.0
"""How many times as long as a piece took nothing is done."""
NEWS_SECONDS: Final = 10.0
"""Between two looks at what is new."""
RETRY_SECONDS: Final = 1.0
"""Between two looks at a file that is not there yet, or cannot be read."""
PATIENT_TRIES: Final = 10
"""A file that is being opened, or rolled back, is read a moment later: only so many failures are news."""
WHOLE_SECONDS: Final = 86_400.0
"""Between two looks at the whole."""
KNOWN_SECONDS: Final = 600.0
"""After the last look that was answered, nothing is said any more."""
KIND: Final = "event_chain_broken"

_ROWS: Final = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq > ? ORDER BY seq LIMIT {PIECE}"
_HASH: Final = "SELECT hash FROM events WHERE seq = ?"
_LAST: Final = "SELECT coalesce(max(seq), 0) FROM events"
_TOLD: Final = "SELECT 1 FROM events WHERE kind = ? AND why = ? LIMIT 1"


@dataclass(frozen=True, slots=True)
class Piece:
    """What a look at some rows found."""

    file: tuple[int, int]
    """Which file it was: one that was put in its place holds another chain."""
    head: Head
    """Up to where the chain was followed."""
    at_end: bool
    fault: str = ""
    """The first one, as a sentence."""
    lost: bool = False
    """Whether what was seen before is not there any more."""
    told: bool = False
    """Whether the chain itself has an event of this fault already."""


def look(path: Path, after: Head) -> Piece | None:
    """Follow the chain over the next rows after a head; None without a file. Raises sqlite3.Error."""
    try:
        stat = path.stat()
    except OSError:
        return None
    with contextlib.closing(open_sync(path, read_only=True)) as connection:
        # A byte that is no text is a change like any other, and not a reason to look no further.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        lost = _lost(connection, after)
        found = verify(() if lost else connection.execute(_ROWS, (after.count,)), after=after)
        fault = lost or next(iter(found.faults), "")
        told = bool(fault) and connection.execute(_TOLD, (KIND, fault)).fetchone() is not None
        (last,) = connection.execute(_LAST).fetchone()
        file = stat.st_dev, stat.st_ino
        return Piece(file, found.head, found.head.count >= last, fault, bool(lost), told)


def _lost(connection: sqlite3.Connection, head: Head) -> str:
    """What became of the row that was the last one seen, where it is not there as it was."""
    if not head.count:
        return ""
    row = connection.execute(_HASH, (head.count,)).fetchone()
    if row is None:
        return f"row {head.count} was there and is gone: the tail was cut off"
    return "" if row[0] == head.hash else f"row {head.count} was rewritten"


class ChainWatch:
    """Follows the chain of one database; `broken` is what a scrape may tell.

    `record` is `EventLog.record`; `discontinued` says whether this program found at its start that the file
    does not continue what was known of its chain.
    """

    def __init__(
        self,
        path: Path,
        record: Record,
        *,
        discontinued: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._record = record
        self._discontinued = discontinued
        self._clock = clock
        self._file: tuple[int, int] | None = None
        self._head = Head()
        self._whole = True  # whether this round began at the first row
        self._whole_at = 0.0
        self._faults = 0  # of this round
        self._verdict: bool | None = None
        self._looked_at: float | None = None
        self._failures = 0  # in a row

    def broken(self, now: float) -> bool | None:
        """Whether the chain is broken; None where that is not known."""
        if self._looked_at is None or not 0 <= now - self._looked_at <= KNOWN_SECONDS:
            return None
        return True if self._discontinued() else self._verdict

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            began = time.monotonic()
            more = await self.step()
            await asyncio.sleep(self.rest(time.monotonic() - began, more=more))

    def rest(self, took: float, *, more: bool) -> float:
        """Seconds until the next look, after one that took so long."""
        if more:
            return min(REST * took, NEWS_SECONDS)
        return NEWS_SECONDS if self._file is not None and not self._failures else RETRY_SECONDS

    async def step(self) -> bool:
        """Look at the next piece; whether there is more."""
        try:
            piece = await errand(partial(look, self._path, self._head))
        except sqlite3.Error as error:
            self._failures += 1
            if self._failures == PATIENT_TRIES:
                log.warning("the chain of events cannot be read: %s; it is tried again", error)
            return False
        self._failures = 0
        return piece is not None and self._took(piece, self._clock())

    def _took(self, piece: Piece, now: float) -> bool:
        self._looked_at = now
        if piece.file != self._file:
            known, self._file, self._verdict = self._file, piece.file, None
            if known is not None:
                self._begin()
                return True
        self._head = piece.head
        if piece.fault:
            self._fault(piece)
        anew = piece.lost or (piece.at_end and not self._whole and self._whole_is_due(now))
        if anew:
            self._begin(faults=int(piece.lost))
        elif piece.at_end and self._whole:
            self._verdict, self._whole, self._whole_at = self._faults > 0, False, now
        return anew or not piece.at_end

    def _whole_is_due(self, now: float) -> bool:
        return not 0 <= now - self._whole_at < WHOLE_SECONDS

    def _begin(self, faults: int = 0) -> None:
        """Follow the chain from its first row."""
        self._head, self._whole, self._faults = Head(), True, faults

    def _fault(self, piece: Piece) -> None:
        self._verdict = True
        self._faults += 1
        if self._faults > 1:
            return
        log.error("the chain of events is broken: %s", piece.fault)
        if not piece.told:
            says = "the chain of events is broken: it does not prove any more what happened"
            self._record(KIND, severity="warning", source="exporter", what=says, why=piece.fault)
