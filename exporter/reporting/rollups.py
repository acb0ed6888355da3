"""Keeps the sums of the reporting database true, in the transaction that writes the rows they sum.

    rollups = Rollups({bot: OperatorDay(tz, rolls_at)})
    await rollups.fills_added(db, bot, generation, after, last)      fills that this transaction inserted
    await rollups.decisions_added(db, bot, generation, after, last)  the same of decisions
    await rollups.intents_changed(db, bot, intent_ids)               intents or legs of theirs, new or changed
    await rollups.rewrite(db, bot, since, until)                     whole UTC days anew from their rows
    await rollups.days_changed(db, bot)                              operator's days, if kept otherwise so far

None of them begins or ends a transaction. Plain sums are added to from the new rows alone, so every row must
be told once, by the transaction that inserts it. What depends on the order of rows (equity and its drawdown)
is made anew for each minute that a row falls into. All generations of a bot's stores count together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import aiosqlite

from exporter.losscap import utc_day
from exporter.reporting import attribution, equity, sums
from exporter.reporting.days import DAY_SECONDS, OperatorDay

Parameters = Mapping[str, object]

TABLES: Final = (
    "equity_minute", "equity_hour", "equity_day", "daily_pnl", "lane_pnl", "bucket_pnl", "hourly_pnl",
    "slippage_histogram", "fill_rate_histogram", "decision_counts", "operator_daily_pnl",
)  # fmt: skip
"""Every table that is made of mirrored rows, and of nothing else."""

_TOUCHED_DAYS: Final = f"SELECT DISTINCT at / {DAY_SECONDS} FROM temp.touched_minutes"
_DELETE_DAYS: Final = (
    "DELETE FROM operator_daily_pnl WHERE bot = :bot AND starts_at < :until AND ends_at > :since"
)
_ONE_DAY: Final = """
INSERT OR REPLACE INTO operator_daily_pnl (bot, date, tz, starts_at, ends_at, pnl, trades, wins)
SELECT :bot, :date, :tz, :starts_at, :ends_at, sum(pnl), sum(fills), sum(wins)
FROM equity_minute WHERE bot = :bot AND at >= :starts_at AND at < :ends_at
HAVING count(*) > 0"""


class Rollups:
    """Knows each bot's operator's day; everything else is in the database."""

    def __init__(self, days: Mapping[str, OperatorDay]) -> None:
        self._days = days

    async def fills_added(
        self, db: aiosqlite.Connection, bot: str, generation: int, after: int, last: int
    ) -> None:
        """Count the fills with `after` < id ≤ `last`, each of them inserted by this transaction."""
        new = {"bot": bot, "generation": generation, "after": after, "upto": last}
        lanes = attribution.fold(await _generations(db, bot))
        for statement in (*equity.FOLD, *sums.FOLD_FILLS, lanes):
            await _run(db, statement, new)
        for (day,) in await db.execute_fetchall(_TOUCHED_DAYS):
            await self._operator_days(db, bot, day * DAY_SECONDS, (day + 1) * DAY_SECONDS)

    async def decisions_added(
        self, db: aiosqlite.Connection, bot: str, generation: int, after: int, last: int
    ) -> None:
        """Count the decisions with `after` < id ≤ `last`, each of them inserted by this transaction."""
        for statement in sums.FOLD_DECISIONS:
            await _run(db, statement, {"bot": bot, "generation": generation, "after": after, "upto": last})

    async def intents_changed(self, db: aiosqlite.Connection, bot: str, intents: Iterable[str]) -> None:
        """Attribute anew the days on which fills of these intents were mirrored before them."""
        if not list(await db.execute_fetchall("SELECT 1 FROM fills WHERE bot = :bot LIMIT 1", {"bot": bot})):
            return
        generations = await _generations(db, bot)
        changed = {"bot": bot, "intents": json.dumps(sorted(intents))}
        for (day,) in list(await db.execute_fetchall(attribution.late(generations), changed)):
            for statement in attribution.rewrite(generations):
                await _run(db, statement, _whole_days(bot, day, day + 1))

    async def rewrite(self, db: aiosqlite.Connection, bot: str, since: float, until: float) -> None:
        """Make everything of the UTC days that overlap a stretch of time anew from its rows."""
        first, end = int(since // DAY_SECONDS), -int(-until // DAY_SECONDS)
        span = _whole_days(bot, first, end)
        lanes = attribution.rewrite(await _generations(db, bot))
        for statement in (*equity.REWRITE, *sums.REWRITE, *lanes):
            await _run(db, statement, span)
        await _run(db, _DELETE_DAYS, span)
        await self._operator_days(db, bot, first * DAY_SECONDS, end * DAY_SECONDS)

    async def days_changed(self, db: aiosqlite.Connection, bot: str) -> bool:
        """Make the operator's days anew if they were kept by another setting; returns whether they were."""
        rows = await db.execute_fetchall(
            "SELECT date, tz, starts_at, ends_at FROM operator_daily_pnl WHERE bot = :bot", {"bot": bot}
        )
        day = self._day(bot)
        if all(
            (*_bounds(day, starts), day.tz) == (date, starts, ends, tz) for date, tz, starts, ends in rows
        ):
            return False
        await _run(db, "DELETE FROM operator_daily_pnl WHERE bot = :bot", {"bot": bot})
        with_fills = await db.execute_fetchall("SELECT at FROM equity_day WHERE bot = :bot", {"bot": bot})
        for (at,) in list(with_fills):
            await self._operator_days(db, bot, at, at + DAY_SECONDS)
        return True

    async def _operator_days(self, db: aiosqlite.Connection, bot: str, since: float, until: float) -> None:
        """Sum the operator's days that overlap a stretch of time from the minutes, of which they are made."""
        day = self._day(bot)
        for span in day.spans(since, until):
            values = {"date": span.date, "tz": day.tz, "starts_at": span.starts_at, "ends_at": span.ends_at}
            await _run(db, _ONE_DAY, {"bot": bot, **values})

    def _day(self, bot: str) -> OperatorDay:
        return self._days.get(bot, OperatorDay())


def _bounds(day: OperatorDay, when: float) -> tuple[str, float, float]:
    span = day.at(when)
    return span.date, span.starts_at, span.ends_at


def _whole_days(bot: str, first: int, end: int) -> Parameters:
    """UTC days since 1970, `end` excluded, as parameters."""
    since, until = first * DAY_SECONDS, end * DAY_SECONDS
    return {"bot": bot, "since": since, "until": until, "first": utc_day(since), "end": utc_day(until)}


async def _generations(db: aiosqlite.Connection, bot: str) -> list[int]:
    return [row[0] for row in await db.execute_fetchall(attribution.GENERATIONS, {"bot": bot})]


async def _run(db: aiosqlite.Connection, statement: str, parameters: Any) -> None:
    await db.execute_fetchall(statement, parameters)
