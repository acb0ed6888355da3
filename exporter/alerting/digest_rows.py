"""Reads from the reporting database what a daily digest says; in a thread, read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from exporter.alerting.digest import BotDay, Day
from exporter.reporting.days import OperatorDay, Span

LEDGER: Final = "analytics"
"""The store that holds a bot's fills."""

_BOT: Final = """
SELECT (SELECT simulated FROM bots WHERE bot = :bot),
       (SELECT last_read_at FROM sources WHERE bot = :bot AND store = :ledger AND current = 1),
       (SELECT count(*) FROM sessions WHERE bot = :bot AND coalesce(began, first_at) >= :since
            AND coalesce(began, first_at) < :until)"""
_PNL: Final = """
SELECT pnl, trades, wins FROM operator_daily_pnl
WHERE bot = :bot AND starts_at = :since AND ends_at = :until"""
# One that was told again because it fired on after all is the same alert.
_ALERTS: Final = """
SELECT name, count(*), sum(critical) FROM (
    SELECT substr(what, 1, length(what) - 7) AS name, max(severity = 'critical') AS critical FROM events
    WHERE at >= :since AND at < :until AND kind = 'alert' AND what LIKE '% firing'
    GROUP BY name, json_extract(data, '$.fingerprint'), json_extract(data, '$.fired_at')
) GROUP BY name"""
# Events that are news and no alerts, and starts of this program. Trades close together are one event.
_KINDS: Final = """
SELECT kind, sum(CASE kind WHEN 'trade' THEN coalesce(json_extract(data, '$.count'), 1) ELSE 1 END)
FROM events WHERE at >= :since AND at < :until
AND (kind IN ('trade', 'daily_high', 'cap_unset') OR (kind = 'exporter' AND what LIKE 'started%'))
GROUP BY kind"""
_KILLS: Final = """
SELECT coalesce(sum(drill = 0), 0), coalesce(sum(drill = 0 AND state NOT IN ('verified')), 0),
       coalesce(sum(drill = 1), 0) FROM kills WHERE sent_at >= :since AND sent_at < :until"""
_SETTINGS: Final = "SELECT count(*) FROM setting_changes WHERE at >= :since AND at < :until"
_HEAD: Final = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"
_FIRST: Final = "SELECT at FROM events ORDER BY seq LIMIT 1"
_SENT: Final = """
SELECT 1 FROM events WHERE at >= ? AND kind = 'digest' AND json_extract(data, '$.date') = ? LIMIT 1"""


def read(db: sqlite3.Connection, day: OperatorDay, span: Span, bots: Sequence[str]) -> Day:
    """One day of these bots; raises sqlite3.Error."""
    within = {"since": span.starts_at, "until": span.ends_at}
    alerts = db.execute(_ALERTS, within).fetchall()
    kinds = dict(db.execute(_KINDS, within).fetchall())
    starts = kinds.pop("exporter", 0)
    kills, unproven, drills = db.execute(_KILLS, within).fetchone()
    head = db.execute(_HEAD).fetchone() or (0, "")
    return Day(
        span,
        str(day),
        tuple(_bot(db, bot, within) for bot in bots),
        alerts={name: number for name, number, _ in alerts},
        critical=sum(critical for _, _, critical in alerts),
        kills=kills,
        unproven=unproven,
        drills=drills,
        settings=db.execute(_SETTINGS, within).fetchone()[0],
        console_starts=starts,
        noted=kinds,
        watched_from=_one(db, _FIRST),
        count=head[0],
        hash=head[1],
    )


def began(db: sqlite3.Connection) -> float | None:
    """When the first event was; raises sqlite3.Error."""
    at: float | None = _one(db, _FIRST)
    return at


def sent(db: sqlite3.Connection, span: Span) -> bool:
    """Whether the digest of a day was sent, which is never before it ended; raises sqlite3.Error."""
    return _one(db, _SENT, span.ends_at, span.date) is not None


def _bot(db: sqlite3.Connection, bot: str, within: dict[str, float]) -> BotDay:
    named = {"bot": bot, "ledger": LEDGER, **within}
    simulated, read_at, restarts = db.execute(_BOT, named).fetchone()
    pnl, trades, wins = db.execute(_PNL, named).fetchone() or (0.0, 0, 0)
    known = None if simulated is None else bool(simulated)
    return BotDay(bot, known, read_at, round(pnl or 0.0, 6), trades or 0, wins or 0, restarts)


def _one(db: sqlite3.Connection, query: str, *values: object) -> Any:
    row = db.execute(query, values).fetchone()
    return None if row is None else row[0]
