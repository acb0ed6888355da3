"""Who is told: routes, inhibition and timing of the committed Alertmanager configuration."""

import subprocess
from typing import Any

import pytest
import yaml

from tests.prometheus.promtool import PROMETHEUS, alert_rules

FILE = PROMETHEUS / "alertmanager.yml"
NEVER_INHIBITED = {
    f"Tradebot{name}"
    for name in (
        "KillNotVerified",
        "LossCapBreached",
        "CapNotEnforced",
        "Unhedged",
        "ModeChangedUnexpectedly",
        "LedgerDisagrees",
    )
}
FOLLOWS_FROM_A_LOSS = {
    f"Tradebot{name}" for name in ("StateStale", "LoopHung", "StreamDegraded", "CycleSlow", "FeedFrozen")
}


def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def routed(amtool: str, **labels: str) -> list[str]:
    """The receivers that an alert with these labels reaches, by amtool."""
    words = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={FILE}", *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip().split(",")


def test_amtool_finds_no_fault(amtool: str) -> None:
    subprocess.run([amtool, "check-config", str(FILE)], check=True, capture_output=True, timeout=30)


def test_promtool_finds_no_fault_in_the_scrape_configuration_and_the_rules(promtool: str) -> None:
    configuration_file = str(PROMETHEUS / "prometheus.yml")
    subprocess.run(
        [promtool, "check", "config", configuration_file], check=True, capture_output=True, timeout=30
    )
    rules = [str(path) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))]
    subprocess.run([promtool, "check", "rules", *rules], check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize(
    ("severity", "receiver"),
    [("critical", "page"), ("warning", "notify"), ("info", "remind"), ("none", "default")],
)
@pytest.mark.parametrize("area", ["link", "risk", "control"])
def test_a_live_bots_alert_goes_where_its_severity_says(
    severity: str, receiver: str, area: str, amtool: str
) -> None:
    assert routed(amtool, alertname="TradebotX", severity=severity, area=area, tier="live") == [receiver]


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
@pytest.mark.parametrize("area", ["link", "risk", "control"])
def test_a_paper_bots_alert_never_reaches_whoever_is_paged(severity: str, area: str, amtool: str) -> None:
    assert routed(amtool, alertname="TradebotX", severity=severity, area=area, tier="paper") == ["paper"]


def test_a_bot_whose_tier_nobody_knows_can_page(amtool: str) -> None:
    assert routed(amtool, alertname="TradebotX", severity="critical", tier="unknown") == ["page"]


def test_an_exporter_that_is_down_pages(amtool: str) -> None:
    assert routed(amtool, alertname="TradebotExporterDown", severity="critical", area="self") == ["page"]


@pytest.mark.parametrize("kind", ["test", "digest"])
def test_what_the_exporter_tells_by_itself_goes_to_a_receiver_of_its_own(kind: str, amtool: str) -> None:
    assert routed(amtool, alertname="TradebotX", severity=kind, area="self") == [kind]


def test_two_test_pages_in_a_row_are_two_messages_at_once() -> None:
    routes = {child["receiver"]: child for child in configuration()["route"]["routes"]}
    assert routes["test"]["group_by"] == routes["digest"]["group_by"] == ["..."]
    assert routes["test"]["group_wait"] == "0s"


def test_the_dead_mans_switch_is_called_once_a_minute() -> None:
    """Alertmanager tells again at the first interval that is later than repeat_interval."""
    watchdog = next(r for r in configuration()["route"]["routes"] if r["receiver"] == "watchdog")
    interval, repeat = (int(watchdog[key].removesuffix("s")) for key in ("group_interval", "repeat_interval"))
    assert -(-(repeat + 1) // interval) * interval == 60


def test_the_watchdog_goes_to_a_receiver_of_its_own_and_often(amtool: str) -> None:
    assert routed(amtool, alertname="TradebotWatchdog", severity="none", area="self") == ["watchdog"]


def test_a_first_start_needs_no_account() -> None:
    """No receiver has anything set."""
    assert all(set(receiver) == {"name"} for receiver in configuration()["receivers"])


def test_twenty_bots_lost_at_once_are_one_message() -> None:
    assert configuration()["route"]["group_by"] == ["instance", "area"]


def test_what_is_critical_waits_a_second_and_a_warning_until_its_inhibitor_is_there() -> None:
    route = configuration()["route"]
    by_receiver = {child["receiver"]: child for child in route["routes"]}
    assert by_receiver["page"]["group_wait"] == "1s"
    assert by_receiver["page"]["repeat_interval"] == "5m"
    assert route["group_wait"] == "15s"
    assert route["repeat_interval"] == "4h"


def test_what_is_exempt_is_never_inhibited() -> None:
    for rule in configuration()["inhibit_rules"]:
        assert 'exempt!="true"' in rule["target_matchers"]
    exempt = {
        str(rule["alert"])
        for rule in alert_rules()
        if rule["labels"].get("exempt") == "true"  # type: ignore[attr-defined]
    }
    assert exempt == NEVER_INHIBITED
    forms = [rule for rule in alert_rules() if rule["alert"] in NEVER_INHIBITED]
    assert all(rule["labels"]["exempt"] == "true" for rule in forms)  # type: ignore[index]


def test_a_lost_bot_inhibits_only_what_follows_from_its_loss() -> None:
    (rule,) = (
        r
        for r in configuration()["inhibit_rules"]
        if r["source_matchers"] == ['alertname="TradebotDisconnected"']
    )
    names, never = rule["target_matchers"]
    assert set(names.split('"')[1].split("|")) == FOLLOWS_FROM_A_LOSS
    assert never == 'exempt!="true"'
    assert rule["equal"] == ["bot", "instance"]


def test_every_alert_that_is_inhibited_exists() -> None:
    names = {str(rule["alert"]) for rule in alert_rules()}
    matchers = [
        m for r in configuration()["inhibit_rules"] for m in r["source_matchers"] + r["target_matchers"]
    ]
    written = {name for m in matchers if m.startswith("alertname") for name in m.split('"')[1].split("|")}
    assert written <= names
