"""Which alerts fire, since when, and who has each: by what Alertmanager says when it is asked or calls.

Pure: answers and the time are passed in. Alerts that could not be asked for are not known, which is never the
same as none; nor is an empty answer trusted while no Watchdog says that rules are evaluated. Somebody who has
an alert has it for an hour, or until it ends.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from exporter.alerting.receivers import Receivers

KNOWN_SECONDS: Final = 15.0
"""After the last answer of Alertmanager, alerts are known no longer."""
ENDED_SECONDS: Final = 75.0
"""An alert that nobody sees for so long has ended; a restarted Alertmanager is told again within 60 s."""
RECEIVERS_KNOWN_SECONDS: Final = 180.0
HAD_SECONDS: Final = 3600.0
LONGEST: Final = 300
SHOWN: Final = ("critical", "warning")
"""Severities that are shown, the worst first; the rest only reminds."""

FIRING: Final = "firing"
RESOLVED: Final = "resolved"

TEST_PAGE: Final = "TradebotTestPage"
DIGEST: Final = "TradebotDailyDigest"
"""What this program itself has Alertmanager deliver; no rule fires for these."""

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
    ended: str = ""
    """Why it has ended, by its rule; empty while it fires."""

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
    def is_of_a_rule(self) -> bool:
        """Whether it says that something is wrong: neither the Watchdog nor what this program posts."""
        return not self.is_watchdog and self.name not in {TEST_PAGE, DIGEST}

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
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert as Alertmanager delivered it; `ended_at` in epoch seconds where it has ended."""

    alert: Alert
    status: str
    ended_at: float | None = None
    receiver: str = ""


@dataclass(slots=True)
class Alerts:
    """All that is known of alerts."""

    watchdog_at: float | None = None
    """When Alertmanager last delivered the Watchdog here, in epoch seconds."""
    receivers: Receivers | None = None
    """Whom Alertmanager would call, as it said at `receivers_at`; `called` knows whether that still holds."""
    receivers_at: float = -math.inf
    _answered_at: float | None = None
    _why: str = "Alertmanager was not asked yet"
    _firing: tuple[Alert, ...] = ()
    _seen: dict[str, float] = field(default_factory=dict)
    _had: dict[str, Had] = field(default_factory=dict)
    _remembered: dict[tuple[str, int], tuple[str, str, float]] = field(default_factory=dict)

    def remember(self, fingerprint: str, fired_at: float, by: str, reason: str, at: float) -> None:
        """Somebody had an alert in an earlier run, from `at` on; of what is exempt no silence says so."""
        self._remembered[fingerprint, int(fired_at)] = (by, reason, at)

    def polled(self, firing: Sequence[Alert], now: float) -> list[Had]:
        """Alertmanager answered: who has an alert no longer, because it or their hour has ended."""
        self._answered_at, self._firing = now, tuple(firing)
        self._seen |= {alert.fingerprint: now for alert in firing}
        self._seen = {key: at for key, at in self._seen.items() if 0 <= now - at <= ENDED_SECONDS}
        over = [had for key, had in self._had.items() if now >= had.until or key not in self._seen]
        for had in over:
            del self._had[had.alert.fingerprint]
        for alert in firing if self._remembered else ():
            said = self._remembered.pop((alert.fingerprint, int(alert.since)), None)
            if said is not None and alert.exempt and alert.fingerprint not in self._had:
                by, reason, at = said
                self.take(Had(alert, by, reason, at + HAD_SECONDS, since=at))
        return over

    def unreachable(self, why: str) -> None:
        """Alertmanager did not answer."""
        self._why = why[:LONGEST]

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

    def called(self, now: float) -> Receivers | None:
        """Whom Alertmanager would call; None while that is not known."""
        return self.receivers if 0 <= now - self.receivers_at <= RECEIVERS_KNOWN_SECONDS else None

    def firing(self, now: float) -> list[Alert]:
        """Those that are shown, the worst and oldest first; none where Alertmanager has been away."""
        if self._answered_at is None or not 0 <= now - self._answered_at <= KNOWN_SECONDS:
            return []
        listed = [alert for alert in self._firing if alert.severity in SHOWN and not alert.is_watchdog]
        return sorted(listed, key=lambda alert: (SHOWN.index(alert.severity), alert.since, alert.name))


def of_poll(content: object) -> list[Alert] | None:
    """The alerts of an answer to GET /api/v2/alerts; None where it is none."""
    if not isinstance(content, list):
        return None
    found = [_alert(each) for each in content if isinstance(each, dict)]
    return [alert for alert in found if alert is not None]


def of_delivery(content: Mapping[str, Any]) -> Iterator[Delivery]:
    """The alerts of a delivery of Alertmanager's webhook; what is none is left out."""
    listed, receiver = content.get("alerts"), str(content.get("receiver", ""))[:LONGEST]
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("status") in {FIRING, RESOLVED}:
            alert, status = _alert(each), str(each["status"])
            if alert is not None:
                yield Delivery(
                    alert, status, epoch(each.get("endsAt")) if status == RESOLVED else None, receiver
                )


def of_rules(content: object) -> list[dict[str, Any]] | None:
    """The alerts of an answer to Prometheus' GET /api/v1/alerts; None where it is none.

    Each has `labels`, `state`, `active_at` (epoch seconds of the symptom, or None) and `ended`.
    """
    listed = content.get("data", {}).get("alerts") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        return None
    return [
        {
            "labels": {str(name): str(value) for name, value in each["labels"].items()},
            "state": str(each.get("state")),
            "active_at": epoch(each.get("activeAt")),
            "ended": _note(each, "ended"),
        }
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("labels"), dict)
    ]


def _alert(raw: Mapping[str, Any]) -> Alert | None:
    fingerprint, labels = raw.get("fingerprint"), raw.get("labels")
    since = epoch(raw.get("startsAt"))
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        return None
    if not isinstance(labels, dict) or since is None:
        return None
    status = raw.get("status")
    inner = status if isinstance(status, dict) else {}
    silenced, inhibited = inner.get("silencedBy"), inner.get("inhibitedBy")
    return Alert(
        fingerprint,
        {str(name): str(value) for name, value in labels.items()},
        _note(raw, "summary"),
        since,
        tuple(map(str, silenced)) if isinstance(silenced, list) else (),
        bool(inhibited),
        _note(raw, "ended"),
    )


def _note(raw: Mapping[str, Any], name: str) -> str:
    notes = raw.get("annotations")
    return str(notes.get(name, "")).strip()[:LONGEST] if isinstance(notes, dict) else ""


def epoch(text: object) -> float | None:
    """A time as Alertmanager and Prometheus write it, in epoch seconds; None where it is none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def iso(at: float) -> str:
    """Epoch seconds as Alertmanager takes them."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
