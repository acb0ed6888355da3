"""Says who asks: by a token, a login of the operator page, or through Grafana; and answers refusals.

A request that carries a token is judged by it alone. With the cookie of a login a change must come from our
own page. An answer never holds a token, nor what was wrong with one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exporter.control.access import Access, Caller, presented
from exporter.control.gate import CodeNeeded, SecondNeeded
from exporter.control.sessions import COOKIE, same_origin
from exporter.errors import Invalid, NotAllowed, NotFound, NotNow, Refused, TooManyGuesses, WhoAreYou

STATUS: Final[Mapping[type[Refused], int]] = {
    TooManyGuesses: 429,
    WhoAreYou: 401,
    NotAllowed: 403,
    NotFound: 404,
    NotNow: 409,
    Invalid: 422,
}
"""What each kind of refusal is answered with; the first that fits."""


class Doorkeeper:
    """Finds out who sent a request."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        self.access = access
        self.turned_away: Callable[[Caller, str, Refused], None] = lambda caller, what, why: None
        """Hears of somebody known who may not change what they asked to change."""
        self._clock = clock

    def looking(self, request: Request) -> Caller:
        """Whoever may see what the bots do; raises WhoAreYou, NotAllowed."""
        caller = self._caller(request)
        if not caller.may_look:
            raise NotAllowed("this token hands in alerts and sees nothing")
        return caller

    def changing(self, request: Request) -> Caller:
        """Whoever may change something; raises WhoAreYou, NotAllowed."""
        caller = self._caller(request)
        try:
            if caller.source == "operator page" and (why := same_origin(request.headers)) is not None:
                raise NotAllowed(why)
            caller.may_change()
        except NotAllowed as error:
            self.turned_away(caller, request.url.path, error)
            raise
        return caller

    def reporting_alerts(self, request: Request) -> Caller:
        """Alertmanager; raises WhoAreYou, NotAllowed."""
        caller = self._caller(request)
        caller.may_report_alerts()
        return caller

    def _caller(self, request: Request) -> Caller:
        headers, now = request.headers, self._clock()
        token = presented(headers.get("authorization"), headers.get("x-admin-token"))
        cookie = None if token else cookie_of(request)
        if cookie is not None:
            return self.access.by_login(cookie, now)
        user = headers.get("x-grafana-user")
        return self.access.by_token(token, source=origin(request), now=now, grafana_user=user)


def cookie_of(request: Request) -> str | None:
    """The value of the login's cookie; None where there is none, or none that can be read."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return jar[COOKIE].value or None if COOKIE in jar else None


def origin(request: Request) -> str:
    """Where a request comes from, for throttling and the audit trail."""
    return request.client.host if request.client is not None else "unknown"


async def refused(_: Request, error: Exception) -> Response:
    """The answer to what is not done: one sentence, and what is needed where more is needed."""
    if not isinstance(error, Refused):
        raise error
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    content: dict[str, object] = {"error": str(error)}
    if isinstance(error, CodeNeeded):
        content["code_needed"] = {"for": error.shown.act.says, "expires_at": error.shown.expires}
    if isinstance(error, SecondNeeded):
        content["second_needed"] = {"confirmed_by": error.first, "alone_from": error.until}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooManyGuesses):
        headers["Retry-After"] = f"{max(1, error.wait):.0f}"
    return JSONResponse(content, status, headers=headers)
