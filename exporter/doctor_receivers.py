"""The doctor's checks of who is told of alerts: Alertmanager's receivers, links in messages, the way back.

What Alertmanager says of itself counts, not what was meant to be set. Without anybody to tell, and without a
dead-man's switch, everything works and nobody is woken: each of these is something to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from exporter.alerting.receivers import KINDS, Receivers, of_config
from exporter.config import Addresses, Listen
from exporter.config_values import joined
from exporter.doctor_network import is_loopback
from exporter.doctor_stack import silent_program
from exporter.findings import Finding
from exporter.http_get import field, get
from exporter.metrics_self import ALERT_PATH, BUILD_INFO

PAGE = "page"  # the receiver of what is critical
PROVEN_SECONDS = 180.0
"""The Watchdog comes back once a minute; after three without it the way counts as shut."""
SET_ONE = (
    "set one in .env or secrets/ (.env.example says how), then start again (docker compose up, make run): "
    "the last lines of that name what is set and cannot be used"
)
_VALUE = re.compile(rf"^{ALERT_PATH.name} (\S+)$", re.MULTILINE)


async def alertmanager(where: Addresses, within: float, *, wanted: bool) -> list[Finding]:
    """Whether Alertmanager is there, whom it tells, and whether they can open the links that they get."""
    check, url = "alertmanager", where.alertmanager
    answer = await get(f"{url}/api/v2/status", within)
    if (silent := silent_program(check, url, answer, wanted=wanted)) is not None:
        return [silent]
    original = field(answer.json(), "config", "original")
    found = of_config(original) if isinstance(original, str) else None
    if found is None:
        fix = "ask it yourself: amtool config show"
        return [Finding("WARN", check, f"{url} answers, but not what its receivers are", fix)]
    return [Finding("PASS", check, f"{url} answers"), *_receivers(found, where)]


def _receivers(found: Receivers, where: Addresses) -> Iterator[Finding]:
    """Whom it tells of what, and what follows from that."""
    if not found.anybody:
        says = "nobody is told of an alert: they show on the pages and in Alertmanager alone"
        yield Finding("WARN", "receivers", says, SET_ONE)
    else:
        others = [kind for kind in KINDS if not found.called.get(kind)]
        told = ", ".join(sorted(kind for kind, number in found.called.items() if number))
        yield Finding("PASS", "receivers", f"alerts are told by {told}; not by {', '.join(others) or 'none'}")
        if PAGE in found.push and not found.push[PAGE]:
            fix = f"give its receiver `{PAGE}` somebody to tell"
            yield Finding("FAIL", "receivers", "what is critical is told to nobody", fix)
        if not found.dead_man:
            says = "no dead-man's switch: nobody notices when this host or Alertmanager is gone"
            yield Finding("WARN", "dead-man's switch", says, f"DEAD_MAN_URL: {SET_ONE}")
        else:
            yield Finding("PASS", "dead-man's switch", "called each minute while alerts can be told")
        yield from _links(where)
    if not found.own:
        fix = "use the configuration that deploy/receivers.py writes, with the exporter's address and token"
        says = "Alertmanager does not tell the exporter: no history of alerts, and no proof that they arrive"
        yield Finding("WARN", "alert history", says, fix)


def _links(where: Addresses) -> Iterator[Finding]:
    """Whether a phone can open what it is sent."""
    for variable, address in (
        ("PUBLIC_URL", where.grafana_public),
        ("EXPORTER_PUBLIC_URL", where.exporter_public),
    ):
        if is_loopback(urlsplit(address).hostname or ""):
            says = f"{variable} leads to {address}, which is each reader's own machine"
            fix = f"set {variable} to the address that people open it with, then start again"
            yield Finding("WARN", "links in messages", says, fix)
        else:
            yield Finding("PASS", "links in messages", f"{variable} leads to {address}")


async def alert_path(listen: Listen, within: float, now: float) -> list[Finding]:
    """Whether the Watchdog comes back to the exporter that runs here; `now` in epoch seconds."""
    check = "alert path proven"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    answer = await get(f"http://{joined(host, listen.port)}/metrics", within)
    if answer.status != 200 or BUILD_INFO.name.encode() not in answer.body:
        return [Finding("SKIP", check, f"no exporter answers at {listen.address}")]
    found = _VALUE.search(answer.body.decode(errors="replace"))
    fix = (
        "a minute after a start, look at alertmanager's log: it needs the exporter's address and "
        "alertmanager_token; Prometheus needs its rules and Alertmanager's address"
    )
    if found is None:
        return [Finding("WARN", check, "the Watchdog has not come back since the exporter's start", fix)]
    age = now - float(found[1])
    says = f"the Watchdog came back {age:.0f} s ago"
    if age > PROVEN_SECONDS:
        return [Finding("FAIL", check, says, fix)]
    return [Finding("PASS", check, says)]
