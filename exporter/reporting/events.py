"""The audit trail and the log of what happened: kept in memory until it is on disk, chained by hashes.

`record` never blocks, never raises and never waits for a database. What cannot be kept any more, because the
database has been away for long, goes to the log in full, and a row says how many there were.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import aiosqlite

from exporter.reporting.chain import COLUMNS, Head, Value, Verdict, digest, verify
from exporter.reporting.database import open_sync

log = logging.getLogger(__name__)

PENDING: Final = 10_000  # events that wait in memory
HELD: Final = 32_000_000  # characters of them
BATCH: Final = 500
TEXT: Final = 4_000  # characters of one value
DATA: Final = 64_000  # characters of `data`
HEAD_EVERY: Final = 3600.0  # seconds between two log lines that name the head

_INSERT: Final = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class EventLog:
    """What is recorded, in order; a job of the keeper writes it."""

    name: Final = "events"

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._beside = head_file(path)
        self._clock = clock
        self._pending: deque[dict[str, Value]] = deque()
        self._held = 0
        self._left_out = 0
        self.discontinued = False
        """Whether the file was found not to continue what was known of its chain."""
        self._head: Head | None = None  # of what is on disk; None until it was read
        self._kept: Head | None = None  # in the small file beside the database
        self._said_at: float | None = None
        self._writing = (0, Head())  # how many of the pending ones, and the head with them

    def record(
        self,
        kind: str,
        *,
        bot: str = "",
        severity: str = "info",
        who: str = "",
        source: str = "",
        what: str = "",
        why: str = "",
        before: object = None,
        after: object = None,
        answer: object = None,
        proof: object = None,
        latency: float | None = None,
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Keep one event. `latency` in seconds; values that are no text are kept as JSON. Never a secret."""
        row: dict[str, Value] = {
            "at": self._clock(),
            "bot": _text(bot),
            "kind": _text(kind),
            "severity": _text(severity),
            "who": _text(who),
            "source": _text(source),
            "what": _text(what),
            "why": _text(why),
            "before": _value(before),
            "after": _value(after),
            "answer": _value(answer),
            "proof": _value(proof),
            # Plus zero: SQLite keeps no -0.0, so that the hash would cover another number than the row.
            "latency": latency + 0.0 if latency is not None and math.isfinite(latency) else None,
            "data": _data(data),
        }
        if len(self._pending) < PENDING and self._held < HELD:
            self._pending.append(row)
            self._held += _size(row)
            return
        self._left_out += 1
        log.error("an event that the database cannot take: %s", json.dumps(row))

    @property
    def pending(self) -> int:
        """How many events are not on disk yet."""
        return len(self._pending)

    def opened(self) -> None:
        """The chain is continued from what the file has."""
        self._head = self._kept = None

    def due(self, now: float) -> bool:
        """Whether something is to be written, or the head to be said."""
        head = self._head
        return bool(self._pending) or head is None or head != self._kept or self._unsaid(head, now)

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Add the next events to the chain."""
        if self._head is None:
            self._head = await self._continued(db)
        head = self._head
        if head != self._kept:
            await asyncio.to_thread(keep_head, self._beside, head, now)
            self._kept = head
        if self._unsaid(head, now):
            self._said_at = now
            log.info("events: %s (rows:hash of the last, for verify-events --head)", head)
        rows: list[list[Value]] = []
        for event in list(itertools.islice(self._pending, BATCH)):
            previous = head.hash
            row = {"seq": head.count + 1, **event}
            head = Head(head.count + 1, digest(row, previous))
            rows.append([*row.values(), previous, head.hash])
        if rows:
            await db.executemany(_INSERT, rows)
        self._writing = (len(rows), head)
        return len(self._pending) > len(rows)

    def committed(self) -> None:
        """What was written need not be kept in memory any more."""
        written, self._head = self._writing
        for _ in range(written):
            self._held -= _size(self._pending.popleft())
        if self._left_out and len(self._pending) < PENDING and self._held < HELD:
            count, self._left_out = self._left_out, 0
            says = f"{count} events stand in the exporter's log alone: the database was away for too long"
            self.record("events_left_out", severity="warning", source="exporter", what=says)

    def rolled_back(self) -> None:
        """Everything stays pending; the chain is continued from what the file has."""
        self._head = None

    def _unsaid(self, head: Head, now: float) -> bool:
        """Whether it is time to name the head in the log, where there is one."""
        return bool(head.count) and (self._said_at is None or not 0 <= now - self._said_at < HEAD_EVERY)

    async def _continued(self, db: aiosqlite.Connection) -> Head:
        """The head of the chain in the file; a row says so where more was known than there is."""
        head = Head()
        for seq, last in await db.execute_fetchall("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"):
            head = Head(int(seq), str(last))
        known = await asyncio.to_thread(kept_head, self._beside)
        if known is None:
            return head
        there = list(await db.execute_fetchall("SELECT hash FROM events WHERE seq = ?", (known.count,)))
        if known.count and (not there or there[0][0] != known.hash):
            says = (
                "the events do not continue what was known of them: rows are gone or were rewritten, "
                "or another file was put in place (a restored backup, a new one after damage)"
            )
            log.error("%s; known %s, found %s", says, known, head)
            self.discontinued = True
            self.record("events_not_continued", severity="critical", source="exporter", what=says,
                        before=str(known), after=str(head))  # fmt: skip
        return head


def head_file(path: Path) -> Path:
    """The small file beside the database at `path` that knows the head of its events."""
    return path.with_name(path.name + ".head.json")


def keep_head(file: Path, head: Head, now: float) -> None:
    """Replace the file; one that cannot be written costs only what it would have proven."""
    new = file.with_name(file.name + ".new")
    try:
        new.write_text(json.dumps({"count": head.count, "hash": head.hash, "at": now}))
        new.replace(file)
    except OSError as error:
        log.debug("%s cannot be written: %s", file, error.strerror)


def kept_head(file: Path) -> Head | None:
    """The head that the file knows, None where there is none that can be read."""
    try:
        kept = json.loads(file.read_bytes())
        return Head(int(kept["count"]), str(kept["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def verify_file(path: Path, known: Iterable[Head]) -> Verdict:
    """Look at the whole chain of a database file; raises sqlite3.Error where it cannot be read."""
    with contextlib.closing(open_sync(path, read_only=True)) as connection:
        rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY seq")
        return verify(rows, known)


def _size(row: Mapping[str, Value]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str))


def _text(value: object) -> str:
    """A text that every reader can take: cut, and without halves of characters."""
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= TEXT else f"{text[:TEXT]}…"
    return text.encode("utf-8", "backslashreplace").decode()


def _value(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else _text(value)
    return _text(_json(value))


def _data(data: Mapping[str, object] | None) -> str | None:
    """JSON that is whole: data too long to keep is replaced by its length."""
    if data is None:
        return None
    text = _json(data)
    return text if len(text) <= DATA else _json({"left_out_characters": len(text)})


def _json(value: object) -> str:
    try:
        return json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):  # odd keys, a circle, too deep
        return json.dumps(f"a {type(value).__name__} that is no JSON")
