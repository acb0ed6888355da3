"""What holds for every alert: known metrics, known label values, a severity of the set, texts, a runbook."""

import re

import pytest

from exporter.control.kill import Stage
from exporter.labels import UNKNOWN
from exporter.metrics import DECLARED
from exporter.reporting.sources import STATUSES as STORE_STATUSES
from exporter.sourced import BOT, LEDGER
from exporter.state import CAUSES
from exporter.view import TIERS
from tests.prometheus.promtool import PROMETHEUS, alert_rules, rule_groups

ROOT = PROMETHEUS.parent
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
AREAS = {"link", "risk", "control", "self"}
DASHBOARDS = {"tradebot-live", "tradebot-system", "tradebot-config"}

EXPORTED = {metric.name: metric for metric in DECLARED}
RECORDED = {str(rule["record"]) for group in rule_groups() for rule in group["rules"] if "record" in rule}  # type: ignore[attr-defined]
# Every value that a rule may ask of a label that the exporter writes.
VALUES = {
    "tier": {*TIERS, UNKNOWN},
    "mode": set(TIERS),
    "cause": set(CAUSES),
    "source": {BOT, LEDGER},
    "status": set(STORE_STATUSES),
    "state": set(Stage),
    "expected": {"true", "false"},
    "job": {"tradebot"},
}
# Labels that no metric declares: what each bot's series have, what Prometheus adds, what the rules add.
ADDED = {"bot", "instance", "job", "tier"}

EXPRESSIONS = [
    pytest.param(str(rule["expr"]), id=str(rule.get("alert") or rule.get("record")))
    for group in rule_groups()
    for rule in group["rules"]  # type: ignore[attr-defined]
]
RULES = [pytest.param(rule, id=f"{rule['alert']} {rule['labels']['severity']}") for rule in alert_rules()]  # type: ignore[index]
NAMES = sorted({str(rule["alert"]) for rule in alert_rules()})


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_in_a_rule_is_exported_or_recorded(expression: str) -> None:
    assert set(re.findall(r"tradebot_\w+", expression)) <= EXPORTED.keys()
    assert set(re.findall(r"\bbot:\w+:\w+", expression)) <= RECORDED


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_in_a_rule_exists_and_every_value_can_occur(expression: str) -> None:
    metrics = set(re.findall(r"tradebot_\w+", expression))
    known = ADDED.union(*(EXPORTED[name].labels for name in metrics))
    asked = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', expression)
    for label, _, values in asked:
        if label == "__name__":
            continue
        assert label in known, label
        assert set(values.split("|")) <= VALUES[label], values
    for clause in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expression):
        assert {label.strip() for label in clause.split(",")} <= known, clause


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_names_its_severity_its_area_and_how_long_it_waits(rule: dict[str, dict[str, str]]) -> None:
    alert = str(rule["alert"])
    assert re.fullmatch(r"Tradebot[A-Z]\w+", alert)
    allowed = {"none"} if alert == "TradebotWatchdog" else {"critical", "warning", "info"}
    assert rule["labels"]["severity"] in allowed
    assert rule["labels"]["area"] in AREAS
    assert "for" in rule


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_has_a_static_summary_and_says_where_to_look(rule: dict[str, dict[str, str]]) -> None:
    texts = rule["annotations"]
    assert set(texts) - {"now", "ended"} == {"summary", "description", "runbook_url", "dashboard"}
    assert "{{" not in texts["summary"]
    assert not texts["summary"].endswith(".")
    assert texts["description"].endswith(".")
    assert texts["runbook_url"] == f"prometheus/runbooks/{rule['alert']}.md"
    uid = re.match(r"/d/([\w-]+)", texts["dashboard"])
    assert uid is not None
    assert uid[1] in DASHBOARDS


@pytest.mark.parametrize("alert", NAMES)
def test_a_runbook_has_its_sections_in_order_and_says_what_to_run_and_open(alert: str) -> None:
    text = (PROMETHEUS / "runbooks" / f"{alert}.md").read_text()
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    parts = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)+)", text, re.M))
    assert all(len(parts[section].split()) >= 15 for section in SECTIONS if alert != "TradebotWatchdog")
    assert re.search(r"tradebot_|\bup\{|ALERTS", parts["Diagnosis"])
    assert "**" in parts["Diagnosis"] + parts["Mitigation"] + parts["Impact"], "names no page to open"


@pytest.mark.parametrize("alert", NAMES)
def test_a_runbook_asks_only_for_metrics_that_exist_and_links_to_files_that_do(alert: str) -> None:
    path = PROMETHEUS / "runbooks" / f"{alert}.md"
    text = path.read_text()
    assert set(re.findall(r"\btradebot_\w+", text)) <= EXPORTED.keys()
    assert set(re.findall(r"\bbot:\w+:\w+", text)) <= RECORDED
    assert all((path.parent / link).is_file() for link in re.findall(r"\]\(([^)]+)\)", text))


def test_there_is_no_runbook_of_an_alert_that_does_not_exist() -> None:
    assert sorted(path.stem for path in (PROMETHEUS / "runbooks").glob("*.md")) == NAMES


def test_an_alert_of_a_paper_bot_is_never_critical() -> None:
    for rule in alert_rules():
        if rule["labels"]["severity"] == "critical" and rule["labels"]["area"] != "self":  # type: ignore[index]
            expression = str(rule["expr"])
            assert 'tier!="paper"' in expression or "bot:live:info" in expression


def test_only_alerts_of_the_link_are_silent_while_a_bot_is_planned_away() -> None:
    """Planned quiet never hides money or control."""
    for group in rule_groups():
        asks = any(re.search(r"tradebot_expected\b|bot:expected", str(r["expr"])) for r in group["rules"])  # type: ignore[attr-defined]
        assert asks == (group["name"] == "link")
