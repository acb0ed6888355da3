"""Whatever dies, is replaced, purged, locked or full: each row of a bot's stores is mirrored exactly once."""

import asyncio
import contextlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.exporter.reporting.mirroring import (
    STORE_OF,
    TABLES,
    add,
    assert_rollups_agree,
    bots_store,
    decision,
    fill,
    intent,
    leg,
    position,
    query,
)
from tests.stack.a_bot_that_writes import STORES
from tests.stack.processes import Program, free_port, python, wait_until

ADDED = ("fills", "decisions")
PATIENCE = 90.0  # seconds that anything here may take on a busy machine

Row = tuple[object, ...]


class Scene:
    """A bot that writes, an exporter that mirrors it, and what the bot's stores ever held."""

    def __init__(self, folder: Path, chance: random.Random, reporting: Path | None = None) -> None:
        self.folder = folder
        self.data = folder / "bot"
        self.data.mkdir()
        self.reporting = (reporting or folder / "console") / "reporting.db"
        self.chance = chance
        self.number = 1
        self.trading = 0
        self.held: dict[str, dict[Row, Row]] = {table: {} for table in TABLES}
        self.exporter: Program | None = None
        self.bot: Program | None = None
        self.config = folder / "exporter.yml"
        self.config.write_text(
            f"listen: {{host: 127.0.0.1, port: {free_port()}}}\n"
            f"reporting_db: {self.reporting}\n"
            "bots:\n"
            f"  - {{name: arb, kind: arb, port: {free_port()}, stores: {{orders: {self.store('orders')},"
            f" analytics: {self.store('analytics')}}}}}\n"
        )

    def store(self, name: str) -> Path:
        return self.data / STORES[name]

    # Programs

    def start_exporter(self) -> None:
        assert self.exporter is None
        command = python("-m", "exporter", "--config", self.config)
        self.exporter = Program(command, self.folder / "exporter.log")

    def kill_exporter(self) -> None:
        assert self.exporter is not None
        self.exporter.send(signal.SIGKILL)
        assert self.exporter.ended() == -signal.SIGKILL, self.exporter.said()
        self.exporter = None

    def start_bot(self) -> None:
        assert self.bot is None
        command = python("-m", "tests.stack.a_bot_that_writes", self.data, str(self.number))
        log = self.folder / "bot.log"
        self.bot = Program(command, log)
        self.trading += 1
        wait_until(lambda: log.read_text().count("trading") == self.trading, "the bot to trade", PATIENCE)

    def stop_bot(self, how: signal.Signals) -> None:
        """End the bot and note what its stores hold now."""
        assert self.bot is not None
        self.bot.send(how)
        self.bot.ended()
        self.bot = None
        self.remember()

    def close(self) -> None:
        for program in (self.bot, self.exporter):
            if program is not None:
                program.stop()

    # What is there, and what should be

    def source(self, table: str) -> list[Row]:
        described = TABLES[table]
        return query(self.store(STORE_OF[table]), f"SELECT {described.listed} FROM {table}")

    def remember(self) -> None:
        """Rows that are only added count by their content, others by their key in their last version.

        A position that was open when its store went away is `gone`.
        """
        self.held["positions"] = {
            key: (*row[:7], "gone", *row[8:]) if row[7] == "open" else row
            for key, row in self.held["positions"].items()
        }
        for table, held in self.held.items():
            held.update({row if table in ADDED else row[:1]: row for row in self.source(table)})
        if ids := [str(row[0]) for row in self.held["order_intents"].values()]:
            self.number = 1 + max(int(name.rpartition("-")[2]) for name in ids)

    def mirrored(self, table: str) -> list[Row]:
        return query(self.reporting, f"SELECT {TABLES[table].listed} FROM {table}")

    def difference(self) -> str:
        """The first table that differs from what the stores held, in a few words; empty for none."""
        for table, held in self.held.items():
            try:
                rows = self.mirrored(table)
            except sqlite3.Error as error:
                return f"{table}: {error}"
            wanted = set(held.values())
            if len(rows) != len(wanted) or set(rows) != wanted:
                return f"{table}: {len(rows)} rows of {len(wanted)}, {len(set(rows) ^ wanted)} differ"
        return ""

    def wait_for_mirror(self) -> None:
        """Until the mirror holds what the stores ever held: nothing twice, nothing missing."""
        try:
            wait_until(lambda: not self.difference(), "the mirror", PATIENCE)
        except TimeoutError:
            said = self.exporter.said() if self.exporter else ""
            raise AssertionError(f"{self.difference()}\n{said}") from None

    def fill_stores(self, rows: int) -> None:
        """A history that takes the mirror a while."""
        now = time.time() - 3 * 86_400
        numbers = range(self.number, self.number + rows)
        with contextlib.closing(bots_store(self.store("orders"), "orders")) as orders:
            at = {"created_at": now, "updated_at": now}
            add(orders, "order_intents", (intent(number, **at) for number in numbers))
            add(orders, "leg_executions", (leg(number, **at) for number in numbers))
            add(orders, "positions", (position(number, opened_at=now) for number in numbers))
        with contextlib.closing(bots_store(self.store("analytics"), "analytics")) as analytics:
            add(analytics, "fills", (fill(number, timestamp=now + number) for number in numbers))
            add(analytics, "decisions", (decision(number, timestamp=now + number) for number in numbers))
        self.remember()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, random.Random(tmp_path.name))
    try:
        yield scene
    finally:
        scene.close()


