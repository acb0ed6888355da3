"""reporting.db is opened whatever happened to it: killed writers, damage, newer and older schemas."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.reporting import database, schema
from exporter.reporting.claim import Claim, DatabaseTaken, DatabaseUnwritable
from exporter.reporting.database import DatabaseRefused, prepare

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z

KILLED_WRITER = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 10")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE fills SET venue = 'half written'")
db.execute("DELETE FROM decisions")
print("spilled", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def made(path: Path, fills: int = 0) -> Path:
    """A database of this version with fills of bot arb."""
    prepare(path, NOW)
    rows = [("arb", 1, number, "kalshi", "x" * 300) for number in range(1, fills + 1)]
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executemany(
            "INSERT INTO fills (bot, generation, id, venue, metadata_json) VALUES (?,?,?,?,?)", rows
        )
        db.commit()
    return path


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def test_a_new_database_has_the_tables_the_version_and_our_mark(tmp_path: Path) -> None:
    path = tmp_path / "data" / "reporting.db"
    path.parent.mkdir()
    assert prepare(path, NOW) == database.Prepared(None, None)
    assert ask(path, "PRAGMA user_version") == [(schema.VERSION,)]
    assert ask(path, "PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    names = {row[0] for row in ask(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"fills", "equity_minute", "bots", "settings", "events"} <= names


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=3)
    before = path.read_bytes()
    assert prepare(path, NOW) == database.Prepared(None, None)
    assert path.read_bytes() == before


def test_what_a_killed_writer_left_is_rolled_back_first_thing(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=2_000)
    rows = ask(path, "SELECT * FROM fills")
    writer = subprocess.run([sys.executable, "-c", KILLED_WRITER, path], check=False, stdout=subprocess.PIPE)
    assert writer.returncode == -signal.SIGKILL
    journal = tmp_path / "reporting.db-journal"
    assert journal.stat().st_size > 0, "the writer left no hot journal, so this test shows nothing"
    assert prepare(path, NOW) == database.Prepared(None, None)
    assert not journal.exists()
    assert ask(path, "SELECT * FROM fills") == rows


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"this is not a database, " * 400, id="another file"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut in half"),
        pytest.param(lambda data: data[:8192] + os.urandom(len(data) - 8192), id="overwritten"),
    ],
)
def test_a_damaged_database_is_set_aside_by_name_and_a_new_one_begun(tmp_path: Path, damage: object) -> None:
    path = made(tmp_path / "reporting.db", fills=2_000)
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    broken = path.read_bytes()
    prepared = prepare(path, NOW)
    aside = tmp_path / "reporting.db.damaged-20231114T221320Z"
    assert prepared.set_aside is not None
    assert aside.name in prepared.set_aside
    assert aside.read_bytes() == broken
    assert ask(path, "SELECT count(*) FROM fills") == [(0,)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DROP TABLE daily_pnl", "table daily_pnl"),
        ("ALTER TABLE bots DROP COLUMN loss_cap", "table bots"),
        ("DROP INDEX fills_by_time", "index fills_by_time"),
        (
            "DROP TABLE cursors; CREATE TABLE cursors (bot TEXT, store TEXT, tbl TEXT, generation INTEGER,"
            " last_id, updated_at REAL, anchor TEXT, PRIMARY KEY (bot, tbl))",
            "table cursors",
        ),
    ],
)
def test_tables_that_are_not_those_of_their_version_are_said_once_and_set_aside(
    tmp_path: Path, change: str, what: str
) -> None:
    path = made(tmp_path / "reporting.db", fills=3)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(change)
    prepared = prepare(path, NOW)
    assert prepared.set_aside is not None
    assert f"{what} is not as it should be in schema {schema.VERSION}" in prepared.set_aside
    assert ask(tmp_path / "reporting.db.damaged-20231114T221320Z", "SELECT count(*) FROM fills") == [(3,)]
    assert prepare(path, NOW) == database.Prepared(None, None)


def test_what_a_database_has_besides_is_nobodys_concern(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE mine (a); CREATE INDEX my_own ON fills (venue)")
    assert prepare(path, NOW) == database.Prepared(None, None)


def test_two_damaged_databases_in_one_second_keep_names_of_their_own(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "reporting.db").write_bytes(b"damaged" * 1000)
        prepare(tmp_path / "reporting.db", NOW)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "reporting.db",
        "reporting.db.damaged-20231114T221320Z",
        "reporting.db.damaged-20231114T221320Z-2",
    ]


def test_the_journal_goes_aside_with_its_database(tmp_path: Path) -> None:
    (tmp_path / "reporting.db").write_bytes(b"damaged" * 1000)
    (tmp_path / "reporting.db-journal").write_bytes(b"journal")
    aside = database.set_aside(tmp_path / "reporting.db", "old")
    assert aside.with_name("reporting.db.old-journal").read_bytes() == b"journal"
    assert not (tmp_path / "reporting.db-journal").exists()


def test_a_newer_schema_is_refused_with_what_to_do_and_left_as_it_is(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=1)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match=r"newer version.*run that version, or restore"):
        prepare(path, NOW)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "reporting.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match="another program's database"):
        prepare(path, NOW)
    assert path.read_bytes() == before


def test_an_older_schema_is_migrated_after_a_copy_of_it_was_kept(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=5)
    steps = {
        1: "CREATE TABLE bars (bot TEXT, at REAL);",
        2: "ALTER TABLE bars ADD COLUMN close REAL;",
    }
    prepared = prepare(path, NOW, version=3, migrations=steps)
    copy = tmp_path / "reporting.db.schema-1-20231114T221320Z"
    assert prepared.migrated is not None
    assert copy.name in prepared.migrated
    assert ask(path, "PRAGMA user_version") == [(3,)]
    assert [row[1] for row in ask(path, "PRAGMA table_info(bars)")] == ["bot", "at", "close"]
    assert ask(path, "SELECT * FROM fills") == ask(copy, "SELECT * FROM fills")
    assert ask(copy, "PRAGMA user_version") == [(1,)]


def test_a_migration_that_fails_leaves_the_step_before_it(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=5)
    steps = {1: "CREATE TABLE bars (bot TEXT);", 2: "CREATE TABLE more (a); CREATE TABLE bars (again);"}
    with pytest.raises(DatabaseUnwritable, match="bars already exists"):
        prepare(path, NOW, version=3, migrations=steps)
    assert ask(path, "PRAGMA user_version") == [(2,)]
    assert ask(path, "SELECT count(*) FROM sqlite_master WHERE name = 'more'") == [(0,)]


def test_a_stop_ends_a_copy_and_leaves_no_half_of_one(tmp_path: Path) -> None:
    path = made(tmp_path / "reporting.db", fills=5)
    with pytest.raises(DatabaseUnwritable, match="the program stopped"):
        prepare(path, NOW, version=2, migrations={1: "CREATE TABLE bars (bot TEXT);"}, stop=lambda: True)
    assert [item.name for item in tmp_path.iterdir()] == ["reporting.db"]
    assert ask(path, "PRAGMA user_version") == [(1,)]


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "reporting.db").mkdir()
    with pytest.raises(DatabaseUnwritable, match=r"reporting\.db cannot be used"):
        prepare(tmp_path / "reporting.db", NOW)


async def test_the_writing_connection_keeps_what_it_commits(tmp_path: Path) -> None:
    db = await database.connect(made(tmp_path / "reporting.db"))
    try:
        found = [
            next(iter(await db.execute_fetchall(f"PRAGMA {name}")))[0]
            for name in ("journal_mode", "synchronous", "cache_spill")
        ]
    finally:
        await db.close()
    assert found == ["delete", 2, 0]


def test_only_one_process_may_write_and_the_next_may_after_it(tmp_path: Path) -> None:
    first, second = Claim(tmp_path / "reporting.db"), Claim(tmp_path / "reporting.db")
    first.take()
    with pytest.raises(DatabaseTaken, match="another exporter"):
        second.take()
    first.release()
    second.take()
    second.release()
