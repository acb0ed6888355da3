"""Reporting databases to ask the pages' statements of: empty, of the recorded session, of a real one."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiosqlite

from exporter.reporting import schema
from exporter.reporting.days import OperatorDay
from exporter.reporting.rollups import Rollups
from grafana.sql import alerts, control, freshness, intents, lanes, live, marks, performance, stores
from grafana.sql.statement import Statement
from tests.stack.processes import HOST, free_port, python, running

BOT = "arb"
MODULES: tuple[ModuleType, ...] = (
    alerts,
    control,
    freshness,
    intents,
    lanes,
    live,
    marks,
    performance,
    stores,
)
Row = dict[str, Any]

_STORES = {
    "analytics": ("fills", "decisions"),
    "arb_orders": ("order_intents", "leg_executions", "positions"),
}


FIGURES = (
    performance.net_pnl,
    performance.max_drawdown,
    performance.profit_factor,
    performance.expectancy,
    performance.fill_rate,
    performance.win_rate,
    performance.sharpe,
    performance.trade_size,
)
"""The tiles of Analytics, which are shown as now or as OLD."""


def statements() -> dict[str, Statement]:
    """Every statement, by module and function."""
    made: dict[str, Statement] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "") == module.__name__ and callable(value)
            if not own or name.startswith("_") or value in (alerts.named, alerts.episodes):
                continue
            whole = f"{module.__name__.rpartition('.')[2]}.{name}"
            if value in (control.changeable, control.fixed):
                categories = (*control.CATEGORIES, control.OTHERS)
                made |= {f"{whole} {category}": value(category) for category in categories}
            elif value in (freshness.while_read, freshness.when_it_was):
                made |= {f"{whole} {figure.__name__}": value(figure()) for figure in FIGURES}
            else:
                made[whole] = value()
    return made


def filled(
    text: str, begin: float, end: float, *, bot: str = BOT, lane: str = "kind", measure: str = "dollars"
) -> str:
    """The statement as the data source runs it: variables and range put in."""
    values = {
        "${bot:sqlstring}": "'" + bot.replace("'", "''") + "'",
        "${lane:sqlstring}": lane,
        "$measure": measure,
        "$__from": str(int(begin * 1000)),
        "$__to": str(int(end * 1000)),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    assert not re.search(r"\$[\w{]", text), text
    return text


class Ledger:
    """A reporting database that is asked as Grafana asks it: read-only, opened for each statement."""

    def __init__(self, path: Path, begin: float, end: float) -> None:
        self.path = path
        self.begin, self.end = begin, end

    def ask(
        self, made: Statement, begin: float | None = None, end: float | None = None, **chosen: str
    ) -> list[Row]:
        """The rows of a statement."""
        sql = filled(made.text, begin or self.begin, end or self.end, **chosen)
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as db:
            cursor = db.execute(sql)
            names = [column[0] for column in cursor.description]
            assert names == list(made.columns)
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def change(self, sql: str, values: Sequence[object] = ()) -> None:
        """Write something into it."""
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute(sql, values)

    def bot(self, now: float, **columns: object) -> None:
        """How the bot is, as the exporter writes it each second."""
        known: Mapping[str, object] = {
            "bot": BOT,
            "as_of": now,
            "connected": 1,
            "link_since": now - 60,
            "last_state_at": now - 1,
            "stale_after": 15.0,
            "mode": "paper",
            "last_mode": "paper",
            "simulated": 1,
            "tz": "UTC",
            "rolls_at": "00:00",
            **columns,
        }
        self.change(
            f"INSERT OR REPLACE INTO bots ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",
            list(known.values()),
        )


def empty(folder: Path, begin: float, end: float) -> Ledger:
    """A database with its tables and nothing in them."""
    path = folder / "reporting.db"
    with closing(sqlite3.connect(path)) as db:
        schema.create(db)
    return Ledger(path, begin, end)


def mirrored(folder: Path, stores_of_bot: Path, day: OperatorDay | None = None) -> Ledger:
    """A bot's two stores with the sums over them; both stay as they are."""
    copies = shutil.copytree(stores_of_bot, folder / "stores")
    with closing(sqlite3.connect(copies / "analytics.db")) as store:
        begin, end = store.execute("SELECT MIN(timestamp), MAX(timestamp) FROM fills").fetchone()
    ledger = empty(folder, begin - 86400, end + 60)
    asyncio.run(_mirror(ledger.path, copies, day or OperatorDay()))
    return ledger


