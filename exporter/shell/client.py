"""Asks the exporter that runs over its admin API, as a person with a token; no proxies, bounded waits."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exporter.config import Config, Listen
from exporter.errors import ExporterError

ANSWER_SECONDS: Final = 30.0
LARGEST_ANSWER: Final = 32 * 1024 * 1024
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach what listens there


class NoExporter(ExporterError):  # noqa: N818 - named for what is the case
    """No exporter answers there; what can be done without one still can."""


class NoToken(ExporterError):  # noqa: N818 - as above
    """There is no token to ask with."""


class AnsweredNo(ExporterError):  # noqa: N818 - as above
    """The exporter refused; the text is its sentence, `content` all of its answer."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        self.status = status
        self.content = content
        super().__init__(str(content.get("error") or f"the exporter answered {status}"))


@dataclass(frozen=True, slots=True)
class Client:
    """One exporter, asked as one person."""

    address: str
    token: str = field(repr=False)
    within: float = ANSWER_SECONDS
    """Seconds that it gets for an answer."""

    def get(self, path: str) -> Any:
        """Look at something. Raises NoExporter, AnsweredNo."""
        return self._ask("GET", path, None)

    def post(self, path: str, **fields: object) -> Any:
        """Ask for a change; fields that are None are left out. Raises NoExporter, AnsweredNo."""
        return self._ask("POST", path, {name: value for name, value in fields.items() if value is not None})

    def _ask(self, method: str, path: str, fields: Mapping[str, object] | None) -> Any:
        request = urllib.request.Request(
            f"http://{self.address}/api{path}",
            method=method,
            data=None if fields is None else json.dumps(fields).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.within) as answer:
                return json.loads(answer.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            raise AnsweredNo(error.code, _content(error)) from error
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise NoExporter(
                f"no exporter answers at {self.address}: {why}; start it, or say where it is with --listen"
            ) from error
        except ValueError as error:
            raise NoExporter(f"what answers at {self.address} is no exporter of this version") from error


def _content(error: urllib.error.HTTPError) -> Mapping[str, Any]:
    try:
        content = json.loads(error.read(LARGEST_ANSWER))
    except (ValueError, OSError, http.client.HTTPException):
        return {}
    return content if isinstance(content, dict) else {}


def client(config: Config, token_file: Path | None, person: str | None, within: float) -> Client:
    """The exporter of these settings, asked with that token, or with that of a person of the settings.

    Raises NoToken.
    """
    return Client(reachable(config.listen), _token(config, token_file, person), within)


def reachable(listen: Listen) -> str:
    """Where on this machine an exporter answers that listens there."""
    host = EVERYWHERE.get(listen.host, listen.host)
    return f"[{host}]:{listen.port}" if ":" in host else f"{host}:{listen.port}"


def quoted(part: str) -> str:
    """A name as a part of a path."""
    return urllib.parse.quote(part, safe="")


def _token(config: Config, token_file: Path | None, person: str | None) -> str:
    path = token_file
    if path is None:
        people = config.tokens.operators
        if not people:
            raise NoToken(
                "exporter.yml names no operator: give one under tokens.operators, or --token-file FILE"
            )
        if person is not None and person not in people:
            raise NoToken(f"no operator {person!r} in exporter.yml; there is {', '.join(people)}")
        path = people[person] if person is not None else next(iter(people.values()))
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise NoToken(
            f"{path} cannot be read ({why}); use a token that you may read: --token-file FILE"
        ) from error
    if not token:
        raise NoToken(f"{path} is empty; put a token there, or use another: --token-file FILE")
    if not (token.isascii() and token.isprintable()):
        raise NoToken(f"{path} holds more than one token, or something else; a token is one line of letters")
    return token
