"""Asks Alertmanager every five seconds which alerts fire, and quiets one that somebody has.

The asyncio shell around `exporter.alerts` and `exporter.alerting`. What began and ended goes to the audit
trail, and a critical alert has what went over its bot's link recorded. Of Prometheus it asks when the symptom
began.
An Alertmanager or a Prometheus that is away costs nothing but what it would know.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from exporter.alerting import silences
from exporter.alerting.history import History
from exporter.alerting.receivers import Receivers, of_config
from exporter.alerts import FIRING, HAD_SECONDS, RESOLVED, Alert, Alerts, Delivery, Had, of_poll, of_rules
from exporter.errors import NotFound, NotNow
from exporter.http_get import Answer, field, get, send

log = logging.getLogger(__name__)

EVERY: Final = 5.0
WITHIN: Final = 4.0
RECEIVERS_EVERY: Final = 60.0
MOST_SILENCES: Final = 20
"""Silences that are asked about after one answer."""

Heard = Callable[[Sequence[Delivery]], None]


class Api(Protocol):
    """What is needed of Alertmanager and Prometheus; `Alertmanager` is one."""

    async def ask(self, path: str) -> Answer:
        """GET /api/v2 and a path."""

    async def send(self, method: str, path: str, content: object = None) -> Answer:
        """The same with another method."""

    async def metrics(self) -> Answer:
        """Alertmanager's own counters."""

    async def rules(self) -> Answer:
        """What fires by the rules of Prometheus."""


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager by its address, and the Prometheus that tells it."""

    address: str
    prometheus: str

    async def ask(self, path: str) -> Answer:
        """GET /api/v2 and a path; never raises."""
        return await get(f"{self.address}/api/v2{path}", WITHIN)

    async def send(self, method: str, path: str, content: object = None) -> Answer:
        """The same with another method."""
        return await send(f"{self.address}/api/v2{path}", WITHIN, method=method, content=content)

    async def metrics(self) -> Answer:
        """Alertmanager's own counters; never raises."""
        return await get(f"{self.address}/metrics", WITHIN)

    async def rules(self) -> Answer:
        """What fires by the rules of Prometheus; never raises."""
        return await get(f"{self.prometheus}/api/v1/alerts", WITHIN)


