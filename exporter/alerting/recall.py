"""Reads once, from the audit trail, what an earlier run of this program told of alerts; a keeper's job."""

from __future__ import annotations

import json
from typing import Any, Final

import aiosqlite

from exporter.alerting.history import History

MOST: Final = 5000
FAR: Final = 500_000
"""Of the newest events, so that a long audit trail does not hold up a start."""

_ROWS: Final = """
SELECT data FROM (
    SELECT seq, data FROM events WHERE kind = 'alert' AND data IS NOT NULL
    AND seq > (SELECT coalesce(max(seq), 0) FROM events) - ? ORDER BY seq DESC LIMIT ?
) ORDER BY seq
"""


class Recall:
    """Tells the history what stands in the audit trail."""

    name: Final = "alerts"

    def __init__(self, history: History) -> None:
        self._history = history
        self._found: list[dict[str, Any]] = []
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
        return False

    def committed(self) -> None:
        """Hand it on."""
        self._history.recalled(self._found)
        self._found, self._recalled = [], True

    def rolled_back(self) -> None:
        """It is read again."""


def _read(data: str) -> dict[str, Any] | None:
    try:
        row = json.loads(data)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
