"""Sends a test page through Alertmanager and says of each channel whether it was delivered.

Delivered is believed where Alertmanager's own counters of that integration went up by as much as its
messages of these seconds need, none of them failed, and its webhook brought the very page back here. What
nobody saw is UNKNOWN, which is neither.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.alerting.receivers import WEBHOOK, Receivers, counted
from exporter.alertmanager import AlertDesk
from exporter.alerts import FIRING, TEST_PAGE, Delivery, iso
from exporter.errors import NotNow
from exporter.figures import clock
from exporter.page.parts import Told

WITHIN: Final = 20.0
LOOK: Final = 0.5
EVERY: Final = 30.0
"""Seconds between two test pages: each may ring somebody's phone."""
LASTS: Final = 60.0

DELIVERED, FAILED, UNKNOWN, NOTHING_SET = "delivered", "failed", "unknown", "nothing_set"
STATES: Final = (DELIVERED, FAILED, UNKNOWN, NOTHING_SET)
_WORST: Final = (FAILED, UNKNOWN, DELIVERED)
_TONES: Final = {DELIVERED: "", FAILED: "act", UNKNOWN: "look", NOTHING_SET: "look"}
HINTS: Final[Mapping[str, str]] = {
    "slack": "is the webhook's address right and still valid, and does Slack answer from here?",
    "email": "are host, port, user and password right, and does the server take mail for these recipients?",
    "telegram": "are the bot's token and the chat's number right, and was the bot invited to the chat?",
    "pagerduty": "is the routing key that of an Events API v2 integration?",
    WEBHOOK: "does the address answer with 2xx, and does its token fit?",
}
LOG: Final = "Alertmanager's log has the answer"


@dataclass(slots=True)
class _Under:
    """A test that is under way: its number, and which receivers have told this program something since."""

    id: str
    messages: list[str] = field(default_factory=list)
    back: str | None = None
    """The receiver that brought the page back here."""

    def heard(self, deliveries: Sequence[Delivery]) -> None:
        for each in deliveries[:1]:
            self.messages.append(each.receiver)
        for each in deliveries:
            if each.status == FIRING and each.alert.labels.get("page") == self.id:
                self.back = each.receiver


