"""Answers HTTP: `/metrics`, `/-/healthy`, `/-/ready`, the pages' static files, and what its routers add.

Every answer forbids storing, framing, sniffing and foreign content; a path with a dot segment, also an
encoded one, or with an encoded slash is not found. Changes are POST only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from importlib import resources

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import __version__
from exporter.api.asking import refused
from exporter.errors import Refused
from exporter.page.wall import POLICY

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STATIC_TYPES = {
    "controls.css": "text/css",
    "controls.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "runbook.css": "text/css",
    "sound.js": "text/javascript",
    "stream.js": "text/javascript",
    "wall.css": "text/css",
    "wall.js": "text/javascript",
}
_CODED_SLASH = re.compile(rb"%2f|%5c", re.I)
_DOT_SEGMENT = re.compile(r"(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|%2f|%5c|$)", re.I)


def application(
    metrics: Callable[[], tuple[bytes, str]],
    *,
    not_ready: Callable[[], list[str]],
    routers: Iterable[APIRouter] = (),
) -> ASGIApp:
    """The application: `metrics` returns body and content type, `not_ready` says what is still missing."""
    app = FastAPI(
        title="Trading bots: admin API",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(HTTPException, _not_there)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Refused, refused)
    for router in routers:
        app.include_router(router)
    static = {
        name: resources.files("exporter").joinpath("static", name).read_bytes() for name in STATIC_TYPES
    }

    @app.get("/metrics", include_in_schema=False)
    async def get_metrics() -> Response:
        # What bots have sent is taken in first, or the first answer of an exporter that was frozen would tell
        # of a silence that was its own.
        await asyncio.sleep(0)
        body, content_type = metrics()
        return Response(body, headers={"Content-Type": content_type})

    @app.get("/-/healthy", include_in_schema=False)
    async def get_healthy() -> Response:
        return PlainTextResponse("healthy\n")

    @app.get("/-/ready", include_in_schema=False)
    async def get_ready() -> Response:
        if missing := not_ready():
            return PlainTextResponse("not ready\n" + "".join(f"{line}\n" for line in missing), 503)
        return PlainTextResponse("ready\n")

    @app.get("/static/{name}", include_in_schema=False)
    async def get_static(name: str) -> Response:
        if name not in static:
            raise HTTPException(404)
        return Response(static[name], media_type=STATIC_TYPES[name])

    return _Guard(app)


async def _not_there(request: Request, error: Exception) -> Response:
    """One line for what is not found or not allowed: JSON from the API, else text."""
    if not isinstance(error, HTTPException):
        raise error
    if request.url.path.startswith("/api/"):
        says = {404: "there is no such call", 405: "there is no such call with this method"}
        content = {"error": says.get(error.status_code, str(error.detail))}
        return JSONResponse(content, error.status_code, headers=error.headers)
    return PlainTextResponse(
        f"{error.status_code} {error.detail}\n", error.status_code, headers=error.headers
    )


async def _not_understood(_: Request, error: Exception) -> Response:
    """The first fault of a query, as a sentence."""
    if not isinstance(error, RequestValidationError):
        raise error
    fault = error.errors()[0]
    return JSONResponse({"error": f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}"}, 422)


class _Guard:
    """Refuses dot segments and coded slashes, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                policy = headers.get("Content-Security-Policy", POLICY)  # /wall frames Grafana, and no other
                headers.update(HEADERS | {"Content-Security-Policy": policy})
            await send(message)

        if _DOT_SEGMENT.search(scope["path"]) or _CODED_SLASH.search(scope.get("raw_path") or b""):
            await (await _not_there(Request(scope), HTTPException(404)))(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)
