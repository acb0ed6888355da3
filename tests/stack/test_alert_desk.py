"""Alerts with a real Alertmanager and the committed routes: what is listed, delivered, silenced, tested."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from exporter.alerting.digest_desk import DigestDesk
from exporter.alerting.shown import alarms
from exporter.alertmanager import Alertmanager
from exporter.alerts import ENDED_SECONDS, Delivery
from exporter.http_get import get, send
from exporter.page.parts import Alarms
from exporter.reporting.days import OperatorDay
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import TOKENS, Office
from tests.exporter.test_digest import database, happened
from tests.stack.alertmanager_stand import ALERTMANAGER, EVERYBODY, Services, alertmanager
from tests.stack.processes import HOST, free_port

KILL = {"alertname": "TradebotKillNotVerified", "severity": "critical", "bot": "arb", "instance": "x:1"}
WATCHDOG = {"alertname": "TradebotWatchdog", "severity": "none"}
EXEMPT = KILL | {"exempt": "true"}

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(ALERTMANAGER is None, reason="not installed: Debian's prometheus-alertmanager"),
]


class Real:
    """A real Alertmanager that delivers to the API of an office; the office's desk asks it."""

    def __init__(self, office: Office, address: str, services: Services) -> None:
        self.office = office
        self.services = services
        self.address = address
        self.ahead = 0.0
        self.since = datetime.now(UTC).isoformat()
        self.desk = office.alerts
        self.desk.__init__(  # type: ignore[misc] # the same desk behind the API, with a real Alertmanager
            Alertmanager(address, services.url),
            office.console.bots,
            lambda kind, **told: office.events.append({"kind": kind, **told}),
            office.recorder.ask,
            lambda: time.time() + self.ahead,
        )
        self.desk.history.recalled([])

    async def fire(self, *labels: dict[str, str], ends: datetime | None = None) -> None:
        """Tell it as Prometheus does."""
        alerts = [
            {"labels": each, "annotations": {"summary": "what it means"}, "startsAt": self.since}
            | ({"endsAt": ends.isoformat()} if ends else {})
            for each in labels
        ]
        answer = await send(f"{self.address}/api/v2/alerts", 5, method="POST", content=alerts)
        assert answer.status == 200

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Ask Alertmanager until something holds."""
        async with asyncio.timeout(20):
            while not holds():
                await self.desk.look()
                await asyncio.sleep(0.05)

    def rows(self) -> list[tuple[str, str]]:
        """What the page lists: names and who has them."""
        return [(row.name, row.by) for row in self.alarms().rows]

    def alarms(self) -> Alarms:
        """What the page shows of alerts."""
        return alarms(self.desk.alerts, self.desk.history, time.time() + self.ahead)

    def told(self) -> list[str]:
        """The history of alerts in the audit trail."""
        return [event["what"] for event in self.office.told("alert")]

    async def silences(self) -> list[Any]:
        """Each silence's state and author."""
        found: Any = (await get(f"{self.address}/api/v2/silences", 5)).json()
        return [(each["status"]["state"], each["createdBy"]) for each in found]