def check_rollups(scene: Scene) -> None:
    assert scene.exporter is not None
    scene.exporter.stop()
    scene.exporter = None
    asyncio.run(assert_rollups_agree(scene.reporting))


def check_kills(scene: Scene, kills: int) -> None:
    """Kill the exporter during its first mirror and later, the bot now and then with rows in its -wal."""
    scene.fill_stores(8_000)
    scene.start_bot()
    for number in range(kills):
        scene.start_exporter()
        assert scene.exporter is not None
        began = scene.chance.uniform(0.2, 0.5)  # a start takes half a second; then it opens and mirrors
        time.sleep(began + scene.chance.uniform(0, 1.5))
        scene.kill_exporter()
        if number % 3 == 1:
            scene.stop_bot(signal.SIGKILL)
            scene.start_bot()
    scene.start_exporter()
    time.sleep(1)
    scene.stop_bot(signal.SIGKILL)
    scene.wait_for_mirror()
    check_rollups(scene)


def test_an_exporter_killed_at_any_moment_mirrors_every_row_once(scene: Scene) -> None:
    check_kills(scene, kills=4)


@pytest.mark.soak
def test_an_exporter_killed_a_hundred_times_mirrors_every_row_once(scene: Scene) -> None:
    check_kills(scene, kills=100)


# What may happen to a store while the bot is down. Before each, the mirror has all that was there.


def remove(store: Path) -> None:
    for side in ("", "-wal", "-shm"):
        store.with_name(store.name + side).unlink(missing_ok=True)


def replaced(scene: Scene) -> None:
    """Both stores begin anew, with ids from 1."""
    for name in STORES:
        remove(scene.store(name))


def set_back(scene: Scene) -> None:
    """The analytics store is an older copy of itself."""
    store = scene.store("analytics")
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        rows = connection.execute("SELECT max(id) FROM fills").fetchone()[0] or 0
        kept = rows * 2 // 3
        connection.execute("DELETE FROM fills WHERE id > ?", (kept,))
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'fills'", (kept,))
        connection.commit()


def purged(scene: Scene) -> None:
    """Old rows of the analytics store are gone, once all of them."""
    with contextlib.closing(sqlite3.connect(scene.store("analytics"), isolation_level=None)) as connection:
        share = scene.chance.choice((0.3, 0.9, 1.0))
        for table in ADDED:
            top = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0
            connection.execute(f"DELETE FROM {table} WHERE id <= ?", (int(top * share),))


