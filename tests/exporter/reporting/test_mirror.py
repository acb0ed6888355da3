"""Every row of a bot's stores is in the reporting database once, with what it became of."""

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from exporter.reporting import changes, mirror, schema, tables
from exporter.reporting.rollups import Rollups
from tests.exporter.reporting.keeping import running, until
from tests.exporter.reporting.mirroring import (
    NOON,
    STORE_OF,
    TABLES,
    Console,
    add,
    assert_rollups_agree,
    bots_store,
    decision,
    fill,
    intent,
    leg,
    mirroring,
    position,
    query,
)


@pytest.fixture
def stores(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "bot").mkdir()
    return {name: tmp_path / "bot" / f"{name}.db" for name in ("orders", "analytics")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reporting.db"


@pytest.fixture
def orders(stores: dict[str, Path]) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(bots_store(stores["orders"], "orders")) as connection:
        yield connection


@pytest.fixture
def analytics(stores: dict[str, Path]) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(bots_store(stores["analytics"], "analytics")) as connection:
        yield connection


async def test_a_recorded_session_is_mirrored_to_the_last_column(
    samples: Path, tmp_path: Path, path: Path
) -> None:
    names = {"orders": "arb_orders.db", "analytics": "analytics.db"}
    for name in names.values():
        shutil.copy(samples / "arb-session" / name, tmp_path / name)
    async with mirroring(path, {store: tmp_path / name for store, name in names.items()}) as console:
        for table in TABLES:
            assert console.rows(table) == console.sources(table), table
        assert len(console.rows("fills")) == 233
        assert {console.status(store) for store in names} == {"ok"}
        assert console.said("rows", "analytics") == (233 + 1855,)
        assert query(path, "SELECT count(*) FROM refused_rows") == [(0,)]
    await assert_rollups_agree(path)
    total = query(path, "SELECT round(sum(pnl), 6) FROM daily_pnl")
    assert total == query(tmp_path / "analytics.db", "SELECT round(sum(realized_pnl), 6) FROM fills")


async def test_rows_come_as_they_are_written_and_in_batches(
    path: Path,
    stores: dict[str, Path],
    orders: sqlite3.Connection,
    analytics: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for table in (tables.FILLS, tables.ORDER_INTENTS):
        monkeypatch.setattr(type(table), "batch", property(lambda _: 7))
    add(analytics, "fills", map(fill, range(1, 40)))
    add(orders, "order_intents", map(intent, range(1, 40)))
    async with mirroring(path, stores) as console:
        assert console.rows("fills") == console.sources("fills")
        add(analytics, "fills", map(fill, range(40, 61)))
        add(analytics, "decisions", map(decision, range(1, 30)))
        add(orders, "order_intents", map(intent, range(40, 61)))
        add(orders, "leg_executions", map(leg, range(40, 61)))
        await console.caught_up()
        for table in TABLES:
            assert console.rows(table) == console.sources(table), table
        assert console.said("rows, generation") == (89, 1)
        assert console.created[-1] == (NOON + 60 * 60 - 30, "intent-60")
    await assert_rollups_agree(path)


async def test_a_store_counts_as_read_once_all_of_it_was(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "SMALL", 7)
    monkeypatch.setattr(type(tables.FILLS), "batch", property(lambda _: 7))
    seen: list[tuple[object, ...]] = []
    add_up = Rollups.fills_added

    async def fills_added(sums: Rollups, db: aiosqlite.Connection, *what: Any) -> None:
        seen.extend(
            await db.execute_fetchall(
                "SELECT (SELECT count(*) FROM fills), last_read_at IS NOT NULL FROM sources"
                " WHERE store = 'analytics'"
            )
        )
        await add_up(sums, db, *what)

    monkeypatch.setattr(Rollups, "fills_added", fills_added)
    add(analytics, "fills", map(fill, range(1, 31)))
    async with mirroring(path, stores) as console:
        assert console.rows("fills") == console.sources("fills")
        assert console.said("last_read_at IS NOT NULL") == (1,)
    assert len(seen) > 2
    assert [whole for _, whole in seen] == [rows == 30 for rows, _ in seen]


async def test_after_a_clock_was_set_back_a_store_is_said_to_be_read_then(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection
) -> None:
    behind = 0.0
    async with mirroring(path, stores, clock=lambda: time.time() - behind) as console:
        behind = 3600.0
        await console.caught_up()
        (read_at,) = console.said("last_read_at")
        assert isinstance(read_at, float)
        assert read_at < time.time() - 3000


async def test_another_start_goes_on_where_the_last_one_ended(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection, analytics: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 10)))
    add(orders, "positions", map(position, range(1, 4)))
    async with mirroring(path, stores):
        pass
    add(analytics, "fills", map(fill, range(10, 20)))
    orders.execute(
        "UPDATE positions SET status = 'closed', closed_at = ? WHERE position_id = 'position-2'", (NOON,)
    )
    async with mirroring(path, stores) as console:
        for table in TABLES:
            assert console.rows(table) == console.sources(table), table
        assert console.said("rows, generation") == (19, 1)
    await assert_rollups_agree(path)


