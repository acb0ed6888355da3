"""Runs `promtool test rules` on situations told in Python: a healthy bot, what happens to it, what must fire.

A series is a function of the scrape's time in seconds: its value, `None` where it does not exist, or `LOST`
where the scrape failed. Scrapes come every 5 s; rules are evaluated as often as the group of the alert in
question says.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import yaml

PROMETHEUS = Path(__file__).parents[2] / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
SCRAPE = 5
INSTANCE = "exporter:9121"
LOST = "stale"
EXPORTER_STARTED = f'process_start_time_seconds{{instance="{INSTANCE}",job="tradebot"}}'

Series = Callable[[int], float | str | None]
Labels = Mapping[str, str]


class Kind(Enum):
    """What a situation proves of its alert; every alert must have one of each."""

    FIRES = "silent just before its time, firing at it, with full labels and annotations"
    NEGATIVE = "something like it, that is none"
    MISSING = "the data it stands on is missing"
    LOST_SCRAPE = "one scrape is lost"
    RESTART = "the exporter restarts"


@dataclass(frozen=True)
class Firing:
    """What is expected to fire from a moment on."""

    labels: Labels
    annotations: Labels


@dataclass(frozen=True)
class Case:
    """A situation: its series, and at which seconds nothing or exactly `firing` is on."""

    name: str
    alert: str
    kind: Kind
    series: Mapping[str, Series]
    silent_at: tuple[int, ...] = ()
    firing_at: tuple[int, ...] = ()
    firing: tuple[Firing, ...] = field(default=())


def firing(
    alert: str, summary: str, description: str, *, board: str = "tradebot-system", **labels: str
) -> Firing:
    """An alert of the bot `arb` with all its labels and annotations; of tier live unless another is given."""
    texts = {"summary": summary, "description": description}
    ways = {"runbook_url": f"prometheus/runbooks/{alert}.md", "dashboard": f"/d/{board}?var-bot=arb"}
    return Firing({"bot": "arb", "instance": INSTANCE, "tier": "live", **labels}, texts | ways)


def always(value: float) -> Series:
    """The same value at each scrape."""
    return lambda _: value


def changes(*steps: tuple[int, float | None]) -> Series:
    """The value of the last step whose second has come; before the first there is none."""

    def at(second: int) -> float | None:
        past = [value for since, value in steps if since <= second]
        return past[-1] if past else None

    return at


def until(end: int) -> Series:
    """The time of the last of the messages that come every second, the last of all at `end`."""
    return lambda second: min(second, end)


def bot(name: str = "arb", tier: str = "live", **replaced: Series | None) -> dict[str, Series]:
    """The series of a healthy bot that beats each second and sends its states, some replaced.

    A key is the metric's name without `tradebot_`; `None` takes its series away.
    """
    healthy: dict[str, Series] = {
        "connected": always(1),
        "expected": always(1),
        "last_heartbeat_timestamp_seconds": until(10**6),
        "up": always(1),
        "loop_hung": always(0),
        "awaiting_first_state": always(0),
        "reconnects_total": always(0),
        'tier,tier="live"': always(tier == "live"),
        'tier,tier="paper"': always(tier == "paper"),
        'last_mode,mode="live"': always(tier == "live"),
        'last_mode,mode="paper"': always(tier == "paper"),
    }
    wanted = {**healthy, **replaced}
    series = {series_name(name, key): series for key, series in wanted.items() if series is not None}
    return series | {EXPORTER_STARTED: always(-3600)}


def series_name(bot_name: str, key: str) -> str:
    """`connected` or `tier,tier="live"` as the name of a scraped series."""
    metric, _, labels = key.partition(",")
    labels = labels and f",{labels}"
    return f'tradebot_{metric}{{bot="{bot_name}",instance="{INSTANCE}",job="tradebot"{labels}}}'


def with_lost_scrape(series: Mapping[str, Series], at: int) -> dict[str, Series]:
    """The same with the scrape at that second failed."""
    return {name: lambda second, s=each: LOST if second == at else s(second) for name, each in series.items()}


def with_restart(
    series: Mapping[str, Series], gone: int, back: int, forgotten: tuple[str, ...] = ()
) -> dict[str, Series]:
    """The same with the exporter away from `gone` until `back`; it has then forgotten the named metrics."""

    def across(name: str, each: Series) -> Series:
        forgets = name.partition("{")[0].removeprefix("tradebot_") in forgotten

        def at(second: int) -> float | str | None:
            if gone <= second < back:
                return LOST if second == gone else None
            return None if forgets and second >= back else each(second)

        return at

    restarted = {**series, EXPORTER_STARTED: changes((0, -3600), (gone, back))}
    return {name: across(name, each) for name, each in restarted.items()}


def run(case: Case, promtool: str, folder: Path) -> None:
    """Give the case to promtool; what it finds wrong is the assertion's message."""
    file = folder / "case.yml"
    file.write_text(yaml.safe_dump(rendered(case), sort_keys=False, width=10**6))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{case.name}\n{done.stdout}{done.stderr}"


def rendered(case: Case) -> dict[str, object]:
    """The case as promtool reads it."""
    end = max(case.silent_at + case.firing_at) + SCRAPE
    fires = [{"exp_labels": dict(f.labels), "exp_annotations": dict(f.annotations)} for f in case.firing]
    expected = [(at, []) for at in case.silent_at] + [(at, fires) for at in case.firing_at]
    return {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": evaluation_interval(case.alert),
        "group_eval_order": [group["name"] for group in rule_groups()],
        "tests": [
            {
                "name": case.name,
                "interval": f"{SCRAPE}s",
                "input_series": [
                    {"series": name, "values": " ".join(token(s(at)) for at in range(0, end, SCRAPE))}
                    for name, s in case.series.items()
                ],
                "alert_rule_test": [
                    {"eval_time": f"{at}s", "alertname": case.alert, "exp_alerts": alerts}
                    for at, alerts in expected
                ],
            }
        ],
    }


def token(value: float | str | None) -> str:
    """A sample in promtool's notation."""
    if value is None:
        return "_"
    return value if isinstance(value, str) else f"{float(value):g}" if abs(value) < 10**5 else f"{value:.0f}"


def rule_groups() -> list[dict[str, object]]:
    """Every group of the committed rule files, those that the others stand on first."""
    return [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]


def evaluation_interval(alert: str) -> str:
    """How often the alert's group is evaluated."""
    groups = [group for group in rule_groups() if any(r.get("alert") == alert for r in group["rules"])]  # type: ignore[attr-defined]
    return str(groups[0].get("interval", f"{SCRAPE}s"))


def alert_rules() -> list[dict[str, object]]:
    """Every alerting rule of the committed rule files."""
    return [rule for group in rule_groups() for rule in group["rules"] if "alert" in rule]  # type: ignore[attr-defined]
