"""A bot's store is opened without a trace, or it is said why it cannot be read and what to do."""

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exporter import doctor_files
from exporter.reporting import sources
from exporter.reporting.sources import StoreTrouble, opened
from exporter.reporting.tables import MIRRORED
from tests.exporter.reporting.mirroring import add, bots_store, contents, fill, mirroring

# Writes rows and is killed with them in its -wal, as a bot that runs out of luck.
DIES = """
import os, signal, sys
from tests.exporter.reporting.mirroring import add, bots_store, fill
from pathlib import Path
store = bots_store(Path(sys.argv[1]), "analytics")
store.execute("PRAGMA wal_autocheckpoint = 0")
for number in range(1, 30):
    add(store, "fills", [fill(number)])
os.kill(os.getpid(), signal.SIGKILL)
"""

# Writes a row for each line that it is told, as a bot that runs.
WRITES = """
import sys
from tests.exporter.reporting.mirroring import add, bots_store, fill
from pathlib import Path
store = bots_store(Path(sys.argv[1]), "analytics")
for line in sys.stdin:
    add(store, "fills", [fill(int(line))])
    print("written", flush=True)
store.close()
"""

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def a_bot(path: Path) -> Iterator[Callable[[], None]]:
    """A process that holds a store open and writes one row when it is called."""
    command = [sys.executable, "-c", WRITES, path]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        numbers = itertools.count(1)

        def write() -> None:
            print(next(numbers), file=process.stdin, flush=True)
            assert process.stdout.readline() == "written\n"

        yield write


def count(path: Path) -> int:
    with opened(path, 0.05) as store:
        return int(store.connection.execute("SELECT count(*) FROM fills").fetchone()[0])


def how(path: Path) -> str:
    with opened(path, 0.05) as store:
        return store.how


def status(path: Path) -> str:
    """The status of a store that cannot be read; the doctor says the same sentence."""
    with pytest.raises(StoreTrouble) as raised:
        count(path)
    found = doctor_files.store("arb store", path, MIRRORED["arb", "analytics"])
    assert found.level != "PASS"
    assert (found.says, found.fix) == (str(raised.value), raised.value.fix)
    return raised.value.status


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    folder = tmp_path / "bot"
    folder.mkdir()
    return folder


