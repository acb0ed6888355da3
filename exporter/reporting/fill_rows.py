"""Which rows of `fills` a rollup sums, and what it takes from them: pieces of SQL that all rollups share.

A row whose time or result no ledger can mean (not a number, before 1970, after the year 3000, a trillion
dollars) is left out everywhere: one mad row must not make every sum infinite. Days and hours are those of
`timestamp` in UTC, which is also what the source's column `date` says.
"""

from __future__ import annotations

from typing import Final

# The plus signs keep SQLite from taking these for a way to find rows by an index.
TIMELY: Final = "+timestamp >= 0 AND +timestamp < 32503680000"
PLAUSIBLE: Final = f"{TIMELY} AND realized_pnl BETWEEN -1e12 AND 1e12"

NEW: Final = f"bot = :bot AND generation = :generation AND id > :after AND id <= :upto AND {PLAUSIBLE}"
"""The rows that a transaction added."""

SPAN: Final = f"bot = :bot AND timestamp >= :since AND timestamp < :until AND {PLAUSIBLE}"
"""The rows of a stretch of time, `:until` excluded."""

DAY: Final = "CAST(timestamp AS INTEGER) / 86400"
"""Days since 1970; `DATE` makes the text of them, once a group instead of once a row."""

DATE: Final = "date(day * 86400, 'unixepoch')"


def number(json: str, *paths: str) -> str:
    """SQL for the first number found at one of the paths of a JSON text; NULL where there is none."""
    found = ", ".join(
        f"CASE WHEN json_type({json}, '{path}') IN ('integer', 'real')"
        f" THEN json_extract({json}, '{path}') END"
        for path in paths
    )
    first = f"coalesce({found})" if len(paths) > 1 else found
    return f"CASE WHEN json_valid({json}) THEN {first} END"
