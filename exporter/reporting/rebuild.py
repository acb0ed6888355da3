"""Makes every rollup anew from the mirrored rows, and says whether what was there agreed with that.

Each UTC day of each bot is a transaction of its own, so a history of years can be rebuilt while pages read
it, and a rebuild that is interrupted leaves nothing half done. Counts must be equal; money and ratios count
as equal within a millionth of a dollar (or a billionth of the figure), because sums that grew row by row were
added in another order than fresh ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import aiosqlite

from exporter.losscap import utc_day
from exporter.reporting.days import DAY_SECONDS
from exporter.reporting.fill_rows import DAY, PLAUSIBLE, TIMELY
from exporter.reporting.rollups import TABLES, Rollups

ABSOLUTE: Final = 1e-6
RELATIVE: Final = 1e-9

_BY_TIME: Final = ("equity_minute", "equity_hour", "equity_day")
_OPERATOR: Final = "operator_daily_pnl"

Rows = Mapping[tuple[object, ...], tuple[object, ...]]
"""The rows of a table by their keys."""


@dataclass(slots=True)
class Compared:
    """How one table was: its rows now, how many of them were wrong, missing or too many, and by how much.

    `worst` is the largest difference of a figure that was there before and after; `example` the key of it,
    or of a row that was missing or too many.
    """

    table: str
    rows: int = 0
    differing: int = 0
    worst: float = 0.0
    example: str = ""

    @property
    def agreed(self) -> bool:
        """Whether every row was right before."""
        return not self.differing

    def __str__(self) -> str:
        """One line for people."""
        if self.agreed:
            return f"{self.table}: {self.rows} rows agreed"
        by = f", by {self.worst:.6g} at most" if self.worst else ""
        differed = f"{self.differing} of {self.rows} rows differed{by}, such as {self.example}"
        return f"{self.table}: {differed}; made anew"


async def rebuild(
    db: aiosqlite.Connection,
    rollups: Rollups,
    progress: Callable[[str, float], None] = lambda bot, share: None,
) -> tuple[Compared, ...]:
    """Rebuild all bots' rollups on a connection without an open transaction; a line for each table.

    `progress` is told the bot and the share of its days that are done, 0 to 1.
    """
    found = {table: Compared(table) for table in TABLES}
    for bot in await _bots(db):
        await _begin(db)
        before = await _rows(db, _OPERATOR, bot, None)
        await db.execute_fetchall("ROLLBACK")
        days = await _days(db, bot)
        for done, day in enumerate(days):
            progress(bot, done / len(days))
            await _rebuild_day(db, rollups, bot, day, found)
        _compare(found[_OPERATOR], before, await _rows(db, _OPERATOR, bot, None))
    return tuple(found.values())


async def _rebuild_day(
    db: aiosqlite.Connection, rollups: Rollups, bot: str, day: int, found: Mapping[str, Compared]
) -> None:
    tables = [table for table in TABLES if table != _OPERATOR]
    await _begin(db)
    try:
        before = {table: await _rows(db, table, bot, day) for table in tables}
        await rollups.rewrite(db, bot, day * DAY_SECONDS, (day + 1) * DAY_SECONDS)
        for table in tables:
            _compare(found[table], before[table], await _rows(db, table, bot, day))
    except BaseException:
        await db.execute_fetchall("ROLLBACK")
        raise
    await db.execute_fetchall("COMMIT")


async def _begin(db: aiosqlite.Connection) -> None:
    await db.execute_fetchall("BEGIN IMMEDIATE")


async def _bots(db: aiosqlite.Connection) -> list[str]:
    sources = " UNION ".join(f"SELECT DISTINCT bot FROM {table}" for table in ("fills", "decisions", *TABLES))
    return [row[0] for row in await db.execute_fetchall(f"{sources} ORDER BY bot")]


async def _days(db: aiosqlite.Connection, bot: str) -> list[int]:
    """The UTC days since 1970 that have a row or a rollup."""
    found = [
        f"SELECT {DAY} FROM fills WHERE bot = :bot AND {PLAUSIBLE}",
        f"SELECT {DAY} FROM decisions WHERE bot = :bot AND {TIMELY}",
        f"SELECT CAST(starts_at AS INTEGER) / {DAY_SECONDS} FROM {_OPERATOR} WHERE bot = :bot",
    ]
    for table in TABLES:
        if table in _BY_TIME:
            found.append(f"SELECT at / {DAY_SECONDS} FROM {table} WHERE bot = :bot")
        elif table != _OPERATOR:
            found.append(
                f"SELECT CAST(strftime('%s', date) AS INTEGER) / {DAY_SECONDS} FROM {table} WHERE bot = :bot"
            )
    rows = await db.execute_fetchall(f"{' UNION '.join(found)} ORDER BY 1", {"bot": bot})
    return [row[0] for row in rows]


async def _rows(db: aiosqlite.Connection, table: str, bot: str, day: int | None) -> Rows:
    """A table's rows of one bot and one UTC day, or of all days."""
    columns = list(await db.execute_fetchall(f"PRAGMA table_info({table})"))
    keys = [index for index, column in enumerate(columns) if column[5]]
    rest = [index for index, column in enumerate(columns) if not column[5]]
    where, parameters = "bot = :bot", {"bot": bot, "day": day}
    if day is not None and table in _BY_TIME:
        where += f" AND at >= :day * {DAY_SECONDS} AND at < (:day + 1) * {DAY_SECONDS}"
    elif day is not None:
        where += " AND date = :date"
        parameters["date"] = utc_day(day * DAY_SECONDS)
    rows = await db.execute_fetchall(f"SELECT * FROM {table} WHERE {where}", parameters)
    return {tuple(row[i] for i in keys): tuple(row[i] for i in rest) for row in rows}


def _compare(found: Compared, before: Rows, after: Rows) -> None:
    found.rows += len(after)
    for key in sorted({*before, *after}, key=str):
        wrong, by = _difference(before.get(key), after.get(key))
        found.worst = max(found.worst, by)
        if wrong:
            found.differing += 1
            found.example = found.example or " ".join(str(part) for part in key)


def _difference(before: Iterable[object] | None, after: Iterable[object] | None) -> tuple[bool, float]:
    """Whether two rows differ, and the largest difference between two of their figures."""
    if before is None or after is None:
        return True, 0.0
    wrong, worst = False, 0.0
    for was, now in zip(before, after, strict=True):
        if isinstance(was, float) and isinstance(now, float):
            worst = max(worst, abs(was - now))
            wrong = wrong or not math.isclose(was, now, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        else:
            wrong = wrong or was != now
    return wrong, worst
