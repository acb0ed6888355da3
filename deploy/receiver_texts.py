"""Which receiver tells which service, and in which words: Alertmanager's `receivers`, as data. Pure.

The words themselves are templates, in prometheus/templates.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Settings = Mapping[str, Any]

RECEIVERS = ("default", "watchdog", "page", "notify", "remind", "paper", "digest", "test")
"""Every receiver that a route names, in the order of the file."""
DEAD_MAN = "dead-man's switch"
TOLD = {
    "Slack": ("page", "notify", "remind", "paper", "digest", "test"),
    "e-mail": ("page", "notify", "remind", "paper", "digest", "test"),
    "Telegram": ("page", "notify", "remind", "paper", "digest", "test"),
    "PagerDuty": ("page", "test"),  # it wakes people: what is critical alone
    "webhook": ("page", "notify", "remind", "paper", "digest", "test"),
    DEAD_MAN: ("watchdog",),
}
"""Which receivers tell each service."""
LOUD = ("page", "test")
"""Receivers whose messages ring where a service can tell quiet from loud."""
FINAL = ("digest", "test")
"""Receivers whose alerts end without anybody being told."""


def receivers(services: Mapping[str, Settings], exporter: Settings | None) -> list[dict[str, Any]]:
    """Every receiver with whom it tells. `exporter`, the webhook back to it, is told everything."""
    made = []
    for name in RECEIVERS:
        receiver: dict[str, Any] = {"name": name}
        if exporter is not None:
            receiver["webhook_configs"] = [{**exporter, "send_resolved": True}]
        for service, settings in services.items():
            if name in TOLD[service]:
                key, words = _WORDS[service](name)
                receiver.setdefault(key, []).append({"send_resolved": name not in FINAL, **words, **settings})
        made.append(receiver)
    return made


def _template(name: str) -> str:
    return f'{{{{ template "tradebot.{name}" . }}}}'


def _slack(receiver: str) -> tuple[str, Settings]:
    digest = receiver == "digest"
    buttons = {"Page": "page"} if digest else {"Page": "page", "Runbook": "runbook", "I have it": "operator"}
    return "slack_configs", {
        "username": "Trading bot console",
        "title": _template("digest.title" if digest else "title"),
        "title_link": _template("page"),
        "fallback": _template("digest.title" if digest else "title"),
        "text": _template("digest" if digest else "body"),
        # Not the text: a name with _ or * in it is no formatting.
        "mrkdwn_in": ["fallback"],
        "color": "" if receiver in {"digest", "remind", "test"} else _template("color"),
        "actions": [
            {"type": "button", "text": text, "url": _template(place)} for text, place in buttons.items()
        ],
    }


def _email(receiver: str) -> tuple[str, Settings]:
    digest = receiver == "digest"
    return "email_configs", {
        "headers": {"Subject": _template("digest.title" if digest else "title")},
        "html": _template("email.digest" if digest else "email"),
        "text": _template("email.digest.plain" if digest else "email.plain"),
    }


def _telegram(receiver: str) -> tuple[str, Settings]:
    return "telegram_configs", {
        "message": _template("telegram.digest" if receiver == "digest" else "telegram"),
        "parse_mode": "HTML",
        "disable_notifications": receiver not in LOUD,
    }


def _pagerduty(_: str) -> tuple[str, Settings]:
    links = {"Page": "page", "Runbook": "runbook", "I have it": "operator"}
    told = _template("body.plain")
    return "pagerduty_configs", {
        # An incident that nobody closes stays open, so PagerDuty hears of every end, a test's too.
        "send_resolved": True,
        "description": _template("title"),
        "severity": '{{ if eq .CommonLabels.tests "warning" }}warning{{ else }}critical{{ end }}',
        "class": "{{ .CommonLabels.alertname }}",
        "component": "{{ .CommonLabels.bot }}",
        "group": "{{ .CommonLabels.area }}",
        "client": "Trading bot console",
        "client_url": _template("page"),
        "details": {
            "firing": f"{{{{ if .Alerts.Firing }}}}{told}{{{{ end }}}}",
            # Two lines at least: Alertmanager 0.34 would make a table of a single `name: reason`.
            "resolved": f"{{{{ if not .Alerts.Firing }}}}no longer firing\n{told}{{{{ end }}}}",
        },
        "links": [{"text": text, "href": _template(place)} for text, place in links.items()],
    }


def _webhook(_: str) -> tuple[str, Settings]:
    return "webhook_configs", {}


_WORDS = {
    "Slack": _slack,
    "e-mail": _email,
    "Telegram": _telegram,
    "PagerDuty": _pagerduty,
    "webhook": _webhook,
    DEAD_MAN: _webhook,
}


def as_yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Lines of YAML: blocks of mappings and lists, every scalar in quotes where it is a text.

    Texts must have no control characters; a JSON string is then a YAML string.
    """
    if isinstance(value, dict):
        items = [(f"{key}:", each) for key, each in value.items()]
    else:
        items = [("-", each) for each in value]
    for mark, each in items:
        if isinstance(each, dict | list) and each:
            inner = list(as_yaml(each, indent + "  "))
            if mark == "-":
                yield f"{indent}- {inner[0].lstrip()}"
                yield from inner[1:]
            else:
                yield f"{indent}{mark}"
                yield from inner
        else:
            yield f"{indent}{mark} {json.dumps(each, ensure_ascii=False)}"
