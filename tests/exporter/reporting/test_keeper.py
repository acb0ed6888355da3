"""The keeper writes what jobs have, and goes on whatever happens to the database, the disk or a job."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import aiosqlite
import pytest

from exporter.reporting import database, keeper, schema, transaction
from exporter.reporting.claim import Claim, backing_up
from exporter.reporting.database import prepare
from exporter.reporting.keeper import Keeper
from tests.exporter.reporting.keeping import PACE, Feed, rows, running, until


class Mirror(Feed):
    """A job that follows something."""

    behind_since: float | None = None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reporting.db"


async def test_jobs_write_in_turns_and_what_has_more_is_served_at_once(path: Path) -> None:
    a, b = Feed("a"), Feed("b")
    a.pending, b.pending = ["1", "2", "3"], ["1", "2"]
    async with running(Keeper(path, [a, b], pace=3600)) as kept:
        await until(lambda: not a.pending and not b.pending)
        assert (kept.state, kept.status, kept.errors) == ("ok", "", 0)
    assert rows(path) == [("a", "1"), ("b", "1"), ("a", "2"), ("b", "2"), ("a", "3")]


async def test_a_job_that_fails_costs_nobody_else_a_row_and_is_said_until_it_works(path: Path) -> None:
    bad, good = Feed("bad"), Feed("good")
    bad.pending, bad.fails = ["1"], RuntimeError("nobody foresaw this")
    async with running(Keeper(path, [bad, good], pace=PACE)) as kept:
        await until(lambda: bad.undone > 1)
        good.pending.append("1")
        await until(lambda: not good.pending)
        assert kept.state == "failing"
        assert kept.status == "bad: nobody foresaw this"
        assert kept.errors == bad.undone
        bad.fails = None
        await until(lambda: kept.state == "ok")
    assert rows(path) == [("good", "1"), ("bad", "1")]


async def test_a_job_that_hangs_is_given_up_and_the_others_go_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "JOB_SECONDS", 0.05)
    bad, good = Feed("bad"), Feed("good")
    bad.pending, bad.hangs, good.pending = ["1"], True, ["1"]
    async with running(Keeper(path, [bad, good], pace=PACE)) as kept:
        await until(lambda: not good.pending)
        assert kept.state == "failing"
    assert rows(path) == [("good", "1")]


async def test_lag_is_small_while_all_is_written_and_grows_while_something_waits(path: Path) -> None:
    now = [1000.0]
    job = Feed()
    async with running(Keeper(path, [job], clock=lambda: now[0], pace=PACE)) as kept:
        await until(lambda: kept.state == "ok")
        now[0] = 1010.0
        await until(lambda: kept.lag(1010.0) == 0)
        job.pending, job.fails = ["1"], sqlite3.OperationalError("no such column")
        await until(lambda: job.undone > 0)
        now[0] = 1025.0
        undone = job.undone
        await until(lambda: job.undone > undone + 1)
        assert kept.lag(1025.0) == 15


async def test_lag_counts_from_when_a_job_fell_behind_what_it_follows(path: Path) -> None:
    now = 1000.0
    job = Mirror()
    async with running(Keeper(path, [job], clock=lambda: now, pace=PACE)) as kept:
        await until(lambda: kept.state == "ok")
        assert kept.lag(now) == 0
        job.behind_since = 940.0
        assert kept.lag(now) == 60
        job.behind_since = None
        assert kept.lag(now) == 0


async def test_a_newer_database_is_refused_while_everything_goes_on_and_events_wait_for_a_usable_one(
    path: Path,
) -> None:
    path.parent.mkdir()
    prepare(path, 0.0)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    async with running(Keeper(path, pace=PACE)) as kept:
        await until(lambda: kept.state == "refused")
        assert "newer version" in kept.status
        kept.events.record("kill", bot="arb", what="pressed meanwhile")
        path.unlink()
        await until(lambda: kept.state == "ok" and not kept.events.pending)
    assert rows(path, "SELECT seq, kind, what FROM events") == [(1, "kill", "pressed meanwhile")]


async def test_a_second_exporter_on_the_same_database_is_told_so_and_takes_over_when_the_first_ends(
    path: Path,
) -> None:
    first = Claim(path)
    first.take()
    async with running(Keeper(path, pace=PACE)) as kept:
        await until(lambda: kept.state == "unwritable")
        assert "written by another exporter" in kept.status
        first.release()
        await until(lambda: kept.state == "ok")


async def test_a_damaged_database_at_the_start_is_said_and_recorded(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all " * 500)
    async with running(Keeper(path, pace=PACE)) as kept:
        await until(lambda: kept.state == "set_aside" and not kept.events.pending)
        assert "set aside as reporting.db.damaged-" in kept.status
    assert rows(path, "SELECT kind, severity FROM events") == [("reporting", "warning")]


async def test_damage_that_shows_while_it_runs_is_set_aside_and_jobs_are_told_of_the_new_file(
    path: Path,
) -> None:
    job = Feed()
    async with running(Keeper(path, [job], pace=PACE)) as kept:
        await until(lambda: job.opens == 1)
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        job.pending = ["x" * 100]
        await until(lambda: kept.state == "set_aside" and not job.pending)
        assert job.opens >= 2
    assert len(rows(path)) == 1


async def test_a_database_that_was_removed_under_it_is_begun_anew(path: Path) -> None:
    job = Feed()
    async with running(Keeper(path, [job], pace=PACE)):
        await until(lambda: job.opens == 1)
        path.unlink()
        job.pending = ["1"]
        await until(lambda: not job.pending and path.exists())
        assert job.opens == 2
    assert rows(path) == [("feed", "1")]


async def test_a_reader_that_takes_its_time_delays_a_commit_and_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(transaction, "COMMIT_TRIES", 2)
    job = Feed()
    async with running(Keeper(path, [job], pace=PACE)) as kept:
        await until(lambda: kept.state == "ok")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM feed").fetchall()
            job.pending = ["1"]
            await until(lambda: job.undone > 1)
            assert kept.state == "unwritable"
            reader.execute("ROLLBACK")
        await until(lambda: kept.state == "ok")
    assert rows(path) == [("feed", "1")]


async def test_while_a_backup_is_taken_nothing_is_written_and_afterwards_everything(path: Path) -> None:
    job = Feed()
    async with running(Keeper(path, [job], pace=PACE)) as kept:
        await until(lambda: kept.state == "ok" and kept.lag(kept._clock()) < 5)
        with backing_up(path):
            await asyncio.sleep(PACE * 5)  # a round that was under way
            job.pending = ["1"]
            await asyncio.sleep(PACE * 5)
            assert rows(path) == []
        await until(lambda: not job.pending)
    assert rows(path) == [("feed", "1")]


async def test_the_end_writes_what_still_waits(path: Path) -> None:
    job = Feed()
    async with running(Keeper(path, [job], pace=3600)) as kept:
        await until(lambda: kept.state == "ok" and kept.lag(kept._clock()) < 5)
        await asyncio.sleep(0.05)
        job.pending = ["the last row"]
    assert rows(path) == [("feed", "the last row")]


async def test_the_end_writes_what_people_did_and_rolls_back_what_takes_too_long(path: Path) -> None:
    job = Feed()
    async with running(Keeper(path, [job], pace=3600)) as kept:
        await until(lambda: kept.state == "ok")
        job.pending, job.hangs = ["half"], True
        kept.wake()
        await until(lambda: job.hangs and kept.events.pending == 0)
        await asyncio.sleep(0.05)
        kept.events.record("kill", what="the last thing")
    assert rows(path) == []
    assert job.undone == 2
    assert rows(path, "SELECT what FROM events") == [("the last thing",)]


async def test_the_end_waits_for_a_commit_that_is_under_way_and_writes_nothing_twice(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, committing, go_on = Feed(), asyncio.Event(), asyncio.Event()
    really = transaction._commit

    async def slow(db: aiosqlite.Connection) -> None:
        await really(db)
        if job.pending:
            committing.set()
            await go_on.wait()

    monkeypatch.setattr(transaction, "_commit", slow)
    kept = Keeper(path, [job], pace=3600)
    task = asyncio.create_task(kept.run())
    await until(lambda: kept.state == "ok")
    job.pending = ["1"]
    kept.wake()
    await committing.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (job.pending, job.undone) == ([], 0)
    assert rows(path) == [("feed", "1")]


async def test_it_can_be_stopped_while_it_opens(path: Path) -> None:
    async with running(Keeper(path, pace=PACE)):
        pass
    again = Claim(path)
    again.take()
    again.release()
