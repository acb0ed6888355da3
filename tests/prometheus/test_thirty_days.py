"""Ordinary days raise no alert; what is no ordinary day does. CI lives two of them, `--soak` thirty."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.prometheus.thirty_days_plan import FLAPPING, OUTAGE, SUNDAY, THIRTY, THURSDAY, Days, Scenario
from tests.prometheus.thirty_days_rules import Fired, Verdict, asked, judged, summary

RIGHTLY = {
    FLAPPING: {("TradebotFlapping", "warning"), ("TradebotDisconnected", "warning")},
    OUTAGE: {
        ("TradebotDisconnected", "warning"),
        ("TradebotDisconnected", "critical"),
        ("TradebotUnhedged", "critical"),
    },
}
"""What a window may raise by what happens in it, for the bot to which it happens; every other one nothing."""
HIT = "live"
NOT_THERE = {
    "tradebot_blocked",  # no series while nothing blocks
    "tradebot_config_unverified",  # nobody changes a setting
    "tradebot_kill_quiet_cycles",  # nobody kills, and no desk for it stands beside these views
    "tradebot_kill_quiet_cycles_needed",
    "tradebot_kill_state",
    "tradebot_kill_timestamp_seconds",
    "tradebot_last_drill_timestamp_seconds",
}
"""What rules ask for and these days do not have: alerts on these are silent for that reason."""


def lived(scenario: Scenario, promtool: str, folder: Path) -> tuple[Days, Verdict]:
    """The days, and what the rules make of them; says how much that was."""
    began = time.perf_counter()
    days = Days(scenario)
    windows = days.run()
    simulated = time.perf_counter() - began
    verdict = judged(windows, promtool, folder)
    looked = sum(window.ends - window.begins for window in windows)
    print(
        f"{scenario.days} days from {scenario.first}: {len(windows)} windows, {looked / 3600:.1f} h in all, "
        f"{sum(w.scrapes for w in windows)} scrapes, {verdict.evaluations} evaluations, "
        f"{verdict.rules} of one rule"
    )
    print(f"  simulated in {simulated:.0f} s, judged in {time.perf_counter() - began - simulated:.0f} s")
    for (alert, severity), seconds in sorted(summary(verdict.fired).items()):
        print(f"  {alert} {severity}: {seconds} s")
    return days, verdict


def wrongly(verdict: Verdict) -> list[str]:
    """Alerts that page or warn for nothing."""
    wrong = [f for f in verdict.fired if f.severity in {"critical", "warning"} and not rightly(f)]
    return [f"{at_utc(f.window.begins)} {f.alert} {f.severity} {f.bot} for {f.seconds} s" for f in wrong]


def at_utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M}"


def rightly(fired: Fired) -> bool:
    """Whether what happens in that window raises this."""
    raised = {alert for about in fired.window.about for alert in RIGHTLY.get(about, set())}
    return fired.bot == HIT and (fired.alert, fired.severity) in raised


def found(verdict: Verdict, about: str, alert: str, severity: str) -> int:
    """For how many seconds that was told in windows of that kind."""
    return sum(
        f.seconds
        for f in verdict.fired
        if about in f.window.about and (f.bot, f.alert, f.severity) == (HIT, alert, severity)
    )


def judge(days: Days, verdict: Verdict) -> None:
    """Nothing is told that is nothing, although there is everything that alerts stand on."""
    scraped = {name.partition("{")[0] for window in days.windows for name in window.series}
    recorded = ("bot:", "instance:", "ALERTS")
    assert {name for name in asked() - scraped if not name.startswith(recorded)} == NOT_THERE
    assert wrongly(verdict) == []


def outage_is_told(verdict: Verdict) -> None:
    """Ten minutes away with an open leg: a page from the twentieth second on."""
    assert 580 <= found(verdict, OUTAGE, "TradebotDisconnected", "critical") <= 620
    assert found(verdict, OUTAGE, "TradebotUnhedged", "critical") > 0


def test_a_thursday_with_pauses_and_restarts_pages_nobody_and_its_outage_is_told(
    promtool: str, tmp_path: Path
) -> None:
    days, verdict = lived(THURSDAY, promtool, tmp_path)
    judge(days, verdict)
    outage_is_told(verdict)


def test_the_sunday_on_which_clocks_change_pages_nobody_and_its_flapping_is_told(
    promtool: str, tmp_path: Path
) -> None:
    days, verdict = lived(SUNDAY, promtool, tmp_path)
    judge(days, verdict)
    assert found(verdict, FLAPPING, "TradebotFlapping", "warning") > 600


@pytest.mark.soak
def test_thirty_days_page_nobody_and_their_outage_is_told(promtool: str, tmp_path: Path) -> None:
    days, verdict = lived(THIRTY, promtool, tmp_path)
    assert days.scenario.days == 30
    judge(days, verdict)
    outage_is_told(verdict)
    assert found(verdict, FLAPPING, "TradebotFlapping", "warning") > 3_600
