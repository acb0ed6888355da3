"""Logins of the operator page: a session for 12 hours behind a cookie, kept here and revoked with the token.

Pure but for the random name of a session, of which only the digest is kept. `same_origin` is the other half:
with a cookie a change must come from our own page, which sends a header that no other page can.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from exporter.control.tokens import Role

LASTS_SECONDS: Final = 12 * 3600.0
MOST_SESSIONS: Final = 200
COOKIE: Final = "tradebot_session"
HEADER: Final = "x-tradebot-page"
"""A header that our own page sends with each change; another site's page cannot without being let."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, until when, and the digest of the token it was done with."""

    name: str
    role: Role
    token: bytes
    began: float
    expires: float


class Sessions:
    """All logins, by the digest of the cookie's value."""

    def __init__(self, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> None:
        self._make = make
        self._logins: dict[bytes, Login] = {}

    def begin(self, name: str, role: Role, token: bytes, now: float) -> str:
        """Log somebody in; the value for the cookie."""
        self._forget(now)
        while len(self._logins) >= MOST_SESSIONS:
            del self._logins[next(iter(self._logins))]
        value = self._make()
        self._logins[_digest(value)] = Login(name, role, token, now, now + LASTS_SECONDS)
        return value

    def find(self, value: str, now: float) -> Login | None:
        """Who is logged in with this cookie."""
        self._forget(now)
        return self._logins.get(_digest(value))

    def end(self, value: str) -> None:
        """Log out."""
        self._logins.pop(_digest(value), None)

    def _forget(self, now: float) -> None:
        """What has expired goes; so does what a clock that was set back makes last longer than it may."""
        self._logins = {
            key: login for key, login in self._logins.items() if login.began <= now < login.expires
        }


def set_cookie(value: str, *, secure: bool) -> str:
    """The header that begins a login in a browser; `secure` where the page came over TLS."""
    rest = f"HttpOnly; SameSite=Strict; Path=/; Max-Age={LASTS_SECONDS:.0f}"
    return f"{COOKIE}={value}; {rest}{'; Secure' if secure else ''}"


def clear_cookie() -> str:
    """The header that ends it."""
    return f"{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"


def same_origin(headers: Mapping[str, str]) -> str | None:
    """Why a change with a cookie is refused, or None where it came from our own page.

    `headers` by lower-case name. The page's header must be there, and every word of the browser on where the
    request comes from must say: from here; one word of that kind is needed at least.
    """
    if headers.get(HEADER) != "1":
        return f"a change from a browser needs the header {HEADER}"
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return "the browser did not say which page this comes from"
    if site not in {None, "same-origin"}:
        return "this comes from another site"
    try:
        where = None if origin is None else urlsplit(origin).netloc
    except ValueError:
        where = ""
    if where is not None and (not where or where.lower() != headers.get("host", "").lower()):
        return "this comes from another site"
    return None


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
