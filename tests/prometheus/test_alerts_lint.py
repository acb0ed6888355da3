"""What holds for every alert: known metrics, labels and values, a severity of the set, texts, a runbook."""

import json
import re
from functools import cache

import pytest
import yaml

from exporter.control.kill import Stage
from exporter.labels import STATUSES, UNKNOWN
from exporter.metrics import DECLARED
from exporter.reporting.sources import STATUSES as STORE_STATUSES
from exporter.rows import HISTOGRAM
from exporter.sight import CLOCK_OFF_SECONDS
from exporter.sourced import BOT, LEDGER
from exporter.state import CAUSES
from exporter.totals import MESSAGE_TYPES
from exporter.view import TIERS
from grafana.words import STREAM_CODES
from tests.prometheus.promql import grouped_by, made, selectors
from tests.prometheus.promtool import PROMETHEUS, alert_rules, rule_groups
from tests.prometheus.their_metrics import ALERTS, NEWER_LABELS, STARTED, THEIRS, UP

ROOT = PROMETHEUS.parent
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
AREAS = {"link", "risk", "control", "market", "performance", "self"}
MAY_BE_QUIET = {"link", "market", "performance"}
"""Areas that planned quiet hides; it never hides money or control."""
SEVERITIES = {"critical", "warning", "info"}
EXEMPT = {
    "TradebotKillNotVerified",
    "TradebotLossCapBreached",
    "TradebotCapNotEnforced",
    "TradebotUnhedged",
    "TradebotModeChangedUnexpectedly",
    "TradebotLedgerDisagrees",
}
OF_THE_CONSOLE = {"summary", "description", "runbook_url", "dashboard"}
OF_A_BOT = OF_THE_CONSOLE | {"now", "ended"}
DASHBOARDS = {
    str(board["uid"]): board
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
    for board in [json.loads(path.read_text())]
}

CATALOGUE = yaml.safe_load((ROOT / "exporter" / "catalogues" / "arb.yml").read_text())["settings"]
EXPORTED = {metric.name: metric for metric in DECLARED}
BUCKETS = {f"{metric.name}_bucket": metric for metric in DECLARED if metric.kind == HISTOGRAM}
EVERY_RULE = [(str(group["name"]), rule) for group in rule_groups() for rule in group["rules"]]  # type: ignore[attr-defined]
RECORDED = {str(rule["record"]): str(rule["expr"]) for _, rule in EVERY_RULE if "record" in rule}
RULES = [pytest.param(rule, id=f"{rule['alert']} {rule['labels']['severity']}") for rule in alert_rules()]  # type: ignore[index]
NAMES = sorted({str(rule["alert"]) for rule in alert_rules()})
EXPRESSIONS = [
    pytest.param(str(rule["expr"]), id=str(rule.get("alert") or rule.get("record"))) for _, rule in EVERY_RULE
]

# Every value that a rule may ask of a label that the exporter, Prometheus or a rule writes.
VALUES = {
    "tier": {*TIERS, UNKNOWN},
    "mode": set(TIERS),
    "known": {"now", "last"},
    "cause": set(CAUSES),
    "source": {BOT, LEDGER},
    "status": {*STORE_STATUSES, *STATUSES, *"|".join(STREAM_CODES.values()).split("|")},
    "stakes": {"live", "none"},
    "key": {key for keys in CATALOGUE.values() for key in keys},
    "state": set(Stage),
    "expected": {"true", "false"},
    "simulated": {"true", "false", UNKNOWN},
    "type": set(MESSAGE_TYPES),
    "job": {"tradebot", "prometheus", "alertmanager"},
    "integration": {"email", "slack", "telegram", "pagerduty", "webhook"},
    "reason": {"contextCanceled"},
    "alertname": set(NAMES),
    "alertstate": {"pending", "firing"},
    "severity": SEVERITIES,
}
SCRAPED = frozenset({"instance", "job"})


@cache
def labels_of(metric: str) -> frozenset[str] | None:
    """The labels that a metric may have; None for one that nobody makes."""
    if metric in EXPORTED:
        own = set(EXPORTED[metric].labels) | (
            {"bot"} if not metric.startswith("tradebot_exporter_") else set()
        )
        return SCRAPED | own
    if metric in BUCKETS:
        return SCRAPED | {"bot", "le", *BUCKETS[metric].labels}
    if metric in THEIRS:
        return SCRAPED | THEIRS[metric][1] | NEWER_LABELS.get(metric, frozenset())
    if metric in {UP, STARTED}:
        return SCRAPED
    if metric == ALERTS:
        return SCRAPED | {
            "alertname",
            "alertstate",
            "severity",
            *["bot", "tier", "store", "status", "venue", "key", "cause"],
        }
    return labels_in(RECORDED[metric]) if metric in RECORDED else None


