"""What sounds on the wall and the operator page: by the notification table, and not for what somebody has."""

import inspect

import pytest

from exporter import verdict
from exporter.notifications import notifications
from exporter.page.happening import happening, of_bot
from exporter.page.parts import Alarms, AlertRow
from exporter.page.sounding import ONCE_SECONDS, sounds
from exporter.verdict import Level
from tests.doubles.bots import DeployedBot
from tests.exporter.api.office import Office

NOW = 1_700_000_000.0


def alert(name, severity="critical", where="arb", by=""):
    return AlertRow("f1", severity, name, where, "it says so", NOW - 60, by)


def bot(text, level=Level.ACT, *, since=NOW - 3600, name="arb", **said):
    return {"bot": name, "kind": "arb", "level": level, "text": text, "since": since, "paper": False, **said}


def heard(*bots, alerts=()):
    return sounds(bots, Alarms(rows=tuple(alerts)), notifications(), NOW)


@pytest.mark.parametrize(
    ("name", "matter"),
    [
        ("KillSwitchActive", "kill_switch"),
        ("KillNotVerified", "kill_switch"),
        ("LossCapBreached", "loss_cap_breached"),
        ("CapNotEnforced", "loss_cap_breached"),
        ("Unhedged", "unhedged"),
        ("ModeChangedUnexpectedly", "mode_changed"),
    ],
)
def test_a_critical_alert_of_the_table_sounds_until_somebody_has_it(name, matter):
    assert heard(alerts=[alert(name)]) == {f"arb {matter}": True}
    assert heard(alerts=[alert(name, by="ann")]) == {}


@pytest.mark.parametrize("severity", ["warning", "info", "", "none"])
def test_what_is_not_critical_makes_no_sound(severity):
    assert heard(alerts=[alert("Unhedged", severity)]) == {}


@pytest.mark.parametrize("name", ["Disconnected", "LossCapNear", "ConsecutiveFailures", "ExporterDown", ""])
def test_what_the_table_does_not_let_sound_makes_none(name):
    assert heard(alerts=[alert(name)]) == {}


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("NOT KILLED", "kill_switch"),
        ("NOT KILLED: kalshi", "kill_switch"),
        ("KILL NOT PROVEN, DISCONNECTED", "kill_switch"),
        ("HALTED: safe mode active", "kill_switch"),
        ("KILLED, CAUSE UNKNOWN", "kill_switch"),
        ("LOSS CAP BREACHED, NOT HALTED", "loss_cap_breached"),
        ("UNHEDGED $38", "unhedged"),
        ("DISCONNECTED, UNHEDGED $38", "unhedged"),
        ("OVERRUN, UNHEDGED, AMOUNT UNKNOWN", "unhedged"),
    ],
)
def test_a_verdict_that_says_the_same_sounds_although_alertmanager_does_not_answer(text, matter):
    away = Alarms(rows=(), unknown="Alertmanager is not reachable")
    assert sounds([bot(text)], away, notifications(), NOW) == {f"arb {matter}": True}


@pytest.mark.parametrize("text", ["OK", "DISCONNECTED", "STALE", "BLOCKED BY HALTED", "DRILL NOT KILLED", ""])
def test_any_other_verdict_makes_no_sound(text):
    assert heard(bot(text)) == {}


def test_every_word_of_the_table_is_one_that_a_verdict_begins_with():
    """A verdict that is renamed must not fall silent: its new words have to be in the table."""
    texts = inspect.getsource(verdict)
    rows = notifications().rows.values()
    words = {word for row in rows for each in row.sources.values() for word in each.verdicts}
    assert words
    assert {word for word in words if f'"{word}' not in texts} == set()


def test_a_bot_that_trades_on_paper_never_sounds():
    assert heard(bot("NOT KILLED", paper=True)) == {}


def test_somebody_who_has_the_alert_has_what_the_verdict_says_as_well():
    assert heard(bot("NOT KILLED"), alerts=[alert("KillNotVerified", by="ann")]) == {}
    of_another = heard(bot("NOT KILLED"), alerts=[alert("KillNotVerified", where="two", by="ann")])
    assert of_another == {"arb kill_switch": True}
    of_something_else = heard(bot("NOT KILLED"), alerts=[alert("Unhedged", where="arb kalshi", by="ann")])
    assert of_something_else == {"arb kill_switch": True}


@pytest.mark.parametrize("text", ["KILLING", "HALTED PROVEN", "KILLED BY OPERATOR"])
def test_a_kill_that_somebody_ordered_sounds_once(text):
    def at(since):
        return heard(bot(text, Level.PLANNED, since=since))

    assert at(NOW) == at(NOW - ONCE_SECONDS) == {"arb kill_switch": False}
    assert at(NOW - ONCE_SECONDS - 1) == at(NOW + 1) == at(None) == {}


def test_what_goes_on_is_not_made_to_sound_once_by_what_is_new():
    assert heard(bot("KILLING", Level.LOOK, since=NOW), alerts=[alert("KillUnproven")]) == {
        "arb kill_switch": True
    }


def test_a_bot_that_cannot_be_read_or_has_no_kind_makes_no_sound():
    blind = {"bot": "arb", "level": "unknown", "text": "BLIND", "since": NOW}
    assert heard(blind, bot("NOT KILLED", kind="fx"), {**blind, "text": "NOT KILLED"}) == {}


def test_the_stream_says_what_sounds():
    told = happening({"arb": bot("NOT KILLED")}, Alarms(rows=()), "", 0, NOW)
    assert told["sounds"] == {"arb kill_switch": True}


def test_a_bot_says_of_which_kind_it_is_so_that_its_verdict_can_sound(tmp_path):
    office = Office(tmp_path, {"arb": DeployedBot()}, now=NOW)
    assert of_bot(office.console.bots["arb"], NOW)["kind"] == "arb"