class AlertDesk:
    """What is known of alerts, and who has them.

    `record` is `EventLog.record`, `ask` that of the flight recorder.
    """

    def __init__(
        self,
        api: Api,
        bots: Iterable[str],
        record: Callable[..., None],
        ask: Callable[[str, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.alerts = Alerts()
        self.history = History()
        self.api = api
        self.clock = clock
        self.record = record
        self.listeners: list[Heard] = []
        """Who hears of each delivery, whatever it holds."""
        self._bots = frozenset(bots)
        self._ask = ask
        self._away = False
        self._configuration: tuple[str, Receivers | None] = "", None
        """What Alertmanager's configuration was at the last look, and what it says of receivers."""
        self._kept_out: set[str] = set()

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    def died(self) -> None:
        """The task that asks ended by a fault; it is started anew."""
        self.alerts.unreachable("the task that asks Alertmanager died; see the log")

    async def look(self) -> None:
        """Ask once."""
        answer, rules = await asyncio.gather(
            self.api.ask("/alerts?active=true&silenced=true&inhibited=true"), self._rules()
        )
        now, firing = self.clock(), of_poll(answer.json()) if answer.status == 200 else None
        if firing is None:
            why = answer.error or f"it answered {answer.status}"
            self.alerts.unreachable(f"Alertmanager is not reachable: {why}")
            if not self._away:
                log.warning("Alertmanager is not reachable: %s; which alerts fire is not known", why)
            self._away = True
            self._tell()
            return
        if self._away:
            log.info("Alertmanager answers again")
        self._away = False
        over = self.alerts.polled(firing, now)
        self._alarmed(self.history.looked([alert for alert in firing if alert.is_of_a_rule], now))
        self.history.symptoms(rules, now)
        await self._learn_silences(firing)
        self._note_who_has()
        self._tell()
        for had in over:
            if had.silence and had.ends_with_alert:
                await self.api.send("DELETE", f"/silence/{had.silence}")
        if now - self.alerts.receivers_at >= RECEIVERS_EVERY or now < self.alerts.receivers_at:
            await self.learn_receivers()

    async def learn_receivers(self) -> Receivers | None:
        """Ask whom Alertmanager would call; None where it cannot be asked."""
        original = field((await self.api.ask("/status")).json(), "config", "original")
        if not isinstance(original, str):
            return None
        known, found = self._configuration
        if original != known:  # reading YAML is work that the loop would feel, also from a thread
            found = await asyncio.to_thread(of_config, original)
            self._configuration = original, found
        if found is not None:
            self.alerts.receivers, self.alerts.receivers_at = found, self.clock()
        return found

    def delivered(self, deliveries: Sequence[Delivery]) -> int:
        """Alertmanager delivered these; how many of them are news."""
        now, news = self.clock(), 0
        for each in deliveries:
            if each.alert.is_watchdog and each.status == FIRING:
                self.alerts.watchdog_at = now
            if each.alert.is_of_a_rule and self.history.delivered(each, now):
                news += 1
                self._alarmed([each.alert] if each.status == FIRING else [])
        for heard in self.listeners:
            heard(deliveries)
        self._tell()
        return news

    async def acknowledge(self, fingerprint: str, by: str, source: str, reason: str) -> Mapping[str, object]:
        """Somebody has an alert: their name stands beside it, and it is quiet for an hour or until it ends.

        Raises NotFound, NotNow.
        """
        now = self.clock()
        alert = self.alerts.find(fingerprint)
        if alert is None:
            raise NotFound("no alert with this fingerprint fires; it may have ended meanwhile")
        silence, says = "", f"{by} has it; it is exempt from silences and goes on telling"
        if not alert.exempt:
            silence = await self._silence(alert, by, reason, now)
            says = f"{by} has it; it is quiet for an hour or until it ends"
        before = self.alerts.who_has(alert, now)
        self.alerts.take(Had(alert, by, reason, now + HAD_SECONDS, silence, since=now))
        self._note_who_has()
        if before is not None and before.silence and before.ends_with_alert:
            await self.api.send("DELETE", f"/silence/{before.silence}")
        self.record(
            "alert_had",
            bot=alert.bot,
            who=by,
            source=source,
            what=alert.name,
            why=reason,
            answer=silence or None,
            data={"fingerprint": fingerprint, "fired_at": alert.since, "severity": alert.severity},
        )
        return {
            "bot": alert.bot,
            "state": "had",
            "says": says,
            "until": now + HAD_SECONDS,
            "silence": silence,
        }

    async def _rules(self) -> list[dict[str, Any]]:
        """What fires by the rules of Prometheus, asked for only while something does."""
        return (of_rules((await self.api.rules()).json()) or []) if self.history.fires else []

    async def _silence(self, alert: Alert, by: str, reason: str, now: float) -> str:
        answer = await self.api.send("POST", "/silences", silences.silence_of(alert, by, reason, now))
        identity = field(answer.json(), "silenceID")
        if answer.status != 200 or not isinstance(identity, str):
            why = answer.error or f"it answered {answer.status}"
            raise NotNow(f"Alertmanager could not be told, so others go on being called: {why}")
        return identity

    async def _learn_silences(self, firing: Iterable[Alert]) -> None:
        """Who has what by silences made elsewhere, or before; what is exempt is taken out of them."""
        now = self.clock()
        strange = [
            alert
            for alert in firing
            if alert.silences and (alert.exempt or self.alerts.who_has(alert, now) is None)
        ]
        changed: set[str] = set()
        for alert in strange[:MOST_SILENCES]:
            for identity in alert.silences if alert.exempt else alert.silences[:1]:
                content: Any = (await self.api.ask(f"/silence/{identity}")).json()
                if not isinstance(content, dict):
                    continue
                if alert.exempt and identity not in changed:  # it may cover several
                    changed.add(identity)
                    await self._keep_out(alert, identity, content)
                elif not alert.exempt and (had := silences.of_silence(alert, content)) is not None:
                    self.alerts.take(had)

    async def _keep_out(self, alert: Alert, identity: str, content: Mapping[str, Any]) -> None:
        """Take what is exempt out of a silence that covers such an alert."""
        instead = silences.narrowed(content)
        if instead is None:
            answer, done = await self.api.send("DELETE", f"/silence/{identity}"), "the silence was ended"
        else:
            answer = await self.api.send("POST", "/silences", instead)
            done = 'the silence was narrowed by exempt!="true"'
        if identity in self._kept_out and answer.status != 200:
            return  # it is tried again at each look, and told once
        self._kept_out = {*list(self._kept_out)[-MOST_SILENCES:], identity}
        by, why = str(content.get("createdBy", "")), answer.error or f"Alertmanager answered {answer.status}"
        self.record(
            "silence_amended",
            bot=alert.bot,
            severity="warning",
            who=by,
            source="alertmanager",
            what=f"a silence by {by or 'nobody named'} covered {alert.name}, which is exempt",
            why=str(content.get("comment", "")),
            before=silences.written(content),
            after=silences.written(instead) if instead is not None and answer.status == 200 else None,
            answer=done if answer.status == 200 else f"it could not be changed: {why}",
        )

    def _note_who_has(self) -> None:
        for had in self.alerts.had(self.clock()):
            self.history.had(had.alert.fingerprint, had.by, had.since)

    def _alarmed(self, new: Iterable[Alert]) -> None:
        """What went over the link of a bot is recorded when a critical alert about it begins."""
        for alert in new:
            if alert.severity == "critical" and alert.bot in self._bots:
                self._ask(alert.bot, f"alert {alert.name}")

    def _tell(self) -> None:
        for episode, state, data in self.history.due(self.clock()):
            alert = episode.alert
            self.record(
                "alert",
                bot=alert.bot,
                severity=alert.severity if alert.severity in {"critical", "warning"} else "info",
                source="alertmanager",
                what=f"{alert.name} {state}",
                why=(episode.ended or "ended") if state == RESOLVED else alert.summary,
                data=data,
            )
