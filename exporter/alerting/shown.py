"""What the operator page shows of alerts: which fire, which ended and why, who is called, if they come.

Pure: what is known and the time are passed in.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from exporter.alerting.history import Episode, History
from exporter.alerts import Alert, Alerts
from exporter.figures import clock, duration
from exporter.page.parts import Alarms, AlertRow, EndedRow, Told

PATH_OLD: Final = 180.0
"""The Watchdog comes each minute: after so long alerts may not be delivered any more."""
ENDED_SHOWN: Final = 5


def alarms(
    alerts: Alerts,
    history: History,
    now: float,
    *,
    runbooks: Collection[str] = (),
    tested: Told | None = None,
    live: bool = True,
) -> Alarms:
    """All of it at one moment: `runbooks` are the alerts with one, `live` whether money may be at risk."""
    listed = alerts.firing(now)
    rows = (_row(alerts, alert, now, runbooks) for alert in listed if not alert.inhibited)
    return Alarms(
        rows=tuple(sorted(rows, key=lambda row: bool(row.by))),  # what somebody has comes last
        unknown=alerts.unknown(now),
        inhibited=sum(alert.inhibited for alert in listed),
        ended=tuple(_ended(episode) for episode in history.recent(now)[:ENDED_SHOWN]),
        path=_path(alerts.watchdog_at, now),
        called=_called(alerts, now, live=live),
        tested=tested,
    )


def _row(alerts: Alerts, alert: Alert, now: float, runbooks: Collection[str]) -> AlertRow:
    had = alerts.who_has(alert, now)
    by = had.by if had is not None else ""
    name, where = _name(alert)
    runbook = f"/runbooks/{alert.name}" if alert.name in runbooks else ""
    return AlertRow(
        alert.fingerprint,
        alert.severity,
        name,
        where,
        alert.summary,
        alert.since,
        by,
        runbook=runbook,
        exempt=alert.exempt,
    )


def _ended(episode: Episode) -> EndedRow:
    name, where = _name(episode.alert)
    known = episode.resolved_at
    lasted = None if known is None else max(0.0, known - episode.alert.since)
    at = known if known is not None else episode.over_at or 0.0
    return EndedRow(name, where, at, lasted, episode.ended, episode.had_by)


def _name(alert: Alert) -> tuple[str, str]:
    where = " ".join(filter(None, (alert.bot, alert.labels.get("venue", ""))))
    return alert.name.removeprefix("Tradebot"), where


def _path(watchdog_at: float | None, now: float) -> Told:
    if watchdog_at is None:
        return Told("", "NOT PROVEN", "no Watchdog was delivered here since this program began", "unknown")
    ago = now - watchdog_at
    if ago < 0:
        says = f"the clock was set back since the Watchdog came back ({clock(watchdog_at)})"
        return Told("", "NOT PROVEN", says, "unknown")
    says = f"the Watchdog came back {duration(ago)} ago ({clock(watchdog_at)})"
    return Told("", "PROVEN", says) if ago <= PATH_OLD else Told("", "NOT PROVEN LATELY", says, "look")


def _called(alerts: Alerts, now: float, *, live: bool) -> Told:
    receivers = alerts.called(now)
    if receivers is None:
        return Told("", "NOT KNOWN", "Alertmanager did not say whom it calls", "unknown")
    watched = "" if receivers.dead_man else "no dead-man's switch: nobody notices when all of this is gone"
    if not receivers.anybody:
        return Told("", "NO PUSH RECEIVER: nobody is called", watched, "look" if live else "")
    by = ", ".join(
        kind if number == 1 else f"{number} × {kind}" for kind, number in receivers.called.items() if number
    )
    return Told("", by, watched)
