"""Answers `/events/stream`: server-sent events, one a second, the same for all who listen.

An event is made once a second however many listen, and no listener waits for another. Their number is
bounded; one that takes nothing for long is left. All streams end at once when the program does: an open one
must not keep it alive.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

EVERY: Final = 1.0  # seconds between two events
MOST_LISTENERS: Final = 64
PATIENCE: Final = 20.0  # seconds until a listener that takes nothing is left
RETRY: Final = b"retry: 2000\n\n"  # milliseconds after which a browser asks again


class Streams:
    """All open streams; `happening` says what an event holds."""

    def __init__(
        self,
        happening: Callable[[], Mapping[str, object]],
        *,
        every: float = EVERY,
        patience: float = PATIENCE,
    ) -> None:
        self.listeners = 0
        self._happening = happening
        self._every = every
        self._patience = patience
        self._ending = asyncio.Event()
        self._made: tuple[float, bytes] = (float("-inf"), b"")

    def end(self) -> None:
        """End every stream, those to come as well."""
        self._ending.set()

    def router(self) -> APIRouter:
        """The call."""
        made = APIRouter(include_in_schema=False)

        @made.get("/events/stream")
        async def stream(_: Request) -> Response:
            if self.listeners >= MOST_LISTENERS:
                raise HTTPException(503, "too many listen already")
            return _Stream(self)

        return made

    def event(self) -> bytes:
        """The event of this moment."""
        now = asyncio.get_running_loop().time()
        if now - self._made[0] >= self._every / 2:
            content = json.dumps(self._happening(), allow_nan=False, separators=(",", ":"))
            self._made = (now, f"data: {content}\n\n".encode())
        return self._made[1]

    async def tell(self, receive: Receive, send: Send) -> None:
        """Tell one listener until it has gone, takes nothing, or the program ends."""
        gone, ending = asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(self._ending.wait())
        self.listeners += 1
        try:
            part = RETRY
            while not gone.done() and not ending.done():
                message = {"type": "http.response.body", "body": part + self.event(), "more_body": True}
                await asyncio.wait_for(send(message), self._patience)
                part = b""
                await asyncio.wait((gone, ending), timeout=self._every, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), self._patience)
        except TimeoutError:
            log.warning("a listener of the stream took nothing for %.0f s; it is left", self._patience)
        finally:
            self.listeners -= 1
            gone.cancel()
            ending.cancel()


class _Stream(Response):
    """The answer that goes on."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._streams.tell(receive, send)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
