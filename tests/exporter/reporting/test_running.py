"""A running exporter keeps its reporting database, and watches on whatever that database is like."""

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path

from exporter.reporting import schema
from exporter.reporting.claim import Claim
from exporter.reporting.database import prepare
from exporter.reporting.events import head_file, kept_head, verify_file
from tests.exporter.program import LONGEST, exporter, free_port
from tests.exporter.reporting.keeping import rows
from tests.exporter.reporting.mirroring import add, bots_store, fill

OK = 'tradebot_exporter_reporting_state{state="ok"} 1'


def analytics(path: Path, fills: int) -> Path:
    """A bot's store with so many fills of 25 cents."""
    with contextlib.closing(bots_store(path, "analytics")) as db:
        add(db, "fills", (fill(number, realized_pnl=0.25) for number in range(1, fills + 1)))
    return path


async def test_it_says_how_its_database_is_and_ends_with_everything_written(tmp_path: Path) -> None:
    path = tmp_path / "data" / "reporting.db"
    async with exporter(tmp_path, free_port()) as running:
        metrics = await running.until("/metrics", OK)
        assert "tradebot_exporter_reporting_errors_total 0" in metrics
        code, log = await running.stop()
    assert code == 0
    assert "Traceback" not in log
    whats = [
        str(what) for (what,) in rows(path, "SELECT what FROM events WHERE kind = 'exporter' ORDER BY seq")
    ]
    assert whats[0].startswith("started, version ")
    assert whats[-1] == "stopped"
    found = verify_file(path, ())
    assert found.faults == []
    assert kept_head(head_file(path)) == found.head


async def test_one_that_is_killed_is_continued_by_the_next(tmp_path: Path) -> None:
    path, starts = tmp_path / "data" / "reporting.db", 3
    for start in range(1, starts + 1):
        async with exporter(tmp_path, free_port()) as running:
            await running.until("/metrics", OK)
            async with asyncio.timeout(LONGEST):
                while count(path, "events WHERE what LIKE 'started%'") < start:
                    await running.get("/metrics")
            await running.stop(signal.SIGKILL)
    assert verify_file(path, ()).faults == []


async def test_a_newer_database_leaves_everything_else_running_and_untouched_itself(tmp_path: Path) -> None:
    path = tmp_path / "data" / "reporting.db"
    path.parent.mkdir()
    prepare(path, 0.0)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = path.read_bytes()
    async with exporter(tmp_path, free_port()) as running:
        metrics = await running.until("/metrics", 'tradebot_exporter_reporting_state{state="refused"} 1')
        assert 'tradebot_connected{bot="arb"} 0' in metrics
        assert (await running.get("/")).status_code == 200
        code, log = await running.stop()
    assert code == 0
    assert "was written by a newer version of this program" in log
    assert path.read_bytes() == before


async def test_a_damaged_database_is_set_aside_and_the_wall_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data" / "reporting.db"
    path.parent.mkdir()
    path.write_bytes(b"damaged " * 1000)
    async with exporter(tmp_path, free_port()) as running:
        await running.until("/metrics", 'tradebot_exporter_reporting_state{state="set_aside"} 1')
        _, log = await running.stop()
    assert "set aside as reporting.db.damaged-" in log
    assert "python -m exporter restore FILE" in log
    assert len(list(path.parent.glob("reporting.db.damaged-*"))) == 1


async def test_where_nothing_can_be_written_it_watches_on(tmp_path: Path) -> None:
    unwritable = "reporting_db: /proc/no/reporting.db\n"
    async with exporter(tmp_path, free_port(), unwritable) as running:
        await running.until("/metrics", 'tradebot_exporter_reporting_state{state="unwritable"} 1')
        code, log = await running.stop()
    assert code == 0
    assert "Traceback" not in log


async def test_a_second_exporter_on_one_database_watches_and_leaves_the_writing_to_the_first(
    tmp_path: Path,
) -> None:
    claim = Claim(tmp_path / "data" / "reporting.db")
    claim.take()
    async with exporter(tmp_path, free_port()) as running:
        await running.until("/metrics", 'tradebot_exporter_reporting_state{state="unwritable"} 1')
        assert not (tmp_path / "data" / "reporting.db").exists()
        claim.release()
        await running.until("/metrics", OK)
        await running.stop()


async def test_metrics_answer_while_the_first_mirror_runs_and_a_stop_in_its_midst_loses_nothing(
    tmp_path: Path,
) -> None:
    fills, path = 40_000, tmp_path / "data" / "reporting.db"
    store = analytics(tmp_path / "analytics.db", fills)
    stores = f", stores: {{analytics: {store}}}"
    async with exporter(tmp_path, free_port(), of_bot=stores) as running:
        await running.until("/metrics", 'store="analytics",status="ok"} 1')
        code, log = await running.stop()
    assert code == 0
    assert "Traceback" not in log
    found = count(path, "fills")
    assert found <= fills
    async with exporter(tmp_path, free_port(), of_bot=stores) as running:
        async with asyncio.timeout(LONGEST):
            while count(path, "fills") < fills:
                await running.get("/metrics")
        await running.stop()
    assert rows(path, "SELECT sum(realized_pnl), count(DISTINCT id) FROM fills") == [(fills / 4, fills)]
    assert rows(path, "SELECT sum(pnl), sum(trades) FROM daily_pnl") == [(fills / 4, fills)]


def count(path: Path, what: str) -> int:
    """How many rows there are of what stands after FROM."""
    [(found,)] = rows(path, f"SELECT count(*) FROM {what}")
    assert isinstance(found, int)
    return found
