"""The stores: the documented schema to the letter, nothing lost or overwritten, no trade unrecorded."""

import sqlite3
from pathlib import Path

import pytest

from arb_bot import StoreUnusable, StoreWriteFailed
from arb_bot.analytics_store import AnalyticsStore
from arb_bot.order_store import OrderStore
from arb_bot.recorder import RETRY_SECONDS, Recorder
from arb_bot.session import Stores
from arb_bot.sqlite_file import SqliteFile, insert
from tests.arb_bot.lab import Lab

TABLE = "CREATE TABLE IF NOT EXISTS notes (\n    text TEXT NOT NULL\n);"


def schema(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Columns by table and the indexes, as PRAGMA reports them."""
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as db:
        tables = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        described = {table: db.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}
        described["foreign keys"] = db.execute("PRAGMA foreign_key_list(leg_executions)").fetchall()
        described["indexes"] = db.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL ORDER BY 1"
        ).fetchall()
        return described


@pytest.mark.parametrize("name", ["arb_orders.db", "analytics.db"])
def test_the_schema_is_that_of_deployed_bots(name: str, samples: Path, tmp_path: Path) -> None:
    Stores.open(tmp_path).close()
    assert schema(tmp_path / name) == schema(samples / "arb-session" / name)


def test_the_stores_are_in_wal_mode_and_versioned(tmp_path: Path) -> None:
    stores = Stores.open(tmp_path)
    assert stores.empty
    assert stores.orders.file.read("PRAGMA journal_mode")[0][0] == "wal"
    assert stores.orders.file.read("PRAGMA synchronous")[0][0] == 1
    assert stores.orders.file.read("PRAGMA foreign_keys")[0][0] == 1
    assert [row[0] for row in stores.orders.file.read("SELECT * FROM schema_version")] == [1]
    stores.close()
    assert not list(tmp_path.glob("*-wal")), "a clean close leaves no sidecar"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("arb_orders.db", b"this is no database at all, not even close to one"),
        ("analytics.db", b"SQLite format 3\0" * 300),
    ],
)
def test_a_damaged_store_is_refused_and_left_as_it_is(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreUnusable, match=name):
        Stores.open(tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_a_store_damaged_inside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "analytics.db"
    store = AnalyticsStore(path)
    for index in range(400):
        row = {
            "timestamp": index,
            "date": "2026-01-01",
            "kind": "k",
            "execution_style": "taker",
            "market_key": "m" * 90,
        }
        numbers = dict.fromkeys(("gross_edge", "net_edge", "contracts", "capital_required", "accepted"), 0)
        store.file.write(insert("decisions", row | numbers))
    store.file.close()
    content = bytearray(path.read_bytes())
    content[-9000:-1000] = b"\xa5" * 8000
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match="left as it is"):
        AnalyticsStore(path)
    assert path.read_bytes() == content


def test_a_store_of_another_version_or_shape_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "arb_orders.db") as db:
        db.execute("CREATE TABLE positions (id INTEGER)")
    with pytest.raises(StoreUnusable, match="another table 'positions'"):
        OrderStore(tmp_path / "arb_orders.db")
    newer = tmp_path / "newer.db"
    OrderStore(newer).file.close()
    with sqlite3.connect(newer) as db:
        db.execute("UPDATE schema_version SET version = 2")
    with pytest.raises(StoreUnusable, match="schema version"):
        OrderStore(newer)


def test_a_locked_store_is_refused_at_start(tmp_path: Path) -> None:
    path = tmp_path / "analytics.db"
    AnalyticsStore(path).file.close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnusable, match="locked"):
        AnalyticsStore(path)
    holder.close()


def test_rows_that_a_full_disk_refuses_are_written_when_it_takes_them(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "notes.db", TABLE)
    heard: list[str] = []
    recorder = Recorder(file, heard.append)
    pages = file.read("PRAGMA page_count")[0][0]
    file.read(f"PRAGMA max_page_count={pages}")
    for index in range(3):
        recorder.write(insert("notes", {"text": f"{index}" * 9000}), now=float(index))
    assert not recorder.healthy
    with pytest.raises(StoreWriteFailed):
        recorder.must_write(insert("notes", {"text": "an order depends on this"}))
    assert len(heard) == 1, "said once"
    assert "full" in heard[0]
    file.read("PRAGMA max_page_count=1000")
    recorder.flush(2.0 + 2 * RETRY_SECONDS)
    assert recorder.healthy
    assert [row["text"][0] for row in file.read("SELECT text FROM notes ORDER BY rowid")] == ["0", "1", "2"]
    file.close()


@pytest.mark.parametrize("name", ["orders", "analytics"])
def test_a_store_that_fills_up_while_running_halts_trading_and_loses_nothing(lab: Lab, name: str) -> None:
    session = lab.start("1")
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 2 and not lab.working())
    file = (session.parts.orders if name == "orders" else session.parts.analytics)._file
    file.read(f"PRAGMA max_page_count={file.read('PRAGMA page_count')[0][0]}")
    lab.run_until(lambda: session.parts.kill.check().safe_mode_active, most=4 * 3600)
    placed = len(lab.placed())
    told = lab.states[-1]
    assert told["status"] == "killed"
    assert "full" in told["kill_switch"]["reason"]
    assert any("full" in error["message"] for error in told["recent_errors"])
    lab.run(3600)
    assert len(lab.placed()) == placed
    file.read("PRAGMA max_page_count=100000")
    lab.run(10)
    assert session.parts.orders.healthy
    assert session.parts.analytics.healthy
    realized = session.parts.portfolio.realized
    lab.end()
    stores = Stores.open(lab.folder)
    assert stores.analytics.realized() == realized
    stores.close()


def test_the_same_skip_is_not_written_every_cycle(lab: Lab) -> None:
    lab.start("1", ARB_MIN_EXPECTED_PROFIT_USD="5")
    lab.run(1800)
    pushed = [d for d in lab.decisions() if d["reason"] == "position_sizer_rejected"]
    lab.end()
    stores = Stores.open(lab.folder)
    written = stores.analytics.file.read(
        "SELECT COUNT(*) FROM decisions WHERE reject_reason = 'position_sizer_rejected'"
    )
    stores.close()
    different = {(d["kind"], d["match_key"]) for d in pushed}
    assert len(different) <= written[0][0] < len(pushed) / 2