def moved(scene: Scene) -> None:
    """The stores are the same in other files."""
    for name in STORES:
        store = scene.store(name)
        copy = store.with_suffix(".copy")
        with contextlib.closing(sqlite3.connect(store)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(store, copy)
        remove(store)
        copy.replace(store)


def equal_times(scene: Scene) -> None:
    """Many fills of one moment."""
    with contextlib.closing(bots_store(scene.store("analytics"), "analytics")) as connection:
        now = time.time()
        add(connection, "fills", (fill(1, timestamp=now) for _ in range(50)))
    scene.remember()


INCIDENTS = (replaced, set_back, purged, moved, equal_times)


def check_incidents(scene: Scene, incidents: list[Callable[[Scene], None]]) -> None:
    """One incident after the other, with the exporter running or killed meanwhile."""
    scene.start_exporter()
    for incident in incidents:
        scene.start_bot()
        time.sleep(scene.chance.uniform(0.5, 1.5))
        scene.stop_bot(scene.chance.choice((signal.SIGTERM, signal.SIGKILL)))
        scene.wait_for_mirror()
        away = scene.chance.random() < 0.5
        if away:
            scene.kill_exporter()
        incident(scene)
        if incident is not replaced:
            scene.remember()
        if away:
            scene.start_exporter()
    scene.start_bot()
    time.sleep(1)
    scene.stop_bot(signal.SIGTERM)
    scene.wait_for_mirror()
    check_rollups(scene)


def test_a_store_that_is_replaced_set_back_purged_or_moved_is_mirrored_once(scene: Scene) -> None:
    check_incidents(scene, list(INCIDENTS))


@pytest.mark.soak
def test_a_hundred_incidents_with_a_store_leave_every_row_mirrored_once(scene: Scene) -> None:
    check_incidents(scene, [scene.chance.choice(INCIDENTS) for _ in range(100)])


# Locks, full disks, readers


def check_lock(scene: Scene, seconds: float) -> None:
    scene.fill_stores(200)
    scene.start_exporter()
    scene.wait_for_mirror()
    with contextlib.closing(sqlite3.connect(scene.store("analytics"), isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        add_one = fill(10_000, timestamp=time.time())
        marks = ", ".join("?" * len(add_one))
        holder.execute(f"INSERT INTO fills ({', '.join(add_one)}) VALUES ({marks})", tuple(add_one.values()))
        locked = "SELECT status FROM sources WHERE store = 'analytics' AND current = 1"
        wait_until(lambda: query(scene.reporting, locked) == [("locked",)], "the lock to be said", PATIENCE)
        time.sleep(seconds)
        assert query(scene.reporting, locked) == [("locked",)]
        holder.execute("COMMIT")
    scene.remember()
    scene.wait_for_mirror()
    wait_until(lambda: query(scene.reporting, locked) == [("ok",)], "the lock to be over", PATIENCE)
    check_rollups(scene)


def test_a_store_that_is_locked_for_a_while_is_said_to_be_and_mirrored_afterwards(scene: Scene) -> None:
    check_lock(scene, seconds=1)


@pytest.mark.soak
def test_a_store_that_is_locked_for_ten_seconds_is_mirrored_afterwards(scene: Scene) -> None:
    check_lock(scene, seconds=10)


@contextlib.contextmanager
def mounted(place: Path, *options: str) -> Iterator[Callable[..., None]]:
    """Something mounted at a place; call what is yielded to mount it again with other options."""
    place.mkdir(parents=True)

    def mount(*words: str) -> bool:
        done = subprocess.run(["mount", *words, str(place)], check=False, capture_output=True)
        return done.returncode == 0

    if not mount(*options):
        pytest.skip("only root may mount")
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_loses_nothing_and_the_mirror_goes_on_when_there_is_room(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    with mounted(place, "-t", "tmpfs", "-o", "size=3m", "tmpfs") as mount:
        scene = Scene(tmp_path, random.Random(1), reporting=place)
        try:
            scene.fill_stores(4_000)
            scene.start_exporter()
            wait_until(lambda: "disk is full" in scene.exporter.said(), "the full disk", PATIENCE)
            scene.kill_exporter()
            scene.start_exporter()
            time.sleep(1)
            assert mount("-o", "remount,size=64m")
            scene.wait_for_mirror()
            check_rollups(scene)
        finally:
            scene.close()


def test_readers_on_a_read_only_mount_recover_as_soon_as_the_exporter_is_back(scene: Scene) -> None:
    scene.reporting.parent.mkdir()
    place = scene.folder / "grafana"
    with mounted(place, "--bind", "-o", "ro", str(scene.reporting.parent)):
        mirror = place / scene.reporting.name

        def read() -> bool:
            with contextlib.suppress(sqlite3.OperationalError):
                return bool(query(mirror, "SELECT count(*) FROM sources"))
            return False

        scene.fill_stores(8_000)
        scene.start_bot()
        for _ in range(3):
            scene.start_exporter()
            wait_until(read, "a reader to read", PATIENCE)
            time.sleep(scene.chance.uniform(0, 0.6))
            scene.kill_exporter()
        scene.start_exporter()
        wait_until(read, "a reader to read again", PATIENCE)
        scene.stop_bot(signal.SIGTERM)
        scene.wait_for_mirror()
        assert query(mirror, "SELECT count(*) FROM fills") == [(len(scene.held["fills"]),)]
        check_rollups(scene)
