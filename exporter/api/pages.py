"""Answers the operator page and its login: a token in the body, a cookie that only this page can use.

The page is open to whoever reaches this address, and holds no secret: it shows what `/metrics` does. Buttons
and codes are for people who are logged in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exporter.api.asking import Doorkeeper, cookie_of, origin
from exporter.api.calls import body_of
from exporter.control import params
from exporter.control.console import Console, Desks
from exporter.control.sessions import clear_cookie, same_origin, set_cookie
from exporter.control.standing import Standing
from exporter.errors import NotAllowed, WhoAreYou
from exporter.page import wall
from exporter.page.cards import card
from exporter.page.controls import bare, controls, kill_all
from exporter.page.document import render
from exporter.page.happening import BLIND, blind, happening, of_bot
from exporter.page.parts import Alarms, Button, Card, Page, Place, Visitor

log = logging.getLogger(__name__)

T = TypeVar("T")

_TOKEN: Final = {"token": params.Field(params.text, required=True)}


class Desk:
    """Puts the page together."""

    def __init__(
        self,
        console: Console,
        door: Doorkeeper,
        *,
        places: Iterable[Place] = (),
        alarms: Callable[[float], Alarms],
        trouble: Callable[[], str] = lambda: "",
        grafana: str,
    ) -> None:
        """`trouble` says what is wrong with this program itself, in a sentence, else nothing.

        `grafana` is where a person's browser finds it.
        """
        self._console = console
        self._door = door
        self._places = tuple(places)
        self._alarms = alarms
        self._trouble = trouble
        self.grafana = grafana
        self._unreadable: set[str] = set()

    def page(self, visitor: Visitor | None) -> Page:
        """The page as it is now, for somebody."""
        now, bots = self._console.clock(), self._console.bots
        codes = () if visitor is None else tuple(self._console.codes.shown(now))
        return Page(
            now=now,
            cards=tuple(self._guarded(name, _card, _blind_card, now) for name in bots),
            controls={
                name: self._guarded(name, partial(controls, codes=codes), lambda bot, _: bare(bot), now)
                for name in bots
            },
            alarms=self._alarms(now),
            places=self._places,
            visitor=visitor,
            people=tuple(self._console.config.tokens.operators),
            trouble=self._trouble(),
            kill_all=self._kill_all(now),
        )

    def happening(self) -> dict[str, object]:
        """What goes over the stream."""
        now = self._console.clock()
        bots = {name: self._guarded(name, of_bot, blind, now) for name in self._console.bots}
        codes = len(self._console.codes.shown(now))
        return happening(bots, self._alarms(now), self._trouble(), codes, now)

    def visitor(self, request: Request) -> Visitor | None:
        """Who is logged in."""
        try:
            caller = self._door.access.by_login(cookie_of(request), self._console.clock())
        except WhoAreYou:
            return None
        return Visitor(caller.name, caller.refusal)

    def _kill_all(self, now: float) -> Button | None:
        def stands(desks: Desks, now: float) -> Standing | None:
            return desks.kill.standing(now)

        return kill_all([self._guarded(name, stands, lambda *_: None, now) for name in self._console.bots])

    def _guarded(
        self, name: str, read: Callable[[Desks, float], T], else_: Callable[[str, float], T], now: float
    ) -> T:
        try:
            return read(self._console.bots[name], now)
        except Exception:  # the guard of a page: a fault in one view costs that view alone
            if name not in self._unreadable:  # each refresh would write the same again
                self._unreadable.add(name)
                log.exception("bot %s cannot be shown; the page goes on without it", name)
            return else_(name, now)


def _card(desks: Desks, now: float) -> Card:
    return card(desks.view, now)


def _blind_card(name: str, now: float) -> Card:
    return Card(name, "unknown", BLIND, now, ())


def router(console: Console, door: Doorkeeper, desk: Desk) -> APIRouter:
    """`/`, `/wall`, `/login` and `/logout`."""
    made = APIRouter(include_in_schema=False)

    @made.get("/")
    async def get_page(request: Request) -> Response:
        return Response(render(desk.page(desk.visitor(request))), media_type="text/html")

    @made.get("/wall")
    async def get_wall(pages: str = "live", every: str = "30") -> Response:
        names, seconds = wall.chosen(pages, every)
        heads = {"Content-Security-Policy": wall.policy(desk.grafana)}
        return Response(wall.render(desk.grafana, names, seconds), media_type="text/html", headers=heads)

    @made.post("/login")
    async def log_in(request: Request) -> Response:
        _from_our_page(request)
        given = params.merged(params.body(await body_of(request)), (), _TOKEN)
        now = console.clock()
        cookie = door.access.log_in(given["token"], source=origin(request), now=now)
        caller = door.access.by_login(cookie, now)
        console.tell("login", who=caller.name, source=caller.source, what="logged in")
        heads = {"Set-Cookie": set_cookie(cookie, secure=request.url.scheme == "https")}
        return JSONResponse({"name": caller.name, "says": "logged in"}, headers=heads)

    @made.post("/logout")
    async def log_out(request: Request) -> Response:
        _from_our_page(request)
        if (cookie := cookie_of(request)) is not None:
            door.access.sessions.end(cookie)
        return JSONResponse({"says": "logged out"}, headers={"Set-Cookie": clear_cookie()})

    return made


def _from_our_page(request: Request) -> None:
    if (why := same_origin(request.headers)) is not None:
        raise NotAllowed(why)