async def test_a_changed_intent_or_leg_is_seen_however_old_it_is(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "TAIL", 5)
    monkeypatch.setattr(changes, "SWEEP", 10)
    orders.execute("DROP INDEX idx_order_intents_status")  # so that only the sweep finds the old one
    add(orders, "order_intents", (intent(number, status="submitted") for number in range(1, 100)))
    add(orders, "leg_executions", (leg(number, status="pending") for number in range(1, 100)))
    async with mirroring(path, stores) as console:
        late = NOON + 1e6
        orders.execute(
            "UPDATE order_intents SET status='filled', updated_at=? WHERE intent_id='intent-3'", (late,)
        )
        orders.execute(
            "UPDATE leg_executions SET average_price=0.5, updated_at=? WHERE leg_id='leg-99'", (late,)
        )
        orders.execute(
            "UPDATE leg_executions SET status='filled', updated_at=? WHERE leg_id='leg-4'", (late,)
        )
        await until(lambda: console.rows("order_intents") == console.sources("order_intents"))
        await until(lambda: console.rows("leg_executions") == console.sources("leg_executions"))


async def test_a_change_that_says_a_slightly_older_time_than_one_that_was_seen_is_not_missed(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    add(orders, "order_intents", (intent(number, updated_at=NOON) for number in range(1, 5)))
    async with mirroring(path, stores) as console:
        orders.execute(
            "UPDATE order_intents SET status='failed', updated_at=? WHERE intent_id='intent-1'", (NOON + 60,)
        )
        await console.caught_up()
        orders.execute(
            "UPDATE order_intents SET status='failed', updated_at=? WHERE intent_id='intent-2'", (NOON + 56,)
        )
        await console.caught_up()
        assert console.rows("order_intents") == console.sources("order_intents")


async def test_a_change_by_a_clock_that_was_set_back_is_not_missed(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    add(orders, "order_intents", map(intent, range(1, 50)))
    back = NOON - 3600.0
    async with mirroring(path, stores) as console:
        await console.caught_up()
        for number in (3, 4, 49):
            changed = (back + number, f"intent-{number}")
            orders.execute(
                "UPDATE order_intents SET status='failed', updated_at=? WHERE intent_id=?", changed
            )
            await until(lambda: console.rows("order_intents") == console.sources("order_intents"))


async def test_positions_are_followed_until_they_close_or_vanish(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    add(orders, "positions", map(position, range(1, 6)))
    async with mirroring(path, stores) as console:
        orders.execute(
            "UPDATE positions SET status='closed', closed_at=? WHERE position_id='position-1'", (NOON,)
        )
        orders.execute("UPDATE positions SET net_contracts = 3 WHERE position_id = 'position-2'")
        orders.execute("DELETE FROM positions WHERE position_id = 'position-3'")
        await console.caught_up()
        found = {row[0]: row for row in console.rows("positions")}
        assert {key: found.pop(key)[7] for key in ("position-3",)} == {"position-3": "gone"}
        assert sorted(found.values()) == console.sources("positions")
        orders.execute(
            "UPDATE positions SET status='closed', closed_at=? WHERE position_id='position-4'", (NOON,)
        )
        await console.caught_up()
        assert [row[7] for row in console.rows("positions")] == ["closed", "open", "gone", "closed", "open"]


async def test_nothing_new_writes_nothing(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection, analytics: sqlite3.Connection
) -> None:
    add(orders, "order_intents", map(intent, range(1, 20)))
    add(orders, "positions", map(position, range(1, 20)))
    add(analytics, "fills", map(fill, range(1, 20)))
    async with mirroring(path, stores) as console:
        await console.caught_up()
        before, committed = path.read_bytes(), console.committed
        await console.caught_up()
        assert path.read_bytes() == before
        assert console.committed == committed


# Another store in the place of the one that was mirrored


def pairs(path: Path, table: str = "fills") -> list[tuple[object, ...]]:
    return query(path, f"SELECT generation, id FROM {table} ORDER BY generation, id")


async def test_a_store_that_begins_its_ids_anew_is_a_new_generation(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 6)))
    add(analytics, "decisions", map(decision, range(1, 6)))
    async with mirroring(path, stores) as console:
        history = console.rows("fills")
        analytics.close()
        for file in stores["analytics"].parent.glob("analytics.db*"):
            file.unlink()
        with contextlib.closing(bots_store(stores["analytics"], "analytics")) as another:
            add(another, "fills", map(fill, range(101, 109)))
            await console.caught_up()
            assert console.rows("fills", generation=1) == history
            assert console.rows("fills", generation=2) == console.sources("fills")
            assert console.said("generation, rows") == (2, 8)
            assert len(console.rows("decisions")) == 5
    await assert_rollups_agree(path)
    assert query(path, "SELECT sum(trades) FROM daily_pnl") == [(13,)]


async def test_a_store_set_back_to_an_older_copy_shares_its_beginning(
    path: Path,
    stores: dict[str, Path],
    analytics: sqlite3.Connection,
    orders: sqlite3.Connection,
    tmp_path: Path,
) -> None:
    add(analytics, "fills", map(fill, range(1, 7)))
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        analytics.backup(copy)
    add(analytics, "fills", map(fill, range(7, 11)))
    async with mirroring(path, stores) as console:
        for again in (200, 300):
            analytics.close()
            for file in stores["analytics"].parent.glob("analytics.db*"):
                file.unlink()
            shutil.copy(tmp_path / "copy.db", stores["analytics"])
            analytics = bots_store(stores["analytics"], "analytics")
            add(analytics, "fills", map(fill, range(again, again + 8)))
            await console.caught_up()
        analytics.close()
    expected = [(1, number) for number in range(1, 11)]
    expected += [(generation, number) for generation in (2, 3) for number in range(7, 15)]
    assert pairs(path) == expected
    await assert_rollups_agree(path)
    assert query(path, "SELECT sum(trades) FROM daily_pnl") == [(26,)]


async def test_purged_rows_stay_ours_and_begin_nothing_new(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 11)))
    async with mirroring(path, stores) as console:
        history = console.rows("fills")
        analytics.execute("DELETE FROM fills WHERE id <= 6")
        await console.caught_up()
        assert console.rows("fills") == history
        analytics.execute("DELETE FROM fills")
        await console.caught_up()
        add(analytics, "fills", map(fill, range(11, 15)))
        await console.caught_up()
        assert console.rows("fills") == history + console.sources("fills")
        assert console.said("generation") == (1,)
    await assert_rollups_agree(path)


