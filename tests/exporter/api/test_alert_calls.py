"""The calls about alerts: who may hand them in, what is kept of them, and what "I have it" does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.bots import OwnBot
from tests.exporter.api.office import TOKENS, Office
from tests.exporter.test_alerts import WATCHDOG, raw


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot()})
    async with made.client:
        yield made


async def test_alertmanager_hands_in_alerts_which_are_recorded_once(office: Office) -> None:
    delivery = {"version": "4", "alerts": [{**raw(), "status": "firing"}, {**WATCHDOG, "status": "firing"}]}
    for news in (1, 0):
        answer = await office.post("/alerts", "alertmanager", **delivery)
        assert (answer.status_code, answer.json()) == (200, {"news": news})
        office.now += 12
    (event,) = office.told("alert")
    assert event["what"] == "TradebotKillNotVerified firing"
    assert (event["bot"], event["severity"], event["source"]) == ("arb", "critical", "alertmanager")
    assert event["data"]["labels"]["alertname"] == "TradebotKillNotVerified"
    assert event["data"]["delivered_at"] == office.now - 24
    assert office.alerts.alerts.watchdog_at == office.now - 12


async def test_a_critical_alert_has_what_went_over_its_bots_link_recorded(office: Office) -> None:
    others = [raw("bb", bot="nobody"), raw("cc", bot=""), raw("dd", severity="warning")]
    delivery = {"alerts": [{**each, "status": "firing"} for each in (*others, raw())]}
    await office.post("/alerts", "alertmanager", **delivery)
    assert office.recorder.asked == [("arb", "alert TradebotKillNotVerified")]


@pytest.mark.parametrize(("who", "status"), [("ann", 403), ("wall", 403), ("grafana", 403)])
async def test_nobody_else_hands_in_alerts(office: Office, who: str, status: int) -> None:
    assert (await office.post("/alerts", who, alerts=[])).status_code == status
    assert (await office.client.post("/api/alerts", json={})).status_code == 401


async def test_a_delivery_is_taken_up_to_a_megabyte(office: Office) -> None:
    heads = {"Authorization": f"Bearer {TOKENS['alertmanager']}"}
    fits = b'{"alerts": [], "x": "' + b"x" * 990_000 + b'"}'
    assert (await office.client.post("/api/alerts", content=fits, headers=heads)).status_code == 200
    answer = await office.client.post("/api/alerts", content=b" " * 1_000_001, headers=heads)
    assert answer.status_code == 422
    assert (await office.client.post("/api/alerts", content=b"[1", headers=heads)).status_code == 422


async def test_who_has_an_alert_is_said_and_it_is_silenced_for_an_hour(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    answer = await office.post("/alerts/aa/ack", reason="looking at it")
    assert answer.status_code == 200
    assert answer.json()["says"] == "ann has it; it is quiet for an hour or until it ends"
    (silence,) = office.alertmanager.silences.values()
    assert (silence["createdBy"], silence["comment"]) == ("ann", "looking at it")
    (row,) = office.alarms().rows
    assert (row.name, row.by) == ("KillNotVerified", "ann")
    (event,) = office.told("alert_had")
    assert (event["who"], event["what"], event["why"]) == ("ann", "TradebotKillNotVerified", "looking at it")


async def test_its_silence_ends_with_the_alert_so_that_the_next_one_is_heard(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    await office.post("/alerts/aa/ack")
    office.alertmanager.answer = [WATCHDOG]
    office.now += 30
    await office.alerts.look()
    assert len(office.alertmanager.silences) == 1
    office.now += 76
    await office.alerts.look()
    assert office.alertmanager.silences == {}
    assert office.alerts.alerts.had(office.now) == []


async def test_an_exempt_alert_is_never_silenced_and_has_a_name_all_the_same(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw(exempt="true")]
    await office.alerts.look()
    answer = await office.post("/alerts/aa/ack")
    assert answer.json()["says"] == "ann has it; it is exempt from silences and goes on telling"
    assert office.alertmanager.silences == {}
    assert office.alarms().rows[0].by == "ann"


async def test_taking_an_alert_over_leaves_one_silence(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    await office.post("/alerts/aa/ack")
    await office.post("/alerts/aa/ack", "bob")
    assert [silence["createdBy"] for silence in office.alertmanager.silences.values()] == ["bob"]
    assert office.alarms().rows[0].by == "bob"


async def test_a_name_is_known_again_after_a_restart_by_its_silence(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    await office.post("/alerts/aa/ack")
    (identity,) = office.alertmanager.silences
    office.alerts.alerts.__init__()  # type: ignore[misc]
    silenced = raw() | {"status": {"state": "suppressed", "silencedBy": [identity], "inhibitedBy": []}}
    office.alertmanager.answer = [WATCHDOG, silenced]
    await office.alerts.look()
    assert office.alarms().rows[0].by == "ann"


async def test_an_alertmanager_that_is_away_is_said_and_nothing_is_taken(office: Office) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    office.alertmanager.answer = None
    await office.alerts.look()
    answer = await office.post("/alerts/aa/ack")
    assert answer.status_code == 409
    assert "Alertmanager could not be told" in answer.json()["error"]
    assert office.alerts.alerts.had(office.now) == []
    office.now += 20
    assert office.alarms().unknown == "Alertmanager is not reachable: Connection refused"


@pytest.mark.parametrize(("who", "status"), [("wall", 403), ("alertmanager", 403), ("grafana", 403)])
async def test_who_may_change_nothing_has_no_alert(office: Office, who: str, status: int) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    assert (await office.post("/alerts/aa/ack", who)).status_code == status
    assert office.alertmanager.silences == {}


@pytest.mark.parametrize("fingerprint", ["bb", "x", "..%2f..%2fapi"])
async def test_an_alert_that_does_not_fire_is_not_found(office: Office, fingerprint: str) -> None:
    office.alertmanager.answer = [WATCHDOG, raw()]
    await office.alerts.look()
    assert (await office.post(f"/alerts/{fingerprint}/ack")).status_code == 404


async def test_one_that_another_speaks_for_is_counted_and_not_listed(office: Office) -> None:
    inhibited = raw("bb") | {"status": {"state": "suppressed", "silencedBy": [], "inhibitedBy": ["aa"]}}
    office.alertmanager.answer = [WATCHDOG, raw(), inhibited]
    await office.alerts.look()
    alarms = office.alarms()
    assert ([row.fingerprint for row in alarms.rows], alarms.inhibited) == (["aa"], 1)


async def test_rows_that_wait_are_told_also_while_alertmanager_is_away(office: Office) -> None:
    await office.post("/alerts", "alertmanager", alerts=[{**raw(), "status": "firing"}])
    office.alertmanager.answer = None
    office.now += 30
    await office.alerts.look()
    assert [event["what"] for event in office.told("alert")] == ["TradebotKillNotVerified firing"]


async def test_a_silence_that_cannot_be_narrowed_is_told_once_and_tried_again(office: Office) -> None:
    covered = raw(exempt="true") | {"status": {"silencedBy": ["s-1"], "inhibitedBy": []}}
    office.alertmanager.silences["s-1"] = {"id": "s-1", "createdBy": "eve", "comment": "", "matchers": []}
    office.alertmanager.answer = [WATCHDOG, covered]
    office.alertmanager.refuses = True
    for _ in range(3):
        await office.alerts.look()
    (event,) = office.told("silence_amended")
    assert event["answer"] == "it could not be changed: Alertmanager answered 500"
    office.alertmanager.refuses = False
    await office.alerts.look()
    assert office.told("silence_amended")[1]["answer"] == 'the silence was narrowed by exempt!="true"'
    assert [each["matchers"][-1]["name"] for each in office.alertmanager.silences.values()] == ["exempt"]
