"""Which alerts fire, since when, and who has each: by what Alertmanager says when it is asked or calls.

Pure: answers and the time are passed in. Alerts that could not be asked for are not known, which is never the
same as none; nor is an empty answer trusted while no Watchdog says that rules are evaluated. Somebody who has
an alert has it for an hour, or until it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

KNOWN_SECONDS: Final = 15.0
"""After the last answer of Alertmanager, alerts are known no longer."""
ENDED_SECONDS: Final = 60.0
"""An alert that was not seen for so long has ended; less may be a restart of Alertmanager."""
HAD_SECONDS: Final = 3600.0
MOST_REMEMBERED: Final = 5000
LONGEST: Final = 300
SHOWN: Final = ("critical", "warning")
"""Severities that are shown, the worst first; the rest only reminds."""

FIRING: Final = "firing"
RESOLVED: Final = "resolved"

_WATCHDOG: Final = re.compile(r"(Tradebot)?Watchdog")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as Alertmanager tells it; `since` in epoch seconds, `silences` ids of what silences it."""

    fingerprint: str
    labels: Mapping[str, str]
    summary: str
    since: float
    silences: tuple[str, ...] = ()
    inhibited: bool = False

    @property
    def name(self) -> str:
        """Its alertname."""
        return self.labels.get("alertname", "")

    @property
    def bot(self) -> str:
        """The bot that it is about, or an empty text."""
        return self.labels.get("bot", "")

    @property
    def severity(self) -> str:
        """critical, warning, info or none."""
        return self.labels.get("severity", "")

    @property
    def is_watchdog(self) -> bool:
        """Whether it fires always, to show that the path of alerts works."""
        return _WATCHDOG.fullmatch(self.name) is not None

    @property
    def exempt(self) -> bool:
        """Whether it must never be silenced."""
        return self.labels.get("exempt") == "true"


@dataclass(frozen=True, slots=True)
class Had:
    """Somebody has an alert until then; `silence` is the id of what quiets it, empty for an exempt one."""

    alert: Alert
    by: str
    reason: str
    until: float
    silence: str = ""
    ends_with_alert: bool = True
    """Whether that silence is for this alert alone, so that it may not outlive it and hide the next one."""


@dataclass(frozen=True, slots=True)
class Change:
    """An alert began or ended."""

    alert: Alert
    status: str


@dataclass(slots=True)
class _Seen:
    alert: Alert
    at: float


@dataclass(slots=True)
class Alerts:
    """All that is known of alerts."""

    watchdog_at: float | None = None
    """When Alertmanager last delivered the Watchdog here, in epoch seconds."""
    _answered_at: float | None = None
    _why: str = "Alertmanager was not asked yet"
    _firing: tuple[Alert, ...] = ()
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _told: dict[tuple[str, int], str] = field(default_factory=dict)
    _had: dict[str, Had] = field(default_factory=dict)

    def polled(self, firing: Sequence[Alert], now: float) -> tuple[list[Change], list[Had]]:
        """Alertmanager answered: what began and ended, and whose alert has ended."""
        self._answered_at, self._firing = now, tuple(firing)
        begun = [change for alert in firing if (change := self._changed(alert, FIRING)) is not None]
        for alert in firing:
            self._seen[alert.fingerprint] = _Seen(alert, now)
        gone = [each for each in self._seen.values() if now - each.at > ENDED_SECONDS]
        ended = []
        for each in gone:
            del self._seen[each.alert.fingerprint]
            ended += [change] if (change := self._changed(each.alert, RESOLVED)) is not None else []
        over = [had for key, had in self._had.items() if now >= had.until or key not in self._seen]
        for had in over:
            del self._had[had.alert.fingerprint]
        return begun + ended, over

    def unreachable(self, why: str) -> None:
        """Alertmanager did not answer."""
        self._why = why[:LONGEST]

    def handed_in(self, alerts: Iterable[tuple[Alert, str]], now: float) -> list[Change]:
        """Alertmanager delivered alerts, each with its status: those that are news."""
        changes = []
        for alert, status in alerts:
            if alert.is_watchdog:
                if status == FIRING:
                    self.watchdog_at = now
            elif (change := self._changed(alert, status)) is not None:
                changes.append(change)
        return changes

    def take(self, had: Had) -> None:
        """Somebody has it."""
        self._had[had.alert.fingerprint] = had

    def had(self, now: float) -> list[Had]:
        """Who has what."""
        return [had for had in self._had.values() if now < had.until]

    def who_has(self, alert: Alert, now: float) -> Had | None:
        """Who has this one."""
        had = self._had.get(alert.fingerprint)
        return had if had is not None and now < had.until else None

    def find(self, fingerprint: str) -> Alert | None:
        """An alert that fires, by its fingerprint."""
        return next((alert for alert in self._firing if alert.fingerprint == fingerprint), None)

    def unknown(self, now: float) -> str:
        """Why it is not known which alerts fire; empty where it is."""
        if self._answered_at is None or not 0 <= now - self._answered_at <= KNOWN_SECONDS:
            return self._why
        if not any(alert.is_watchdog for alert in self._firing):
            return "no Watchdog fires, so nothing says that Prometheus evaluates its rules"
        return ""

    def firing(self, now: float) -> list[Alert]:
        """Those that are shown, the worst and oldest first; none where Alertmanager has been away."""
        if self._answered_at is None or not 0 <= now - self._answered_at <= KNOWN_SECONDS:
            return []
        listed = [alert for alert in self._firing if alert.severity in SHOWN and not alert.is_watchdog]
        return sorted(listed, key=lambda alert: (SHOWN.index(alert.severity), alert.since, alert.name))

    def _changed(self, alert: Alert, status: str) -> Change | None:
        """The change where it is news: an alert is told once when it begins and once when it ends."""
        if alert.is_watchdog:
            return None
        key = (alert.fingerprint, int(alert.since))  # a delivery has more digits than an answer
        before = self._told.pop(key, None)
        self._told[key] = status if before is None or status == RESOLVED else before
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
        return None if before == self._told[key] else Change(alert, status)