@cache
def labels_in(expression: str) -> frozenset[str]:
    """The labels that what an expression gives may have; a rule that asks itself adds none."""
    asked = {s.metric for s in selectors(expression)}
    others = [name for name in asked if RECORDED.get(name) != expression]
    return frozenset().union(*(labels_of(name) or frozenset() for name in others), made(expression))


@cache
def asked_by(expression: str) -> frozenset[str]:
    """Every metric that an expression stands on, through the rules that record it."""
    found: set[str] = set()
    left = {s.metric for s in selectors(expression)}
    while left - found:
        found |= left
        left = {s.metric for name in left if name in RECORDED for s in selectors(RECORDED[name])}
    return frozenset(found)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_in_a_rule_exists(expression: str) -> None:
    asked = {selector.metric for selector in selectors(expression)}
    assert asked or "vector(1)" in expression
    assert {name for name in asked if labels_of(name) is None} == set()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_that_a_rule_asks_for_is_one_of_its_metric_and_every_value_can_occur(
    expression: str,
) -> None:
    for selector in selectors(expression):
        for label, operator, values in selector.matchers:
            assert label in (labels_of(selector.metric) or ()), (selector, label)
            assert set(values) <= VALUES[label], (selector, values)
            if label in NEWER_LABELS.get(selector.metric, ()):
                assert operator.startswith("!"), f"older versions have no {label}"
    assert grouped_by(expression) <= labels_in(expression)
    for label, values in made(expression).items():
        assert values <= VALUES[label], label


@pytest.mark.parametrize("rule", RULES)
def test_every_label_and_metric_that_a_text_names_is_there(rule: dict[str, dict[str, str]]) -> None:
    texts = " ".join(rule["annotations"].values())
    has = labels_in(str(rule["expr"])) | rule["labels"].keys()
    assert set(re.findall(r"\$labels\.(\w+)", texts)) <= has
    assert {name for name in re.findall(r"\b(?:tradebot|bot:\w+:)_?\w+", texts) if _asked(name)} == set()
    assert set(re.findall(r'\blabel "(\w+)"', texts)) <= {"text", "mode", "known", "source", *has}


def _asked(name: str) -> bool:
    return not (name in RECORDED or name in EXPORTED or name.startswith("tradebot-"))


def test_a_metric_that_rules_record_has_one_meaning() -> None:
    assert len(RECORDED) == sum("record" in rule for _, rule in EVERY_RULE)
    used = {name for _, rule in EVERY_RULE for name in asked_by(str(rule["expr"]))}
    texts = " ".join(text for rule in alert_rules() for text in rule["annotations"].values())  # type: ignore[attr-defined]
    assert {name for name in RECORDED if name not in used and name not in texts} == set(), (
        "recorded for nobody"
    )


@pytest.mark.parametrize(("area", "rule"), [(a, r) for a, r in EVERY_RULE if "alert" in r])
def test_an_alert_names_its_severity_its_area_and_how_long_it_waits(
    area: str, rule: dict[str, dict[str, str]]
) -> None:
    alert = str(rule["alert"])
    assert re.fullmatch(r"Tradebot[A-Z]\w+", alert)
    assert rule["labels"]["severity"] in ({"none"} if alert == "TradebotWatchdog" else SEVERITIES)
    assert rule["labels"]["area"] == area
    assert area in AREAS
    assert "for" in rule


def test_a_group_is_named_as_its_file() -> None:
    files = {path.stem for path in (PROMETHEUS / "rules").glob("*.yml")}
    assert {str(group["name"]) for group in rule_groups()} == files


