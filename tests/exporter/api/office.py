"""An admin API over bots in memory: the real console, access and application, a clock that a test moves.

Links are doubles that ask a bot at once, like the bridge does: the desks hear of the answer first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import httpx

from exporter.alerting.paging import PageTest
from exporter.alerting.shown import alarms
from exporter.alertmanager import AlertDesk
from exporter.api import alerts, bots, pages, records, runbooks
from exporter.api.asking import Doorkeeper
from exporter.api.stream import Streams
from exporter.bridge import Bridge, Heard
from exporter.config import Config
from exporter.control.actions import Actions
from exporter.control.commander import Answer
from exporter.control.console import Console
from exporter.http_get import Answer as HttpAnswer
from exporter.page.parts import Alarms, Place
from exporter.view import BotView
from exporter.web import application
from tests.doubles.bots import DeployedBot
from tests.doubles.messages import T0

TOKENS = {
    "ann": "Xk3-ann-qlTGW2UZb0z9",
    "bob": "Xk3-bob-pp9RDe4VvHs1",
    "wall": "Xk3-wall-8fZ2mQn7yTc",
    "grafana": "Xk3-graf-C4uL1sWj6Kd",
    "alertmanager": "Xk3-alrt-V0hN5bPx3Ry",
}


class Link:
    """A bot's link that stands; what the bot says goes to every listener."""

    def __init__(self, view: BotView, bot: DeployedBot, clock: Callable[[], float]) -> None:
        self.view, self.bot = view, bot
        self.answers = True
        self._clock = clock
        self._listeners: list[Heard] = []
        view.connected(clock())

    def listen(self, heard: Heard, opened: Callable[[], None] = lambda: None) -> None:
        """As the bridge's."""
        self._listeners.append(heard)

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        """As the bridge's."""
        answer = self.bot.asked(message) if self.answers and self.bot.alive else None
        if answer is None:
            return Answer("unknown", why=f"no answer within {within:.3g} s")
        self.say(answer)
        if self.bot.push_now:
            self.cycle()
        return Answer("answered", ack=answer, seconds=0.01)

    def cycle(self) -> None:
        """Let the bot run a cycle and push its state."""
        if (state := self.bot.cycle(self._clock())) is not None:
            self.say(state)

    def say(self, message: Mapping[str, Any]) -> None:
        """The bot says something."""
        now = self._clock()
        self.view.received(message, now)
        for heard in self._listeners:
            heard(self.view, message, now)


class Recorder:
    """Stands for the flight recorder; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def ask(self, bot: str, why: str) -> None:
        """As the real one's."""
        self.asked.append((bot, why))


class AlertmanagerDouble:
    """Stands for Alertmanager's API; `answer` is what it says to GET /alerts, None while it is away.

    `config` is what it says of its receivers, `counters` its metrics, `firing` what Prometheus says.
    """

    def __init__(self) -> None:
        self.answer: list[dict[str, Any]] | None = []
        self.silences: dict[str, dict[str, Any]] = {}
        self.config = "route: {receiver: default}\nreceivers: [{name: default}]\n"
        self.counters: Callable[[], str] = str
        self.firing: list[dict[str, Any]] | None = None
        self.posted: list[dict[str, Any]] = []
        self.made = 0
        self.refuses = False

    async def ask(self, path: str) -> HttpAnswer:
        """As the real one's."""
        if self.answer is None:
            return HttpAnswer(0, error="Connection refused")
        if path.startswith("/silence/"):
            found = self.silences.get(path.removeprefix("/silence/"))
            return HttpAnswer(404) if found is None else HttpAnswer(200, json.dumps(found).encode())
        if path == "/status":
            return HttpAnswer(200, json.dumps({"config": {"original": self.config}}).encode())
        return HttpAnswer(200, json.dumps(self.answer).encode())

    async def metrics(self) -> HttpAnswer:
        """As the real one's."""
        if self.answer is None:
            return HttpAnswer(0, error="Connection refused")
        return HttpAnswer(200, self.counters().encode())

    async def rules(self) -> HttpAnswer:
        """As those of Prometheus."""
        if self.firing is None:
            return HttpAnswer(0, error="Connection refused")
        return HttpAnswer(200, json.dumps({"status": "success", "data": {"alerts": self.firing}}).encode())

    async def send(self, method: str, path: str, content: Any = None) -> HttpAnswer:
        """As the real one's; a silence whose matchers changed is another one."""
        if self.answer is None:
            return HttpAnswer(0, error="Connection refused")
        if method == "DELETE":
            return HttpAnswer(200 if self.silences.pop(path.removeprefix("/silence/"), None) else 404)
        if path == "/alerts":
            self.posted += content
            return HttpAnswer(200)
        if self.refuses:
            return HttpAnswer(500)
        self.made += 1
        self.silences.pop(content.get("id"), None)
        identity = f"silence-{self.made}"
        self.silences[identity] = {**content, "id": identity}
        return HttpAnswer(200, json.dumps({"silenceID": identity}).encode())


