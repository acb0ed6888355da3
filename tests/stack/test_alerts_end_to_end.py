"""Every alert, caused by its symptom, reaches a receiver through real programs from end to end."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
import yaml

from tests.stack.console import fetch
from tests.stack.incident import MINUTE, UNDISTURBED, Incident
from tests.stack.processes import ROOT, wait_until
from tests.stack.scene import SOON, Outcome, Scene
from tests.stack.whole import SCENES, Whole

pytestmark = pytest.mark.stack

RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
NOW = re.compile(
    r".+ · (last )?mode (live|paper) · PnL (not known|-?[\d.]+ USD \((bot|ledger)\))"
    r" · (no cap known|cap [\d.]+ USD)( · simulated)?"
)
"""What an alert of a bot says of how the bot stands."""


def played(short: Iterable[Scene], long: Iterable[Scene]) -> list[Any]:
    """Parameters: scenes of the short form, and of the long one."""
    return [
        *(pytest.param(("incident", scene.name), id=scene.name) for scene in short),
        *(
            pytest.param(("whole", scene.name), id=f"{scene.name}-whole", marks=pytest.mark.soak)
            for scene in long
        ),
    ]


ALL = played(MINUTE, SCENES)
MENDED = played(
    (s for s in MINUTE if s.mend and s.ends <= SOON), (s for s in SCENES if s.mend and s.tells_its_end)
)


@pytest.fixture
def outcome(request: pytest.FixtureRequest) -> Outcome:
    """What came of a scene."""
    run, name = request.param
    found: Outcome = request.getfixturevalue(run).outcomes[name]
    if found.skipped:
        pytest.skip(found.skipped)
    assert found.error == ""
    return found


def test_every_alert_of_every_severity_has_a_scene() -> None:
    rules = [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    known = {(scene.alert, scene.told.severity) for scene in SCENES}
    assert {(rule["alert"], rule["labels"]["severity"]) for rule in rules} - known == set()


@pytest.mark.parametrize("outcome", ALL, indirect=True)
def test_an_alert_is_at_its_receiver_and_in_time(outcome: Outcome) -> None:
    assert outcome.fired is not None
    assert outcome.seconds_to_fire is not None
    if outcome.scene.promise is not None:
        assert 0 < outcome.seconds_to_fire <= outcome.scene.promise


@pytest.mark.parametrize("outcome", ALL, indirect=True)
def test_what_arrives_says_what_is_wrong_how_it_stands_and_what_to_do(outcome: Outcome) -> None:
    scene, fired = outcome.scene, outcome.fired
    assert fired is not None
    said = fired.annotations
    assert said["summary"]
    assert scene.says in said["description"]
    assert said["runbook_url"] == f"prometheus/runbooks/{scene.alert}.md"
    assert (ROOT / said["runbook_url"]).is_file()
    assert said.get("ended", "") == ""
    if scene.makes is None:
        assert re.fullmatch(r"/d/tradebot-\w+", said["dashboard"])
    else:
        assert scene.name in said["description"]
        assert re.fullmatch(rf"/d/tradebot-\w+\?var-bot={scene.name}", said["dashboard"])
        assert NOW.fullmatch(said["now"])


@pytest.mark.parametrize("outcome", MENDED, indirect=True)
def test_an_alert_resolves_when_its_symptom_is_mended_and_says_why(outcome: Outcome) -> None:
    assert outcome.resolved is not None
    assert outcome.mended is not None
    assert outcome.resolved.at > outcome.mended
    if outcome.scene.makes is not None:
        assert outcome.resolved.annotations["ended"] == outcome.scene.ended


def test_what_is_not_mended_does_not_resolve(incident: Incident) -> None:
    lasting = [outcome for outcome in incident.outcomes.values() if outcome.scene.mend is None]
    assert lasting
    for outcome in lasting:
        assert outcome.scene.arrivals(incident.console, "resolved", outcome.caused) == []


def test_a_paper_bots_alert_pages_nobody(incident: Incident) -> None:
    webhook = incident.console.webhook
    assert webhook.arrivals(receiver="paper", tier="paper")
    assert [one for one in webhook.arrivals(tier="paper") if one.receiver != "paper"] == []


@pytest.mark.soak
def test_no_paper_bot_ever_pages_anybody(whole: Whole) -> None:
    about_paper = [one for one in whole.arrivals if one.labels.get("tier") == "paper"]
    assert about_paper
    assert {one.receiver for one in about_paper} == {"paper"}


def test_the_page_for_a_live_bot_silences_its_own_warning(incident: Incident) -> None:
    """The warning may come first; once the page is out it is not said again."""
    paged = incident.outcomes["real"].fired
    assert paged is not None
    warned = incident.console.webhook.arrivals(bot="real", receiver="notify", status="firing")
    assert all(arrival.at <= paged.at + 1 for arrival in warned)


@pytest.mark.parametrize("bot", UNDISTURBED)
def test_neither_a_planned_restart_nor_a_healthy_bot_raises_anything(bot: str, incident: Incident) -> None:
    # A leg that misses its other one for 15 s does so for five minutes of markets that live 20 times as fast.
    told = incident.console.webhook.arrivals(bot=bot)
    assert {one.labels["alertname"] for one in told} <= {"TradebotUnhedged"}
    fired = f'count_over_time(ALERTS{{bot="{bot}",alertstate="firing",alertname!="TradebotUnhedged"}}[10m])'
    assert incident.console.query(fired) == []
    # What waits for minutes may begin to: markets that live fast have bad moments. A link has none here.
    waited = f'count_over_time(ALERTS{{bot="{bot}",area="link"}}[10m])'
    assert incident.console.query(waited) == []


def test_a_planned_restart_was_one(incident: Incident) -> None:
    gone = incident.console.query('min_over_time(tradebot_connected{bot="planned"}[5m])')
    assert [series["value"][1] for series in gone] == ["0"]
    assert incident.console.query('tradebot_up{bot="planned"} == 1')


def test_every_alert_has_a_route_of_its_own(incident: Incident) -> None:
    fires = json.loads(fetch(incident.console.url("alertmanager", "/api/v2/alerts")))
    assert fires
    assert [alert["labels"] for alert in fires if {"name": "default"} in alert["receivers"]] == []


def test_the_watchdog_arrives(incident: Incident) -> None:
    """A minute after the start at the latest: until then Prometheus may not have found Alertmanager."""
    webhook = incident.console.webhook
    wait_until(lambda: webhook.arrivals(receiver="watchdog"), "the watchdog", 70)
    assert webhook.arrivals(receiver="watchdog", alertname="TradebotWatchdog", status="firing")
