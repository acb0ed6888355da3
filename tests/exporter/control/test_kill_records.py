"""What happened to kills stands in the reporting database and the audit trail, also from an earlier run."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exporter.control import kill_records
from exporter.control.kill import Stage
from exporter.control.kill_records import KillRecords
from exporter.reporting import database
from tests.doubles.bots import OwnBot
from tests.doubles.messages import T0
from tests.exporter.control.kill_stand import Stand


class Book:
    """The records of one stand, with a database and what the audit trail was told."""

    def __init__(self, folder: Path, stand: Stand) -> None:
        self.path = folder / "reporting.db"
        database.prepare(self.path, T0)
        self.stand = stand
        self.events: list[dict[str, Any]] = []
        self.job = KillRecords(lambda **event: self.events.append(event))

    def hear(self) -> None:
        """Take in what the desk has told since the last time."""
        for news in self.stand.news:
            self.job.told("arb", news)
        self.stand.news.clear()

    async def write(self, *, lose: bool = False) -> None:
        """One transaction, as the keeper gives it, or one that the disk did not take."""
        db = await database.connect(self.path)
        try:
            await db.execute("BEGIN IMMEDIATE")
            assert await self.job.write(db, self.stand.now) is False
            await db.execute("ROLLBACK" if lose else "COMMIT")
            (self.job.rolled_back if lose else self.job.committed)()
        finally:
            await db.close()

    def row(self) -> dict[str, Any]:
        """The one row of a kill."""
        with closing(sqlite3.connect(self.path)) as db:
            db.row_factory = sqlite3.Row
            (row,) = db.execute("SELECT * FROM kills").fetchall()
        return dict(row)


@pytest.fixture
async def book(tmp_path: Path) -> Book:
    stand = Stand(OwnBot(), tmp_path)
    await stand.cycles(2)
    return Book(tmp_path, stand)


async def test_a_kill_is_one_row_from_the_press_to_the_re_arming(book: Book) -> None:
    await book.stand.press()
    book.hear()
    await book.write()
    row = book.row()
    assert (row["bot"], row["who"], row["source"], row["reason"]) == (
        "arb",
        "ann",
        "page",
        "it trades nonsense",
    )
    await book.stand.cycles(2)
    book.hear()
    await book.write()
    row = book.row()
    assert (row["state"], row["rung"]) == ("verified", "flag")
    assert json.loads(row["paths"])["socket"].startswith("acked in ")
    await book.stand.desk.rearm("bob", "shell", "over")
    book.hear()
    await book.write()
    assert book.row()["rearmed_by"] == "bob (shell)"
    assert [event["what"] for event in book.events] == [
        "kill ordered",
        "kill: acked",
        "kill: verified",
    ], "a re-arming is recorded by whoever orders it"


async def test_what_the_disk_did_not_take_is_written_again(book: Book) -> None:
    await book.stand.press()
    book.hear()
    await book.write(lose=True)
    assert book.job.due(T0)
    await book.write()
    assert book.row()["who"] == "ann"
    assert not book.job.due(T0)


async def test_a_kill_from_an_earlier_run_is_told_once_and_keeps_what_was_known_of_it(book: Book) -> None:
    stand = book.stand
    async with stand.running():
        await stand.press()
        await stand.cycles(2)
        assert stand.standing().state is Stage.VERIFIED
    book.hear()
    await book.write()
    before = book.row()
    book.events.clear()
    stand.restart_the_exporter()
    async with stand.running():
        await stand.turns()
    book.hear()
    await book.write()
    assert [event["what"] for event in book.events] == ["kill goes on after a start of the console: verified"]
    assert book.events[0]["severity"] == "warning"
    assert book.row() == before


async def test_what_waits_for_the_disk_is_bounded(
    book: Book, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kill_records, "PENDING", 2)
    for venue in ("kalshi", "polymarket", None):
        await book.stand.press(venue=venue)
    book.hear()
    await book.write()
    with closing(sqlite3.connect(book.path)) as db:
        assert db.execute("SELECT count(*) FROM kills").fetchone() == (2,)
    assert "not written to the database" in caplog.text
