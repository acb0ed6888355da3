"""Stand-ins for the services that alerts are told to, on loopback: strict about what they are sent.

Each takes a request only in the form that its service documents, and else answers as that service
refuses it: Alertmanager then counts a failure. `taken` has what was taken, `refused` the rest.
"""

import json
import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.stack.serving import LOOPBACK, Serving

SLACK_HOOK = "/services/T00/B00/xyz"
SLACK_TOKEN = "xoxb-1-not-a-real-one"
TELEGRAM_TOKEN = "123456789:AAF-not-a-real-token-of-anybody-00"
PAGERDUTY_KEY = "0123456789abcdef0123456789ABCDEF"
WEBHOOK_TOKEN = "Qw7-webhook-3hGx"


class RefusedError(Exception):
    """The service does not take this; the message says why."""


@dataclass(frozen=True)
class Taken:
    """One message that a service took: which, when (epoch seconds), what was sent, with which headers."""

    service: str
    at: float
    content: dict[str, Any]
    headers: dict[str, str] = field(repr=False)


class Services(Serving):
    """All of them on one port; the path tells them apart, as it does at the real ones."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.refused: list[str] = []
        super().__init__(ThreadingHTTPServer(LOOPBACK, self._handler()))

    def of(self, service: str) -> list[Taken]:
        """What one service took, in order."""
        return [each for each in list(self.taken) if each.service == service]

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, object]:
        try:
            service, answer = read(path, headers, json.loads(body))
        except (RefusedError, ValueError, KeyError, TypeError) as error:
            self.refused.append(f"{path}: {error!r} {body[:300]!r}")
            return 400, {"ok": False, "error": str(error), "error_code": 400, "description": str(error)}
        self.taken.append(Taken(service, time.time(), json.loads(body), headers))
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                said = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header(
                    "Content-Type", "text/plain" if isinstance(content, str) else "application/json"
                )
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what was taken is the log."""

        return Handler


def read(path: str, headers: dict[str, str], content: dict[str, Any]) -> tuple[str, tuple[int, object]]:
    """The service that this is for and what it answers. Raises RefusedError."""
    require(headers["content-type"].partition(";")[0] == "application/json", "it takes JSON")
    match path.strip("/").split("/"):
        case ["services", *_] if path == SLACK_HOOK:
            slack(content)
            return "slack", (200, "ok")
        case ["api", "chat.postMessage"]:
            require(headers.get("authorization") == f"Bearer {SLACK_TOKEN}", "invalid_auth")
            require(content["channel"], "channel_not_found")
            slack(content)
            return "slack", (200, {"ok": True, "ts": "1"})
        case [bot, "sendMessage"] if bot == f"bot{TELEGRAM_TOKEN}":
            telegram(content)
            chat = {"id": int(content["chat_id"]), "type": "private"}
            return "telegram", (200, {"ok": True, "result": {"message_id": 1, "date": 1, "chat": chat}})
        case ["v2", "enqueue"]:
            pagerduty(content)
            answer = {"status": "success", "message": "Event processed", "dedup_key": content["dedup_key"]}
            return "pagerduty", (202, answer)
        case ["hook"]:
            require(headers.get("authorization") == f"Bearer {WEBHOOK_TOKEN}", "no token")
            require(content["version"] == "4" and content["alerts"], "no message of Alertmanager's")
            return "webhook", (200, "")
        case ["alive"]:
            names = {alert["labels"]["alertname"] for alert in content["alerts"]}
            require(names == {"TradebotWatchdog"}, f"a dead-man's switch is called by {names}")
            return "dead man", (200, "OK")
        case _:
            raise RefusedError("nothing here")


def require(holds: object, why: str) -> None:
    """Refuse unless it holds."""
    if not holds:
        raise RefusedError(why)


def slack(content: dict[str, Any]) -> None:
    """A message with one attachment and links as buttons; its texts are escaped, and nothing formats them."""
    (attachment,) = content["attachments"]
    require(attachment["fallback"] and attachment["title"], "no_text")
    require("text" not in attachment["mrkdwn_in"], "a bot's text would be formatted")
    for text in (attachment["title"], attachment["text"]):
        require(not re.search(r"[<>]|&(?!(amp|lt|gt);)", text), f"not escaped: {text}")
    require(len(attachment["text"]) <= 4000, "msg_too_long")
    require(1 <= len(attachment["actions"]) <= 5, "too_many_attachments")
    for action in attachment["actions"]:
        require(action["type"] == "button" and action["text"], "invalid_blocks")
        require(action["url"].startswith("http"), "invalid url")


class TelegramHtml(HTMLParser):
    """What Telegram takes of HTML: few tags, closed in order, four named entities; keeps text and links."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        require(not re.search(r"&(?!(amp|lt|gt|quot|#\d+);)", text), "can't parse entities")
        self.open: list[str] = []
        self.links: dict[str, str] = {}
        self.text = ""
        self.feed(text)
        self.close()
        require(not self.open, "can't parse entities: can't find end tag")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag that Telegram knows."""
        require(tag in {"a", "b"}, f"unsupported start tag {tag}")
        self.open.append(tag)
        if tag == "a":
            self._address = dict(attrs)["href"] or ""

    def handle_endtag(self, tag: str) -> None:
        """Take the end of the tag that is open."""
        require(self.open and self.open.pop() == tag, f"unexpected end tag {tag}")

    def handle_data(self, data: str) -> None:
        """Keep text, and what a link says."""
        self.text += data
        if "a" in self.open:
            self.links[data] = self._address


def telegram(content: dict[str, Any]) -> None:
    """A message in HTML to a chat, within Telegram's 4096 characters."""
    require(re.fullmatch(r"-?\d+", str(content["chat_id"])), "chat not found")
    require(content["parse_mode"] == "HTML", "parse_mode")
    require(0 < len(content["text"]) <= 4096, "message is too long")
    require("…" not in content["text"][-3:], "it was cut")
    TelegramHtml(content["text"])


def pagerduty(content: dict[str, Any]) -> None:
    """An event of the Events API v2."""
    require(content["routing_key"] == PAGERDUTY_KEY, "Invalid routing key")
    require(content["event_action"] in {"trigger", "resolve"}, "event_action")
    require(0 < len(content["dedup_key"]) <= 255, "dedup_key")
    payload = content["payload"]
    require(0 < len(payload["summary"]) <= 1024, "summary")
    require(payload["source"], "source")
    require(payload["severity"] in {"critical", "error", "warning", "info"}, "severity")
    for link in content["links"]:
        require(link["href"].startswith("http") and link["text"], "links")
    require(len(json.dumps(content)) < 512_000, "too large")
