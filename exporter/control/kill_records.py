"""Writes kills and what became of them to the reporting database, and tells the audit trail.

A job of the keeper; a kill is sent before anything is written, so rows wait here, bounded, until they are on
disk.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, Final

import aiosqlite

from exporter.control.kill import Stage
from exporter.control.kill_desk import News as KillNews
from exporter.reporting.news import News

log = logging.getLogger(__name__)

PENDING: Final = 1000

_KILL: Final = """
INSERT INTO kills (id, bot, venue, who, source, reason, drill, sent_at, acked_at, decided_at, state, rung,
    paths, detail, positions, unhedged, working_orders, rearmed_at, rearmed_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET acked_at = excluded.acked_at, decided_at = excluded.decided_at,
    state = excluded.state, rung = excluded.rung, paths = coalesce(excluded.paths, paths),
    detail = excluded.detail,
    positions = coalesce(excluded.positions, positions), unhedged = coalesce(excluded.unhedged, unhedged),
    working_orders = coalesce(excluded.working_orders, working_orders),
    rearmed_at = excluded.rearmed_at, rearmed_by = excluded.rearmed_by
"""


class KillRecords:
    """The kills of all bots; `told` is for their desks. `tell` is `EventLog.record`."""

    name: Final = "kills"

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._news = News(lambda kind, **told: tell(kind=kind, **told))
        self._rows: dict[str, tuple[object, ...]] = {}
        self._writing: dict[str, tuple[object, ...]] = {}

    def told(self, bot: str, news: KillNews) -> None:
        """Something happened to a kill, or one was found in its latch that nothing may be known of here."""
        identity = news.kill.order.id
        if len(self._rows) >= PENDING and identity not in self._rows:
            log.error("not written to the database: %s", self._rows.pop(next(iter(self._rows))))
        self._rows[identity] = _row(bot, news)
        event = _event(bot, news)
        if news.what == "stage":
            self._news.tell(group="the kill's stage", now=news.at, **event)
        elif news.what != "rearmed":  # who asked for that records it, with what became of it
            self._tell(**event)

    def opened(self) -> None:
        """Nothing is remembered of a file."""

    def due(self, now: float) -> bool:
        """Whether something is to be written."""
        self._news.tick(now)
        return bool(self._rows)

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write all that waits; it is little."""
        self._writing = dict(self._rows)
        await db.executemany(_KILL, list(self._writing.values()))
        return False

    def committed(self) -> None:
        """What was written and has not changed since need not be kept."""
        for identity, row in self._writing.items():
            if self._rows.get(identity) is row:
                del self._rows[identity]
        self._writing = {}

    def rolled_back(self) -> None:
        """Everything waits on."""
        self._writing = {}


def _row(bot: str, news: KillNews) -> tuple[object, ...]:
    kill, standing = news.kill, news.standing
    order, rearmed = kill.order, news.what == "rearmed"
    return (
        order.id,
        bot,
        order.venue,
        order.who,
        order.source,
        order.reason,
        order.drill,
        order.sent_at,
        kill.acked_at,
        kill.decided_at,
        str(kill.stage),
        None if kill.rung is None else str(kill.rung),
        json.dumps(dict(standing.delivered), sort_keys=True) if any(standing.delivered.values()) else None,
        kill.detail,
        standing.positions,
        standing.unhedged,
        standing.working_orders,
        news.at if rearmed else None,
        news.by if rearmed else None,
    )


def _event(bot: str, news: KillNews) -> dict[str, Any]:
    kill, standing = news.kill, news.standing
    order = kill.order
    name = ("drill" if order.drill else "kill") + (f" of {order.venue}" if order.venue else "")
    stage = f"{kill.stage.replace('_', ' ')}{f' ({kill.detail})' if kill.detail else ''}"
    what = {
        "pressed": f"{name} ordered",
        "kept": f"{name} goes on after a start of the console: {stage}",
    }.get(news.what, f"{name}: {stage}")
    if news.what == "kept" and order.drill:
        what = (
            f"{name} was cut short by a start of the console: {stage}; it stays killed until it is re-armed"
        )
    bad = news.what == "stage" and kill.stage in {Stage.NOT_VERIFIED, Stage.UNPROVEN}
    return {
        "kind": "kill",
        "bot": bot,
        "severity": "critical" if bad else "warning",
        "who": news.by or order.who,
        "source": order.source,
        "what": what,
        "why": news.why or order.reason,
        "answer": dict(standing.delivered),
        "proof": None if kill.rung is None else str(kill.rung),
        "latency": news.at - order.sent_at,
        "data": {
            "kill_id": order.id,
            "positions": standing.positions,
            "unhedged_usd": standing.unhedged,
            "working_orders": standing.working_orders,
        },
    }
