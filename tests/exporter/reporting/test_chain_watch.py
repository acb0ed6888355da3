"""The chain of events is followed in small pieces; a break is told once, and holds while it is there."""

import contextlib
import logging
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from exporter.reporting import chain_watch, database
from exporter.reporting.chain import COLUMNS, Head, digest
from exporter.reporting.chain_watch import KIND, PIECE, ChainWatch, look
from exporter.reporting.events import EventLog, verify_file
from tests.exporter.program import exporter, free_port
from tests.exporter.reporting.keeping import rows
from tests.exporter.reporting.test_events import NOW, copied, flush, written

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database.prepare(tmp_path / "reporting.db", NOW)
    return tmp_path / "reporting.db"


class Watched:
    """A watch with a clock of its own, and what it told."""

    def __init__(self, path: Path, **settings) -> None:
        self.now = NOW
        self.told: list[tuple[str, dict[str, object]]] = []
        self.watch = ChainWatch(path, self._record, clock=lambda: self.now, **settings)

    def _record(self, kind: str, **told: object) -> None:
        self.told.append((kind, told))

    async def through(self) -> int:
        """Look until there is no more; how many looks that took."""
        looks = 1
        while await self.watch.step():
            looks += 1
        return looks

    @property
    def broken(self) -> bool | None:
        return self.watch.broken(self.now)

    @property
    def reasons(self) -> list[object]:
        return [told["why"] for _, told in self.told]


