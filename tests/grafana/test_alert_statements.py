"""The history of alerts and the marks on the charts, from events as the exporter writes them."""

import json
import time
from pathlib import Path

import pytest

from grafana.sql import alerts, marks
from tests.grafana import ledgers
from tests.grafana.ledgers import BOT, Ledger

BEGAN = 1_000_000.0


class Trail:
    """A reporting database to which events are added in order."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._seq = 0

    def event(self, at: float, kind: str, what: str, *, bot: str = BOT, **columns: object) -> None:
        self._seq += 1
        known = {"seq": self._seq, "at": at, "bot": bot, "kind": kind, "what": what, **columns}
        self.ledger.change(
            f"INSERT INTO events ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",
            list(known.values()),
        )

    def alert(self, state: str, fired: float, **data: object) -> None:
        """A row of an alert, as exporter.alerting.history makes it."""
        name, bot = str(data.pop("name", "TradebotDisconnected")), str(data.pop("bot", BOT))
        severity, why = str(data.pop("severity", "warning")), str(data.pop("why", "A bot is gone"))
        known = {
            "state": state,
            "fingerprint": f"{name}{bot}",
            "active_at": fired - 1,
            "fired_at": fired,
            "delivered_at": fired + 2,
            "resolved_at": None,
            "seen_until": fired + 5,
            "had_by": "",
            **data,
        }
        at = fired + 3 if state == "firing" else fired + 100
        self.event(
            at, "alert", f"{name} {state}", bot=bot, severity=severity, why=why, data=json.dumps(known)
        )


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    ledger = ledgers.empty(tmp_path, BEGAN - 1000, BEGAN + 10000)
    ledger.bot(time.time())
    return Trail(ledger)


def test_an_alert_that_ended_is_one_row_with_both_its_times(trail: Trail) -> None:
    trail.alert("firing", BEGAN)
    trail.alert("resolved", BEGAN, resolved_at=BEGAN + 60, had_by="ann", why="recovered")
    (row,) = trail.ledger.ask(alerts.history())
    assert row == {
        "symptom": "01-12 13:46:39",
        "alert": "Disconnected",
        "bot": BOT,
        "severity": "warning",
        "told after": 3.0,
        "lasted": 60.0,
        "ended": "recovered",
        "had by": "ann",
    }


def test_an_alert_that_goes_on_is_still_on_and_grows(trail: Trail) -> None:
    fired = time.time() - 30
    trail.ledger.end = fired + 1000
    trail.alert("firing", fired)
    (row,) = trail.ledger.ask(alerts.history())
    assert row["ended"] == "STILL ON"
    assert 30 <= row["lasted"] < 60


def test_one_that_began_before_the_range_is_there_until_it_ends(trail: Trail) -> None:
    trail.alert("firing", BEGAN - 5000)
    (row,) = trail.ledger.ask(alerts.history())
    (mark,) = trail.ledger.ask(marks.alerts())
    assert (row["ended"], mark["time"]) == ("STILL ON", BEGAN - 5000)
    trail.alert("resolved", BEGAN - 5000, resolved_at=BEGAN - 4950, why="recovered")
    assert [row["alert"] for row in trail.ledger.ask(alerts.history())] == ["none fired or ended"]
    assert trail.ledger.ask(marks.alerts()) == []


def test_one_whose_end_nobody_saw_says_until_when_it_is_known(trail: Trail) -> None:
    trail.alert("resolved", BEGAN, delivered_at=None)
    (row,) = trail.ledger.ask(alerts.history())
    assert row["ended"] == "seen until 13:46:45"
    assert (row["told after"], row["lasted"]) == (None, None)


def test_the_same_alert_twice_is_two_rows_the_newest_first(trail: Trail) -> None:
    for fired in (BEGAN, BEGAN + 500):
        trail.alert("firing", fired)
        trail.alert("resolved", fired, resolved_at=fired + 60)
    assert [row["symptom"] for row in trail.ledger.ask(alerts.history())] == [
        "01-12 13:54:59",
        "01-12 13:46:39",
    ]


def test_alerts_of_another_bot_are_not_this_ones_and_the_consoles_are_everybodys(trail: Trail) -> None:
    trail.alert("firing", BEGAN, bot="other")
    trail.alert("firing", BEGAN, bot="", name="TradebotExporterDown")
    assert [row["alert"] for row in trail.ledger.ask(alerts.history())] == ["ExporterDown"]


def test_without_an_alert_it_says_so_and_with_an_exporter_that_is_gone_that_nobody_knows(
    trail: Trail,
) -> None:
    assert [row["alert"] for row in trail.ledger.ask(alerts.history())] == ["none fired or ended"]
    trail.ledger.bot(time.time() - 60)
    assert [row["alert"] for row in trail.ledger.ask(alerts.history())] == [
        "BLIND: the exporter does not write"
    ]


def test_of_many_alerts_those_with_the_newest_symptoms_are_shown(trail: Trail) -> None:
    trail.alert("firing", BEGAN - 500)
    for number in range(alerts.SHOWN + 20):
        trail.alert("resolved", BEGAN + 2 * number, resolved_at=BEGAN + 2 * number + 1)
    trail.alert("resolved", BEGAN - 500, resolved_at=BEGAN + 9000, name="TradebotUnhedged")
    trail.ledger.change("UPDATE events SET at = ? WHERE what LIKE 'TradebotUnhedged%'", [BEGAN + 9000])
    rows = trail.ledger.ask(alerts.history())
    assert len(rows) == alerts.SHOWN
    assert [row["alert"] for row in rows].count("Unhedged") == 0, "it ended last and began first"
    assert rows[0]["lasted"] == 1


def test_the_times_of_an_alert_are_medians_of_those_that_are_known(trail: Trail) -> None:
    told = {0: 1.0, 100: 3.0, 200: 50.0, 300: None}
    for offset, seconds in told.items():
        fired = BEGAN + offset
        delivered = None if seconds is None else fired - 1 + seconds
        trail.alert("resolved", fired, delivered_at=delivered, resolved_at=fired + 10 * (1 + offset / 100))
    trail.alert("firing", BEGAN, name="TradebotUnhedged")
    often, once = trail.ledger.ask(alerts.times())
    assert often == {"alert": "Disconnected", "fired": 4, "told after": 3.0, "lasted": 25.0}
    assert once == {"alert": "Unhedged", "fired": 1, "told after": 3.0, "lasted": None}


def test_an_alert_is_marked_while_it_fired(trail: Trail) -> None:
    trail.alert("firing", BEGAN, severity="critical")
    trail.alert("resolved", BEGAN, severity="critical", resolved_at=BEGAN + 60, why="recovered", had_by="ann")
    trail.alert("firing", BEGAN, severity="info", name="TradebotDrillOverdue")
    assert trail.ledger.ask(marks.alerts()) == [
        {
            "time": BEGAN,
            "timeEnd": BEGAN + 60,
            "title": "CRITICAL Disconnected",
            "text": "arb, ended: recovered, ann had it",
        }
    ]


def test_an_alert_whose_rule_does_not_say_why_it_ended_has_just_ended(trail: Trail) -> None:
    trail.alert("resolved", BEGAN, bot="", resolved_at=BEGAN + 60, why="ended")
    assert [mark["text"] for mark in trail.ledger.ask(marks.alerts())] == ["ended"]


def test_a_kill_is_marked_until_it_is_re_armed_and_names_who_and_why(trail: Trail) -> None:
    trail.ledger.change(
        "INSERT INTO kills (id, bot, who, source, reason, drill, sent_at, state, rung, rearmed_at)"
        " VALUES ('k', ?, 'ann', 'page', 'looks wrong', 0, ?, 'verified', 'flag', ?)",
        (BOT, BEGAN, BEGAN + 300),
    )
    trail.event(BEGAN + 1, "kill_switch", "the bot's kill switch is active", source="bot", why="operator: x")
    ordered, itself = trail.ledger.ask(marks.kills())
    assert ordered == {
        "time": BEGAN,
        "timeEnd": BEGAN + 300,
        "title": "KILL",
        "text": "ann (page), verified by its flag: looks wrong",
    }
    assert itself["text"] == "the bot's kill switch is active: operator: x"


def test_changes_and_restarts_are_marked_with_who_made_them(trail: Trail) -> None:
    trail.event(
        BEGAN, "setting_change", "ARB_CAP", who="ann", source="page", before="10", after="5", why="calmer"
    )
    trail.event(BEGAN + 5, "restart", "another session of the bot", source="bot")
    trail.event(BEGAN + 6, "command", "pause", who="ann", source="page")
    (changed,) = trail.ledger.ask(marks.changes())
    (restarted,) = trail.ledger.ask(marks.restarts())
    assert (changed["title"], changed["text"]) == ("SETTING CHANGE", "ARB_CAP (10 → 5), ann: calmer")
    assert (restarted["title"], restarted["text"]) == ("RESTART", "another session of the bot, bot")


def test_only_the_newest_of_many_are_marked(trail: Trail) -> None:
    for second in range(marks.MOST + 20):
        trail.event(BEGAN + second, "restart", "another session of the bot", source="bot")
    times = [row["time"] for row in trail.ledger.ask(marks.restarts())]
    assert times == [BEGAN + 20 + second for second in range(marks.MOST)]
