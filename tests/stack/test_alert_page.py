"""Alerts on the operator page as a person uses them: a real browser, exporter, Alertmanager and bot."""

import json
import re
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.stack.alertmanager_stand import ALERTMANAGER, Services, alertmanager
from tests.stack.operator_stand import CHROMIUM, PHONE, TOKENS, Stand, chromium, standing
from tests.stack.processes import free_port, wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: chromium)"),
    pytest.mark.skipif(ALERTMANAGER is None, reason="not installed: Debian's prometheus-alertmanager"),
]

LONG = 20_000  # milliseconds
WATCHDOG = {"alertname": "TradebotWatchdog", "severity": "none"}
KILL = {"alertname": "TradebotKillNotVerified", "severity": "critical", "bot": "arb", "area": "control"}
ROW = "#alerts li:has-text('KillNotVerified')"


@dataclass(frozen=True)
class Paged:
    stand: Stand
    alertmanager: str
    services: Services

    def fire(self, labels: dict[str, str], *, ended: str = "") -> None:
        """Tell Alertmanager as Prometheus does: that it fires, or that it has ended and why."""
        notes = {"summary": "The bot goes on", "ended": ended}
        alert = {"labels": labels, "annotations": notes, "startsAt": STARTED}
        if ended:
            alert["endsAt"] = datetime.now(UTC).isoformat()
        request = urllib.request.Request(
            f"{self.alertmanager}/api/v2/alerts",
            data=json.dumps([alert]).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


STARTED = "2026-11-20T23:59:45Z"


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paged]:
    folder, api = tmp_path_factory.mktemp("paged"), free_port()
    with (
        chromium() as browser,
        alertmanager(folder, api, TOKENS["alertmanager"]) as (address, services),
        standing(folder, browser, api, address) as stand,
    ):
        made = Paged(stand, address, services)
        made.fire(WATCHDOG)
        yield made


def do(page: Page, button: str, reason: str) -> None:
    page.click(button)
    page.fill("input[name=reason]", reason)
    page.click("#ask-do")


def test_an_alert_is_taken_its_runbook_read_and_its_end_explained(paged: Paged) -> None:
    with paged.stand.page() as page:
        expect(page.locator("#alarms")).to_have_text("NO ALERT FIRES", timeout=LONG)
        expect(page.locator("#alerts")).to_contain_text(
            re.compile(r"ALERT PATH PROVEN the Watchdog came back")
        )
        expect(page.locator("#alerts")).to_contain_text("WHO IS CALLED slack, webhook")
        paged.fire(KILL)
        expect(page.locator("#alarms")).to_have_text("ALERTS: 1 critical", timeout=LONG)
        do(page, f"{ROW} >> text=I have it", "looking")
        expect(page.locator("#said")).to_contain_text("ann has it; it is quiet for an hour")
        expect(page.locator(ROW)).to_contain_text("ann has it")
        expect(page.locator("#alarms")).to_have_text("ALERTS: 1 critical, all taken")

        page.click(f"{ROW} >> text=Runbook")
        expect(page.locator("h1")).to_have_text("TradebotKillNotVerified")
        expect(page.locator("h2")).to_have_text(["Meaning", "Impact", "Diagnosis", "Mitigation"])
        page.go_back()

        paged.fire(KILL, ended="recovered")
        ended = page.locator("#alerts h3 + ul li")
        expect(page.locator("#alarms")).to_have_text("NO ALERT FIRES", timeout=LONG)
        # Whoever has an alert is told no more, so nothing delivers its end: it is seen after 75 seconds.
        other = KILL | {"alertname": "TradebotUnhedged"}
        paged.fire(other)
        expect(page.locator("#alarms")).to_have_text("ALERTS: 1 critical", timeout=LONG)
        paged.fire(other, ended="planned: quiet began")
        expect(ended).to_contain_text(["planned: quiet began"], timeout=LONG)

    def told() -> set[str]:
        return {event["what"] for event in paged.stand.ask("/api/events?kind=alert")[1]["events"]}

    wait_until(lambda: {"TradebotUnhedged firing", "TradebotUnhedged resolved"} <= told(), "the history")


def test_a_test_page_goes_out_and_stays_on_the_page(paged: Paged) -> None:
    paged.services.status["/hook"] = 500
    with paged.stand.page(size=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        do(page, "#test-page", "weekly")
        expect(page.locator("#said")).to_contain_text("slack DELIVERED · webhook FAILED", timeout=2 * LONG)
        expect(page.locator("#said")).to_have_class("said act")
        expect(page.locator("#alerts .told.act")).to_contain_text("slack DELIVERED · webhook FAILED")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert paged.services.count("/slack", "TestPage") == 1


def test_a_runbook_opens_on_a_phone_without_a_login_and_fits(paged: Paged) -> None:
    with paged.stand.page(who=None, path="/runbooks/TradebotDisconnected", size=PHONE) as page:
        expect(page.locator("h1")).to_have_text("TradebotDisconnected")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_a_page_that_stopped_does_not_go_on_saying_that_nothing_fires(paged: Paged) -> None:
    look = """() => [getComputedStyle(alarms).fontSize, getComputedStyle(alarms, '::after').fontSize,
        getComputedStyle(alarms).backgroundColor]"""
    with paged.stand.page(who=None) as page:
        expect(page.locator("#alarms")).to_have_text("NO ALERT FIRES", timeout=LONG)
        before = page.evaluate(look)
        assert before[0] != "0px"
        assert before[1] == "0px"
        paged.stand.exporter.send(signal.SIGSTOP)
        try:
            expect(page.locator("#frozen")).to_be_visible(timeout=LONG)
            words, instead, colour = page.evaluate(look)
            assert words == "0px"
            assert instead != "0px"
            assert colour != before[2]
        finally:
            paged.stand.exporter.send(signal.SIGCONT)
        expect(page.locator("#frozen")).to_be_hidden(timeout=LONG)
        assert page.evaluate(look) == before
