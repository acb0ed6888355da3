"""Bots' stores as bots write them, and a mirror at work on them in a test."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from arb_bot import analytics_store, order_store
from exporter.reporting import database
from exporter.reporting.keeper import Keeper
from exporter.reporting.mirror import Mirror
from exporter.reporting.rebuild import rebuild
from exporter.reporting.rollups import Rollups
from exporter.reporting.tables import MIRRORED, Table
from exporter.reporting.taking import Word
from tests.exporter.reporting.keeping import LONGEST, PACE, running

BOT = "arb"
NOON = 1_794_657_600.0  # 2026-11-14 12:00:00 UTC
DDL = {"orders": order_store.DDL, "analytics": analytics_store.DDL}
TABLES: dict[str, Table] = {table.name: table for name in DDL for table in MIRRORED["arb", name]}
STORE_OF = {table.name: name for name in DDL for table in MIRRORED["arb", name]}


def bots_store(path: Path, name: str, *, wal: bool = True) -> sqlite3.Connection:
    """A bot's connection to a store of the documented schema, made where it is not there."""
    connection = sqlite3.connect(path, isolation_level=None)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(DDL[name])
    return connection


def add(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows in one transaction, as a bot would."""
    connection.execute("BEGIN")
    for row in rows:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    connection.execute("COMMIT")


def fill(number: int, **other: object) -> dict[str, object]:
    """A fill; every third is older than the one before, as settlements are."""
    at = NOON + 60.0 * number - (90.0 if number % 3 == 0 else 0.0)
    return {
        "timestamp": at,
        "date": analytics_store.utc_date(at),
        "intent_id": f"intent-{number}",
        "kind": ("cross_venue", "structural_bucket", "intra_venue")[number % 3],
        "market_key": f"kalshi/M{number % 5}:polymarket/P{number % 5}",
        "planned_contracts": 10,
        "filled_contracts": 10 - number % 2,
        "planned_edge": 0.02,
        "realized_pnl": round(random.Random(number).uniform(-1, 1), 6),
        "slippage": -0.001 * (number % 4),
        "fill_rate": 1.0 - (number % 2) / 10,
        "venue": "kalshi",
        "metadata_json": f'{{"match_key": "match-{number % 7}"}}',
    } | other


def decision(number: int, **other: object) -> dict[str, object]:
    at = NOON + 10.0 * number
    return {
        "timestamp": at,
        "date": analytics_store.utc_date(at),
        "kind": "cross_venue",
        "execution_style": "taker",
        "market_key": f"kalshi/M{number % 5}",
        "gross_edge": 0.03,
        "net_edge": 0.02,
        "contracts": 10,
        "capital_required": 9.7,
        "accepted": number % 2,
        "reject_reason": "" if number % 2 else f"market cooldown active (kalshi/M{number % 5})",
    } | other


def intent(number: int, **other: object) -> dict[str, object]:
    at = NOON + 60.0 * number - 30.0
    return {
        "intent_id": f"intent-{number}",
        "plan_json": '{"legs": []}',
        "kind": "cross_venue",
        "execution_style": "taker",
        "contracts": 10,
        "capital_required": 9.7,
        "capital_required_by_venue": '{"kalshi": 9.7}',
        "expected_profit": 0.2,
        "edge_per_contract": 0.02,
        "status": "filled",
        "total_filled": 10,
        "error": None,
        "created_at": at,
        "updated_at": at,
    } | other


def leg(number: int, **other: object) -> dict[str, object]:
    at = NOON + 60.0 * number - 30.0
    return {
        "leg_id": f"leg-{number}",
        "intent_id": f"intent-{number}",
        "leg_index": 0,
        "venue": "kalshi",
        "market_id": f"M{number % 5}",
        "side": "yes",
        "contracts": 10,
        "limit_price": 0.48,
        "status": "filled",
        "order_id": f"order-{number}",
        "filled_contracts": 10,
        "average_price": 0.48,
        "raw_json": '{"fee_micros": 1000}',
        "created_at": at,
        "updated_at": at,
    } | other


def position(number: int, **other: object) -> dict[str, object]:
    return {
        "position_id": f"position-{number}",
        "intent_id": f"intent-{number}",
        "venue": "kalshi",
        "market_id": f"M{number % 5}",
        "side": "yes",
        "net_contracts": 10,
        "average_entry": 0.48,
        "status": "open",
        "opened_at": NOON + 60.0 * number,
        "closed_at": None,
    } | other


def contents(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a folder with inode, time of writing and bytes, but the bytes of SQLite's shared memory,
    in which every reader marks that it reads."""
    found = {}
    for path in folder.iterdir():
        shared = path.name.endswith("-shm")
        seen = path.stat()
        found[path.name] = (
            seen.st_ino,
            0 if shared else seen.st_mtime_ns,
            b"" if shared else path.read_bytes(),
        )
    return found


def query(path: Path, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """All rows of a query, read as a page would."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
        return db.execute(sql, values).fetchall()


class Console:
    """Keeper, mirror and rollups at work on the stores of one bot."""

    def __init__(
        self,
        path: Path,
        stores: Mapping[str, Path],
        *,
        busy_seconds: float = 0.05,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.stores = dict(stores)
        self.looks = dict.fromkeys(stores, 0)
        self.words: dict[str, Word] = {}
        self.committed = 0
        self.created: list[tuple[float, str]] = []
        self.rollups = Rollups({})
        self.keeper = Keeper(path, pace=PACE, clock=clock)
        self.mirror = Mirror(
            [(BOT, "arb", self.stores)],
            self.rollups,
            self,
            self.keeper.wake,
            clock=clock,
            pace=PACE,
            busy_seconds=busy_seconds,
        )
        self.keeper.add(self.mirror)

    def news(self, bot: str) -> None:
        self.committed += 1

    def store_kept(self, bot: str, store: str, at: float) -> None:
        """As the mirror says when it has caught up; of no interest here."""

    def intent_created(self, bot: str, at: float, intent: str) -> None:
        self.created.append((at, intent))

    def store_seen(self, bot: str, store: str, word: Word, now: float) -> None:
        self.looks[store] += 1
        self.words[store] = word

    def status(self, store: str) -> str:
        return self.words[store].status

    async def caught_up(self) -> None:
        """Wait until each store was looked at from the beginning, and nothing more was to be written."""
        async with asyncio.timeout(LONGEST):
            quiet = 0
            while quiet < 3:  # the first look may have begun before, the second may bring more
                before, committed = dict(self.looks), self.committed
                while any(self.looks[store] == before[store] for store in self.looks):
                    await asyncio.sleep(PACE / 4)
                busy = self.mirror.due(0.0) or self.committed != committed
                quiet = 0 if busy else quiet + 1

    def rows(self, table: str, *, generation: int | None = None) -> list[tuple[object, ...]]:
        """Mirrored rows with the columns of the source, by key."""
        described = TABLES[table]
        where = "" if generation is None else f" AND generation = {generation}"
        sql = f"SELECT {described.listed} FROM {table} WHERE bot = '{BOT}'{where} ORDER BY {described.key}"
        return query(self.path, sql)

    def sources(self, table: str) -> list[tuple[object, ...]]:
        """The rows of a source table, by key."""
        described = TABLES[table]
        sql = f"SELECT {described.listed} FROM {table} ORDER BY {described.key}"
        return query(self.stores[STORE_OF[table]], sql)

    def said(self, columns: str, store: str = "analytics") -> tuple[object, ...]:
        """What the table `sources` says of a store now."""
        sql = f"SELECT {columns} FROM sources WHERE store = ? AND current = 1"
        (row,) = query(self.path, sql, (store,))
        return row


@asynccontextmanager
async def mirroring(
    path: Path, stores: Mapping[str, Path], clock: Callable[[], float] = time.time
) -> AsyncIterator[Console]:
    """A console that has caught up with the stores when the block begins."""
    console = Console(path, stores, clock=clock)
    async with running(console.keeper):
        looking = asyncio.create_task(console.mirror.run())
        try:
            await console.caught_up()
            yield console
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking


async def assert_rollups_agree(path: Path) -> None:
    """What is kept row by row equals what is made anew from the rows."""
    db = await database.connect(path)
    try:
        faults = [str(table) for table in await rebuild(db, Rollups({})) if not table.agreed]
    finally:
        await db.close()
    assert faults == []
