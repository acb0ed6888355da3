"""What each service is reached by, taken from variables and secret files: one function a service.

Pure but for the secret files that are read. Each function returns Alertmanager's settings of its service, or
None where nothing of it is set. Every value is held against a narrow pattern, because Alertmanager reads most
of them as templates.

Errors: `NotUsableError`, whose message is one sentence and never contains a secret.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SLACK_URL, SLACK_TOKEN = "slack_url", "slack_token"
SMTP_PASSWORD = "smtp_password"  # noqa: S105 - the name of a file, not a password
TELEGRAM_TOKEN = "telegram_token"  # noqa: S105 - likewise
PAGERDUTY_KEY = "pagerduty_key"
WEBHOOK_TOKEN = "webhook_token"  # noqa: S105 - likewise

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_IN_URL = r"(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`|~-]+"
URL = re.compile(
    rf"https?://(?:[\w.~-]+(?::[\w.~-]*)?@)?{_HOST}(?::[0-9]{{1,5}})?(?:[/?#]{_IN_URL}*)?", re.ASCII
)
ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_HOST}")
SENDER = re.compile(rf"(?:([\w .'()-]+?) *<({ADDRESS.pattern})>|{ADDRESS.pattern})")
HOST_AND_PORT = re.compile(rf"{_HOST}:[0-9]{{1,5}}")
USER = re.compile(r"[\x21-\x7a\x7c\x7e]+")  # no braces
CHANNEL = re.compile(r"[#@]?[\w.-]{1,80}")
CHAT = re.compile(r"-?[0-9]{1,18}")
ONE_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
PRINTABLE = re.compile(r"[\x21-\x7e]+")
SECRETS = {
    SLACK_URL: (URL, "one web address"),
    SLACK_TOKEN: (re.compile(r"[A-Za-z0-9._-]+"), "one word such as xoxb-…"),
    SMTP_PASSWORD: (ONE_LINE, "one line"),
    TELEGRAM_TOKEN: (re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}"), "NUMBER:LETTERS as BotFather gave it"),
    PAGERDUTY_KEY: (re.compile(r"[A-Za-z0-9]{32}"), "the 32 characters of an Events API v2 key"),
    WEBHOOK_TOKEN: (PRINTABLE, "one word"),
}
"""Every secret that is read, by the name of its file: what it must look like, and that in words."""

LONGEST_SECRET = 4096  # bytes

DEFAULTS = {
    "SLACK_API_URL": "https://slack.com/api/chat.postMessage",
    "TELEGRAM_API_URL": "https://api.telegram.org",
    "PAGERDUTY_URL": "https://events.pagerduty.com/v2/enqueue",
}
"""Addresses of services, where nobody names another one."""


class NotUsableError(Exception):
    """Something is set and cannot be used; the message says what, after the service's name."""


