"""One small HTTP request: no proxies, bounded, and an answer instead of an exception."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass

ANSWER_LIMIT = 4 * 1024 * 1024  # bytes taken of any answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or why there is none (status 0, `error` says it)."""

    status: int
    body: bytes = b""
    error: str = ""

    def json(self) -> object:
        """The body as JSON; None where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


async def get(url: str, within: float) -> Answer:
    """GET within so many seconds, without proxies, in a thread; never raises."""
    return await asyncio.to_thread(_ask, urllib.request.Request(url), within)  # noqa: S310 - as configured


async def send(url: str, within: float, *, method: str, content: object = None) -> Answer:
    """The same with another method, and with JSON where there is content."""
    request = urllib.request.Request(  # noqa: S310 - as configured
        url,
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={"Content-Type": "application/json"},
    )
    return await asyncio.to_thread(_ask, request, within)


def _ask(request: urllib.request.Request, timeout: float) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as response:
            return Answer(response.status, response.read(ANSWER_LIMIT))
    except urllib.error.HTTPError as error:
        return Answer(error.code)
    except urllib.error.URLError as error:
        return Answer(0, error=getattr(error.reason, "strerror", None) or str(error.reason))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(0, error=str(error) or type(error).__name__)


def field(value: object, *path: str | int) -> object:
    """A value deep in decoded JSON, or None where the path leads nowhere."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
