"""The history of alerts: when the symptom began, when it fired, was delivered, ended, and why.

Pure: answers, deliveries and the time are passed in. An alert is told twice, when it fires and when it has
ended, whoever hears of it first (a poll, a delivery, or the events of an earlier run of this program), and
what nobody knows of it is None. An alert that goes on through a restart of anything is the same alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from exporter.alerts import ENDED_SECONDS, FIRING, RESOLVED, Alert, Delivery
from exporter.fields import finite

DELIVERY_SECONDS: Final = 30.0
"""For so long its row waits for the delivery of an alert, which may come after the poll that saw it first."""
SYMPTOM_SECONDS: Final = 12.0
"""And for so long for what Prometheus says of its symptom."""
SEEN_SECONDS: Final = 15.0
"""Where no more lies between the last look with an alert and the first without it, that is when it ended."""
MOST: Final = 5000
RECENT: Final = 20
RECENT_SECONDS: Final = 3600.0

DELIVERY, POLL = "delivery", "poll"
"""Who said that an alert has ended."""


@dataclass(slots=True, eq=False)
class Episode:
    """One alert from its symptom to its end. Times in epoch seconds, None where nobody knows."""

    alert: Alert
    first_seen: float
    seen_at: float
    active_at: float | None = None
    delivered_at: float | None = None
    resolved_at: float | None = None
    resolved_delivered_at: float | None = None
    resolved_by: str | None = None
    over_at: float | None = None
    """When it was taken to have ended."""
    ended: str = ""
    """Why it ended, in the words of its rule."""
    ended_said_at: float | None = None
    had_by: str = ""
    had_at: float | None = None
    missing_since: float | None = None
    told: bool = False
    """Whether its first row was."""
    tell_end_from: float = 0.0
    """Until then its last row waits for a delivery that may say why it ended."""

    def row(self, state: str) -> dict[str, object]:
        """Its data in the audit trail."""
        return {
            "state": state,
            "fingerprint": self.alert.fingerprint,
            "labels": dict(self.alert.labels),
            "severity": self.alert.severity,
            "active_at": self.active_at,
            "fired_at": self.alert.since,
            "delivered_at": self.delivered_at,
            "resolved_at": self.resolved_at,
            "resolved_delivered_at": self.resolved_delivered_at,
            "resolved_source": self.resolved_by,
            "ended": self.ended if state == RESOLVED else "",
            "had_by": self.had_by,
            "had_at": self.had_at,
            "seen_until": self.seen_at,
        }


class Told(NamedTuple):
    """One row for the audit trail."""

    episode: Episode
    state: str
    data: Mapping[str, object]


@dataclass(slots=True)
class History:
    """Alerts that fire, those that ended lately, and what is to be told of them."""

    _open: dict[str, Episode] = field(default_factory=dict)
    _closed: dict[tuple[str, int], Episode] = field(default_factory=dict)
    _waiting: dict[int, Episode] = field(default_factory=dict)
    """Those of which something is to be told, by their identity."""
    _recalled: bool = False

    def recalled(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take what the events of an earlier run say, in their order; nothing is told before."""
        self._recalled = True
        known: dict[tuple[str, int], tuple[bool, Episode]] = {}
        for data in rows:
            if (episode := _episode(data)) is not None:
                known[_key(episode.alert)] = (data.get("state") == RESOLVED, episode)
        for key, (over, episode) in known.items():
            if over:
                if (own := self._closed.setdefault(key, episode)) is not episode:
                    self._waiting.pop(id(own), None)
            else:
                self._goes_on(episode)

    def _goes_on(self, before: Episode) -> None:
        """An alert that fired in an earlier run, and whose end was not told."""
        own = self._closed.get(_key(before.alert)) or self._open.get(before.alert.fingerprint)
        if own is None:
            self._open[before.alert.fingerprint] = before
        elif not _is_another(own.alert, before):
            _take_over(own, before)
        else:  # it ended while this program was not there, and another one began
            self._replaced(before, own.first_seen)

    def looked(self, firing: Sequence[Alert], now: float) -> list[Alert]:
        """Alertmanager said what fires: which of it is new."""
        new = [alert for alert in firing if self._fires(alert, now)]
        there = {alert.fingerprint for alert in firing}
        for fingerprint, episode in list(self._open.items()):
            if fingerprint in there:
                continue
            since = now if episode.missing_since is None else min(now, episode.missing_since)
            episode.missing_since = since  # never later than now, though the clock be set back
            if now - since >= ENDED_SECONDS:
                episode.resolved_by = POLL if 0 <= since - episode.seen_at <= SEEN_SECONDS else None
                episode.resolved_at = since if episode.resolved_by else None
                if episode.ended_said_at is None or since - episode.ended_said_at > SEEN_SECONDS:
                    episode.ended = ""
                self._close(episode, now)
        return new

    def symptoms(self, found: Iterable[Mapping[str, Any]], now: float) -> None:
        """Prometheus said what fires by its rules, with when the symptom began and why it is about to end."""
        told: dict[str, list[Mapping[str, Any]]] = {}
        for each in found:
            if each["state"] == FIRING:
                told.setdefault(_place(each["labels"]), []).append(each)
        for episode in self._open.values():
            labels = episode.alert.labels
            of = next(
                (each for each in told.get(_place(labels), ()) if each["labels"].items() <= labels.items()),
                None,
            )  # Alertmanager's labels are those of the rule, and any external ones
            if of is not None:
                episode.seen_at, episode.missing_since = now, None
                episode.active_at = of["active_at"] if episode.active_at is None else episode.active_at
                episode.ended, episode.ended_said_at = of["ended"], now

    def delivered(self, delivery: Delivery, now: float) -> bool:
        """Alertmanager delivered an alert; whether that was news."""
        alert = delivery.alert
        if delivery.status == FIRING:
            new = self._fires(alert, now)
            episode = self._open.get(alert.fingerprint)
            if episode is not None and episode.delivered_at is None and alert.since > episode.alert.since - 1:
                episode.delivered_at = now
            return new
        episode = self._open.get(alert.fingerprint)
        if episode is None or episode.alert.since > alert.since + 1:
            episode = self._closed.get(_key(alert))
            if episode is not None and (id(episode) not in self._waiting or episode.resolved_by == DELIVERY):
                return False
            episode = episode or Episode(alert, now, now)
        episode.ended = alert.ended or episode.ended
        episode.resolved_at, episode.resolved_delivered_at = delivery.ended_at, now
        episode.resolved_by, episode.tell_end_from = DELIVERY, now
        self._close(episode, now)
        return True

    def had(self, fingerprint: str, by: str, since: float | None) -> None:
        """Somebody has an alert."""
        if (episode := self._open.get(fingerprint)) is not None and episode.had_by != by:
            episode.had_by, episode.had_at = by, since

    def due(self, now: float) -> list[Told]:
        """What is to be told now, in order; each is told once."""
        if not self._recalled:
            return []
        rows: list[Told] = []
        for episode in list(self._waiting.values()):
            over = episode.over_at is not None
            waits = now < episode.tell_end_from <= now + DELIVERY_SECONDS
            if waits if over else not _ready(episode, now):
                continue
            del self._waiting[id(episode)]
            if not episode.told:
                episode.told = True
                rows.append(Told(episode, FIRING, episode.row(FIRING)))
            if over:
                rows.append(Told(episode, RESOLVED, episode.row(RESOLVED)))
        return rows

    @property
    def fires(self) -> bool:
        """Whether any alert does."""
        return bool(self._open)

    def recent(self, now: float) -> list[Episode]:
        """Those that ended within the hour, the newest first."""
        over = [episode for episode in self._closed.values() if now - (episode.over_at or 0) < RECENT_SECONDS]
        return sorted(over, key=lambda episode: -(episode.over_at or 0))[:RECENT]

    def _fires(self, alert: Alert, now: float) -> bool:
        """Take note of an alert that fires; whether it is another one than those that are known."""
        episode = self._open.get(alert.fingerprint)
        if episode is not None and _is_another(alert, episode):
            self._replaced(episode, now)
            episode = None
        if episode is not None:
            episode.seen_at, episode.missing_since = now, None
            return False
        before = self._closed.get(_key(alert))
        if before is not None and before.resolved_by == DELIVERY:
            return False  # an answer or a delivery that was on its way when it ended
        if len(self._open) >= MOST:
            return False  # to end another one for it would be told as an end, and undone by the next answer
        episode = self._open[alert.fingerprint] = Episode(alert, now, now)
        if before is not None:  # it was only not seen for a while
            del self._closed[_key(alert)]
            _take_over(episode, before)
            episode.told = False
        self._waiting[id(episode)] = episode
        return True

    def _replaced(self, episode: Episode, now: float) -> None:
        """An alert ended unseen, as another one with its labels fires; its end may still be delivered."""
        episode.ended, episode.tell_end_from = "", now + DELIVERY_SECONDS
        self._close(episode, now)

    def _close(self, episode: Episode, now: float) -> None:
        episode.over_at = now
        if self._open.get(episode.alert.fingerprint) is episode:
            del self._open[episode.alert.fingerprint]
        self._closed[_key(episode.alert)] = episode
        while len(self._closed) > MOST:
            del self._closed[next(iter(self._closed))]
        self._waiting[id(episode)] = episode
        while len(self._waiting) > MOST:  # nothing can be told while the database cannot be read
            del self._waiting[next(iter(self._waiting))]


