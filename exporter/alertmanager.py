"""Asks Alertmanager every five seconds which alerts fire, and quiets one that somebody has.

The asyncio shell around `exporter.alerts`. What began and ended goes to the audit trail, and a critical alert
has what went over its bot's link recorded. An Alertmanager that is away costs nothing but what it would know.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from exporter.alerts import FIRING, HAD_SECONDS, Alert, Alerts, Change, Had, of_poll, of_silence, silence_of
from exporter.errors import NotFound, NotNow
from exporter.http_get import Answer, field, get, send
from exporter.page.parts import Alarms, AlertRow

log = logging.getLogger(__name__)

EVERY: Final = 5.0
WITHIN: Final = 4.0
MOST_SILENCES: Final = 20
"""Silences that are asked about after one answer."""


class Api(Protocol):
    """The part of Alertmanager's API that is needed; `Alertmanager` is one."""

    async def ask(self, path: str) -> Answer:
        """GET /api/v2 and a path."""

    async def send(self, method: str, path: str, content: object = None) -> Answer:
        """The same with another method."""


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager, by its address."""

    address: str

    async def ask(self, path: str) -> Answer:
        """GET /api/v2 and a path; never raises."""
        return await get(f"{self.address}/api/v2{path}", WITHIN)

    async def send(self, method: str, path: str, content: object = None) -> Answer:
        """The same with another method."""
        return await send(f"{self.address}/api/v2{path}", WITHIN, method=method, content=content)


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
        self.clock = clock
        self._api = api
        self._bots = frozenset(bots)
        self._record = record
        self._ask = ask
        self._away = False

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
        answer = await self._api.ask("/alerts?active=true&silenced=true&inhibited=true")
        firing = of_poll(answer.json()) if answer.status == 200 else None
        if firing is None:
            why = answer.error or f"it answered {answer.status}"
            self.alerts.unreachable(f"Alertmanager is not reachable: {why}")
            if not self._away:
                log.warning("Alertmanager is not reachable: %s; which alerts fire is not known", why)
            self._away = True
            return
        if self._away:
            log.info("Alertmanager answers again")
        self._away = False
        changes, over = self.alerts.polled(firing, self.clock())
        self._tell(changes)
        for had in over:
            if had.silence and had.ends_with_alert:
                await self._api.send("DELETE", f"/silence/{had.silence}")
        await self._learn_silences(firing)

    def delivered(self, alerts: Iterable[tuple[Alert, str]]) -> int:
        """Alertmanager delivered these; how many of them are news."""
        changes = self.alerts.handed_in(alerts, self.clock())
        self._tell(changes)
        return len(changes)

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
        self.alerts.take(Had(alert, by, reason, now + HAD_SECONDS, silence))
        if before is not None and before.silence and before.ends_with_alert:
            await self._api.send("DELETE", f"/silence/{before.silence}")
        self._record(
            "alert_had",
            bot=alert.bot,
            who=by,
            source=source,
            what=alert.name,
            why=reason,
            answer=silence or None,
        )
        return {
            "bot": alert.bot,
            "state": "had",
            "says": says,
            "until": now + HAD_SECONDS,
            "silence": silence,
        }

    def alarms(self, now: float) -> Alarms:
        """The same for the page."""
        listed = self.alerts.firing(now)
        return Alarms(
            # What somebody has comes last: the others wait for one.
            rows=tuple(
                sorted((self._row(a, now) for a in listed if not a.inhibited), key=lambda r: bool(r.by))
            ),
            unknown=self.alerts.unknown(now),
            inhibited=sum(alert.inhibited for alert in listed),
        )

    def _row(self, alert: Alert, now: float) -> AlertRow:
        had = self.alerts.who_has(alert, now)
        where = " ".join(filter(None, (alert.bot, alert.labels.get("venue", ""))))
        name = alert.name.removeprefix("Tradebot")
        by = had.by if had is not None else ""
        return AlertRow(alert.fingerprint, alert.severity, name, where, alert.summary, alert.since, by)

    async def _silence(self, alert: Alert, by: str, reason: str, now: float) -> str:
        answer = await self._api.send("POST", "/silences", silence_of(alert, by, reason, now))
        identity = field(answer.json(), "silenceID")
        if answer.status != 200 or not isinstance(identity, str):
            why = answer.error or f"it answered {answer.status}"
            raise NotNow(f"Alertmanager could not be told, so others go on being called: {why}")
        return identity

    async def _learn_silences(self, firing: Iterable[Alert]) -> None:
        """Who has what by silences that were made elsewhere, or before this program's start."""
        now = self.clock()
        strange = [alert for alert in firing if alert.silences and self.alerts.who_has(alert, now) is None]
        for alert in strange[:MOST_SILENCES]:
            content: Any = (await self._api.ask(f"/silence/{alert.silences[0]}")).json()
            had = of_silence(alert, content) if isinstance(content, dict) else None
            if had is not None:
                self.alerts.take(had)

    def _tell(self, changes: Iterable[Change]) -> None:
        for alert, status in ((change.alert, change.status) for change in changes):
            self._record(
                "alert",
                bot=alert.bot,
                severity=alert.severity if alert.severity in {"critical", "warning"} else "info",
                source="alertmanager",
                what=f"{alert.name} {status}",
                why=alert.summary,
                data={"fingerprint": alert.fingerprint, "since": alert.since, "labels": dict(alert.labels)},
            )
            if status == FIRING and alert.severity == "critical" and alert.bot in self._bots:
                self._ask(alert.bot, f"alert {alert.name}")
