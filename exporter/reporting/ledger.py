"""Computes what each bot's ledger says of the day, after what the mirror committed and at midnight UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import aiosqlite

from exporter import performance
from exporter.ledger import Ledger, LedgerFigures
from exporter.losscap import utc_day
from exporter.view import BotView

INTENTS: Final = 1_000
"""How many of the newest intents are looked through for one that filled; a longer row counts as this long."""

_OF_FILLS: Final = """
SELECT (SELECT sum(pnl) FROM daily_pnl WHERE bot = :bot AND date = :day),
       (SELECT sum(trades) FROM daily_pnl WHERE bot = :bot AND date = :day),
       (SELECT sum(pnl) FROM equity_day WHERE bot = :bot),
       (SELECT max(timestamp) FROM fills WHERE bot = :bot)"""
_STATUSES: Final = f"""
SELECT status FROM order_intents WHERE bot = :bot ORDER BY created_at DESC LIMIT {INTENTS}"""


async def read_figures(db: aiosqlite.Connection, bot: str, now: float) -> LedgerFigures:
    """The figures of a bot's ledger for the UTC day that `now` is in; a few rows, however long the ledger."""
    day = utc_day(now)
    ((pnl, trades, realized, newest),) = await db.execute_fetchall(_OF_FILLS, {"bot": bot, "day": day})
    statuses: list[str] = []
    async with db.execute(_STATUSES, {"bot": bot}) as rows:
        async for (status,) in rows:
            statuses.append(status)
            if status == performance.FILLED_STATUS:
                break
    failures = performance.consecutive_failures(statuses) if statuses else None
    if newest is None:
        return LedgerFigures(day, failures=failures)
    # What adding floats leaves would make another cent of half a cent than the bot and the pages do.
    pnl, realized = (round(amount or 0.0, 6) for amount in (pnl, realized))
    return LedgerFigures(day, pnl, trades or 0, realized, newest, failures)


class LedgerJob:
    """Keeps `view.ledger` of every bot true; stands behind the mirror in the keeper's list.

    `judged` is called for a view whose ledger was looked at anew: its breach latch may have changed.
    """

    name = "ledger"

    def __init__(self, views: Sequence[BotView], judged: Callable[[BotView], None]) -> None:
        self._views = {view.name: view for view in views}
        self._judged = judged
        self._day = ""
        self._news = set(self._views)
        self._kept: dict[str, dict[str, float]] = {}
        self._read: dict[str, LedgerFigures] = {}
        self._now = 0.0

    def news(self, bot: str) -> None:
        """Rows of this bot were committed."""
        self._news.add(bot)

    def store_kept(self, bot: str, store: str, at: float) -> None:
        """All that a store held at a time is in the database: counts once the figures are as new."""
        if bot in self._news:
            self._kept.setdefault(bot, {})[store] = at
        else:
            self._views[bot].ledger.kept[store] = at
            self._judge(self._views[bot], at)

    def opened(self) -> None:
        """Another file may be under the connection: nothing is known to be in it."""
        for view in self._views.values():
            view.ledger = Ledger()
        self._news = set(self._views)
        self._kept = {}

    def due(self, now: float) -> bool:
        """Whether something was committed, or another UTC day began."""
        return bool(self._news) or utc_day(now) != self._day

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Read the figures of the bots that have news; nothing is written."""
        bots = set(self._views) if utc_day(now) != self._day else set(self._news)
        self._read = {bot: await read_figures(db, bot, now) for bot in sorted(bots)}
        self._now = now
        return False

    def committed(self) -> None:
        """Show them."""
        self._day = utc_day(self._now)
        for bot, figures in self._read.items():
            view = self._views[bot]
            view.ledger.figures = figures
            view.ledger.kept.update(self._kept.pop(bot, {}))
            self._news.discard(bot)
            self._judge(view, self._now)

    def rolled_back(self) -> None:
        """Read them again."""
        self._read = {}

    def _judge(self, view: BotView, now: float) -> None:
        view.ledger_read(now)
        self._judged(view)
