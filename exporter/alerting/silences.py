"""Silences: the one for an alert that somebody has, whose one is, and how what is exempt is kept out.

Pure. What is exempt is never silenced by this program; a silence that somebody else made and that covers such
an alert is narrowed, so that everything else that it covers stays quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exporter.alerts import HAD_SECONDS, LONGEST, Alert, Had, epoch, iso

_NOT_EXEMPT: Final = {"name": "exempt", "value": "true", "isRegex": False, "isEqual": False}
NARROWED: Final = "what is exempt is never silenced"


def silence_of(alert: Alert, by: str, reason: str, now: float) -> dict[str, object]:
    """The silence for this very alert, as Alertmanager takes it."""
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in alert.labels.items()
        ],
        "startsAt": iso(now),
        "endsAt": iso(now + HAD_SECONDS),
        "createdBy": by,
        "comment": reason or "I have it",
    }


def of_silence(alert: Alert, content: Mapping[str, Any]) -> Had | None:
    """Who has an alert by a silence that Alertmanager knows, also one that was not made here."""
    until, identity, matchers = epoch(content.get("endsAt")), content.get("id"), content.get("matchers")
    if until is None or not isinstance(identity, str) or not isinstance(matchers, list):
        return None
    named = {
        str(each.get("name")): str(each.get("value"))
        for each in matchers
        if isinstance(each, dict) and each.get("isRegex") is False and each.get("isEqual", True) is True
    }
    by, reason = str(content.get("createdBy", ""))[:LONGEST], str(content.get("comment", ""))[:LONGEST]
    alone = named == dict(alert.labels) and len(named) == len(matchers)
    return Had(alert, by or "somebody", reason, until, identity, alone, epoch(content.get("startsAt")))


def narrowed(content: Mapping[str, Any]) -> dict[str, object] | None:
    """The silence without what is exempt, to be sent in its place; None where only ending it helps."""
    matchers = content.get("matchers")
    if not isinstance(matchers, list) or not all(isinstance(each, dict) for each in matchers):
        return None
    if any(each.get("name") == "exempt" for each in matchers):
        return None
    comment = f"{str(content.get('comment', ''))[:LONGEST]} ({NARROWED})".strip()
    kept = {name: content[name] for name in ("id", "startsAt", "endsAt", "createdBy") if name in content}
    return {**kept, "comment": comment, "matchers": [*matchers, _NOT_EXEMPT]}


def written(content: Mapping[str, Any]) -> str:
    """The matchers of a silence as people write them."""
    signs = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    listed = content.get("matchers")
    return ", ".join(
        f"{each.get('name')}{signs[each.get('isEqual', True) is True, each.get('isRegex') is True]}"
        f"{str(each.get('value'))!r}"
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    )[:LONGEST]