async def test_a_store_that_was_moved_or_copied_goes_on(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 6)))
    async with mirroring(path, stores):
        pass
    analytics.close()
    moved = stores | {"analytics": stores["analytics"].with_name("moved.db")}
    shutil.copy(stores["analytics"], moved["analytics"])
    with contextlib.closing(bots_store(moved["analytics"], "analytics")) as connection:
        add(connection, "fills", map(fill, range(6, 9)))
        async with mirroring(path, moved) as console:
            assert console.rows("fills") == console.sources("fills")
            assert console.said("generation, path") == (1, str(moved["analytics"]))


async def test_orders_of_another_store_are_held_once_by_the_newest_that_had_them(
    path: Path,
    stores: dict[str, Path],
    orders: sqlite3.Connection,
    analytics: sqlite3.Connection,
    tmp_path: Path,
) -> None:
    add(orders, "order_intents", map(intent, range(1, 4)))
    add(orders, "positions", map(position, range(1, 4)))
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        orders.backup(copy)
    add(orders, "order_intents", map(intent, range(4, 7)))
    add(orders, "positions", map(position, range(4, 7)))
    async with mirroring(path, stores) as console:
        orders.close()
        for file in stores["orders"].parent.glob("orders.db*"):
            file.unlink()
        shutil.copy(tmp_path / "copy.db", stores["orders"])
        with contextlib.closing(bots_store(stores["orders"], "orders")) as back:
            add(back, "order_intents", [intent(50)])
            await console.caught_up()
            assert console.rows("order_intents", generation=2) == console.sources("order_intents")
            assert console.rows("positions", generation=2) == console.sources("positions")
            assert [row[0] for row in console.rows("order_intents", generation=1)] == [
                "intent-4",
                "intent-5",
                "intent-6",
            ]
            assert {row[7] for row in console.rows("positions", generation=1)} == {"gone"}