def of_poll(content: object) -> list[Alert] | None:
    """The alerts of an answer to GET /api/v2/alerts; None where it is none."""
    if not isinstance(content, list):
        return None
    found = [_alert(each) for each in content if isinstance(each, dict)]
    return [alert for alert in found if alert is not None]


def of_delivery(content: Mapping[str, Any]) -> Iterator[tuple[Alert, str]]:
    """The alerts of a delivery of Alertmanager's webhook, each with its status; what is none is left out."""
    listed = content.get("alerts")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("status") in {FIRING, RESOLVED}:
            alert = _alert(each)
            if alert is not None:
                yield alert, str(each["status"])


def silence_of(alert: Alert, by: str, reason: str, now: float) -> dict[str, object]:
    """The silence for this very alert, as Alertmanager takes it."""
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in alert.labels.items()
        ],
        "startsAt": _iso(now),
        "endsAt": _iso(now + HAD_SECONDS),
        "createdBy": by,
        "comment": reason or "I have it",
    }


def of_silence(alert: Alert, content: Mapping[str, Any]) -> Had | None:
    """Who has an alert by a silence that Alertmanager knows, also one that was not made here."""
    until, identity, matchers = _epoch(content.get("endsAt")), content.get("id"), content.get("matchers")
    if until is None or not isinstance(identity, str) or not isinstance(matchers, list):
        return None
    named = {
        str(each.get("name")): str(each.get("value"))
        for each in matchers
        if isinstance(each, dict) and each.get("isRegex") is False and each.get("isEqual", True) is True
    }
    by, reason = str(content.get("createdBy", ""))[:LONGEST], str(content.get("comment", ""))[:LONGEST]
    alone = named == dict(alert.labels) and len(named) == len(matchers)
    return Had(alert, by or "somebody", reason, until, identity, alone)


def _alert(raw: Mapping[str, Any]) -> Alert | None:
    fingerprint, labels = raw.get("fingerprint"), raw.get("labels")
    since = _epoch(raw.get("startsAt"))
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        return None
    if not isinstance(labels, dict) or since is None:
        return None
    status = raw.get("status")
    inner = status if isinstance(status, dict) else {}
    silenced, inhibited = inner.get("silencedBy"), inner.get("inhibitedBy")
    notes = raw.get("annotations")
    summary = notes.get("summary", "") if isinstance(notes, dict) else ""
    return Alert(
        fingerprint,
        {str(name): str(value) for name, value in labels.items()},
        str(summary)[:LONGEST],
        since,
        tuple(map(str, silenced)) if isinstance(silenced, list) else (),
        bool(inhibited),
    )


def _epoch(text: object) -> float | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
