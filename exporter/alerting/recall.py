"""Reads once, from the audit trail, what an earlier run of this program told of alerts; a keeper's job."""

from __future__ import annotations

import json
from typing import Any, Final

import aiosqlite

from exporter.alerting.history import History
from exporter.alerts import HAD_SECONDS, Alerts
from exporter.fields import finite

MOST: Final = 5000
FAR: Final = 500_000
"""Of the newest events, so that a long audit trail does not hold up a start."""

_ROWS: Final = """
SELECT data FROM (
    SELECT seq, data FROM events WHERE kind = 'alert' AND data IS NOT NULL
    AND seq > (SELECT coalesce(max(seq), 0) FROM events) - ? ORDER BY seq DESC LIMIT ?
) ORDER BY seq
"""
_HAD: Final = "SELECT data, who, why, at FROM events WHERE at > ? AND kind = 'alert_had' ORDER BY seq"


class Recall:
    """Tells history and alerts what stands in the audit trail."""

    name: Final = "alerts"

    def __init__(self, history: History, alerts: Alerts) -> None:
        self._history = history
        self._alerts = alerts
        self._found: list[dict[str, Any]] = []
        self._had: list[tuple[dict[str, Any], str, str, float]] = []
        self._recalled = False

    def opened(self) -> None:
        """Another file knows nothing better than what is in memory."""

    def due(self, now: float) -> bool:
        """Until it was read once."""
        return not self._recalled

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Read; nothing is written."""
        rows = [_read(row[0]) for row in await db.execute_fetchall(_ROWS, (FAR, MOST))]
        self._found = [row for row in rows if row is not None]
        self._had = [
            (data, str(who), str(why), float(at))
            for raw, who, why, at in await db.execute_fetchall(_HAD, (now - HAD_SECONDS,))
            if (data := _read(raw)) is not None
        ]
        return False

    def committed(self) -> None:
        """Hand it on."""
        self._history.recalled(self._found)
        for data, who, why, at in self._had:
            if (fired_at := finite(data.get("fired_at"))) is not None:
                self._alerts.remember(str(data.get("fingerprint")), fired_at, who, why, at)
        self._found, self._had, self._recalled = [], [], True

    def rolled_back(self) -> None:
        """It is read again."""


def _read(data: str | None) -> dict[str, Any] | None:
    try:
        row = json.loads(data or "null")
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
