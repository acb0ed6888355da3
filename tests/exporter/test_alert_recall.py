"""What an earlier run of the exporter told of alerts is known again, from a real database."""

import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from exporter.alerting.history import History
from exporter.alerting.recall import Recall
from exporter.alerts import Alerts, of_poll
from exporter.reporting.keeper import Keeper
from tests.exporter.reporting.keeping import rows, running, until
from tests.exporter.test_alert_history import NOW
from tests.exporter.test_alerts import raw

ALERTS = "SELECT what FROM events WHERE kind = 'alert' ORDER BY seq"


async def run(path: Path, *polls: tuple[float, bool]) -> None:
    """One run of a keeper and a history, told what is polled when: the alert fires, or does not."""
    kept, history = Keeper(path, pace=0.01), History()
    kept.add(Recall(history, Alerts()))
    async with running(kept):
        await until(lambda: history._recalled)
        for now, fires in polls:
            history.looked((of_poll([raw()]) or []) if fires else [], now)
            for episode, state, data in history.due(now):
                kept.events.record("alert", what=f"{episode.alert.name} {state}", data=data)
        await until(lambda: kept.events.pending == 0)


async def test_alerts_are_told_once_over_many_runs(tmp_path: Path) -> None:
    path = tmp_path / "reporting.db"
    await run(path, (NOW, True), (NOW + 30, True))
    await run(path, (NOW + 100, True), (NOW + 140, True))
    await run(path, (NOW + 200, True))
    assert rows(path, ALERTS) == [("TradebotKillNotVerified firing",)]
    await run(path, *((NOW + 300 + n * 5, False) for n in range(20)))
    await run(path, *((NOW + 500 + n * 5, False) for n in range(20)))
    assert rows(path, ALERTS) == [("TradebotKillNotVerified firing",), ("TradebotKillNotVerified resolved",)]


async def test_rows_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "reporting.db"
    await run(path)
    kept = Keeper(path, pace=0.01)
    async with running(kept):
        for data in ({}, {"labels": 3}, {"x": "y" * 70_000}):
            kept.events.record("alert", what="X firing", data=data)
        await until(lambda: kept.events.pending == 0)
    await run(path, (NOW, True), (NOW + 30, True))
    assert rows(path, ALERTS)[3:] == [("TradebotKillNotVerified firing",)]


async def test_who_has_what_is_exempt_is_known_after_a_restart_though_no_silence_says_so(
    tmp_path: Path,
) -> None:
    path, now = tmp_path / "reporting.db", time.time()
    (alert,) = of_poll([raw(exempt="true")]) or []
    kept = Keeper(path, pace=0.01)
    async with running(kept):
        for data in ({"fingerprint": "aa", "fired_at": alert.since}, {"fingerprint": "bb"}, None):
            kept.events.record("alert_had", who="ann", why="looking", data=data)
        await until(lambda: kept.events.pending == 0)
    alerts, kept = Alerts(), Keeper(path, pace=0.01)
    recall = Recall(History(), alerts)
    kept.add(recall)
    async with running(kept):
        await until(lambda: not recall.due(now))
    for again in (alert, replace(alert, since=alert.since + 60), replace(alert, labels={})):
        other = deepcopy(alerts)
        other.polled([again], now)
        assert [(had.by, had.reason) for had in other.had(now)] == (
            [("ann", "looking")] if again is alert else []
        )
    (had,) = (alerts.polled([alert], now), alerts.had(now))[1]
    assert had.since is not None
    assert abs(had.since - now) < 60
