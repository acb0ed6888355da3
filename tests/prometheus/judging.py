"""Gives situations to `promtool test rules`: the rules they stand on, and what every text must say then."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tests.prometheus.promtool import LOST, SCRAPE, Case, Series, alert_rules, rule_groups, rules_of, token

STATES = ("tradebot_mode", "tradebot_last_mode")  # one series a state, 1 for the one that holds


def faults(cases: Sequence[Case], promtool: str, folder: Path) -> dict[Case, str]:
    """What promtool finds wrong in these situations, by situation; one run for those of an alert."""

    def run(alert: str) -> dict[Case, str]:
        those = [case for case in cases if case.alert == alert]
        file, rules = folder / f"{alert}.yml", folder / f"{alert}.rules.yml"
        # What is JSON is YAML, and written sooner.
        rules.write_text(ranges(json.dumps({"groups": needed(alert)})))
        file.write_text(json.dumps(rendered(those, rules)))
        done = subprocess.run(
            [promtool, "test", "rules", str(file)],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
            env={
                **os.environ,
                "GOGC": "400",
            },  # memory is there, and collecting garbage takes a quarter of it
        )
        said = done.stdout + done.stderr
        found: dict[Case, str] = {}
        parts = re.split(r"^ *name: (\d+),", said, flags=re.M)
        for number, complaint in zip(parts[1::2], parts[2::2], strict=True):
            case = those[int(number)]
            found[case] = found.get(case, case.name) + complaint
        return found if found or not done.returncode else dict.fromkeys(those, said)

    version = subprocess.run([promtool, "--version"], check=True, capture_output=True, text=True, timeout=30)
    ranges = str if "version 2." in version.stdout + version.stderr else with_both_edges
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(run, dict.fromkeys(case.alert for case in cases))
        return {case: complaint for each in found for case, complaint in each.items()}


def with_both_edges(rules: str) -> str:
    """The rules for a promtool that leaves the oldest edge out of a range, a millisecond longer each.

    Scrapes and evaluations fall on the same seconds here, which they never do outside; so without this every
    situation in which something vanishes would be one scrape off in one of the two versions.
    """

    def longer(found: re.Match[str]) -> str:
        span = found[1]
        return f"[{int(span[:-2]) + 1}ms" if span.endswith("ms") else f"[{span}1ms"

    return re.sub(r"\[(\d+(?:ms|[smhd]))(?=[\]:])", longer, rules)


@cache
def needed(alert: str) -> list[dict[str, object]]:
    """The groups of the committed rules with those rules alone that the alert stands on, in their order.

    What an alert does hangs on nothing else, and all rules at each second of each situation take minutes.
    """
    texts: dict[str, str] = {}
    for rule in (rule for group in rule_groups() for rule in rules_of(group)):
        name = str(rule.get("alert") or rule.get("record"))
        texts[name] = texts.get(name, "") + str(rule)
    wanted, left = set[str](), {alert}
    while left:
        wanted |= left
        asked = " ".join(texts[name] for name in left)
        left = {name for name in texts if re.search(rf"\b{name}\b", asked)} - wanted
    kept = [
        {
            **group,
            "rules": [rule for rule in rules_of(group) if {rule.get("alert"), rule.get("record")} & wanted],
        }
        for group in rule_groups()
    ]
    return [group for group in kept if group["rules"]]


@cache
def step_of(alert: str) -> int:
    """How many seconds lie between two evaluations of the alert."""
    own = next(
        group for group in rule_groups() if any(rule.get("alert") == alert for rule in rules_of(group))
    )
    return int(str(own.get("interval", f"{SCRAPE}s")).removesuffix("s"))


def rendered(cases: Sequence[Case], rules: Path) -> dict[str, object]:
    """The situations of one alert as promtool reads them, each by its number."""
    step = step_of(cases[0].alert)
    return {
        "rule_files": [str(rules)],
        "evaluation_interval": f"{step}s",
        "group_eval_order": [group["name"] for group in needed(cases[0].alert)],
        "tests": [as_test(case, number, step) for number, case in enumerate(cases)],
    }


def as_test(case: Case, number: int, step: int) -> dict[str, object]:
    """One situation as promtool reads it."""
    expected = {at: [] for at in case.silent_at} | {at: fires(case, at) for at in case.firing_at}
    if case.ends:
        last, why = case.ends
        expected |= {last - step: fires(case, last - step), last: fires(case, last, why), last + step: []}
    end = max(expected) + SCRAPE
    return {
        "name": str(number),
        "interval": f"{SCRAPE}s",
        "input_series": [
            {"series": name, "values": samples(s(at) for at in range(0, end, SCRAPE))}
            for name, s in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{at}s", "alertname": case.alert, "exp_alerts": alerts}
            for at, alerts in sorted(expected.items())
        ],
    }


def fires(case: Case, at: int, ended: str = "") -> list[dict[str, object]]:
    """What fires at that second, with what it says of then: how its bot is, and why it ends if it does."""
    written = next(rule["annotations"] for rule in alert_rules() if rule["alert"] == case.alert)
    of_then = {"now": now_line(case.series, at, step_of(case.alert)), "ended": ended}
    said = {name: text for name, text in of_then.items() if name in written}  # type: ignore[operator]
    return [
        {"exp_labels": dict(f.labels), "exp_annotations": said | dict(f.annotations)} for f in case.firing
    ]


def now_line(series: Mapping[str, Series], at: int, step: int, bot_name: str = "arb") -> str:
    """The line `now` of a bot's alert at that second, as the rules must put it together from these series.

    What was recorded 2.5 s ago counts, which makes a difference only to rules that are evaluated as often.
    """
    evaluated, slack = at - at % step, 2.4 if step < 2.5 else 0.0

    def newest(metric: str, within: float, **wanted: str) -> tuple[float, dict[str, str]] | None:
        found = []
        for name, each in series.items():
            labels = dict(re.findall(r'(\w+)="([^"]*)"', name))
            if name.startswith(metric + "{") and {"bot": bot_name, **wanted}.items() <= labels.items():
                scrapes = range(evaluated - evaluated % SCRAPE, -1, -SCRAPE)
                recent = [s for s in scrapes if evaluated - s <= within + slack]
                found += [(-s, v, labels) for s in recent if isinstance(v := each(s), int | float)][:1]
        found = [entry for entry in found if entry[1] or metric not in STATES]
        return min(found, key=lambda entry: entry[0])[1:] if found else None

    def figure(metric: str, **wanted: str) -> float | None:
        seen = newest(metric, 20, **wanted)
        return seen and seen[0]

    verdict = newest("tradebot_verdict", 14.9)
    mode, last_mode = newest("tradebot_mode", 6), newest("tradebot_last_mode", 20)
    pnls = [(figure("tradebot_daily_pnl_usd", source=source), source) for source in ("bot", "ledger")]
    pnl = next((f"PnL {value:.2f} USD ({source})" for value, source in pnls if value is not None), None)
    cap = figure("tradebot_daily_loss_cap_usd")
    parts = [
        verdict[1]["text"] if verdict else "no verdict",
        f"mode {mode[1]['mode']}"
        if mode
        else f"last mode {last_mode[1]['mode']}"
        if last_mode
        else "mode not known",
        pnl or "PnL not known",
        "no cap known" if cap is None else f"cap {cap:.10g} USD",
    ]
    return " · ".join([*parts, *["simulated"] * bool(newest("tradebot_info", 20, simulated="true"))])


def samples(values: Iterable[float | str | None]) -> str:
    """A series in promtool's notation; where a scrape no longer has it, it ends as in a real Prometheus."""
    tokens, known = [], False
    for value in values:
        tokens.append(LOST if value is None and known else token(value))
        known = value is not None and value != LOST
    return " ".join(tokens)
