"""The notification table: the eight events as promised, and rules and events that keep what it says."""

from pathlib import Path

import pytest
import yaml

from exporter.config_faults import ConfigError
from exporter.notifications import KINDS, Notifications, load, notifications, printed
from exporter.notifier import CAP_UNSET, DAILY_HIGH, TRADE
from tests.exporter.program import outcome, start

ROOT = Path(__file__).parents[2]
SEVERITIES = ("info", "warning", "critical")
PROMISED = [
    ("Trade executed", "dashboard log", "info"),
    ("Stop loss triggered", "dashboard push", "warning"),
    ("Kill switch activated", "dashboard push sound", "critical"),
    ("Daily loss limit approaching (80%)", "dashboard push", "warning"),
    ("Broker disconnection", "dashboard push", "critical"),
    ("High-conviction signal (≥90)", "dashboard", "info"),
    ("New daily high P&L", "dashboard", "info"),
    ("Consecutive losses (3+)", "dashboard push", "warning"),
]
NEVER_PUSHED = {"trade", "daily_high", "conviction", "cap_unset"}
EVENTS_MADE = {TRADE, DAILY_HIGH, CAP_UNSET}


def severities() -> dict[str, set[str]]:
    """Of each rule of this project, the severities that it fires with."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    return found


def table_of(folder: Path, **row: object) -> Notifications:
    """A table with one row, like a good one but for what is given."""
    good = {"says": "A", "priority": "critical", "channels": ["push"], "sources": {}}
    good["sources"] = {kind: {"alerts": ["TradebotA"]} for kind in KINDS}
    (folder / "table.yml").write_text(yaml.safe_dump({"events": {"a": {**good, **row}}}))
    return load(folder / "table.yml")


def test_the_eight_events_come_first_with_the_channels_and_the_priority_that_were_promised() -> None:
    rows = list(notifications().rows.values())[: len(PROMISED)]
    assert [(row.says, " ".join(row.channels), row.priority) for row in rows] == PROMISED


def test_every_alert_that_is_named_exists_and_is_as_severe_as_its_row_at_its_worst() -> None:
    there = severities()
    for name, row in notifications().rows.items():
        for source in row.sources.values():
            found = {alert: there.get(alert, set()) for alert in source.alerts}
            assert all(found.values()), f"{name}: no rule fires {[a for a, s in found.items() if not s]}"
            if found:
                worst = max((severity for each in found.values() for severity in each), key=SEVERITIES.index)
                assert worst == row.priority, name


def test_every_event_that_is_named_is_recorded_by_this_program_and_the_other_way_round() -> None:
    sources = [source for row in notifications().rows.values() for source in row.sources.values()]
    assert {source.event for source in sources if source.event} == EVENTS_MADE


def test_what_only_informs_is_no_alert() -> None:
    rows = notifications().rows
    assert {name for name, row in rows.items() if row.priority == "info"} == NEVER_PUSHED
    assert not [alert for name in NEVER_PUSHED for s in rows[name].sources.values() for alert in s.alerts]


def missing(table: Notifications, kinds: set[str]) -> dict[str, str]:
    """What has no source yet although there are bots of its kind."""
    return {
        f"{kind} {name}": source.none_yet
        for name, row in table.rows.items()
        for kind, source in row.sources.items()
        if source.none_yet and kind in kinds
    }


def test_nothing_is_without_a_source_once_the_project_has_a_bot_of_its_kind() -> None:
    """With the EMA-cloud bot, each `none_yet` of its kind has to become a source."""
    bots = {kind for kind in KINDS if (ROOT / f"{kind}_bot").is_dir()}
    assert "arb" in bots
    assert missing(notifications(), bots) == {}


def test_an_event_without_a_source_would_be_found() -> None:
    found = missing(notifications(), {"ema"})
    assert {"ema stop_loss", "ema conviction", "ema trade"} <= set(found)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"priority": "urgent"}, "priority"),
        ({"channels": ["telegraph"]}, "channels"),
        ({"says": ""}, "says"),
        ({"loud": True}, "loud"),
        ({"priority": "warning", "channels": ["push", "sound"]}, "only what is critical sounds"),
        ({"sources": {"arb": {"alerts": ["A"]}}}, "expected one for each of arb, ema"),
        ({"sources": {key: {"alerts": ["A"]} for key in (*KINDS, "fx")}}, "and no other"),
        ({"sources": {key: {} for key in KINDS}}, "expected one of alerts, event, never, none_yet"),
        ({"sources": {key: {"alerts": ["A"], "event": "b"} for key in KINDS}}, "expected one of"),
        ({"sources": {key: {"event": "trade"} for key in KINDS}}, "an event is recorded and not pushed"),
        ({"channels": ["dashboard"]}, "an alert is always pushed"),
        ({"sources": {key: {"verdicts": ["A"], "never": "x"} for key in KINDS}}, "without the alerts"),
    ],
)
def test_a_row_that_promises_what_cannot_be_kept_is_a_fault(
    tmp_path: Path, row: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        table_of(tmp_path, **row)


@pytest.mark.parametrize("content", ["", "[]", "events: []", "events: {a: 5}", "events: {a: {says: x}}", "{"])
def test_a_file_that_is_no_table_is_a_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "table.yml").write_text(content)
    with pytest.raises(ConfigError):
        load(tmp_path / "table.yml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yml")


def test_the_table_is_printed_with_every_event_its_channels_and_its_source(tmp_path: Path) -> None:
    lines = printed(notifications()).splitlines()
    assert lines[0].split() == ["event", "priority", "dashboard", "log", "push", "sound", "source", "now"]
    (trade,) = (line for line in lines if line.startswith("Trade executed"))
    assert trade.split()[2:] == ["info", "yes", "yes", "·", "·", "arb:", "event", "trade"]
    (kill,) = (line for line in lines if line.startswith("Kill switch activated"))
    assert "critical  yes        ·    yes   yes    TradebotKillSwitchActive" in kill
    assert sum("none yet: " in line for line in lines) == len(missing(notifications(), {"ema"}))


async def test_the_program_prints_it_without_any_settings() -> None:
    code, said, _ = await outcome(await start("notifications"))
    assert code == 0
    assert said.rstrip("\n") == printed(notifications())
