"""Every query of pages and rules asks the real Prometheus for what the real exporter really says."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from exporter.metrics import DECLARED
from exporter.rows import HISTOGRAM, Metric
from grafana.queries import UNUSED
from tests.stack.incident import Incident
from tests.stack.processes import ROOT, wait_until

pytestmark = pytest.mark.stack

PAGES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
SCRAPE = 5


@dataclass(frozen=True)
class Query:
    """One expression of a page, and where it stands."""

    page: str
    panel: str
    ref: str
    expression: str

    @property
    def place(self) -> str:
        """Where to find it."""
        return f"{self.page}, {self.panel} {self.ref}"

    def of(self, bot: str) -> str:
        """The expression as Grafana sends it."""
        return (
            self.expression.replace("$__interval", "15s")
            .replace("$__rate_interval", "20s")
            .replace("$bot", bot)
        )


def queries() -> Iterator[Query]:
    for path in PAGES:
        page = json.loads(path.read_text())
        for variable in page["templating"]["list"]:
            asked = re.fullmatch(r"query_result\((.*)\)", variable.get("definition", ""))
            if asked:
                yield Query(path.stem, f"variable {variable['name']}", "", asked[1])
        for annotation in page["annotations"]["list"]:
            if "expr" in annotation.get("target", {}):  # others are rows of the reporting database
                yield Query(path.stem, f"annotation {annotation['name']}", "", annotation["target"]["expr"])
        for panel in panels(page):
            title = panel.get("title") or panel.get("description", "")[:40]
            for target in [target for target in panel.get("targets", []) if "expr" in target]:
                yield Query(path.stem, f"{panel['id']} {title}", target["refId"], target["expr"])


def panels(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in page.get("panels", []):
        yield panel
        yield from panels(panel)


QUERIES = list(queries())
WRITTEN = "\n".join([query.expression for query in QUERIES] + [path.read_text() for path in RULES])
"""Every expression of pages and rules."""

SELECTOR = re.compile(
    r"\b((?:tradebot|prometheus|alertmanager|process|scrape)_\w+|up|ALERTS\w*)\b(?:\{([^}]*)\})?"
)
OF_A_STATE = re.compile(r'(?:level|status|mode|severity|alertname|simulated|source)(?:=~|!~|!=|=)"[^"]*"')
"""Matchers of labels of which a value exists only while a bot, or an alert, is in that state."""

_HABIT = "a kill of a bot that reports no kill switch and was seen to trade for a while"
NEEDS_LONGER = {
    "tradebot_blocked": "half an hour in which one reason keeps a bot from opening anything",
    "tradebot_kill_quiet_cycles": _HABIT,
    "tradebot_kill_quiet_cycles_needed": _HABIT,
}
"""Metrics that a minute cannot bring about, and what would."""


def over_the_minute(incident: Incident, expression: str) -> bool:
    """Whether the expression had a series at any scrape since all bots were up."""
    end = str(float(incident.console.query("vector(time())")[0]["value"][1]))
    found = incident.console.api(
        "query_range", query=expression, start=str(incident.ready), end=end, step=str(SCRAPE)
    )
    return bool(found["result"])


def of_any_bot(incident: Incident, query: Query) -> bool:
    """Whether it had a series for one of the bots, in the situation that bot was in."""
    return any(over_the_minute(incident, query.of(bot)) for bot in ("well", *incident.names))


def selectors(query: Query) -> set[str]:
    """The selectors of a query, without what only asks for a state."""
    found = set()
    for name, matchers in SELECTOR.findall(query.expression):
        kept = [matcher for matcher in re.split(r",\s*", OF_A_STATE.sub("", matchers)) if matcher]
        found.add(f"{name}{{{', '.join(kept)}}}")
    return found


def test_every_query_of_a_page_parses(incident: Incident) -> None:
    faults = []
    for query in QUERIES:
        try:
            incident.console.query(query.of("well"))
        except RuntimeError as error:
            faults.append(f"{query.place}: {error}")
    assert not faults, "\n".join(faults)


def test_every_panel_shows_something_of_a_bot_that_runs(incident: Incident) -> None:
    shown: dict[str, bool] = {}
    for query in QUERIES:
        if not query.panel.startswith("annotation"):
            panel = f"{query.page}, {query.panel}"
            shown[panel] = shown.get(panel, False) or bool(incident.console.query(query.of("well")))
    silent = [panel for panel, something in shown.items() if not something]
    assert not silent, "\n".join(silent)


def test_every_query_has_series_in_a_situation_or_asks_only_for_what_has(incident: Incident) -> None:
    """Most colours of a panel are queries of their own, which speak only in their situation.

    Of those whose situation did not come up in the minute, every selector has series.
    """
    delivered = "tradebot_exporter_alert_path_timestamp_seconds"
    wait_until(lambda: incident.console.query(delivered), "the watchdog at the exporter", 70)
    known: dict[str, bool] = {}
    unheard = []
    for query in QUERIES:
        if of_any_bot(incident, query):
            continue
        for selector in selectors(query):
            if selector.partition("{")[0] in NEEDS_LONGER:
                continue
            if selector not in known:
                known[selector] = of_any_bot(incident, replace(query, expression=selector))
            if not known[selector]:
                unheard.append(f"{query.place}: {selector}")
    assert not unheard, "\n".join(unheard)


def test_every_metric_that_pages_and_rules_use_is_exported() -> None:
    used = set(re.findall(r"\btradebot_\w+", WRITTEN)) - {"tradebot_"}
    assert used <= {name for metric in DECLARED for name in series_of(metric)}


def test_every_metric_that_is_exported_is_used_or_says_why_not() -> None:
    used = set(re.findall(r"\btradebot_\w+", WRITTEN))
    idle = {metric.name for metric in DECLARED if not used & set(series_of(metric))}
    assert idle <= UNUSED.keys(), sorted(idle - UNUSED.keys())


def test_what_is_called_unused_is_exported_and_on_no_page() -> None:
    assert UNUSED.keys() <= {metric.name for metric in DECLARED}
    pages = "\n".join(query.expression for query in QUERIES)
    assert not [name for name in UNUSED if re.search(rf"\b{name}\b", pages)]


def test_every_rule_is_healthy_in_the_real_prometheus(incident: Incident) -> None:
    groups = incident.console.api("rules")["groups"]
    assert {group["name"] for group in groups} == {path.stem for path in RULES}
    faults = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule.get("lastError")
    }
    assert faults == {}
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def test_every_target_is_up(incident: Incident) -> None:
    targets = incident.console.api("targets")["activeTargets"]
    assert sorted(target["labels"]["job"] for target in targets) == ["alertmanager", "prometheus", "tradebot"]
    assert {target["health"] for target in targets} == {"up"}


def test_promtool_is_silent_on_live_metrics(incident: Incident) -> None:
    text = incident.console.metrics()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_bots_metrics_are_in_prometheus_within_two_scrapes(incident: Incident) -> None:
    assert incident.seconds_to_prometheus <= 2 * SCRAPE


def series_of(metric: Metric[Any]) -> list[str]:
    """The names under which a metric's series are asked for."""
    return [metric.name] + [
        f"{metric.name}_{part}" for part in ("bucket", "sum", "count") if metric.kind == HISTOGRAM
    ]