class Office:
    """The application and everything behind it. `events` holds what the audit trail was told."""

    def __init__(
        self, folder: Path, given: Mapping[str, DeployedBot], *, now: float = T0, **changed: Any
    ) -> None:
        self.now = now
        self.events: list[dict[str, Any]] = []
        for name, token in TOKENS.items():
            (folder / name).write_text(token + "\n")
        listed = [
            {"name": name, "kind": "arb", "port": 9000 + n, "kill_file": str(folder / f"{name}.kill")}
            for n, name in enumerate(given)
        ]
        tokens = {
            "operators": {"ann": str(folder / "ann"), "bob": str(folder / "bob")},
            "viewers": {"wall": str(folder / "wall")},
            "grafana": str(folder / "grafana"),
            "alertmanager": str(folder / "alertmanager"),
        }
        self.config = Config.model_validate(
            {
                "reporting_db": str(folder / "reporting.db"),
                "tokens": tokens,
                "grafana_users": ["admin"],
                "bots": listed,
                **changed,
            },
            context={"folder": folder},
        )
        views = [BotView(name, now=self.now, expected_interval=5.0) for name in given]
        self.links = {
            view.name: Link(view, bot, lambda: self.now)
            for view, bot in zip(views, given.values(), strict=True)
        }
        self.recorder = Recorder()
        self.console = Console(
            self.config,
            [
                (bot, view, cast("Bridge", self.links[view.name]))
                for bot, view in zip(self.config.bots, views, strict=True)
            ],
            lambda kind, **told: self.events.append({"kind": kind, **told}),
            cast("Any", self.recorder),
            lambda: self.now,
        )
        self.actions = Actions(self.console)
        door = Doorkeeper(self.console.access, lambda: self.now)
        self.alertmanager = AlertmanagerDouble()
        self.alerts = AlertDesk(
            self.alertmanager,
            self.console.bots,
            lambda kind, **told: self.events.append({"kind": kind, **told}),
            self.recorder.ask,
            lambda: self.now,
        )
        self.alerts.history.recalled([])
        self.waits: list[Callable[[], None]] = []
        self.page_test = PageTest(self.alerts, self._wait)
        self.runbooks = {"TradebotKillNotVerified": "# TradebotKillNotVerified\n\n## Meaning\nIt goes on.\n"}
        self.trouble = ""
        desk = pages.Desk(
            self.console,
            door,
            places=[Place("Live", "http://localhost:3000/d/tradebot-live")],
            alarms=self.alarms,
            grafana="http://localhost:3000",
            trouble=lambda: self.trouble,
        )
        self.streams = Streams(desk.happening, every=0.02, patience=0.2)
        self.metrics = (b"tradebot_connected 0\n", "text/plain; version=0.0.4; charset=utf-8")
        self.missing: list[str] = []
        self.app = application(
            lambda: self.metrics,
            not_ready=lambda: self.missing,
            routers=(
                pages.router(self.console, door, desk),
                self.streams.router(),
                alerts.router(self.alerts, self.page_test, self.actions, door),
                runbooks.router(self.runbooks, "http://localhost:3000"),
                bots.router(self.actions, door),
                records.router(self.config.reporting_db, door.looking),
            ),
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("192.0.2.7", 1)), base_url="http://console"
        )

    def alarms(self, now: float | None = None) -> Alarms:
        """What the page shows of alerts."""
        now = self.now if now is None else now
        return alarms(
            self.alerts.alerts, self.alerts.history, now, runbooks=self.runbooks, tested=self.page_test.last
        )

    async def _wait(self, seconds: float) -> None:
        """Time passes for a test page that is followed; what `waits` holds happens meanwhile."""
        self.now += seconds
        for happens in self.waits:
            happens()
        await asyncio.sleep(0)

    async def post(self, path: str, who: str = "ann", **fields: Any) -> httpx.Response:
        """Ask for a change as somebody."""
        answer = await self.client.post(f"/api{path}", json=fields, headers=bearer(who))
        await self.turns()
        return answer

    async def get(self, path: str, who: str = "ann", **query: Any) -> httpx.Response:
        """Look as somebody."""
        return await self.client.get(f"/api{path}", params=query, headers=bearer(who))

    async def post_raw(self, path: str, who: str = "ann") -> int:
        """The status of a POST to a path as it is on the wire, which a library would straighten."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"console"), (b"authorization", bearer(who)["Authorization"].encode())],
            "client": ("192.0.2.7", 1),
            "server": ("console", 80),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return int(sent[0]["status"])

    def code(self, bot: str = "arb") -> str:
        """The code that stands on the panel for this bot."""
        (shown,) = [code for code in self.console.codes.shown(self.now) if code.act.bot == bot]
        return shown.code

    async def pass_time(self, seconds: float, *, every: float = 5.0) -> None:
        """Let time pass, with the bots' cycles in it; what was begun goes on meanwhile."""
        end = self.now + seconds
        await self.turns()
        while self.now < end:
            self.now += every
            for link in self.links.values():
                link.cycle()
            for desks in self.console.bots.values():
                desks.kill.tick(self.now)
                desks.desk.tick(self.now)
            await self.turns()

    async def turns(self) -> None:
        """Let every task that can go on do so."""
        for _ in range(10):
            await asyncio.sleep(0)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if event["kind"] == kind]


def bearer(who: str) -> dict[str, str]:
    """The header of somebody's token."""
    return {"Authorization": f"Bearer {TOKENS[who]}"}
