"""Faults of real bots reach a webhook through the real exporter, Prometheus and Alertmanager."""

import pytest

from tests.stack.incident import EXPECTED, UNDISTURBED, Incident
from tests.stack.processes import wait_until

pytestmark = pytest.mark.stack

BOTS = sorted(EXPECTED)


@pytest.mark.parametrize("bot", BOTS)
def test_a_fault_is_at_its_receiver_in_time(bot: str, incident: Incident) -> None:
    expected, first = EXPECTED[bot], incident.arrivals(bot, "firing")[0]
    seconds = first.at - incident.caused
    print(f"{bot}: {expected.alert} at {first.receiver} after {seconds:.1f} s")
    assert 0 < seconds <= expected.within


@pytest.mark.parametrize("bot", [bot for bot in BOTS if EXPECTED[bot].resolves])
def test_an_alert_resolves_when_its_bot_is_back(bot: str, incident: Incident) -> None:
    last = incident.arrivals(bot, "resolved")[-1]
    print(f"{bot}: resolved after {last.at - incident.mended:.1f} s")
    assert last.at > incident.mended


@pytest.mark.parametrize("bot", [bot for bot in BOTS if not EXPECTED[bot].resolves])
def test_what_is_not_mended_does_not_resolve(bot: str, incident: Incident) -> None:
    assert incident.arrivals(bot, "resolved") == []


@pytest.mark.parametrize("bot", BOTS)
def test_what_arrives_says_what_is_wrong_where_and_what_to_do(bot: str, incident: Incident) -> None:
    expected, first = EXPECTED[bot], incident.arrivals(bot, "firing")[0]
    assert first.labels["severity"] == expected.severity
    assert first.labels["tier"] == ("paper" if bot == "paper" else "live")
    assert bot in first.annotations["description"]
    assert first.annotations["runbook_url"] == f"prometheus/runbooks/{expected.alert}.md"
    assert first.annotations["dashboard"].endswith(f"?var-bot={bot}")


def test_a_paper_bots_alert_pages_nobody(incident: Incident) -> None:
    assert incident.arrivals("paper", "firing")
    assert incident.console.webhook.arrivals(receiver="page", bot="paper") == []
    assert incident.console.webhook.arrivals(receiver="page", tier="paper") == []


def test_the_page_for_a_live_bot_silences_its_own_warning(incident: Incident) -> None:
    """The warning may come first; once the page is out it is not said again."""
    paged = incident.arrivals("real", "firing")[0].at
    warned = incident.console.webhook.arrivals(bot="real", receiver="notify", status="firing")
    assert all(arrival.at <= paged + 1 for arrival in warned)


@pytest.mark.parametrize("bot", UNDISTURBED)
def test_neither_a_planned_restart_nor_a_healthy_bot_raises_anything(bot: str, incident: Incident) -> None:
    assert incident.console.webhook.arrivals(bot=bot) == []
    # That nobody has drilled them yet is no trouble of theirs, and an info that waits for ten minutes.
    raised = f'count_over_time(ALERTS{{bot="{bot}",alertname!="TradebotDrillOverdue"}}[10m])'
    assert incident.console.query(raised) == []


def test_a_planned_restart_was_one(incident: Incident) -> None:
    gone = incident.console.query('min_over_time(tradebot_connected{bot="planned"}[5m])')
    assert [series["value"][1] for series in gone] == ["0"]
    assert incident.console.query('tradebot_up{bot="planned"} == 1')


def test_nothing_arrives_at_a_receiver_that_no_route_names(incident: Incident) -> None:
    assert incident.console.webhook.arrivals(receiver="default") == []


def test_the_watchdog_arrives(incident: Incident) -> None:
    """A minute after the start at the latest: until then Prometheus may not have found Alertmanager."""
    webhook = incident.console.webhook
    wait_until(lambda: webhook.arrivals(receiver="watchdog"), "the watchdog", 70)
    assert webhook.arrivals(receiver="watchdog", alertname="TradebotWatchdog", status="firing")
