"""Which alerts fire and who has them: not known is never none, and what ended is nobody's any more."""

from typing import Any

import pytest

from exporter.alerting import shown
from exporter.alerting.history import History
from exporter.alerting.receivers import of_config
from exporter.alerting.silences import narrowed, of_silence, silence_of, written
from exporter.alerts import (
    ENDED_SECONDS,
    HAD_SECONDS,
    KNOWN_SECONDS,
    Alerts,
    Had,
    of_delivery,
    of_poll,
    of_rules,
)

T0 = 1_795_197_200.0
STARTED = "2026-11-21T01:00:00.000Z"


def raw(fingerprint: str = "aa", name: str = "TradebotKillNotVerified", **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager tells it."""
    given = {"alertname": name, "severity": "critical", "bot": "arb", **labels}
    return {
        "fingerprint": fingerprint,
        "labels": {key: value for key, value in given.items() if value},
        "annotations": {"summary": "The bot goes on"},
        "startsAt": STARTED,
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    }


WATCHDOG = raw("00", "TradebotWatchdog", severity="none", bot="")


def polled(alerts: Alerts, *found: dict[str, Any], now: float = T0) -> list[Had]:
    return alerts.polled(of_poll([WATCHDOG, *found]) or [], now)


def test_before_the_first_answer_nothing_is_known() -> None:
    alerts = Alerts()
    assert alerts.unknown(T0) == "Alertmanager was not asked yet"
    assert alerts.firing(T0) == []


def test_an_empty_answer_is_believed_only_while_the_watchdog_fires() -> None:
    alerts = Alerts()
    alerts.polled([], T0)
    assert "no Watchdog fires" in alerts.unknown(T0)
    polled(alerts)
    assert alerts.unknown(T0) == ""


@pytest.mark.parametrize("later", [KNOWN_SECONDS + 1, -1])
def test_an_old_answer_says_nothing_any_more(later: float) -> None:
    alerts = Alerts()
    polled(alerts, raw())
    alerts.unreachable("Alertmanager is not reachable: refused")
    assert alerts.unknown(T0 + KNOWN_SECONDS) == ""
    assert alerts.unknown(T0 + later) == "Alertmanager is not reachable: refused"
    assert alerts.firing(T0 + later) == []


def test_the_worst_and_oldest_come_first_and_what_only_reminds_is_left_out() -> None:
    alerts = Alerts()
    newer = {**raw("bb", "B"), "startsAt": "2026-11-21T01:30:00Z"}
    warning, info = raw("cc", "C", severity="warning"), raw("dd", "D", severity="info")
    polled(alerts, warning, newer, info, raw("aa", "A"))
    assert [alert.name for alert in alerts.firing(T0)] == ["A", "B", "C"]


def test_somebody_has_an_alert_until_it_ends_or_for_an_hour() -> None:
    for end, labels in ((T0 + 1 + ENDED_SECONDS, ()), (T0 + HAD_SECONDS, (raw(),))):
        alerts = Alerts()
        polled(alerts, raw())
        (alert,) = alerts.firing(T0)
        alerts.take(Had(alert, "ann", "", T0 + HAD_SECONDS, "s-1"))
        assert [had.by for had in alerts.had(T0 + 1)] == ["ann"]
        over = polled(alerts, *labels, now=end)
        assert [had.silence for had in over] == ["s-1"]
        assert alerts.had(end) == []
        assert alerts.who_has(alert, end) is None


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        [None],
        [{"labels": {}}],
        [{**raw(), "fingerprint": "../x"}],
        [{**raw(), "startsAt": "yesterday"}],
        [{**raw(), "labels": "none"}],
    ],
)
def test_what_is_no_alert_is_left_out(content: object) -> None:
    assert not of_poll(content)


@pytest.mark.parametrize(
    "alerts", [None, 3, [None], [{"status": "odd"}], [{**raw(), "status": "suppressed"}]]
)
def test_a_delivery_with_nonsense_in_it_is_no_news(alerts: object) -> None:
    assert list(of_delivery({"alerts": alerts})) == []


def test_a_silence_is_for_this_very_alert_and_names_the_person() -> None:
    (alert,) = of_poll([raw()]) or []
    silence = silence_of(alert, "ann", "", T0)
    assert silence["matchers"] == [
        {"name": name, "value": value, "isRegex": False, "isEqual": True}
        for name, value in raw()["labels"].items()
    ]
    assert (silence["createdBy"], silence["comment"]) == ("ann", "I have it")
    assert (silence["startsAt"], silence["endsAt"]) == ("2026-11-20T17:53:20Z", "2026-11-20T18:53:20Z")


def test_a_silence_that_covers_more_than_the_alert_does_not_end_with_it() -> None:
    (alert,) = of_poll([raw()]) or []
    own = {**silence_of(alert, "ann", "looking", T0), "id": "s-1"}
    had = of_silence(alert, own)
    assert had is not None
    assert (had.by, had.reason, had.until, had.ends_with_alert) == ("ann", "looking", T0 + HAD_SECONDS, True)
    wide = {**own, "matchers": [{"name": "bot", "value": "arb", "isRegex": False, "isEqual": True}]}
    pattern = {**own, "matchers": [{**own["matchers"][0], "isRegex": True}, *own["matchers"][1:]]}  # type: ignore[index]
    for other in (wide, pattern):
        had = of_silence(alert, other)
        assert had is not None
        assert not had.ends_with_alert
    assert of_silence(alert, {"id": "s-1"}) is None


def test_what_is_exempt_is_taken_out_of_a_silence_that_covers_more() -> None:
    matchers = [{"name": "bot", "value": "arb", "isRegex": False, "isEqual": True}]
    wide = {"id": "s-1", "matchers": matchers, "createdBy": "eve", "comment": "quiet", "endsAt": "x"}
    narrow = narrowed(wide)
    assert narrow is not None
    assert written(narrow) == "bot='arb', exempt!='true'"
    assert (narrow["id"], narrow["createdBy"], narrow["endsAt"]) == ("s-1", "eve", "x")
    assert narrow["comment"] == "quiet (what is exempt is never silenced)"


@pytest.mark.parametrize(
    "matchers", [None, "x", [3], [{"name": "exempt", "value": "true", "isRegex": False, "isEqual": True}]]
)
def test_a_silence_of_the_exempt_themselves_can_only_be_ended(matchers: object) -> None:
    assert narrowed({"id": "s-1", "matchers": matchers}) is None


@pytest.mark.parametrize("content", [None, [], {}, {"data": {}}, {"data": {"alerts": 3}}])
def test_what_is_no_answer_of_prometheus_says_nothing_of_symptoms(content: object) -> None:
    assert of_rules(content) is None


def test_prometheus_says_when_the_symptom_began_and_why_an_alert_ends() -> None:
    told = {"labels": {"alertname": "A"}, "state": "firing", "activeAt": "2026-11-21T01:00:00.5Z"}
    found = of_rules(
        {"data": {"alerts": [{**told, "annotations": {"ended": " recovered "}}, {"labels": 3}, 4]}}
    )
    assert found == [
        {"labels": {"alertname": "A"}, "state": "firing", "active_at": 1795222800.5, "ended": "recovered"}
    ]


def test_the_path_of_alerts_is_proven_while_the_watchdog_comes_back() -> None:
    alerts, history = Alerts(), History()
    assert shown.alarms(alerts, history, T0).path.state == "NOT PROVEN"
    alerts.watchdog_at = T0
    for now, state, tone in ((T0 + shown.PATH_OLD, "PROVEN", ""), (T0 + 200, "NOT PROVEN LATELY", "look")):
        path = shown.alarms(alerts, history, now).path
        assert (path.state, path.tone) == (state, tone)
    assert path.says == "the Watchdog came back 3 min 20 s ago (17:53:20 UTC)"
    path = shown.alarms(alerts, history, T0 - 3600).path
    assert (path.state, path.says) == (
        "NOT PROVEN",
        "the clock was set back since the Watchdog came back (17:53:20 UTC)",
    )


@pytest.mark.parametrize(("live", "tone"), [(True, "look"), (False, "")])
def test_that_nobody_is_called_is_a_matter_of_concern_where_money_may_be_at_risk(
    live: bool, tone: str
) -> None:
    alerts = Alerts()
    alerts.receivers, alerts.receivers_at = of_config("receivers: [{name: default}]"), T0
    called = shown.alarms(alerts, History(), T0, live=live).called
    assert (called.state, called.tone) == ("NO PUSH RECEIVER: nobody is called", tone)


def test_what_ended_lately_is_shown_for_an_hour_with_why_and_how_long_it_lasted() -> None:
    history = History()
    delivery = {"alerts": [{**raw(), "status": "firing"}]}
    fired = next(of_delivery(delivery)).alert.since
    notes = {"summary": "x", "ended": "recovered"}
    ended = {
        "alerts": [{**raw(), "status": "resolved", "endsAt": "2026-11-21T01:02:00Z", "annotations": notes}]
    }
    for content, now in ((delivery, fired), (ended, fired + 121)):
        for each in of_delivery(content):
            history.delivered(each, now)
    (row,) = shown.alarms(Alerts(), history, fired + 3000).ended
    assert (row.name, row.where, row.why, row.lasted, row.at) == (
        "KillNotVerified",
        "arb",
        "recovered",
        120.0,
        fired + 120,
    )
    assert shown.alarms(Alerts(), history, fired + 3800).ended == ()