def _ready(episode: Episode, now: float) -> bool:
    """Whether its row need not wait any longer for what may still come."""
    waited = now - episode.first_seen
    known = episode.active_at is not None or waited >= SYMPTOM_SECONDS
    return not 0 <= waited < DELIVERY_SECONDS or (episode.delivered_at is not None and known)


def _key(alert: Alert) -> tuple[str, int]:
    return alert.fingerprint, int(alert.since)  # a delivery has more digits than an answer


def _place(labels: Mapping[str, str]) -> str:
    """What alerts are sought by: which one it is, of which bot, how bad."""
    return " ".join(labels.get(name, "") for name in ("alertname", "bot", "severity"))


def _is_another(alert: Alert, than: Episode) -> bool:
    """Whether an alert with the same labels began after the last look that saw the known one.

    After a restart of Prometheus the same alert may say that it began later. Clocks of two hosts may differ.
    """
    return alert.since > max(than.seen_at, than.alert.since) + 1


def _take_over(now: Episode, before: Episode) -> None:
    """What an earlier run knew of an alert that goes on."""
    now.alert = replace(now.alert, since=before.alert.since)
    now.told = True
    now.active_at = before.active_at if before.active_at is not None else now.active_at
    now.delivered_at = before.delivered_at if before.delivered_at is not None else now.delivered_at
    now.had_by, now.had_at = now.had_by or before.had_by, now.had_at or before.had_at


def _episode(data: Mapping[str, Any]) -> Episode | None:
    """An alert from the data of a row, None where it is not such a row."""
    labels, fingerprint = data.get("labels"), data.get("fingerprint")
    since, seen = finite(data.get("fired_at")), finite(data.get("seen_until"))
    if not isinstance(labels, dict) or not isinstance(fingerprint, str) or since is None or seen is None:
        return None
    alert = Alert(fingerprint, {str(name): str(value) for name, value in labels.items()}, "", since)
    return Episode(
        alert,
        since,
        seen,
        active_at=finite(data.get("active_at")),
        delivered_at=finite(data.get("delivered_at")),
        had_by=str(data.get("had_by") or ""),
        had_at=finite(data.get("had_at")),
        resolved_by=data.get("resolved_source"),
        over_at=finite(data.get("resolved_delivered_at")) or finite(data.get("resolved_at")),
        ended=str(data.get("ended") or ""),
        told=True,
    )
