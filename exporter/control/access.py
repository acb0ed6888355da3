"""Who asks, and what they may: by token, by login, or through Grafana with its token and a user's name.

    Access.by_token(…)   -> Caller, or raises WhoAreYou / TooManyGuesses
    Access.by_login(…)   -> Caller, or raises WhoAreYou
    caller.may_change()  raises NotAllowed with a sentence

Tokens that do not fit are throttled by source; one that fits never is, so nobody is locked out by another's
guesses. Alertmanager's token opens one thing only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NoReturn

from exporter.config import Config
from exporter.control.sessions import Sessions
from exporter.control.throttle import Throttle
from exporter.control.tokens import Role, TokenFiles, is_loopback
from exporter.errors import NotAllowed, TooManyGuesses, WhoAreYou

BAD_TOKENS: Final = 5
BAD_TOKENS_WINDOW: Final = 60.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known. `name` is recorded with what they do; `source` says how they came."""

    name: str
    role: Role
    source: str
    refusal: str = ""
    """Why this caller may change nothing; empty where they may."""

    @property
    def may_look(self) -> bool:
        """Whether they may see what the bots do."""
        return self.role is not Role.ALERTMANAGER

    def may_change(self) -> None:
        """Return where they may change things; raises NotAllowed with the reason why not."""
        if self.refusal:
            raise NotAllowed(self.refusal)

    def may_report_alerts(self) -> None:
        """Return where they may hand in alerts; raises NotAllowed."""
        if self.role is not Role.ALERTMANAGER:
            raise NotAllowed("alerts are handed in with Alertmanager's token")


class Access:
    """Everybody who may ask for something, by the settings."""

    def __init__(self, config: Config, sessions: Sessions | None = None) -> None:
        self.tokens = TokenFiles(config.tokens, strict=not is_loopback(config.listen.host))
        self.sessions = sessions or Sessions()
        self._grafana_users = frozenset(config.grafana_users)
        self._bad = Throttle(BAD_TOKENS, BAD_TOKENS_WINDOW)

    def by_token(
        self, token: str | None, *, source: str, now: float, grafana_user: str | None = None
    ) -> Caller:
        """Whose token this is. `source` is where it comes from, `grafana_user` its X-Grafana-User."""
        found = self.tokens.find(token) if token else None
        if found is None:
            self._refuse(token, source, now)
        if found.role is Role.GRAFANA:
            return _through_grafana(grafana_user, self._grafana_users)
        return Caller(found.name, found.role, "token", _refusal(found.role, found.name))

    def log_in(self, token: str, *, source: str, now: float) -> str:
        """Begin a session of the operator page; the value of its cookie. For people's own tokens only."""
        found = self.tokens.find(token)
        if found is None:
            self._refuse(token, source, now)
        if found.role not in {Role.OPERATOR, Role.VIEWER} or found.digest is None:
            raise NotAllowed(f"the token of {found.role} is no person's: log in with your own")
        return self.sessions.begin(found.name, found.role, found.digest, now)

    def by_login(self, cookie: str | None, now: float) -> Caller:
        """Who is logged in; a session ends when its token's file changes."""
        login = self.sessions.find(cookie, now) if cookie else None
        if login is None:
            raise WhoAreYou("not logged in, or the session has expired: log in")
        holder = self.tokens.holder(login.name, login.role)
        if holder is None or holder.digest != login.token:
            self.sessions.end(cookie or "")
            raise WhoAreYou("the token has changed since: log in again")
        return Caller(login.name, login.role, "operator page", _refusal(login.role, login.name))

    def _refuse(self, token: str | None, source: str, now: float) -> NoReturn:
        if not token:
            raise WhoAreYou("this needs a token: `Authorization: Bearer …`")
        if (wait := self._bad.wait(source, now)) > 0:
            raise TooManyGuesses(wait)
        self._bad.failed(source, now)
        raise WhoAreYou("this token does not fit")


def presented(authorization: str | None, admin_token: str | None) -> str | None:
    """The token of a request, from `Authorization: Bearer …` or `X-Admin-Token`; raises WhoAreYou for two."""
    scheme, _, bearer = (authorization or "").strip().partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else ""
    other = (admin_token or "").strip()
    if token and other and token != other:
        raise WhoAreYou("two different tokens in one request")
    return token or other or None


def _refusal(role: Role, name: str) -> str:
    if role is Role.OPERATOR:
        return ""
    if role is Role.VIEWER:
        return f"{name} may look and not change anything"
    return "Alertmanager's token hands in alerts and changes nothing"


def _through_grafana(user: str | None, allowed: Collection[str]) -> Caller:
    """Grafana's token says that Grafana asks; the name that Grafana adds says for whom."""
    name = (user or "").strip()
    if not name:
        refusal = "Grafana did not say who pressed it: log in to Grafana, or set send_user_header"
    elif name not in allowed:
        refusal = f"{name[:64]!r} may look: people who may change things are in grafana_users of exporter.yml"
    else:
        refusal = ""
    return Caller(name[:64] if not refusal else f"grafana:{name[:64]}", Role.GRAFANA, "grafana", refusal)