@pytest.fixture
def hot(bot: Path) -> Path:
    """The store of a bot that was killed while all its rows were in the -wal."""
    store = bot / "analytics.db"
    killed = subprocess.run([sys.executable, "-c", DIES, store], check=False, cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert store.with_name("analytics.db-wal").stat().st_size > store.stat().st_size
    return store


@pytest.mark.parametrize("wal", [True, False])
def test_a_store_that_was_closed_cleanly_is_read_without_a_trace(bot: Path, wal: bool) -> None:
    with contextlib.closing(bots_store(bot / "analytics.db", "analytics", wal=wal)) as connection:
        add(connection, "fills", [fill(1)])
    before = contents(bot)
    assert list(before) == ["analytics.db"]
    assert count(bot / "analytics.db") == 1
    assert contents(bot) == before


def test_a_store_that_a_bot_holds_open_is_read_through_its_sidecars(bot: Path) -> None:
    with contextlib.closing(bots_store(bot / "analytics.db", "analytics")) as connection:
        add(connection, "fills", [fill(1)])
        before = contents(bot)
        assert count(bot / "analytics.db") == 1
        assert how(bot / "analytics.db") == "WAL with its sidecars"
        assert contents(bot) == before


def test_a_store_whose_bot_was_killed_is_read_with_all_that_is_in_its_wal(hot: Path) -> None:
    before = contents(hot.parent)
    assert count(hot) == 29
    assert contents(hot.parent) == before


def test_a_wal_that_lost_its_shared_memory_is_not_touched(hot: Path) -> None:
    hot.with_name("analytics.db-shm").unlink()
    before = contents(hot.parent)
    assert status(hot) == "wal_only"
    assert contents(hot.parent) == before


def test_what_is_read_without_locks_counts_only_if_nobody_wrote_meanwhile(bot: Path) -> None:
    path = bot / "analytics.db"
    bots_store(path, "analytics").close()
    with pytest.raises(StoreTrouble) as raised, opened(path), a_bot(path) as write:
        write()
    assert raised.value.status == "locked"
    assert count(path) == 1


def test_what_stands_in_a_stores_place_has_a_word(bot: Path) -> None:
    (bot / "empty.db").touch()
    (bot / "text.db").write_text("hello, this is no database" * 10)
    (bot / "cut.db").write_bytes(b"SQLite format 3\0" + b"\1" * 84)
    with contextlib.closing(sqlite3.connect(bot / "new.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with contextlib.closing(sqlite3.connect(bot / "other.db")) as connection:
        connection.execute("CREATE TABLE things (id)")
    before = contents(bot)
    expected = {
        "absent.db": "missing",
        "no/folder.db": "missing",
        "empty.db": "empty",
        "new.db": "empty",
        "text.db": "corrupt",
        "cut.db": "corrupt",
        ".": "unreadable",
        "text.db/x": "unreadable",
    }
    assert {name: status(bot / name) for name in expected} == expected
    with opened(bot / "other.db") as store:
        assert sources.all_lacking(store.connection, MIRRORED["arb", "analytics"]) == [
            "table fills",
            "table decisions",
        ]
    assert contents(bot) == before


def test_a_store_that_somebody_locks_is_locked_only_that_long(bot: Path) -> None:
    with contextlib.closing(bots_store(bot / "analytics.db", "analytics", wal=False)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert status(bot / "analytics.db") == "locked"
        connection.execute("COMMIT")
        assert count(bot / "analytics.db") == 0


def test_a_write_that_was_cut_short_needs_its_writer(bot: Path) -> None:
    with contextlib.closing(bots_store(bot / "live.db", "analytics", wal=False)) as connection:
        add(connection, "fills", map(fill, range(1, 200)))
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("UPDATE fills SET realized_pnl = 0, venue = 'x'")
        for suffix in ("", "-journal"):
            shutil.copy(bot / f"live.db{suffix}", bot / f"copy.db{suffix}")
        connection.execute("ROLLBACK")
    before = contents(bot)
    assert status(bot / "copy.db") == "read_only"
    assert contents(bot) == before


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; as nobody, permissions count."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("hidden", ["analytics.db", "analytics.db-wal"])
def test_a_store_of_another_user_is_unreadable_with_the_uid_to_use(hidden: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with contextlib.closing(bots_store(folder / "analytics.db", "analytics")):
            (folder / hidden).chmod(0)
            with as_nobody():
                assert status(folder / "analytics.db") == "unreadable"


# A mount that cannot be written


@contextlib.contextmanager
def read_only(folder: Path, place: Path) -> Iterator[Path]:
    """The folder at another place where nothing can be written; skips where it cannot be mounted."""
    place.mkdir()
    bound = subprocess.run(
        ["mount", "--bind", "-o", "ro", str(folder), str(place)], check=False, capture_output=True
    )
    if bound.returncode != 0:
        pytest.skip("only root may mount a folder read-only")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_closed_store_on_a_read_only_mount_is_read(bot: Path, tmp_path: Path) -> None:
    with contextlib.closing(bots_store(bot / "analytics.db", "analytics")) as connection:
        add(connection, "fills", [fill(1)])
    with read_only(bot, tmp_path / "mount") as mount:
        assert count(mount / "analytics.db") == 1


def test_the_store_of_a_running_bot_is_read_through_a_read_only_mount(bot: Path, tmp_path: Path) -> None:
    with a_bot(bot / "analytics.db") as write, read_only(bot, tmp_path / "mount") as mount:
        write()
        before = contents(bot)
        assert count(mount / "analytics.db") == 1
        assert contents(bot) == before
        write()
        assert count(mount / "analytics.db") == 2
        assert how(mount / "analytics.db") == "WAL with its sidecars"


def test_a_killed_bots_store_on_a_read_only_mount_is_read_or_said_to_need_its_writer(
    hot: Path, tmp_path: Path
) -> None:
    with read_only(hot.parent, tmp_path / "mount") as mount:
        before = contents(hot.parent)
        assert count(mount / "analytics.db") == 29
        assert contents(hot.parent) == before
        mounted = mount / "analytics.db"
    hot.with_name("analytics.db-shm").unlink()
    with read_only(hot.parent, tmp_path / "again") as mount:
        assert status(mount / mounted.name) == "wal_only"


async def test_the_mirror_leaves_a_bots_folder_as_it_was(bot: Path, tmp_path: Path) -> None:
    with contextlib.closing(bots_store(bot / "analytics.db", "analytics")) as connection:
        add(connection, "fills", map(fill, range(1, 50)))
    bots_store(bot / "orders.db", "orders").close()
    before = contents(bot)
    stores = {name: bot / f"{name}.db" for name in ("orders", "analytics")}
    async with mirroring(tmp_path / "reporting.db", stores) as console:
        assert len(console.rows("fills")) == 49
        await console.caught_up()
    assert contents(bot) == before


async def test_the_mirror_takes_what_a_killed_bot_left_in_its_wal(hot: Path, tmp_path: Path) -> None:
    before = contents(hot.parent)
    async with mirroring(tmp_path / "reporting.db", {"analytics": hot}) as console:
        assert len(console.rows("fills")) == 29
        assert console.status("analytics") == "ok"
    assert contents(hot.parent) == before
