"""Equity in buckets that can be joined: the SQL that computes minutes from fills, hours and days from those.

A bucket holds the sum of its results, the least and the most of the running sum inside it (its start at 0
included) and the largest fall from a peak inside it. Two neighbours a, b joined are
`pnl` a + b, `low` min(aₗ, a + bₗ), `high` max(aₕ, a + bₕ), `drawdown` max(a_d, b_d, aₕ − (a + bₗ)), so the
drawdown of any stretch is the same at every zoom. Rows count in the order (timestamp, generation, id),
whatever the order they came in.
"""

from __future__ import annotations

from typing import Final

from exporter.reporting.fill_rows import NEW, PLAUSIBLE, SPAN

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

_TOUCH: Final = """
INSERT OR IGNORE INTO temp.touched_minutes
SELECT CAST(timestamp AS INTEGER) / 60 * 60 FROM fills WHERE {rows}"""

_MINUTES: Final = f"""
INSERT OR REPLACE INTO equity_minute (bot, at, pnl, fills, wins, low, high, drawdown)
SELECT :bot, at, sum(realized_pnl), count(*), sum(realized_pnl > 0),
       min(0.0, min(running)), max(0.0, max(running)), max(peak - running)
FROM (
    SELECT at, realized_pnl, running, max(0.0, max(running) OVER so_far) AS peak
    FROM (
        SELECT at, timestamp, generation, id, realized_pnl, sum(realized_pnl) OVER so_far AS running
        FROM temp.touched_minutes CROSS JOIN fills
        WHERE bot = :bot AND timestamp >= at AND timestamp < at + {MINUTE} AND {PLAUSIBLE}
        WINDOW so_far AS (PARTITION BY at ORDER BY timestamp, generation, id ROWS UNBOUNDED PRECEDING)
    )
    WINDOW so_far AS (PARTITION BY at ORDER BY timestamp, generation, id ROWS UNBOUNDED PRECEDING)
)
GROUP BY at"""

_JOINED: Final = """
INSERT OR REPLACE INTO {coarse} (bot, at, pnl, fills, wins, low, high, drawdown)
WITH
    spans AS (SELECT DISTINCT at / {width} * {width} AS span FROM temp.touched_minutes),
    parts AS (
        SELECT span, {fine}.*, coalesce(sum(pnl) OVER earlier, 0.0) AS start
        FROM spans CROSS JOIN {fine}
        WHERE bot = :bot AND at >= span AND at < span + {width}
        WINDOW earlier AS (PARTITION BY span ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    falls AS (
        SELECT *, coalesce(max(start + high) OVER earlier, 0.0) - (start + low) AS fall
        FROM parts
        WINDOW earlier AS (PARTITION BY span ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
SELECT :bot, span, sum(pnl), sum(fills), sum(wins),
       min(start + low), max(start + high), max(max(drawdown), max(fall))
FROM falls
GROUP BY span"""

_JOIN: Final = (
    _JOINED.format(coarse="equity_hour", fine="equity_minute", width=HOUR),
    _JOINED.format(coarse="equity_day", fine="equity_hour", width=DAY),
)

BEGIN: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS touched_minutes (at INTEGER PRIMARY KEY)",
    "DELETE FROM temp.touched_minutes",
)

FOLD: Final = (*BEGIN, _TOUCH.format(rows=NEW), _MINUTES, *_JOIN)
"""Recomputes every bucket that new rows fall into; afterwards `temp.touched_minutes` holds the minutes."""

REWRITE: Final = (
    *BEGIN,
    *(
        f"DELETE FROM {table} WHERE bot = :bot AND at >= :since AND at < :until"
        for table in ("equity_minute", "equity_hour", "equity_day")
    ),
    _TOUCH.format(rows=SPAN),
    _MINUTES,
    *_JOIN,
)
"""The buckets of whole UTC days anew."""
