"""Situations of a bot told in Python, for promtool: a healthy bot, what happens to it, what must fire.

A series is a function of the scrape's time in seconds: its value, `None` where it does not exist, or `LOST`
where the scrape failed. Scrapes come every 5 s; rules are evaluated as often as the group of the alert in
question says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
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


@dataclass(frozen=True, eq=False)
class Case:
    """A situation: its series, and at which seconds nothing or exactly `firing` is on.

    `ends` is the second of the last evaluation that fires and why it says it ends; the evaluation before that
    says nothing of an end, and the one after it is silent.
    """

    name: str
    alert: str
    kind: Kind
    series: Mapping[str, Series]
    silent_at: tuple[int, ...] = ()
    firing_at: tuple[int, ...] = ()
    firing: tuple[Firing, ...] = field(default=())
    ends: tuple[int, str] | None = None


def firing(
    alert: str,
    summary: str,
    description: str,
    *,
    board: str = "tradebot-system",
    texts: Labels | None = None,
    **labels: str,
) -> Firing:
    """An alert of the bot `arb` with all its labels and annotations; of tier live unless another is given.

    What it says of the moment, `now` and `ended`, follows from the case; `texts` may fix it word by word.
    """
    says = {"summary": summary, "description": description, **(texts or {})}
    ways = {"runbook_url": f"prometheus/runbooks/{alert}.md", "dashboard": f"/d/{board}?var-bot=arb"}
    return Firing({"bot": "arb", "instance": INSTANCE, "tier": "live", **labels}, says | ways)


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


def bridged(alert: str, series: Mapping[str, Series], expected: Firing, at: int) -> list[Case]:
    """What must hold of every alert that fires from `at` on: neither a lost scrape nor a restart ends it."""
    return [
        Case(
            "A lost scrape does not interrupt it.",
            alert,
            Kind.LOST_SCRAPE,
            with_lost_scrape(series, at + 10),
            firing_at=(at, at + 10, at + 14, at + 15),
            firing=(expected,),
        ),
        Case(
            "A minute without the exporter does not let it resolve.",
            alert,
            Kind.RESTART,
            with_restart(series, gone=at + 30, back=at + 90),
            firing_at=(at + 30, at + 55, at + 89, at + 90, at + 240),
            firing=(expected,),
        ),
    ]


def token(value: float | str | None) -> str:
    """A sample in promtool's notation."""
    if value is None:
        return "_"
    return value if isinstance(value, str) else f"{float(value):g}" if abs(value) < 10**5 else f"{value:.0f}"


@cache
def rule_groups() -> list[dict[str, object]]:
    """Every group of the committed rule files, those that the others stand on first."""
    return [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]


def rules_of(group: dict[str, object]) -> list[dict[str, object]]:
    """The rules of a group."""
    return group["rules"]  # type: ignore[return-value]


def alert_rules() -> list[dict[str, object]]:
    """Every alerting rule of the committed rule files."""
    return [rule for group in rule_groups() for rule in rules_of(group) if "alert" in rule]
