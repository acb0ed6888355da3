"""Who Alertmanager would call, by its own configuration, and how its calls went, by its own counters.

Pure. Secrets stand in that configuration as `<secret>`. This program's own webhook is known by the name of
its token's file, or by its address; whatever else the receiver `watchdog` has is a dead-man's switch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

KINDS: Final = ("slack", "email", "telegram", "pagerduty", "webhook")
"""Integrations that are named also where there is none."""
WEBHOOK: Final = "webhook"
OWN_TOKEN: Final = "alertmanager_token"  # noqa: S105 - the name of a file
OWN_CALL: Final = "/api/alerts"
WATCHDOG, TEST = "watchdog", "test"
NOT_CALLED: Final = frozenset({WATCHDOG, TEST})
"""Receivers that call nobody for an alert that means something."""

_COUNTED: Final = re.compile(
    r'^alertmanager_notification_requests_(failed_)?total\{(?:[^}]*,)?integration="(\w+)"[^}]*\} (\S+)$', re.M
)


@dataclass(frozen=True, slots=True)
class Receivers:
    """What each receiver calls: push integrations by kind, and whether this program is told, too."""

    push: Mapping[str, Mapping[str, int]]
    own: frozenset[str]
    dead_man: int
    default: str

    @property
    def called(self) -> dict[str, int]:
        """How many of each kind are called for an alert; by the receiver that has most of the kind."""
        found = dict.fromkeys(KINDS, 0)
        for name, kinds in self.push.items():
            if name not in NOT_CALLED:
                for kind, number in kinds.items():
                    found[kind] = max(found.get(kind, 0), number)
        return found

    @property
    def anybody(self) -> bool:
        """Whether anybody is called at all."""
        return any(self.called.values())

    @property
    def for_tests(self) -> str:
        """The receiver that a test page goes to."""
        return TEST if TEST in self.push else self.default

    def requests(self, receiver: str) -> dict[str, int]:
        """How many requests one message of a receiver makes, by integration, whoever gets them."""
        made = dict(self.push.get(receiver, {}))
        besides = (receiver in self.own) + (self.dead_man if receiver == WATCHDOG else 0)
        return made | {WEBHOOK: made.get(WEBHOOK, 0) + besides}


def of_config(original: str) -> Receivers | None:
    """The receivers of Alertmanager's configuration as it tells it; None where it cannot be read."""
    try:
        content = yaml.safe_load(original)
    except yaml.YAMLError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("receivers"), list):
        return None
    push: dict[str, dict[str, int]] = {}
    own, dead_man = set(), 0
    for receiver in content["receivers"]:
        name = str(receiver.get("name", "")) if isinstance(receiver, dict) else ""
        push[name] = {}
        for kind, each in _integrations(receiver):
            if kind == WEBHOOK and _is_own(each):
                own.add(name)
            elif name == WATCHDOG:
                dead_man += 1
            else:
                push[name][kind] = push[name].get(kind, 0) + 1
    route = content.get("route")
    default = str(route.get("receiver", "")) if isinstance(route, dict) else ""
    return Receivers(push, frozenset(own), dead_man, default)


def counted(metrics: str) -> dict[str, tuple[float, float]]:
    """Requests of Alertmanager's integrations since its start, and how many failed, from its metrics."""
    found: dict[str, list[float]] = {}
    for failed, kind, value in _COUNTED.findall(metrics):
        found.setdefault(kind, [0.0, 0.0])[bool(failed)] += float(value)
    return {kind: (made, failed) for kind, (made, failed) in found.items()}


def _integrations(receiver: object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for key, listed in receiver.items() if isinstance(receiver, dict) else ():
        if isinstance(key, str) and key.endswith("_configs") and isinstance(listed, list):
            yield from ((key.removesuffix("_configs"), each) for each in listed if isinstance(each, dict))


def _is_own(config: Mapping[str, Any]) -> bool:
    http = config.get("http_config")
    authorization = http.get("authorization") if isinstance(http, dict) else None
    file = authorization.get("credentials_file") if isinstance(authorization, dict) else None
    return str(file or "").endswith(OWN_TOKEN) or str(config.get("url", "")).endswith(OWN_CALL)
