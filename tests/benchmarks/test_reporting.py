"""The figures of the reporting database, on a small ledger: what they measure happens, and is told from what
does not."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import ledgers, mirrored, queries, reporting
from benchmarks.engine_writer import EngineWriter, Watcher
from benchmarks.exporter_process import Exporter
from benchmarks.mirrored import BOT, Mirrored
from benchmarks.panel_queries import PanelQuery, panel_queries
from benchmarks.queries import RANGES, Cost

FILLS = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with pytest.MonkeyPatch.context() as patched:
        temporary = str(tmp_path_factory.mktemp("kept"))
        patched.setattr(ledgers.tempfile, "gettempdir", lambda: temporary)
        found = mirrored.mirrored(FILLS)
        yield found
        mirrored.mirrored.cache_clear()
        shutil.rmtree(found.folder)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rows(path: Path, sql: str) -> list[tuple]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def test_a_ledger_is_mirrored_to_the_last_row(made: Mirrored) -> None:
    assert made.rows > 8 * FILLS
    for store, tables in mirrored.TABLES.items():
        for table in tables:
            [(there,)] = rows(made.ledger / store, f"SELECT COUNT(*) FROM {table}")
            assert rows(made.path, f"SELECT COUNT(*) FROM {table} WHERE bot = '{BOT}'") == [(there,)]


def test_sums_of_the_reporting_database_are_those_of_the_ledger(made: Mirrored) -> None:
    by_day = (
        "SELECT date, kind, COUNT(*) AS n, SUM(realized_pnl) FROM fills GROUP BY date, kind ORDER BY 1, 2"
    )
    summed = f"SELECT date, kind, trades, pnl FROM daily_pnl WHERE bot = '{BOT}' ORDER BY 1, 2"
    expected, found = rows(made.ledger / "analytics.db", by_day), rows(made.path, summed)
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected])


def test_every_result_of_a_writing_engine_is_seen_once_with_its_lag(made: Mirrored) -> None:
    with (
        Exporter(stores=[made.ledger], folder=made.folder),
        EngineWriter(made.ledger, 400.0, seed=7) as writer,
        Watcher(made.path, writer) as watcher,
    ):
        wait_until(lambda: len(writer.written) >= 5)
        writer.stop()
        wait_until(lambda: len(watcher.lags) == len(writer.written))
    assert 0 < watcher.worst < 60
    watcher.lags.pop()
    assert watcher.worst == float("inf")


def test_readers_ask_every_query_and_say_what_failed(made: Mirrored, tmp_path: Path) -> None:
    with reporting.Readers(made.path, 400.0) as readers:
        wait_until(lambda: len(readers.times) >= 100)
    assert readers.errors == []
    with reporting.Readers(tmp_path / "nowhere.db", 100.0) as readers:
        wait_until(lambda: len(readers.errors) >= 2)


def test_a_backup_under_load_is_the_same_elsewhere_and_a_difference_would_show(
    made: Mirrored, tmp_path: Path
) -> None:
    with Exporter(stores=[made.ledger], folder=made.folder) as exporter:
        reporting.breach(exporter)
        figures = reporting.backed_up(made, FILLS)
    assert [figure.value for figure in figures[1:]] == [0.0]
    assert figures[0].value > 0

    other = tmp_path / "reporting.db"
    shutil.copy(made.path, other)
    missing_latch = 1
    assert reporting.lost(made.path, other) == missing_latch
    for latch in made.folder.glob("breach-*.json"):
        shutil.copy(latch, tmp_path)
    assert reporting.lost(made.path, other) == 0
    with sqlite3.connect(other) as db:
        db.execute("UPDATE fills SET realized_pnl = realized_pnl + 0.01 WHERE id = 7")
    assert reporting.lost(made.path, other) == 1


def test_every_query_of_every_page_is_timed_over_every_range(made: Mirrored) -> None:
    asked = panel_queries(BOT)
    assert {query.page for query in asked} >= {"Analytics", "Live"}
    found = queries.measure(made, asked, runs=1)
    assert found.keys() == {(query, name) for query in asked for name in RANGES}
    assert min(found.values()) > 0


def test_the_table_of_queries_has_a_line_a_query_the_slowest_first() -> None:
    def cost(name: str, small: float, large: float) -> Cost:
        return Cost(
            PanelQuery("Page", name, "SELECT 1"),
            {(size, each): ms for size, ms in ((10, small), (20, large)) for each in RANGES},
        )

    costs = [cost("quick", 1.1, 1.1), cost("slow", 2.1, 6.1)]
    lines = queries.written(costs, (10, 20), floor=0.1).splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["slow", "quick"]
    assert costs[1].growth(10, 20, below=0.1) == pytest.approx(6.1 / 2.1)
    assert costs[0].growth(10, 20, below=0.1) == pytest.approx(1.0)
    assert costs[1].growth(10, 20, below=5.0) == pytest.approx(6.1 / 5.0)