@pytest.mark.parametrize("rule", RULES)
def test_what_must_never_be_silenced_is_exempt_and_nothing_else(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"].get("exempt") == ("true" if rule["alert"] in EXEMPT else None)


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_has_a_static_summary_and_says_where_to_look(rule: dict[str, dict[str, str]]) -> None:
    texts = rule["annotations"]
    of_a_bot = "bot" in labels_in(str(rule["expr"]))
    assert texts.keys() == (OF_A_BOT if of_a_bot else OF_THE_CONSOLE)
    assert not of_a_bot or "keep_firing_for" not in rule, "its texts would stand still while it is held"
    assert "{{" not in texts["summary"]
    assert not texts["summary"].endswith(".")
    assert texts["description"].endswith((".", "}}"))
    assert texts["runbook_url"] == f"prometheus/runbooks/{rule['alert']}.md"
    uid = re.fullmatch(r"/d/([\w-]+)(\?var-bot=\{\{ \$labels\.bot \}\})?", texts["dashboard"])
    assert uid is not None
    assert uid[1] in DASHBOARDS
    assert (uid[2] is not None) == of_a_bot


def test_the_line_of_now_is_the_same_in_every_alert_of_a_bot() -> None:
    lines = {rule["annotations"]["now"] for rule in alert_rules() if "now" in rule["annotations"]}  # type: ignore[index,operator]
    assert len(lines) == 1


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_of_a_paper_bot_is_never_critical(rule: dict[str, dict[str, str]]) -> None:
    if rule["labels"]["severity"] == "critical" and "bot" in labels_in(str(rule["expr"])):
        expression = str(rule["expr"])
        tiers = [RECORDED[s.metric] for s in selectors(expression) if s.metric in RECORDED]
        never = ('tier!="paper"', 'stakes="live"', "bot:live:info")
        assert any(each in text for text in (expression, *tiers) for each in never)


@pytest.mark.parametrize(("area", "rule"), [(a, r) for a, r in EVERY_RULE if "alert" in r])
def test_planned_quiet_hides_link_and_market_and_never_money_or_control(
    area: str, rule: dict[str, object]
) -> None:
    asked = asked_by(str(rule["expr"]))
    assert ("tradebot_expected" in asked) == (area in MAY_BE_QUIET)
    assert area == "market" or "tradebot_venue_expected" not in asked


def test_a_clock_is_called_wrong_by_the_same_difference_everywhere() -> None:
    limits = re.findall(
        r"tradebot_clock_skew_seconds\[20s\]\)\) (>=|<=) (\S+)", RECORDED["bot:clock_off:seconds"]
    )
    assert {(sign, float(limit)) for sign, limit in limits} == {
        (">=", CLOCK_OFF_SECONDS),
        ("<=", -CLOCK_OFF_SECONDS),
    }


@pytest.mark.parametrize("alert", NAMES)
def test_a_runbook_has_its_sections_in_order_and_says_what_to_run_and_open(alert: str) -> None:
    text = (PROMETHEUS / "runbooks" / f"{alert}.md").read_text()
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    parts = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)+)", text, re.M))
    assert all(len(parts[section].split()) >= 15 for section in SECTIONS if alert != "TradebotWatchdog")
    assert re.search(r"tradebot_|\bup\{|ALERTS|prometheus_|alertmanager_", parts["Diagnosis"])
    assert "**" in parts["Diagnosis"] + parts["Mitigation"] + parts["Impact"], "names no page to open"


@pytest.mark.parametrize("alert", NAMES)
def test_a_runbook_asks_only_for_metrics_that_exist_and_links_to_files_that_do(alert: str) -> None:
    path = PROMETHEUS / "runbooks" / f"{alert}.md"
    text = path.read_text()
    assert set(re.findall(r"\btradebot_\w+", text)) <= EXPORTED.keys()
    assert set(re.findall(r"\bbot:\w+:\w+", text)) <= RECORDED.keys()
    assert all((path.parent / link).is_file() for link in re.findall(r"\]\(([^)]+)\)", text))


def test_there_is_no_runbook_of_an_alert_that_does_not_exist() -> None:
    assert sorted(path.stem for path in (PROMETHEUS / "runbooks").glob("*.md")) == NAMES


def asked_of_alerts() -> list[tuple[str, str]]:
    """Every expression of a dashboard that asks for alerts, with its dashboard."""
    found = []
    for uid, board in DASHBOARDS.items():
        left: list[object] = [board]
        while left:
            each = left.pop()
            if isinstance(each, str) and re.search(r"\bALERTS(_FOR_STATE)?\{", each):
                found.append((uid, each))
            left += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
    return found


def filters(expression: str) -> list[tuple[str, str, str]]:
    """The matchers of every selector of alerts in an expression."""
    chosen = re.findall(r"\bALERTS(?:_FOR_STATE)?\{([^}]*)\}", expression)
    return [matcher for text in chosen for matcher in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', text)]


def test_every_filter_of_alerts_on_a_page_names_alerts_severities_and_states_that_exist() -> None:
    of_rules = {name: {str(r["labels"][name]) for r in alert_rules()} for name in ("severity", "area")}  # type: ignore[index]
    known = {"alertname": set(NAMES), "alertstate": {"pending", "firing"}, **of_rules}
    asked = [(uid, m) for uid, expression in asked_of_alerts() for m in filters(expression)]
    assert {m[0] for _, m in asked} >= {"alertname", "alertstate", "severity"}, "looks at the wrong place"
    for uid, (label, operator, text) in asked:
        if text.startswith("$"):
            continue  # a variable of the page, whose values are bots
        words = text.split("|") if "~" in operator and "(" not in text else [text]
        for word in words:
            fits = (known.get(label) or ()) if "~" in operator else ()
            assert word in known[label] or any(re.fullmatch(word, each) for each in fits), (uid, label, word)