async def _mirror(path: Path, copies: Path, day: OperatorDay) -> None:
    async with aiosqlite.connect(path, uri=True) as db:
        for store, tables in _STORES.items():
            await db.execute(f"ATTACH '{copies / f'{store}.db'}' AS {store}")
            for table in tables:
                columns = [row[1] for row in await db.execute_fetchall(f"PRAGMA {store}.table_info({table})")]
                names = ", ".join(columns)
                await db.execute(
                    f"INSERT INTO {table} (bot, generation, {names})"
                    f" SELECT ?, 1, {names} FROM {store}.{table}",
                    (BOT,),
                )
            seen = f"SELECT ?, ?, 1, 'ok', {_newest(store)}, {_newest(store)}, 1"
            await db.execute(
                "INSERT INTO sources (bot, store, generation, status, last_read_at, last_row_at, current) "
                + seen,
                (BOT, store.removeprefix("arb_")),
            )
        rollups = Rollups({BOT: day})
        await rollups.fills_added(db, BOT, 1, 0, 10**9)
        await rollups.decisions_added(db, BOT, 1, 0, 10**9)
        await db.commit()


def _newest(store: str) -> str:
    table, column = ("fills", "timestamp") if store == "analytics" else ("order_intents", "updated_at")
    return f"(SELECT MAX({column}) FROM {table} WHERE bot = '{BOT}')"


@contextmanager
def real_session(folder: Path, enough: Callable[[Ledger], object]) -> Iterator[Ledger]:
    """The database of a real exporter that watches a real bot, both running; ready when there is `enough`."""
    bot, exporter = free_port(), free_port()
    (folder / "bot").mkdir()
    path = folder / "reporting.db"
    settings = {
        "listen": {"host": HOST, "port": exporter},
        "reporting_db": str(path),
        "bots": [
            {
                "name": BOT,
                "kind": "arb",
                "host": HOST,
                "port": bot,
                "stores": {
                    "orders": str(folder / "bot" / "arb_orders.db"),
                    "analytics": str(folder / "bot" / "analytics.db"),
                },
            }
        ],
    }
    (folder / "exporter.yml").write_text(json.dumps(settings))
    where = ("--port", str(bot), "--data-dir", folder / "bot")
    how = ("--interval", "1", "--seed", "7", "--history-days", "1")
    ledger = Ledger(path, 0, 0)

    def ready() -> bool:
        try:
            return bool(enough(ledger))
        except sqlite3.Error:
            return False

    with (
        running(python("-m", "arb_bot", *where, *how), folder / "bot.log", lambda: True),
        running(
            python("-m", "exporter", "--config", folder / "exporter.yml"), folder / "exporter.log", ready
        ),
    ):
        yield ledger


def rows_of(db: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    return db.execute(sql).fetchall()


def by(rows: list[Row], key: str) -> dict[Any, Row]:
    return {row[key]: row for row in rows}


def cents(value: float) -> int:
    return round(value * 100)


def read(ledger: Ledger, status: str, at: float) -> None:
    """The store for fills was read last at a time, and found so."""
    ledger.change("DELETE FROM sources WHERE store = 'analytics'")
    ledger.change(
        "INSERT INTO sources (bot, store, generation, status, last_read_at, current)"
        " VALUES (?, 'analytics', 1, ?, ?, 1)",
        (BOT, status, at),
    )
