"""Whom Alertmanager would call, by its own configuration, and what its counters say of a test page."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exporter.alerting.paging import EVERY, WITHIN
from exporter.alerting.receivers import counted, of_config
from exporter.alerts import of_delivery
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import Office
from tests.exporter.test_alerts import raw

OWN = """    webhook_configs:
      - url: <secret>
        http_config: {authorization: {type: Bearer, credentials_file: /run/secrets/alertmanager_token}}
"""
SET = f"""
route: {{receiver: default}}
receivers:
  - name: default
{OWN}  - name: watchdog
{OWN}      - {{url: <secret>}}
  - name: page
    slack_configs: [{{api_url: <secret>}}]
    pagerduty_configs: [{{routing_key: <secret>}}]
{OWN}      - {{url: <secret>}}
      - {{url: <secret>}}
  - name: test
    slack_configs: [{{api_url: <secret>}}]
{OWN}"""


def test_push_receivers_are_counted_without_the_own_webhook_and_the_dead_mans_switch() -> None:
    found = of_config(SET)
    assert found is not None
    assert found.called == {"slack": 1, "email": 0, "telegram": 0, "pagerduty": 1, "webhook": 2}
    assert (found.dead_man, found.anybody, found.for_tests) == (1, True, "test")
    assert found.own == {"default", "watchdog", "page", "test"}
    assert found.requests("page") == {"slack": 1, "pagerduty": 1, "webhook": 3}
    assert found.requests("watchdog") == {"webhook": 2}
    assert found.requests("nobody") == {"webhook": 0}


def test_what_an_older_alertmanager_shows_of_the_own_webhook_is_enough() -> None:
    found = of_config(
        "route: {receiver: x}\nreceivers: [{name: x, webhook_configs: [{url: 'http://exporter:9121/api/alerts'}]}]"
    )
    assert found is not None
    assert (found.anybody, found.own, found.for_tests) == (False, {"x"}, "x")


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "route: {}", "receivers: 3", "receivers: [", "receivers: [{name: [x\n"]
)
def test_a_configuration_that_cannot_be_read_says_nothing(text: str) -> None:
    assert of_config(text) is None


def test_a_kind_that_nobody_named_is_counted_as_well_and_odd_ones_do_no_harm() -> None:
    found = of_config("receivers: [3, {name: x, sns_configs: [{}], odd_configs: 3, webhook_configs: [4]}]")
    assert found is not None
    assert found.called["sns"] == 1
    assert (found.anybody, found.default) == (True, "")


@pytest.mark.parametrize("more", ["", 'receiver_name="page",'])
def test_counters_of_old_and_new_alertmanagers_are_read(more: str) -> None:
    metrics = (
        "# TYPE alertmanager_notification_requests_total counter\n"
        f'alertmanager_notification_requests_total{{{more}integration="slack"}} 3\n'
        f'alertmanager_notification_requests_total{{integration="slack",receiver_name="x"}} 1\n'
        f'alertmanager_notification_requests_failed_total{{{more}integration="slack"}} 2\n'
        'alertmanager_notifications_total{integration="slack"} 9\n'
    )
    assert counted(metrics) == {"slack": (4, 2)}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot()})
    made.alertmanager.config = SET
    async with made.client:
        yield made


class Counters:
    """What Alertmanager counts: requests by integration, and how many failed."""

    def __init__(self, office: Office) -> None:
        self.made = {"slack": 5.0, "webhook": 7.0}
        self.failed = {"slack": 1.0, "webhook": 0.0}
        self.office = office
        office.alertmanager.counters = self.told

    def told(self) -> str:
        return "".join(
            f'alertmanager_notification_requests_{word}total{{integration="{kind}"}} {value}\n'
            for word, values in (("", self.made), ("failed_", self.failed))
            for kind, value in values.items()
        )

    def back(self, receiver: str = "test", page: str | None = None) -> None:
        """The webhook brings the page that was posted, or another alert."""
        (posted,) = self.office.alertmanager.posted
        own = raw(name="TradebotTestPage", page=posted["labels"]["page"] if page is None else page)
        self.made["webhook"] += 1
        self.office.alerts.delivered(
            list(of_delivery({"receiver": receiver, "alerts": [{**own, "status": "firing"}]}))
        )


async def test_a_page_is_delivered_where_counters_and_the_webhook_say_so(office: Office) -> None:
    counters, steps = Counters(office), iter(range(100))

    def happens() -> None:
        step = next(steps)
        if step == 1:
            counters.made["slack"] += 1
        if step == 2:
            counters.back()

    office.waits.append(happens)
    answer = (await office.post("/alerts/test", severity="warning", reason="weekly")).json()
    assert (answer["state"], answer["says"], answer["tone"]) == ("delivered", "slack DELIVERED", "")
    assert answer["channels"] == [{"channel": "slack", "state": "delivered", "says": ""}]
    (posted,) = office.alertmanager.posted
    assert posted["labels"].items() >= {
        "alertname": "TradebotTestPage", "severity": "test", "tests": "warning", "page": answer["page"],
    }.items()  # fmt: skip
    (event,) = office.told("test_page")
    assert (event["who"], event["why"], event["what"]) == ("ann", "weekly", "test page (warning): delivered")
    tested = office.alarms().tested
    assert tested is not None
    assert (tested.state, tested.tone) == ("slack DELIVERED", "")
    assert office.told("alert") == []  # a test is no alert


async def test_one_failed_request_is_a_failure_with_a_hint(office: Office) -> None:
    counters = Counters(office)

    def happens() -> None:
        counters.made["slack"] += 1
        counters.failed["slack"] += 1

    office.waits.append(happens)
    answer = (await office.post("/alerts/test")).json()
    assert (answer["state"], answer["tone"]) == ("failed", "act")
    assert answer["says"].startswith("slack FAILED: is the webhook's address right")


@pytest.mark.parametrize(
    ("counts", "comes", "why"),
    [
        (True, False, "its webhook did not bring it back here"),
        (False, True, "Alertmanager has not sent it within 20 s"),
    ],
)
async def test_what_only_one_of_the_two_shows_is_not_known(
    office: Office, counts: bool, comes: bool, why: str
) -> None:
    counters, steps = Counters(office), iter(range(100))

    def happens() -> None:
        if next(steps) == 0:
            counters.made["slack"] += counts
            if comes:
                counters.back()

    office.waits.append(happens)
    began = office.now
    answer = (await office.post("/alerts/test")).json()
    assert (answer["state"], answer["tone"]) == ("unknown", "look")
    assert why in answer["says"]
    assert office.now - began == WITHIN


async def test_another_alert_that_goes_out_meanwhile_proves_nothing(office: Office) -> None:
    counters, steps = Counters(office), iter(range(100))

    def happens() -> None:
        if next(steps) == 0:
            counters.back("page", page="another")
            counters.made["slack"] += 1  # of that one
            counters.back()

    office.waits.append(happens)
    assert (await office.post("/alerts/test")).json()["state"] == "unknown"


async def test_receivers_that_no_test_page_reaches_are_not_said_to_be_none(office: Office) -> None:
    office.alertmanager.config = SET[: SET.index("  - name: test")]
    answer = await office.post("/alerts/test")
    assert answer.status_code == 409
    assert "no route of Alertmanager leads a test page there" in answer.json()["error"]


async def test_a_watchdog_that_goes_out_meanwhile_does_not_count_for_a_webhook(office: Office) -> None:
    office.alertmanager.config = SET + "      - {url: <secret>}\n"
    counters, steps = Counters(office), iter(range(100))

    def happens() -> None:
        if next(steps) == 0:
            counters.made["slack"] += 1
            counters.back()
            counters.back("watchdog", page="none")
            counters.made["webhook"] += (
                1  # the dead-man's switch; the webhook that is tested is still to come
            )

    office.waits.append(happens)
    answer = (await office.post("/alerts/test")).json()
    states = {each["channel"]: each["state"] for each in answer["channels"]}
    assert states == {"slack": "delivered", "webhook": "unknown"}


async def test_two_pages_do_not_go_out_at_once(office: Office) -> None:
    Counters(office)
    await office.post("/alerts/test")
    answer = await office.post("/alerts/test")
    assert (answer.status_code, len(office.alertmanager.posted)) == (409, 1)
    office.now += EVERY
    office.alertmanager.posted.clear()
    assert (await office.post("/alerts/test")).status_code == 200


async def test_an_alertmanager_that_is_away_is_said(office: Office) -> None:
    office.alertmanager.answer = None
    answer = await office.post("/alerts/test")
    assert answer.status_code == 409
    assert "nobody would be called now" in answer.json()["error"]


@pytest.mark.parametrize("fields", [{"severity": "info"}, {"severity": 3}, {"channel": "slack"}])
async def test_what_cannot_be_tested_is_refused(office: Office, fields: dict[str, Any]) -> None:
    assert (await office.post("/alerts/test", **fields)).status_code == 422


@pytest.mark.parametrize("who", ["wall", "alertmanager", "grafana"])
async def test_who_may_change_nothing_calls_nobody(office: Office, who: str) -> None:
    assert (await office.post("/alerts/test", who)).status_code == 403
    assert office.alertmanager.posted == []


async def test_who_is_called_is_asked_each_minute_and_is_not_known_for_ever(office: Office) -> None:
    await office.alerts.look()
    assert office.alarms().called.state == "slack, pagerduty, 2 × webhook"
    office.alertmanager.config = "route: {receiver: default}\nreceivers: [{name: default}]"
    office.now += 59
    await office.alerts.look()
    assert office.alarms().called.state == "slack, pagerduty, 2 × webhook"
    office.now += 1
    await office.alerts.look()
    called = office.alarms().called
    assert (called.state, called.tone) == ("NO PUSH RECEIVER: nobody is called", "look")
    assert "no dead-man's switch" in called.says
    office.alertmanager.answer = None
    office.now += 181
    await office.alerts.look()
    assert office.alarms().called.state == "NOT KNOWN"
