"""What the pages say of settings, codes, commands and complaints, for what a database may hold of them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grafana.sql import control
from grafana.words import COMPLAINT_WORDS, EFFECT_WORDS, RESULT_WORDS
from tests.grafana import ledgers
from tests.grafana.ledgers import BOT, Ledger, Row

DAY = 86400
SETTING = {
    "bot": BOT,
    "value": "10.0",
    "seen_at": 1.0,
    "category": "Sizing",
    "unit": "USD",
    "hot": 1,
    "risk": "up",
    "observable": 1,
    "help": "what it does",
    "state": "",
    "takes": "a number from 0 to 100 USD",
    "differs_from_start": 0,
    "differs_from_default": 0,
}


@pytest.fixture
def now() -> float:
    return time.time()


@pytest.fixture
def ledger(tmp_path: Path, now: float) -> Iterator[Ledger]:
    """A bot that speaks, whose exporter writes."""
    made = ledgers.empty(tmp_path, now - DAY, now)
    made.bot(now, commands="close_position kill_switch pause")
    yield made


def insert(ledger: Ledger, table: str, **columns: object) -> None:
    ledger.change(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        list(columns.values()),
    )


def setting(ledger: Ledger, key: str, position: int, **columns: object) -> None:
    insert(ledger, "settings", **{**SETTING, "key": key, "position": position, **columns})


def event(ledger: Ledger, now: float, **columns: object) -> None:
    insert(ledger, "events", **{"at": now, "bot": BOT, "severity": "info", "who": "", **columns})


def said(rows: list[Row]) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in rows]


# --- Whether it is now ---
@pytest.mark.parametrize("age", [0.0, 14.0])
def test_what_the_exporter_writes_is_shown_with_its_time(age: float, ledger: Ledger, now: float) -> None:
    ledger.bot(now - age, last_state_at=now - 1)
    assert said(ledger.ask(control.as_of()))[0][0] == "settings as the bot said them"
    assert ledger.ask(control.blind()) == []


def test_an_exporter_that_stopped_writing_is_blind_in_every_tile(ledger: Ledger, now: float) -> None:
    ledger.bot(now - 16, connected=1)
    for tile in (control.as_of, control.last_known, control.no_code, control.none_unverified):
        assert ledger.ask(tile()) == [], tile.__name__
    ((name, _),) = said(ledger.ask(control.blind()))
    assert name == "BLIND · the exporter stopped writing"


def test_no_list_says_that_there_is_nothing_while_nobody_writes(ledger: Ledger, now: float) -> None:
    lists = (control.commands(), control.differences(), control.complaints(), control.fixed("Sizing"))
    for made in lists:
        (row,) = ledger.ask(made)
        assert not any("BLIND" in str(value) for value in row.values())
    ledger.bot(now - 16)
    for made in lists:
        (row,) = ledger.ask(made)
        assert "BLIND: the exporter does not write" in row.values()


def test_settings_of_a_bot_that_says_nothing_are_the_last_known(ledger: Ledger, now: float) -> None:
    ledger.bot(now, connected=0)
    assert ledger.ask(control.as_of()) == []
    ((name, _),) = said(ledger.ask(control.last_known()))
    assert "last known" in str(name)


# --- Codes and doubt ---
def test_a_code_is_shown_until_it_expires_with_what_it_is_for(ledger: Ledger, now: float) -> None:
    code = {"bot": BOT, "action": "rearm", "says": "re-arm arb", "who": "ann"}
    insert(ledger, "codes", **code, code="1111", expires_at=now - 1)
    assert ledger.ask(control.codes()) == []
    assert said(ledger.ask(control.no_code())) == [("CODE TO TYPE", "NONE ASKED FOR")]
    insert(ledger, "codes", **code, code="0042", expires_at=now + 60)
    ((name, value),) = said(ledger.ask(control.codes()))
    assert value == "0042", "a code is no number"
    assert str(name).startswith("re-arm arb · for ann until ")
    assert ledger.ask(control.no_code()) == []


@pytest.mark.parametrize("state", [*control.OPEN, *control.DOUBTFUL])
def test_a_change_that_no_state_shows_is_unverified(state: str, ledger: Ledger) -> None:
    assert said(ledger.ask(control.none_unverified())) == [("UNVERIFIED CHANGES", "NONE")]
    setting(ledger, "A", 0, state=state, wanted="12.0")
    assert said(ledger.ask(control.unverified())) == [("A → 12.0", state.upper().replace("_", " "))]
    assert ledger.ask(control.none_unverified()) == []


# --- Settings ---
def test_rows_with_a_button_never_move_and_others_have_their_reason(ledger: Ledger) -> None:
    setting(ledger, "B", 1)
    setting(ledger, "A", 2, state="verified", changed_at=5.0, changed_by="ann")
    setting(ledger, "C", 0, hot=0, restart="the mode is fixed for a session")
    before = [row["parameter"] for row in ledger.ask(control.changeable("Sizing"))]
    ledger.change("UPDATE settings SET value = '99', state = 'sent', changed_at = 9.0 WHERE key = 'A'")
    assert [row["parameter"] for row in ledger.ask(control.changeable("Sizing"))] == before == ["B", "A"]
    (row,) = ledger.ask(control.fixed("Sizing"))
    assert (row["parameter"], row["why it is not changed here"]) == ("C", "the mode is fixed for a session")


def test_a_value_nobody_reported_is_no_blank_one(ledger: Ledger) -> None:
    setting(ledger, "A", 0, value=None, seen_at=None)
    setting(ledger, "B", 1, value=None)
    assert [row["value"] for row in ledger.ask(control.changeable("Sizing"))] == ["NOT REPORTED", "(blank)"]


def test_a_category_that_no_page_knows_stands_under_the_others(ledger: Ledger) -> None:
    setting(ledger, "A", 0, category="EMA Clouds")
    assert [row["parameter"] for row in ledger.ask(control.changeable(control.OTHERS))] == ["A"]
    for category in control.CATEGORIES:
        assert ledger.ask(control.changeable(category)) == []


def test_what_differs_from_the_sessions_start_comes_first(ledger: Ledger) -> None:
    setting(ledger, "A", 0, differs_from_default=1, default_value="1")
    setting(ledger, "B", 1, differs_from_start=1, session_start="3")
    setting(ledger, "C", 2, differs_from_start=None, differs_from_default=None)
    rows = [(row["parameter"], row["at start"], row["default"]) for row in ledger.ask(control.differences())]
    assert rows == [("B", "3", "same"), ("A", "same", "1")]


def test_every_word_that_a_setting_or_a_command_may_end_with_has_a_colour(ledger: Ledger, now: float) -> None:
    for number, state in enumerate((*control.OPEN, *control.DOUBTFUL, *ENDED)):
        setting(ledger, state, number, state=state)
        insert(ledger, "commands", id=state, bot=BOT, command="pause", who="ann", source="token",
               parameters="{}", sent_at=now, state=state)  # fmt: skip
    assert {row["effect"] for row in ledger.ask(control.changeable("Sizing"))} <= EFFECT_WORDS.keys()
    assert {row["result"] for row in ledger.ask(control.commands())} <= RESULT_WORDS.keys()


ENDED = ("verified", "acked_not_observable", "refused", "not_sent")


# --- Commands ---
def test_commands_kills_and_refusals_are_one_list_the_newest_first(ledger: Ledger, now: float) -> None:
    order = {"bot": BOT, "who": "ann", "source": "grafana"}
    insert(ledger, "commands", id="c1", command="update_config", sent_at=now - 30, state="verified",
           parameters='{"key": "A"}', seen="a later state shows A = 2", **order)  # fmt: skip
    insert(ledger, "setting_changes", bot=BOT, key="A", at=now - 30, before="1", after="2", command_id="c1")
    insert(ledger, "kills", id="k1", drill=0, sent_at=now - 20, decided_at=now - 18, state="verified",
           rung="flag", **order)  # fmt: skip
    event(ledger, now - 10, kind="refused", what=f"/api/bots/{BOT}/rearm", proof="say why", who="ann",
          source="grafana")  # fmt: skip
    event(ledger, now - 5, kind="refused", what="/api/bots/other/rearm", proof="of another bot", who="ann")
    rows = [(row["what"], row["result"], row["what was seen"]) for row in ledger.ask(control.commands())]
    assert rows == [
        ("rearm", "REFUSED", "say why"),
        ("KILL", "VERIFIED", "by its flag after 2.0 s"),
        ("A: 1 → 2", "VERIFIED", "a later state shows A = 2"),
    ]
    ((name, value),) = said(ledger.ask(control.last_command()))
    assert (str(name).partition(" ·")[0], value) == ("say why", "REFUSED")
    assert ledger.ask(control.no_command()) == []


def test_a_drill_that_was_not_proven_is_no_proven_drill(ledger: Ledger, now: float) -> None:
    kill = {"bot": BOT, "drill": 1, "sent_at": now - 9, "decided_at": now - 8}
    insert(ledger, "kills", id="k1", state="unproven", **kill)
    assert said(ledger.ask(control.last_drill())) == [("last proven drill", "NONE IN THE DATABASE")]
    insert(ledger, "kills", id="k2", state="verified", rung="gate", **kill)
    ((_, value),) = said(ledger.ask(control.last_drill()))
    assert str(value).endswith("(gate)")


# --- Complaints, positions ---
def test_complaints_of_several_days_are_summed_by_message(ledger: Ledger, now: float) -> None:
    for days, number in ((0, 2), (1, 3), (5, 100)):
        date = time.strftime("%Y-%m-%d", time.gmtime(now - days * DAY))
        insert(ledger, "complaints", bot=BOT, date=date, severity="error", message="order # failed",
               first_at=now - days * DAY, last_at=now - days * DAY, count=number)  # fmt: skip
    (row,) = ledger.ask(control.complaints())
    assert (row["severity"], row["message"], row["count"]) == ("error", "order # failed", 5)
    assert row["severity"] in COMPLAINT_WORDS


def test_a_position_can_be_closed_only_at_a_bot_that_speaks_and_says_it_can(
    ledger: Ledger, now: float
) -> None:
    for source, position in (("bot", "p2"), ("ledger", "p9"), ("bot", "p1")):
        insert(ledger, "live_positions", bot=BOT, source=source, position_id=position, market_id="KX-1",
               opened_at=now, contracts=4, entry=0.5)  # fmt: skip
    assert [row["position"] for row in ledger.ask(control.closable())] == ["p1", "p2"]
    for columns in ({"commands": "kill_switch"}, {"commands": None}, {"connected": 0}):
        ledger.bot(now, **{"commands": "close_position", **columns})
        assert ledger.ask(control.closable()) == []
        assert said(ledger.ask(control.may_close()))[0][1] == "NO BUTTON"
    ledger.bot(now - 16, commands="close_position")
    assert ledger.ask(control.closable()) == []


def test_what_a_kill_would_leave_says_what_nobody_said(ledger: Ledger, now: float) -> None:
    assert said(ledger.ask(control.would_remain()))[0][1] == "no position"
    for position, hedged in (("a", 1), ("b", 0), ("c", None)):
        insert(ledger, "live_positions", bot=BOT, source="bot", position_id=position, hedged=hedged)
    assert (
        said(ledger.ask(control.would_remain()))[0][1] == "3 open, 1 unhedged, hedged or not: not said of 1"
    )
