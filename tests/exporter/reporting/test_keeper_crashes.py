"""A keeper that is killed at any moment, or whose disk is full, loses nothing that it called committed."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.reporting.chain import Head, head_of
from exporter.reporting.database import prepare
from exporter.reporting.events import verify_file
from exporter.reporting.keeper import Keeper
from tests.exporter.reporting.keeping import Feed, rows, running, until

ROOT = Path(__file__).parents[3]
BATCH = 200

# Writes batches of rows and an event for each, and says each batch once it is on disk.
WRITER = f"""
import asyncio, sys
from pathlib import Path
from exporter.reporting.keeper import Keeper

class Batches:
    name = "batches"
    number = int(sys.argv[2])
    def opened(self): pass
    def due(self, now): return True
    async def write(self, db, now):
        await db.executemany("INSERT INTO feed (bot, cycle, detail) VALUES ('arb', ?, ?)",
                             [(self.number, "x" * 200)] * {BATCH})
        await db.execute_fetchall("UPDATE feed SET count = 1 WHERE cycle = ?", (self.number // 2,))
        return True
    def committed(self):
        print(self.number, flush=True)
        keeper.events.record("batch", what=str(self.number))
        self.number += 1
    def rolled_back(self): pass

keeper = Keeper(Path(sys.argv[1]), [Batches()], pace=0.02)
asyncio.run(keeper.run())
"""


def killed_after(path: Path, first: int, seconds: float) -> int:
    """Run the writer for so long after its first batch, kill it; the number after the last one it said."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path, str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline())]
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().splitlines()]
    assert writer.returncode == -signal.SIGKILL
    return said[-1] + 1


def check_kills(path: Path, kills: int, seed: int) -> None:
    """Kill the writer again and again: batches are whole, none that was said is missing, the chain holds."""
    chance = random.Random(seed)
    number, head = 1, Head()
    for _ in range(kills):
        number = killed_after(path, number, chance.uniform(0, 0.1))
        prepare(path, time.time())
        batches = dict(rows(path, "SELECT cycle, count(*) FROM feed GROUP BY cycle"))  # type: ignore[arg-type]
        assert set(range(1, number)) <= set(batches)
        assert set(batches.values()) == {BATCH}
        number = max(batches) + 1  # the last one may have been committed and not been said
        found = verify_file(path, [head])
        assert found.faults == []
        assert found.head.count >= head.count
        head = found.head
    assert head.count > 0


def test_a_writer_that_is_killed_leaves_whole_batches_and_a_whole_chain(tmp_path: Path) -> None:
    check_kills(tmp_path / "reporting.db", kills=3, seed=1)


@pytest.mark.soak
def test_a_writer_that_is_killed_a_hundred_times_leaves_whole_batches_and_a_whole_chain(
    tmp_path: Path,
) -> None:
    check_kills(tmp_path / "reporting.db", kills=100, seed=2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_on_a_full_disk_it_says_so_loses_nothing_and_comes_back_by_itself(small_disk: Path) -> None:
    path = small_disk / "reporting.db"
    job = Feed()
    async with running(Keeper(path, [job], pace=0.01)) as kept:
        job.pending = ["before"]
        await until(lambda: not job.pending)
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        job.pending = ["y" * 50_000, "after"]
        kept.events.record("kill", what="pressed while the disk was full")
        await until(lambda: kept.state == "unwritable" and job.undone > 1)
        assert "full" in kept.status or "disk" in kept.status
        assert [row[1] for row in rows(path)] == ["before"]
        ballast.unlink()
        await until(lambda: kept.state == "ok" and not job.pending and not kept.events.pending)
    assert [row[1] for row in rows(path)] == ["before", "y" * 50_000, "after"]
    assert rows(path, "SELECT what FROM events") == [("pressed while the disk was full",)]


async def test_it_begins_by_itself_when_a_full_disk_has_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    async with running(Keeper(small_disk / "reporting.db", pace=0.01)) as kept:
        await until(lambda: kept.state == "unwritable")
        ballast.unlink()
        await until(lambda: kept.state == "ok")


def test_a_known_head_is_read_as_the_log_writes_it() -> None:
    head = Head(7, "ab" * 32)
    assert head_of(str(head)) == head