def changed(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def filled(path: Path, count: int) -> None:
    """A whole chain of so many events, written faster than an exporter would."""
    head = ""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for seq in range(1, count + 1):
            row = dict.fromkeys(COLUMNS[:-2], "") | {
                "seq": seq,
                "at": NOW,
                "latency": None,
                "what": "x" * 200,
            }
            previous, head = head, digest(row, head)
            marks = ", ".join("?" * len(COLUMNS))
            db.execute(f"INSERT INTO events VALUES ({marks})", [*row.values(), previous, head])
        db.commit()


async def test_nothing_is_said_before_the_whole_chain_was_seen(path: Path) -> None:
    filled(path, 2 * PIECE + 1)
    watched = Watched(path)
    assert watched.broken is None
    assert await watched.watch.step()
    assert watched.broken is None
    assert await watched.through() == 2
    assert watched.broken is False
    assert watched.told == []


async def test_an_empty_chain_is_whole_and_no_file_says_nothing(path: Path, tmp_path: Path) -> None:
    watched, nowhere = Watched(path), Watched(tmp_path / "no.db")
    await watched.through()
    await nowhere.through()
    assert (watched.broken, nowhere.broken) == (False, None)
    assert not (tmp_path / "no.db").exists()


async def test_what_is_new_is_followed_from_where_the_last_look_ended(path: Path) -> None:
    log = await written(path, 3)
    watched = Watched(path)
    await watched.through()
    log.record("note", what="another")
    await flush(log, path)
    changed(path, "UPDATE events SET what = 'forged' WHERE seq = 2")  # read already
    assert await watched.through() == 1
    assert watched.broken is False
    changed(path, "UPDATE events SET what = 'forged' WHERE seq = 4")
    assert await watched.through() == 1
    assert watched.broken is False
    log.record("note", what="one more")
    await flush(log, path)
    changed(path, "UPDATE events SET what = 'forged' WHERE seq = 5")
    await watched.through()
    assert watched.broken is True
    assert watched.reasons == ["row 5 is not as it was written"]


async def test_a_day_later_all_of_it_is_looked_at_again(path: Path) -> None:
    await written(path, 3)
    watched = Watched(path)
    await watched.through()
    changed(path, "UPDATE events SET what = 'forged' WHERE seq = 2")
    watched.now += DAY - 1
    await watched.through()
    assert watched.broken is False
    watched.now += 1
    await watched.through()
    assert watched.broken is True
    assert watched.reasons == ["row 2 is not as it was written"]


async def test_a_clock_that_was_set_back_ends_no_daily_look_for_good(path: Path) -> None:
    await written(path, 3)
    watched = Watched(path)
    await watched.through()
    changed(path, "UPDATE events SET what = 'forged' WHERE seq = 2")
    watched.now -= 10 * DAY
    await watched.through()
    assert watched.broken is True


@pytest.mark.parametrize(
    ("done", "says"),
    [
        (["UPDATE events SET who = 'nobody' WHERE seq = 3"], "row 3 is not as it was written"),
        (["UPDATE events SET what = x'ff' WHERE seq = 3"], "row 3 is not as it was written"),
        (["UPDATE events SET what = CAST(x'ff' AS TEXT) WHERE seq = 3"], "row 3 is not as it was written"),
        (["UPDATE events SET latency = 9e999 WHERE seq = 3"], "row 3 is not as it was written"),
        (["DELETE FROM events WHERE seq = 3"], "row 3 is missing"),
        (["DELETE FROM events WHERE seq IN (2, 3)"], "rows 2 to 3 are missing"),
        (["DELETE FROM events WHERE seq = 3", copied(3, 2)], "row 3 does not follow the row before it"),
    ],
    ids=["changed", "bytes", "no text", "no number", "removed", "two removed", "put in"],
)
async def test_whatever_was_done_to_a_row_is_found(path: Path, done: list[str], says: str) -> None:
    await written(path, 5)
    changed(path, *done)
    watched = Watched(path)
    await watched.through()
    assert watched.broken is True
    assert len(watched.reasons) == 1
    assert str(watched.reasons[0]).startswith(says)


async def test_a_tail_that_is_cut_off_while_the_exporter_runs_is_found(path: Path) -> None:
    await written(path, 5)
    watched = Watched(path)
    await watched.through()
    changed(path, "DELETE FROM events WHERE seq > 3")
    await watched.through()
    assert watched.broken is True
    assert watched.reasons == ["row 5 was there and is gone: the tail was cut off"]


async def test_a_chain_that_was_made_anew_behind_the_exporters_back_is_found(path: Path) -> None:
    await written(path, 5)
    watched = Watched(path)
    await watched.through()
    changed(path, "DELETE FROM events")
    await written(path, 6)
    log = EventLog(path, lambda: NOW)
    changed(path, "DELETE FROM events")
    log.record("note", what="another history")
    for _ in range(5):
        log.record("note")
    await flush(log, path)
    await watched.through()
    assert watched.broken is True
    assert watched.reasons == ["row 5 was rewritten"]


async def test_another_file_in_its_place_is_another_chain(path: Path, tmp_path: Path) -> None:
    await written(path, 5)
    watched = Watched(path)
    await watched.through()
    database.prepare(tmp_path / "new.db", NOW)
    await written(tmp_path / "new.db", 2)
    (tmp_path / "new.db").replace(path)
    await watched.through()
    assert watched.broken is False
    assert watched.told == []


async def test_a_file_that_does_not_continue_the_known_chain_counts_as_broken(path: Path) -> None:
    await written(path, 5)
    changed(path, "DELETE FROM events WHERE seq > 3")
    log = EventLog(path, lambda: NOW)
    watched = Watched(path, discontinued=lambda: log.discontinued)
    await flush(log, path)
    await watched.through()
    assert watched.broken is True


async def test_a_break_is_one_event_across_restarts(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = await written(path, 5)
    changed(path, "UPDATE events SET what = 'forged' WHERE seq IN (2, 4)")
    watched = Watched(path)
    await watched.through()
    ((kind, told),) = watched.told
    log.record(kind, **told)  # type: ignore[arg-type]
    await flush(log, path)
    with caplog.at_level(logging.ERROR):
        again = Watched(path)
        await again.through()
    assert again.broken is True
    assert again.told == []
    assert "row 2 is not as it was written" in caplog.text
    assert rows(path, f"SELECT count(*) FROM events WHERE kind = '{KIND}'") == [(1,)]


async def test_a_break_that_is_mended_is_whole_again_at_the_next_whole_look(path: Path) -> None:
    await written(path, 5)
    changed(path, "UPDATE events SET who = 'nobody' WHERE seq = 3")
    watched = Watched(path)
    await watched.through()
    changed(path, "UPDATE events SET who = '' WHERE seq = 3")
    await watched.through()
    assert watched.broken is True
    watched.now += DAY
    await watched.through()
    assert watched.broken is False


async def test_a_disk_that_answers_no_more_takes_the_verdict_away(path: Path) -> None:
    await written(path, 1)
    watched = Watched(path)
    await watched.through()
    watched.now += chain_watch.KNOWN_SECONDS + 1
    assert watched.broken is None


async def test_what_cannot_be_read_is_tried_again_and_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b"no database at all" * 100)
    watched = Watched(path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3 * chain_watch.PATIENT_TRIES):
            assert not await watched.watch.step()
    assert watched.broken is None
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1


@pytest.mark.parametrize("count", [20 * PIECE, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_a_piece_holds_few_rows_in_memory_however_long_the_chain(path: Path, count: int) -> None:
    filled(path, count)
    look(path, Head())
    tracemalloc.start()
    try:
        after = Head()
        while not (piece := look(path, after)).at_end:
            after = piece.head
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert piece.head == verify_file(path, ()).head
    assert peak < 200_000


async def test_it_rests_for_longer_than_it_works(path: Path) -> None:
    watch = Watched(path).watch
    assert watch.rest(0.004, more=True) == pytest.approx(0.036)
    assert watch.rest(60.0, more=True) == chain_watch.NEWS_SECONDS
    assert watch.rest(0.004, more=False) == chain_watch.RETRY_SECONDS  # no file was seen yet
    await watch.step()
    assert watch.rest(0.004, more=False) == chain_watch.NEWS_SECONDS


async def test_a_real_exporter_says_that_its_chain_is_whole_and_then_that_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "data" / "reporting.db"
    async with exporter(tmp_path, free_port()) as running:
        metrics = await running.until("/metrics", "tradebot_exporter_event_chain_broken 0")
        assert 'tradebot_exporter_disk_free_bytes{folder="reporting"}' in metrics
        await running.stop()
    changed(path, "UPDATE events SET what = 'nothing happened' WHERE seq = 1")
    async with exporter(tmp_path, free_port()) as running:
        await running.until("/metrics", "tradebot_exporter_event_chain_broken 1")
        await running.until("/", "The chain of events is broken")
        await running.until("/metrics", 'tradebot_exporter_reporting_state{state="ok"} 1')  # and all goes on
        code, log = await running.stop()
    assert code == 0
    assert "the chain of events is broken: row 1 is not as it was written" in log
    assert rows(path, f"SELECT severity FROM events WHERE kind = '{KIND}'") == [("warning",)]
