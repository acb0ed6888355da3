"""What was ordered stands in the reporting database, is told to the audit trail and outlives this program."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exporter.control import record_rows
from exporter.control.catalogue import catalogue
from exporter.control.codes import Act, Codes
from exporter.control.order import Stage
from exporter.control.records import PENDING, ControlRecords
from exporter.control.settings_book import Record
from exporter.reporting import database
from tests.exporter.control.desks import ANN, NO_ANSWER, T0, House, refused

CAP = "ARB_DAILY_LOSS_CAP_USD"


class Book:
    """A job with a house, a database and what the audit trail was told."""

    def __init__(self, path: Path, house: House, started: float = T0) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        self.codes = Codes(lambda: "4711")
        self.job = ControlRecords(self.codes, self._tell, lambda: started)
        self.job.keep([house.settings])
        house.desk.tell(self.job.told)
        house.settings.changed = self.job.changed
        self.house = house

    def _tell(self, kind: str, **event: Any) -> None:
        self.events.append({"kind": kind, **event})

    async def write(self, *, lose: bool = False) -> None:
        """One transaction, as the keeper gives it, or one that the disk did not take."""
        db = await database.connect(self.path)
        try:
            await db.execute("BEGIN IMMEDIATE")
            assert await self.job.write(db, self.house.now) is False
            await db.execute("ROLLBACK" if lose else "COMMIT")
            (self.job.rolled_back if lose else self.job.committed)()
        finally:
            await db.close()

    def rows(self, query: str) -> list[dict[str, Any]]:
        db = sqlite3.connect(self.path)
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute(query)]
        finally:
            db.close()


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Book]:
    path = tmp_path / "reporting.db"
    database.prepare(path, T0)
    yield Book(path, House())


async def test_a_change_stands_in_all_its_tables(book: Book) -> None:
    entry = await book.house.change(CAP, 5)
    await book.write()
    (command,) = book.rows("SELECT * FROM commands")
    assert (command["state"], command["decided_at"], command["who"]) == ("acked", None, "ann")
    book.house.snapshot[CAP] = 5
    book.house.say()
    await book.write()
    (command,) = book.rows("SELECT * FROM commands")
    assert (command["id"], command["command"], command["state"]) == (entry.id, "update_config", "verified")
    assert json.loads(command["parameters"]) == {"key": CAP, "value": 5}
    assert json.loads(command["answer"])["ok"] is True
    assert (command["seen"], command["decided_at"]) == (
        "a later state shows ARB_DAILY_LOSS_CAP_USD = 5",
        book.house.now,
    )
    (change,) = book.rows("SELECT * FROM setting_changes")
    assert (change["before"], change["after"], change["state"], change["command_id"]) == (
        "10.0",
        "5",
        "verified",
        entry.id,
    )
    (setting,) = book.rows(f"SELECT * FROM settings WHERE key = '{CAP}'")
    assert (setting["value"], setting["number"], setting["session_start"]) == ("5", 5.0, "10.0")
    assert (setting["changed_by"], setting["state"], setting["wanted"]) == ("ann", "verified", "5")
    assert (setting["hot"], setting["observable"], setting["differs_from_start"]) == (1, 1, 1)
    assert (setting["category"], setting["takes"]) == ("Safety Rails", "a number from 0 to 1000000 USD")


async def test_every_setting_of_the_bot_has_a_row_in_the_order_of_the_page(book: Book) -> None:
    await book.write()
    rows = book.rows("SELECT key, category, value, hot, restart, risk FROM settings ORDER BY position")
    assert len(rows) == 142
    assert [row["category"] for row in rows] == sorted(
        (row["category"] for row in rows),
        key=["Safety Rails", "Sizing", "Lanes", "Bucket Quality", "Cooldowns", "Exchange"].index,
    )
    by_key = {row["key"]: row for row in rows}
    assert by_key["ARB_CANARY_MODE"]["value"] is None, "this bot does not show it"
    assert (by_key["ARB_LIVE_MODE"]["hot"], by_key["ARB_LOG_LEVEL"]["hot"]) == (0, 0)
    assert by_key["ARB_LOG_LEVEL"]["restart"] == "requires a restart: logging is set up at start"


async def test_a_deployed_bot_takes_eleven_and_its_mode_is_no_setting(tmp_path: Path) -> None:
    database.prepare(tmp_path / "r.db", T0)
    book = Book(tmp_path / "r.db", House(own=False))
    await book.write()
    assert book.rows("SELECT sum(hot) AS hot, sum(observable) AS seen FROM settings") == [
        {"hot": 10, "seen": 2}
    ]


async def test_what_a_transaction_lost_is_written_again(book: Book) -> None:
    await book.house.change(CAP, 5)
    await book.write(lose=True)
    assert book.job.due(book.house.now)
    await book.write()
    assert len(book.rows("SELECT * FROM commands")) == len(book.rows("SELECT * FROM setting_changes")) == 1
    assert not book.job.due(book.house.now)


async def test_the_audit_trail_is_told_when_it_is_sent_and_when_it_is_decided(book: Book) -> None:
    await book.house.change(CAP, 5)
    book.house.say(mode="live")
    sent, flipped = book.events
    assert (sent["kind"], sent["who"], sent["source"], sent["why"]) == (
        "setting_change",
        "ann",
        "token",
        "because",
    )
    assert (sent["what"], sent["before"], sent["after"]) == (f"{CAP}: sent", 10.0, 5)
    assert (flipped["what"], flipped["severity"]) == (f"{CAP}: mode flipped", "critical")
    assert flipped["answer"]["ok"] is True and "change the mode to paper" in flipped["proof"]
    assert flipped["latency"] == 5.0


async def test_a_doubt_is_a_warning_and_a_pause_is_a_command(book: Book) -> None:
    book.house.link.answers = [NO_ANSWER]
    await book.house.commands.send(ANN, "pause", {"reason": "lunch"})
    book.house.desk.tick(book.house.now + 1000)
    sent, ended = book.events
    assert (sent["kind"], sent["what"], ended["what"]) == ("command", "pause: sent", "pause: unknown")
    assert ended["severity"] == "warning" and sent["data"]["reason"] == "lunch"


async def test_a_poisoned_bot_is_recorded_with_every_word(book: Book) -> None:
    book.house.own = False
    book.house.link.answers = [refused("could not convert string to float: 'None'")]
    book.house.say()
    await book.house.change(CAP, 5)
    await book.write()
    (command,) = book.rows("SELECT * FROM commands")
    assert command["state"] == "poisoned" and "could not convert" in command["seen"]


async def test_what_others_changed_is_in_the_history_and_the_trail(book: Book) -> None:
    book.house.snapshot[CAP] = 99.0
    book.house.say()
    await book.write()
    (change,) = book.rows("SELECT * FROM setting_changes")
    assert (change["state"], change["command_id"], change["after"], change["source"]) == (
        "observed",
        None,
        "99.0",
        "bot",
    )
    (event,) = book.events
    assert (event["kind"], event["severity"]) == ("setting_observed", "warning")


async def test_the_code_on_the_panel_stands_there_while_it_holds(book: Book) -> None:
    await book.write()
    book.codes.show(Act("arb", "settings", "raise the cap to 15"), "ann", book.house.now)
    assert book.job.due(book.house.now)
    await book.write()
    (code,) = book.rows("SELECT * FROM codes")
    assert (code["bot"], code["action"], code["says"], code["code"], code["who"], code["expires_at"]) == (
        "arb",
        "settings",
        "raise the cap to 15",
        "4711",
        "ann",
        book.house.now + 120,
    )
    book.house.now += 120
    assert book.job.due(book.house.now)
    await book.write()
    assert book.rows("SELECT * FROM codes") == []


def test_the_words_of_what_is_open_are_the_stages_own() -> None:
    words = {stage.value for stage in Stage if not stage.final}
    for statement in (record_rows.END_COMMANDS, record_rows.END_CHANGES):
        assert {word for word in words if f"'{word}'" in statement} == words
        assert statement.count("'") == 2 * (len(words) + 1)


async def test_another_run_of_this_program_goes_on_where_this_one_ended(book: Book) -> None:
    await book.house.change(CAP, 5)
    await book.write()
    later = House()
    later.settings.book.settings.clear()
    later.settings.book._session = None
    later.now = book.house.now + 60
    later.snapshot[CAP] = 5.0
    again = Book(book.path, later, started=later.now)
    await again.write()
    (command,) = again.rows("SELECT * FROM commands")
    assert (command["state"], command["seen"]) == (
        "unknown",
        "this console ended before it was decided: unknown, look at the state",
    )
    assert later.view.unverified == {CAP: True}
    later.say(uptime_seconds=1000.0)
    setting = later.settings.book.settings[CAP]
    assert (setting.session_start, setting.state) == (10.0, "verified")
    (record,) = later.settings.book.history
    assert (record.who, record.before, record.after, record.state) == ("ann", 10.0, 5, "unknown")
    assert setting.changed_by == "ann"


async def test_a_session_that_began_meanwhile_has_a_start_of_its_own(book: Book) -> None:
    await book.write()
    later = House()
    later.settings.book.settings.clear()
    later.settings.book._session = None
    later.now = book.house.now + 600
    again = Book(book.path, later, started=later.now)
    await again.write()
    later.snapshot[CAP] = 7.0
    later.say(uptime_seconds=10.0, session_id="new")
    setting = later.settings.book.settings[CAP]
    assert (setting.session_start, setting.state) == (7.0, "at_restart")


async def test_what_waits_is_bounded(book: Book, caplog: pytest.LogCaptureFixture) -> None:
    entry = await book.house.change(CAP, 5)
    for number in range(PENDING + 1):
        book.job.told(type(entry)(str(number), "arb", 0.0, ANN, entry.message, entry.thing))
    assert len(book.job._commands) == PENDING
    assert "not written to the database" in caplog.text


@pytest.mark.parametrize(
    ("key", "before"),
    [
        ("ARB_BANKROLL_BY_VENUE", {"kalshi": 250.0, "polymarket": 100.0}),
        (CAP, 10.0),
        ("ARB_CANARY_MODE", True),
        (CAP, None),
    ],
)
def test_what_an_earlier_run_changed_can_be_taken_back_to_the_very_same_value(
    key: str, before: object
) -> None:
    known = catalogue("arb")
    made = Record("c1", key, T0, before, before, "ann", "token", "", "verified")
    bot, *row, command_id = record_rows.change("arb", made)
    again = record_rows.record(known, (command_id, *row))
    assert (bot, again) == ("arb", made)