async def test_rows_with_equal_times_are_each_taken_once(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", (fill(1) for _ in range(5)))
    async with mirroring(path, stores) as console:
        add(analytics, "fills", (fill(1) for _ in range(5)))
        await console.caught_up()
        assert console.rows("fills") == console.sources("fills")
    await assert_rollups_agree(path)


# Rows and tables that are not as documented


async def test_a_row_that_cannot_be_taken_is_named_and_the_others_are_taken(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    with contextlib.closing(sqlite3.connect(stores["analytics"], isolation_level=None)) as glue:
        listed = ", ".join(name for name in TABLES["fills"].names if name != "id")
        glue.execute(f"CREATE TABLE fills (id INTEGER PRIMARY KEY, {listed})")
        wrong: list[dict[str, object]] = [
            {"realized_pnl": "n/a"},
            {"timestamp": None},
            {"slippage": float("inf")},
            {"fill_rate": float("nan")},
            {"venue": None},
            {"metadata_json": b"\xff\xfe"},
            {"timestamp": 1e15},
            {"realized_pnl": "0.5"},
        ]
        add(glue, "fills", [fill(1), *(fill(2, **other) for other in wrong), fill(3, filled_contracts=9.5)])
        add(glue, "fills", [fill(5)])
        glue.execute("UPDATE fills SET kind = CAST(x'6361666520e9' AS TEXT) WHERE id = 11")
        async with mirroring(path, stores) as console:
            assert [row[0] for row in console.rows("fills")] == [1, 10]
            assert console.rows("fills")[1][7] == 9.5
            refused = dict(query(path, "SELECT id, why FROM refused_rows WHERE tbl = 'fills' ORDER BY id"))
            assert refused == {
                2: "realized_pnl is text",
                3: "timestamp is missing",
                4: "slippage is out of range",
                5: "fill_rate is missing",
                6: "venue is missing",
                7: "metadata_json is blob",
                8: "timestamp is out of range",
                9: "realized_pnl is text",
                11: "kind is not UTF-8",
            }
            status, detail = console.said("status, detail")
            assert status == console.status("analytics") == "foreign"
            assert "9 rows cannot be taken: fills 2 (realized_pnl is text)" in str(detail)
            assert "lacks table decisions" in str(detail)
            add(glue, "fills", [fill(4)])
            await console.caught_up()
            assert len(console.rows("fills")) == 3
        async with mirroring(path, stores) as console:
            assert "9 rows cannot be taken" in console.words["analytics"].detail
    await assert_rollups_agree(path)


async def test_a_changing_row_is_taken_once_it_is_whole(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection
) -> None:
    with contextlib.closing(sqlite3.connect(stores["orders"], isolation_level=None)) as glue:
        listed = ", ".join(name for name in TABLES["order_intents"].names if name != "intent_id")
        glue.execute(f"CREATE TABLE order_intents (intent_id TEXT PRIMARY KEY, {listed})")
        add(glue, "order_intents", [intent(1), intent(2, contracts=None)])
        async with mirroring(path, stores) as console:
            assert [row[0] for row in console.rows("order_intents")] == ["intent-1"]
            assert "1 row cannot be taken" in console.words["orders"].detail
            glue.execute(
                "UPDATE order_intents SET contracts = 1, updated_at = updated_at + 9 WHERE contracts IS NULL"
            )
            await console.caught_up()
            assert [row[0] for row in console.rows("order_intents")] == ["intent-1", "intent-2"]
            await until(lambda: "cannot be taken" not in console.words["orders"].detail)


async def test_tables_that_are_not_as_documented_are_said_and_the_others_go_on(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection
) -> None:
    with contextlib.closing(sqlite3.connect(stores["orders"], isolation_level=None)) as glue:
        glue.executescript(
            "CREATE TABLE order_intents (intent_id, status);"
            f"CREATE TABLE leg_executions ({TABLES['leg_executions'].listed});"
            "CREATE TABLE positions (position_id TEXT PRIMARY KEY, intent_id, venue, market_id, side,"
            " net_contracts, average_entry, status, opened_at, closed_at, more)"
        )
        add(glue, "positions", [position(1)])
        async with mirroring(path, stores) as console:
            assert console.rows("positions") == console.sources("positions")
            status, detail = console.said("status, detail", "orders")
            assert status == "foreign"
            assert "column order_intents.contracts" in str(detail)
            assert "leg_executions.leg_id as PRIMARY KEY" in str(detail)


# Stores that come, go, and cannot be read


async def test_a_store_that_is_not_there_is_said_and_taken_when_it_appears(
    path: Path, stores: dict[str, Path]
) -> None:
    async with mirroring(path, stores) as console:
        assert console.said("status, rows, last_read_at") == ("missing", 0, None)
        stores["analytics"].touch()
        await console.caught_up()
        assert console.said("status") == ("empty",)
        stores["analytics"].write_bytes(b"no database at all, just text" * 9)
        await console.caught_up()
        assert console.said("status") == ("corrupt",)
        stores["analytics"].unlink()
        with contextlib.closing(bots_store(stores["analytics"], "analytics")) as connection:
            add(connection, "fills", map(fill, range(1, 4)))
            await console.caught_up()
            assert console.said("status, rows, generation") == ("ok", 3, 1)
            assert console.rows("fills") == console.sources("fills")


async def test_a_locked_store_holds_up_nobody_and_goes_on_afterwards(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    with contextlib.closing(bots_store(stores["analytics"], "analytics", wal=False)) as analytics:
        add(analytics, "fills", map(fill, range(1, 4)))
        async with mirroring(path, stores) as console:
            analytics.execute("BEGIN EXCLUSIVE")
            add(orders, "order_intents", [intent(1)])
            await console.caught_up()
            assert console.said("status") == ("locked",)
            assert console.rows("order_intents") == console.sources("order_intents")
            assert console.keeper.errors == 0
            analytics.execute("COMMIT")
            add(analytics, "fills", [fill(4)])
            await console.caught_up()
            assert console.said("status") == ("ok",)
            assert console.rows("fills") == console.sources("fills")


async def test_a_store_that_is_damaged_in_one_table_gives_the_others(
    path: Path, stores: dict[str, Path], orders: sqlite3.Connection
) -> None:
    with contextlib.closing(bots_store(stores["analytics"], "analytics", wal=False)) as analytics:
        add(analytics, "decisions", map(decision, range(1, 2000)))
        add(analytics, "fills", map(fill, range(1, 2000)))
        (root,) = analytics.execute("SELECT rootpage FROM sqlite_master WHERE name = 'fills'").fetchone()
    with stores["analytics"].open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xee" * 4096)
    async with mirroring(path, stores) as console:
        status, detail = console.said("status, detail")
        assert status == "corrupt"
        assert "damaged" in str(detail)
        assert console.rows("fills") == []
        assert console.rows("decisions") == console.sources("decisions")
        assert console.keeper.errors == 0


# The reporting database has its own troubles


async def test_a_batch_whose_sums_fail_is_read_again_and_taken_whole(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 10)))
    add(orders, "order_intents", map(intent, range(1, 10)))
    console = Console(path, stores)
    sums = console.rollups.fills_added
    failures = 0

    async def failing(db: aiosqlite.Connection, *what: object) -> None:
        nonlocal failures
        await sums(db, *what)  # type: ignore[arg-type]
        if failures < 3:
            failures += 1
            raise RuntimeError("nobody foresaw this")

    console.rollups.fills_added = failing  # type: ignore[method-assign]
    async with running(console.keeper):
        looking = asyncio.create_task(console.mirror.run())
        await until(lambda: failures == 3)
        await console.caught_up()
        assert console.rows("fills") == console.sources("fills")
        assert console.rows("order_intents") == console.sources("order_intents")
        looking.cancel()
    assert console.keeper.errors >= 3
    await assert_rollups_agree(path)


async def test_a_database_that_was_begun_anew_is_filled_from_the_start(
    path: Path, stores: dict[str, Path], analytics: sqlite3.Connection, orders: sqlite3.Connection
) -> None:
    add(analytics, "fills", map(fill, range(1, 10)))
    console = Console(path, stores)
    looking = asyncio.create_task(console.mirror.run())
    async with running(console.keeper):
        await console.caught_up()
    path.unlink()
    async with running(console.keeper):
        await until(path.exists)
        await console.caught_up()
        assert console.rows("fills") == console.sources("fills")
    looking.cancel()
    await assert_rollups_agree(path)


def test_every_mirrored_table_has_the_columns_of_the_bots_own(
    stores: dict[str, Path], orders: sqlite3.Connection, analytics: sqlite3.Connection, path: Path
) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(schema.DDL)
    for name, described in TABLES.items():
        bots = {"orders": orders, "analytics": analytics}[STORE_OF[name]]
        sql = f"SELECT name FROM pragma_table_info('{name}')"
        assert described.names == tuple(row[0] for row in bots.execute(sql))
        assert ("bot", "generation", *described.names) == tuple(row[0] for row in database.execute(sql))
    database.close()
