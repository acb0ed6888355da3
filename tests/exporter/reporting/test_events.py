"""Events are kept until they are on disk, in one chain that shows whatever was done to it."""

import contextlib
import json
import logging
import sqlite3
from pathlib import Path

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.reporting import database, events
from exporter.reporting.chain import COLUMNS, Head, Verdict, digest, head_of, verify
from exporter.reporting.events import EventLog, head_file, kept_head, verify_file
from tests.exporter.reporting.keeping import rows

NOW = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database.prepare(tmp_path / "reporting.db", NOW)
    return tmp_path / "reporting.db"


async def flush(log: EventLog, path: Path, now: float = NOW) -> None:
    """What a keeper does with a job, until it has nothing more."""
    db: aiosqlite.Connection = await database.connect(path)
    try:
        log.opened()
        while log.due(now):
            await db.execute_fetchall("BEGIN IMMEDIATE")
            await log.write(db, now)
            await db.execute_fetchall("COMMIT")
            log.committed()
    finally:
        await db.close()


async def written(path: Path, count: int) -> EventLog:
    log = EventLog(path, lambda: NOW)
    for number in range(1, count + 1):
        log.record("note", what=f"number {number}")
    await flush(log, path)
    return log


def tampered(path: Path, *statements: str, known: tuple[Head, ...] = ()) -> Verdict:
    """What the verification says after somebody with a shell did this to the file."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    return verify_file(path, known)


def copied(new: int, old: int) -> str:
    """A statement that puts a row in as another one."""
    return f"INSERT INTO events SELECT {new}, {', '.join(COLUMNS[1:])} FROM events WHERE seq = {old}"


def head(path: Path) -> Head:
    return verify_file(path, ()).head


async def test_every_word_of_an_event_comes_back_as_it_was_given(path: Path) -> None:
    log = EventLog(path, lambda: NOW)
    log.record(
        "setting", bot="arb", severity="warning", who="ann", source="10.0.0.7", what="cap", why="a test",
        before=10, after="20", answer={"ok": True}, proof=None, latency=1, data={"key": "CAP"},
    )  # fmt: skip
    await flush(log, path)
    assert rows(path, f"SELECT {', '.join(COLUMNS[:-1])} FROM events") == [
        (1, NOW, "arb", "setting", "warning", "ann", "10.0.0.7", "cap", "a test",
         "10", "20", '{"ok": true}', None, 1.0, '{"key": "CAP"}', ""),
    ]  # fmt: skip


async def test_the_chain_goes_on_over_restarts(path: Path) -> None:
    await written(path, 3)
    await written(path, 2)
    assert verify_file(path, ()).faults == []
    assert head(path).count == 5


async def test_what_was_not_committed_is_written_again_once(path: Path) -> None:
    log = EventLog(path, lambda: NOW)
    log.record("note", what="once")
    db = await database.connect(path)
    try:
        await db.execute_fetchall("BEGIN IMMEDIATE")
        await log.write(db, NOW)
        await db.execute_fetchall("ROLLBACK")
        log.rolled_back()
    finally:
        await db.close()
    log.record("note", what="twice")
    await flush(log, path)
    assert rows(path, "SELECT seq, what FROM events") == [(1, "once"), (2, "twice")]


async def test_many_events_are_written_in_their_order(path: Path) -> None:
    await written(path, events.BATCH * 2 + 7)
    numbers = [what for (what,) in rows(path, "SELECT what FROM events ORDER BY seq")]
    assert numbers == [f"number {number}" for number in range(1, events.BATCH * 2 + 8)]
    assert verify_file(path, ()).faults == []


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        pytest.param(("UPDATE events SET who = 'eve' WHERE seq = 4",), "row 4 is not as", id="changed"),
        pytest.param(("UPDATE events SET at = at + 0.1 WHERE seq = 1",), "row 1 is not", id="moved in time"),
        pytest.param(("DELETE FROM events WHERE seq = 4",), "row 4 is missing", id="removed"),
        pytest.param(("DELETE FROM events WHERE seq < 4",), "rows 1 to 3 are missing", id="head cut off"),
        pytest.param(
            (
                "UPDATE events SET seq = -seq WHERE seq >= 4",
                "UPDATE events SET seq = 1 - seq WHERE seq < 0",
                copied(4, 3),
                "UPDATE events SET what = 'put in' WHERE seq = 4",
            ),
            "row 4 does not follow",
            id="inserted",
        ),
        pytest.param(
            (
                "UPDATE events SET seq = 100 WHERE seq = 4",
                "UPDATE events SET seq = 4 WHERE seq = 5",
                "UPDATE events SET seq = 5 WHERE seq = 100",
            ),
            "row 4 does not follow",
            id="reordered",
        ),
        pytest.param(
            (copied(9, 8),),
            "row 9 does not follow",
            id="put at the end",
        ),
        pytest.param(("UPDATE events SET latency = x'00' WHERE seq = 4",), "row 4 is not", id="no number"),
    ],
)  # fmt: skip
async def test_the_chain_shows_what_was_done_to_it(
    path: Path, statements: tuple[str, ...], says: str
) -> None:
    await written(path, 8)
    assert verify_file(path, ()).faults == []
    assert any(says in fault for fault in tampered(path, *statements).faults)


async def test_a_cut_tail_shows_against_a_head_from_elsewhere_and_from_the_file_beside(path: Path) -> None:
    await written(path, 8)
    known = head(path)
    beside = kept_head(head_file(path))
    assert beside == known
    cut = tampered(path, "DELETE FROM events WHERE seq > 5", known=(known,))
    assert cut.faults == ["8 rows were known and only 5 are there: the tail was cut off"]
    assert cut.head.count == 5


async def test_a_chain_that_was_made_anew_shows_against_a_known_head(path: Path) -> None:
    await written(path, 3)
    known = head(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        previous = ""
        for seq in (1, 2, 3):
            row = dict(
                zip(COLUMNS, db.execute("SELECT * FROM events WHERE seq = ?", (seq,)).fetchone(), strict=True)
            )
            row["who"] = "nobody"
            new = digest(row, previous)
            db.execute(
                "UPDATE events SET who = 'nobody', previous = ?, hash = ? WHERE seq = ?", (previous, new, seq)
            )
            previous = new
        db.commit()
    assert verify_file(path, ()).faults == []
    assert verify_file(path, (known,)).faults == [
        "row 3 has another hash than was known: all rows up to it may have been rewritten"
    ]


async def test_a_chain_that_lost_its_tail_says_so_itself_when_it_goes_on(path: Path) -> None:
    await written(path, 8)
    tampered(path, "DELETE FROM events WHERE seq > 5")
    await written(path, 1)
    assert rows(path, "SELECT seq, severity FROM events WHERE kind = 'events_not_continued'") == [
        (7, "critical")
    ]


async def test_a_head_file_that_is_damaged_or_missing_stops_nothing(path: Path) -> None:
    await written(path, 2)
    head_file(path).write_text("{")
    await written(path, 2)
    head_file(path).unlink()
    await written(path, 2)
    assert verify_file(path, ()).faults == []
    assert head(path).count == 6
    assert kept_head(head_file(path)) is not None


async def test_the_head_goes_to_the_log_once_an_hour(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = await written(path, 2)
    caplog.set_level(logging.INFO)
    db = await database.connect(path)
    try:
        for now in (NOW + 10, NOW + 3599, NOW + 3601, NOW + 3700):
            if log.due(now):
                await log.write(db, now)
                log.committed()
    finally:
        await db.close()
    said = [record.getMessage() for record in caplog.records if record.name.endswith("events")]
    assert len(said) == 1
    assert str(head(path)) in said[0]


async def test_memory_is_bounded_and_what_is_too_much_stands_in_the_log_in_full(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PENDING", 3)
    log = EventLog(path, lambda: NOW)
    for number in range(5):
        log.record("note", what=f"number {number}")
    assert log.pending == 3
    assert [record.getMessage() for record in caplog.records if "number 4" in record.getMessage()]
    await flush(log, path)
    whats = [what for (what,) in rows(path, "SELECT what FROM events ORDER BY seq")]
    assert whats[:3] == ["number 0", "number 1", "number 2"]
    assert whats[3].startswith("2 events stand in the exporter's log alone")


async def test_memory_is_bounded_by_what_events_hold_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HELD", 5_000)
    log = EventLog(path, lambda: NOW)
    for _ in range(5):
        log.record("note", data={"x": "y" * 2_000})
    assert log.pending == 3
    await flush(log, path)
    log.record("note", data={"x": "y" * 2_000})
    assert log.pending == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)  # each writes to a disk
@given(text=st.text(), value=anything, latency=st.none() | st.floats())
async def test_whatever_is_recorded_is_kept_and_its_hash_holds(
    tmp_path_factory: pytest.TempPathFactory, text: str, value: object, latency: float | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "reporting.db"
    database.prepare(path, NOW)
    log = EventLog(path, lambda: NOW)
    log.record(text, bot=text, what=text, before=value, after=text, latency=latency, data={"value": value})
    await flush(log, path)
    assert verify_file(path, ()).faults == []
    assert head(path).count == 1


def test_odd_values_never_raise(tmp_path: Path) -> None:
    circle: dict[str, object] = {}
    circle["self"] = circle
    log = EventLog(tmp_path / "reporting.db")
    log.record("odd", what="\ud800", before=circle, after=object(), data={"x": "y" * 100_000})
    log.record("odd", data={1: "a", "b": 2})  # type: ignore[dict-item]
    log.record("odd", who=None)  # type: ignore[arg-type]
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    log.record("odd", answer=deep)
    assert log.pending == 4


async def test_a_long_text_is_cut_and_long_data_stays_json(path: Path) -> None:
    log = EventLog(path, lambda: NOW)
    log.record("note", what="w" * 10_000, data={"x": "y" * 100_000})
    await flush(log, path)
    [(what, data)] = rows(path, "SELECT what, data FROM events")
    assert what == "w" * events.TEXT + "…"
    assert json.loads(str(data)) == {"left_out_characters": 100_009}


@pytest.mark.parametrize("text", ["", "7", "7:", "7:xyz", "-1:" + "a" * 64, "7:" + "A" * 64])
def test_a_head_that_nobody_could_have_read_in_the_log_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected COUNT:HASH"):
        head_of(text)


def test_an_empty_chain_is_whole() -> None:
    assert verify([]) == Verdict(Head(0, ""), [], 0)