@asynccontextmanager
async def standing(folder: Path, push: tuple[str, ...] = EVERYBODY) -> AsyncIterator[Real]:
    office = Office(folder, {"arb": OwnBot()}, now=time.time())
    api = free_port()
    server = uvicorn.Server(uvicorn.Config(office.app, host=HOST, port=api, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    starting = alertmanager(folder, api, TOKENS["alertmanager"], push)
    address, services = await asyncio.to_thread(starting.__enter__)
    try:
        yield Real(office, address, services)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
        server.should_exit = True
        await serving
        await office.client.aclose()


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Real]:
    async with standing(tmp_path) as made:
        yield made


async def test_what_fires_is_listed_taken_silenced_and_free_again_when_it_ended(real: Real) -> None:
    assert "not asked yet" in real.alarms().unknown
    await real.desk.look()
    assert "no Watchdog fires" in real.alarms().unknown
    await real.fire(WATCHDOG, KILL)
    await real.until(real.rows, "the alert")
    assert real.rows() == [("KillNotVerified", "")]
    assert real.alarms().unknown == ""
    assert ("arb", "alert TradebotKillNotVerified") in real.office.recorder.asked

    await real.until(lambda: real.services.count("/slack", "KillNotVerified") >= 2, "the page to repeat")
    (row,) = real.alarms().rows
    said = await real.office.post(f"/alerts/{row.fingerprint}/ack", reason="looking")
    assert said.status_code == 200
    assert await real.silences() == [("active", "ann")]
    await real.until(lambda: real.desk.alerts.firing(time.time())[0].silences, "it to be silenced")
    assert real.rows() == [("KillNotVerified", "ann")]
    told = real.services.count("/slack", "KillNotVerified")
    await real.fire(KILL | {"alertname": "TradebotUnhedged"})  # what is told meanwhile is another one
    await real.until(lambda: real.services.count("/slack", "Unhedged") >= 2, "another alert, twice")
    assert real.services.count("/slack", "KillNotVerified") <= told + 1  # one may have been on its way

    real.services.rules = [
        {
            "labels": KILL,
            "state": "firing",
            "activeAt": real.since,
            "annotations": {"ended": "planned: quiet began"},
        }
    ]
    await real.desk.look()
    real.services.rules = []
    await real.fire(KILL, ends=datetime.now(UTC))
    await real.until(lambda: ("KillNotVerified", "ann") not in real.rows(), "its end")
    real.ahead = ENDED_SECONDS + 1
    await real.desk.look()
    assert await real.silences() == [("expired", "ann")]
    assert [what for what in real.told() if "Kill" in what] == [
        "TradebotKillNotVerified firing",
        "TradebotKillNotVerified resolved",
    ]
    ended = real.office.told("alert")[-1]
    assert (ended["why"], ended["data"]["resolved_source"]) == ("planned: quiet began", "poll")
    assert ended["data"]["had_by"] == "ann"


async def test_what_alertmanager_delivers_is_recorded_with_its_times_and_the_watchdog_remembered(
    real: Real,
) -> None:
    real.services.rules = [{"labels": KILL, "state": "firing", "activeAt": "2026-11-21T00:59:45Z"}]
    await real.fire(WATCHDOG, KILL)
    alerts = real.desk.alerts
    await real.until(lambda: alerts.watchdog_at is not None and real.told(), "the delivery")
    (event,) = real.office.told("alert")
    assert event["data"]["labels"] == KILL
    assert event["why"] == "what it means"
    fired = datetime.fromisoformat(real.since).timestamp()
    assert event["data"]["active_at"] == 1_795_222_785
    assert abs(event["data"]["fired_at"] - fired) < 0.001
    assert 0 < event["data"]["delivered_at"] - fired < 20
    ends = datetime.now(UTC)
    await real.fire(KILL, ends=ends)
    await real.until(lambda: len(real.told()) == 2, "its end")
    assert real.told()[1] == "TradebotKillNotVerified resolved"
    data = real.office.told("alert")[1]["data"]
    assert abs(data["resolved_at"] - ends.timestamp()) < 0.001
    assert data["resolved_source"] == "delivery"
    assert data["delivered_at"] == event["data"]["delivered_at"]


async def test_an_exempt_alert_has_a_name_and_no_silence(real: Real) -> None:
    await real.fire(WATCHDOG, EXEMPT)
    await real.until(real.rows, "the alert")
    (row,) = real.alarms().rows
    assert (await real.office.post(f"/alerts/{row.fingerprint}/ack")).status_code == 200
    assert real.rows() == [("KillNotVerified", "ann")]
    assert await real.silences() == []


@pytest.mark.parametrize(
    ("matchers", "left"),
    [
        ({"bot": "arb"}, "bot='arb', exempt!='true'"),
        ({"bot": "arb", "exempt": "true"}, None),
    ],
    ids=["of all of a bot", "of the exempt"],
)
async def test_a_silence_that_covers_what_is_exempt_is_amended_and_everything_else_in_it_stays_quiet(
    real: Real, matchers: Mapping[str, str], left: str | None
) -> None:
    other = KILL | {"alertname": "TradebotUnhedged"}
    silence = {
        "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in matchers.items()],
        "startsAt": "2026-11-21T00:00:00Z",
        "endsAt": "2100-01-01T00:00:00Z",
        "createdBy": "eve",
        "comment": "I want to sleep",
    }
    made = await send(f"{real.address}/api/v2/silences", 5, method="POST", content=silence)
    assert made.status == 200
    await real.fire(WATCHDOG, EXEMPT, EXEMPT | {"alertname": "TradebotLossCapBreached"}, other)
    await real.until(lambda: real.office.told("silence_amended"), "the silence to be seen")
    (event,) = real.office.told("silence_amended")
    assert (event["who"], event["why"], event["after"]) == ("eve", "I want to sleep", left)
    assert event["what"].startswith("a silence by eve covered Tradebot")
    assert event["what"].endswith(", which is exempt")

    def quiet() -> dict[str, bool]:
        return {alert.name: bool(alert.silences) for alert in real.desk.alerts.firing(time.time())}

    wanted = {
        "TradebotKillNotVerified": False,
        "TradebotLossCapBreached": False,
        "TradebotUnhedged": left is not None,
    }
    await real.until(lambda: quiet() == wanted, "what is exempt to be told again, and nothing else")
    await real.until(lambda: real.services.count("/hook", "KillNotVerified"), "the page")
    active = [who for state, who in await real.silences() if state == "active"]
    assert active == (["eve"] if left is not None else [])
    for _ in range(3):
        await real.desk.look()
    assert len(real.office.told("silence_amended")) == 1


async def test_a_test_page_says_of_each_channel_whether_it_was_delivered(real: Real) -> None:
    real.services.status["/hook"] = 500
    await real.fire(WATCHDOG, KILL)  # what goes out meanwhile proves nothing of it
    real.office.waits.clear()
    real.office.page_test.__init__(real.desk)  # type: ignore[misc] # with real waits
    answer = (await real.office.post("/alerts/test", severity="critical", reason="weekly")).json()
    assert answer["state"] == "failed"
    states = {each["channel"]: each["state"] for each in answer["channels"]}
    assert states == {"slack": "delivered", "webhook": "failed"}
    assert real.services.count("/slack", "TestPage") == 1
    (event,) = real.office.told("test_page")
    assert (event["who"], event["why"], event["severity"]) == ("ann", "weekly", "warning")
    again = await real.office.post("/alerts/test")
    assert again.status_code == 409
    assert "a test page went out a moment ago" in again.json()["error"]
    assert real.desk.alerts.receivers is not None
    assert real.desk.alerts.receivers.dead_man == 1


async def test_the_daily_digest_is_taken_and_delivered_once(real: Real, tmp_path: Path) -> None:
    rolled = time.gmtime(time.time() - 600)
    day = OperatorDay("UTC", rolled.tm_hour * 60 + rolled.tm_min)
    path = database(tmp_path)
    happened(path, 1, time.time() - 40_000, "exporter", "started, version 1")
    seen: list[Delivery] = []
    real.desk.listeners.append(seen.extend)
    for _ in range(2):
        await DigestDesk(path, day, ["arb"], real.desk).look()
    await real.until(lambda: seen, "the digest to come back")
    (alert,) = {each.alert.labels["date"]: each.alert for each in seen}.values()
    assert seen[0].receiver == "digest"
    assert alert.summary == f"Digest of {alert.labels['date']} ({day})"
    assert not real.told()


async def test_where_nothing_is_set_a_test_page_says_that_nobody_is_called(tmp_path: Path) -> None:
    async with standing(tmp_path, ()) as real:
        answer = (await real.office.post("/alerts/test")).json()
        assert (answer["state"], answer["channels"]) == ("nothing_set", [])
        assert answer["says"] == "NOTHING SET: no push receiver is configured, so nobody is called"
        await real.fire(WATCHDOG)
        await real.desk.look()
        assert real.alarms().called.state == "NO PUSH RECEIVER: nobody is called"