class PageTest:
    """One test page at a time."""

    def __init__(self, desk: AlertDesk, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._desk = desk
        self._sleep = sleep
        self._under: _Under | None = None
        self._next_at = 0.0
        self.last: Told | None = None
        """What became of the last one, for the page."""
        desk.listeners.append(self._heard)

    async def send(self, severity: str, who: str, source: str, reason: str) -> Mapping[str, object]:
        """Send one and follow it for up to 20 s. Raises NotNow."""
        began = self._desk.clock()
        if self._under is not None:
            raise NotNow("a test page is under way")
        if 0 < (wait := self._next_at - began) <= EVERY:
            raise NotNow(f"a test page went out a moment ago; the next one may in {wait:.0f} s")
        under = self._under = _Under(secrets.token_hex(4))
        try:
            channels = await self._follow(under, severity, who)
        finally:
            self._under = None
        return self._answer(under.id, channels, began, severity=severity, who=who, source=source, why=reason)

    async def _follow(self, under: _Under, severity: str, who: str) -> dict[str, tuple[str, str]]:
        """State and words of each channel; none where nothing is set."""
        receivers = await self._desk.learn_receivers()
        before = await self._counters()
        if receivers is None or before is None:
            raise NotNow("Alertmanager is not reachable, so nobody would be called now")
        if not (channels := receivers.push.get(receivers.for_tests)):
            if receivers.anybody:
                raise NotNow("alerts call somebody, but no route of Alertmanager leads a test page there")
            return {}
        now = self._desk.clock()
        answer = await self._desk.api.send("POST", "/alerts", [_alert(under.id, severity, who, now)])
        if answer.status != 200:
            raise NotNow(f"Alertmanager did not take it: {answer.error or f'it answered {answer.status}'}")
        self._next_at = now + EVERY
        found: dict[str, tuple[str, str]] = {}
        for _ in range(int(WITHIN / LOOK)):
            await self._sleep(LOOK)
            counters = await self._counters()
            if counters is not None:
                channels = receivers.push.get(under.back or "", channels)
                found = {kind: _judged(kind, under, receivers, before, counters) for kind in channels}
            decided = found and all(state != UNKNOWN for state, _ in found.values())
            if decided or self._desk.clock() - now >= WITHIN:  # each look may take seconds by itself
                break
        return found or dict.fromkeys(channels, (UNKNOWN, "Alertmanager's counters could not be read"))

    async def _counters(self) -> dict[str, tuple[float, float]] | None:
        answer = await self._desk.api.metrics()
        return counted(answer.body.decode("utf-8", "replace")) if answer.status == 200 else None

    def _heard(self, deliveries: Sequence[Delivery]) -> None:
        if self._under is not None:
            self._under.heard(deliveries)

    def _answer(
        self,
        page: str,
        channels: Mapping[str, tuple[str, str]],
        began: float,
        *,
        severity: str,
        who: str,
        source: str,
        why: str,
    ) -> Mapping[str, object]:
        states = {state for state, _ in channels.values()}
        state = next((each for each in _WORST if each in states), NOTHING_SET)
        says = " · ".join(_line(kind, *told) for kind, told in channels.items()) or (
            "NOTHING SET: no push receiver is configured, so nobody is called"
        )
        tone, now = _TONES[state], self._desk.clock()
        self.last = Told(f"by {who} at {clock(began)}", says, "", tone)
        self._desk.record(
            "test_page",
            severity="info" if state == DELIVERED else "warning",
            who=who,
            source=source,
            what=f"test page ({severity}): {state.replace('_', ' ')}",
            why=why,
            answer=says,
            latency=max(0.0, now - began),
        )
        listed = [{"channel": kind, "state": told[0], "says": told[1]} for kind, told in channels.items()]
        return {
            "page": page,
            "state": state,
            "says": says,
            "tone": tone,
            "seconds": max(0.0, now - began),
            "channels": listed,
        }


def _judged(
    kind: str,
    under: _Under,
    receivers: Receivers,
    before: Mapping[str, tuple[float, float]],
    after: Mapping[str, tuple[float, float]],
) -> tuple[str, str]:
    """How one channel stands, by what was counted since and what came back."""
    now, then = after.get(kind, (0.0, 0.0)), before.get(kind, (0.0, 0.0))
    made, failed = now[0] - then[0], now[1] - then[1]
    if failed > 0:
        return FAILED, f"{HINTS.get(kind, '')} {LOG}".strip()
    # Whatever else Alertmanager delivers meanwhile comes here, too, and is counted among them.
    messages = under.messages if under.back is not None else [*under.messages, receivers.for_tests]
    needed = sum(receivers.requests(receiver).get(kind, 0) for receiver in messages)
    if made < needed:
        return UNKNOWN, f"Alertmanager has not sent it within {WITHIN:.0f} s; {LOG}"
    if under.back is None:
        return UNKNOWN, "Alertmanager counts it as sent, and its webhook did not bring it back here"
    return DELIVERED, ""


def _line(kind: str, state: str, says: str) -> str:
    return f"{kind} {state.upper()}{f': {says}' if says else ''}"


def _alert(page: str, severity: str, who: str, now: float) -> dict[str, object]:
    return {
        "labels": {
            "alertname": TEST_PAGE,
            "severity": "test",
            "area": "self",
            "tests": severity,
            "page": page,
        },
        "annotations": {
            "summary": "A test page: nothing is wrong",
            "description": f"{who} asked at {clock(now)} whether this arrives. Nothing has to be done.",
            "now": "TEST",
        },
        "startsAt": iso(now),
        "endsAt": iso(now + LASTS),
    }