@dataclass(slots=True)
class Given:
    """What was set: variables (an empty one counts as absent) and the folder of secret files.

    What Alertmanager reads from a file is collected in `used`, by name; `copies` is where it will find it.
    """

    variables: Mapping[str, str]
    folder: Path
    copies: Path
    used: dict[str, str] = field(default_factory=dict)

    def has(self, *names: str) -> int:
        """How many of these variables and secret files are there."""
        return sum(
            os.path.exists(self.folder / name)  # noqa: PTH110 - where Path.exists raises, this says no
            if name in SECRETS
            else bool(self._value(name))
            for name in names
        )

    def variable(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        """A variable that has to be there and has to look so."""
        value = self._value(name)
        if not value:
            raise NotUsableError(f"{name} is not set")
        if not pattern.fullmatch(value):
            raise NotUsableError(f"{name} is not {expected}")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        """A variable that says true or false."""
        value = self._value(name).lower() or str(default).lower()
        if value not in {"true", "false"}:
            raise NotUsableError(f"{name} is neither true nor false")
        return value == "true"

    def secret(self, name: str) -> str:
        """What a secret file holds."""
        pattern, expected = SECRETS[name]
        path = self.folder / name
        try:
            with path.open("rb") as file:
                text = file.read(LONGEST_SECRET + 1).decode("utf-8-sig").strip()
        except FileNotFoundError as error:
            raise NotUsableError(f"secrets/{name} is missing") from error
        except IsADirectoryError as error:
            raise NotUsableError(f"secrets/{name} is a folder") from error
        except PermissionError as error:
            raise NotUsableError(f"secrets/{name} may not be read: chmod 644 secrets/{name}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise NotUsableError(f"secrets/{name} cannot be read as text") from error
        if not text:
            raise NotUsableError(f"secrets/{name} is empty")
        if len(text) > LONGEST_SECRET or not pattern.fullmatch(text):
            raise NotUsableError(f"secrets/{name} is not {expected}")
        return text

    def secret_file(self, name: str) -> str:
        """The same, for Alertmanager to read from a copy: the path of that."""
        self.used[name] = self.secret(name)
        return str(self.copies / name)

    def _value(self, name: str) -> str:
        return self.variables.get(name, "").strip() or DEFAULTS.get(name, "")


Settings = dict[str, Any]


def slack(given: Given) -> Settings | None:
    """A webhook's address, or a bot's token with its channel."""
    if not given.has(SLACK_URL, SLACK_TOKEN, "SLACK_CHANNEL"):
        return None
    if given.has(SLACK_URL, SLACK_TOKEN) == 2:
        raise NotUsableError(f"there are both secrets/{SLACK_URL} and secrets/{SLACK_TOKEN}: remove one")
    if given.has(SLACK_URL):
        channel = _channel(given) if given.has("SLACK_CHANNEL") else {}
        return {"api_url_file": given.secret_file(SLACK_URL), **channel}
    if not given.has(SLACK_TOKEN):
        raise NotUsableError(f"neither secrets/{SLACK_URL} nor secrets/{SLACK_TOKEN} is there")
    address = given.variable("SLACK_API_URL", URL, "a web address")
    return {"api_url": address, **_channel(given), **_bearer(given, SLACK_TOKEN)}


def _channel(given: Given) -> Settings:
    return {"channel": given.variable("SLACK_CHANNEL", CHANNEL, "a channel such as #bots")}


def _bearer(given: Given, secret: str) -> Settings:
    return {"http_config": {"authorization": {"credentials_file": given.secret_file(secret)}}}


def email(given: Given) -> Settings | None:
    """A mail server, who sends and who reads."""
    if not given.has("SMTP_SMARTHOST", "SMTP_FROM", "SMTP_TO", "SMTP_USER", SMTP_PASSWORD):
        return None
    host = given.variable("SMTP_SMARTHOST", HOST_AND_PORT, "HOST:PORT such as smtp.example.com:587")
    sender = SENDER.fullmatch(given.variable("SMTP_FROM", SENDER, "an address such as bots@example.com"))
    assert sender is not None
    readers = [each.strip() for each in given.variables.get("SMTP_TO", "").split(",") if each.strip()]
    if not readers:
        raise NotUsableError("SMTP_TO is not set")
    if not all(ADDRESS.fullmatch(each) for each in readers):
        raise NotUsableError("SMTP_TO is not a list of addresses with commas between them")
    settings: Settings = {
        "smarthost": host,
        "from": f'"{sender[1]}" <{sender[2]}>' if sender[1] else sender[0],
        "to": ", ".join(readers),
        "require_tls": given.switch("SMTP_TLS", default=True),
    }
    if given.has("SMTP_USER"):
        settings["auth_username"] = given.variable("SMTP_USER", USER, "one word")
        settings["auth_password_file"] = given.secret_file(SMTP_PASSWORD)
    elif given.has(SMTP_PASSWORD):
        raise NotUsableError(f"secrets/{SMTP_PASSWORD} is there, and SMTP_USER is not set")
    return settings


def telegram(given: Given) -> Settings | None:
    """A bot's token and the chat that it writes to. Alertmanager 0.25 takes no file with the token."""
    if not given.has(TELEGRAM_TOKEN, "TELEGRAM_CHAT_ID"):
        return None
    token = given.secret(TELEGRAM_TOKEN)
    chat = int(given.variable("TELEGRAM_CHAT_ID", CHAT, "a number such as -1001234567890"))
    if not chat:
        raise NotUsableError("TELEGRAM_CHAT_ID is 0, which is no chat")
    address = given.variable("TELEGRAM_API_URL", URL, "a web address").rstrip("/")
    return {"bot_token": token, "chat_id": chat, "api_url": address}


def pagerduty(given: Given) -> Settings | None:
    """The routing key of an Events API v2 integration."""
    if not given.has(PAGERDUTY_KEY):
        return None
    address = given.variable("PAGERDUTY_URL", URL, "a web address")
    return {"url": address, "routing_key_file": given.secret_file(PAGERDUTY_KEY)}


def webhook(given: Given) -> Settings | None:
    """An address that takes Alertmanager's own messages as JSON."""
    if not given.has("NOTIFY_WEBHOOK_URL", WEBHOOK_TOKEN):
        return None
    settings: Settings = {"url": given.variable("NOTIFY_WEBHOOK_URL", URL, "a web address")}
    return settings | (_bearer(given, WEBHOOK_TOKEN) if given.has(WEBHOOK_TOKEN) else {})


def dead_man(given: Given) -> Settings | None:
    """An address outside that raises the alarm when it was not called for some minutes."""
    if not given.has("DEAD_MAN_URL"):
        return None
    return {"url": given.variable("DEAD_MAN_URL", URL, "a web address"), "send_resolved": False}


KINDS: Mapping[str, Callable[[Given], Settings | None]] = {
    "Slack": slack,
    "e-mail": email,
    "Telegram": telegram,
    "PagerDuty": pagerduty,
    "webhook": webhook,
    "dead-man's switch": dead_man,
}
"""Every service, by the name that people read."""
