"""A real bot, a real exporter and a real browser, for tests of what a person sees and presses."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from tests.stack.console import INTERVAL, ArbBot
from tests.stack.processes import HOST, Program, free_port, python, running, wait_until

CHROMIUM = shutil.which("chromium")
TOKENS = {
    "ann": "Xk3-ann-qlTGW2UZb0z9",
    "wall": "Xk3-wall-8fZ2mQn7yTc",
    "alertmanager": "Xk3-alrt-V0hN5bPx3Ry",
}
DESKTOP = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Stand:
    """What runs; `url` is where the exporter answers."""

    url: str
    bot: ArbBot
    browser: Browser
    exporter: Program

    def ask(
        self, path: str, fields: Mapping[str, object] | None = None, heads: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of a call: a change where there are fields; as ann, or with these headers alone."""
        request = urllib.request.Request(
            self.url + path,
            data=None if fields is None else json.dumps(fields).encode(),
            headers={"Authorization": f"Bearer {TOKENS['ann']}"} if heads is None else dict(heads),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def told(self) -> dict[str, Any]:
        """The bot as the API tells it."""
        told: dict[str, Any] = self.ask("/api/bots/arb")[1]
        return told

    def status(self, wanted: str) -> None:
        """Wait until the bot reports this status."""
        wait_until(lambda: self.told()["status"] == wanted, f"the bot to be {wanted}")

    def with_code(self, action: str) -> None:
        """Do over the API what raises the risk, or may."""
        call = f"/api/bots/arb/{action}"
        if self.ask(call, {"reason": "the test goes on"})[0] == 200:
            return
        (code,) = [code["code"] for code in self.told()["codes"] if code["action"] == action]
        status, said = self.ask(call, {"reason": "the test goes on", "code": code})
        assert status == 200, said

    def calm(self) -> None:
        """Bring the bot back to where it trades, whatever a test left."""
        self.ask("/api/bots/arb/maintenance", {"minutes": 0})
        if self.told()["kill"]["state"] != "ready" or self.told()["status"] == "killed":
            self.with_code("rearm")
            self.status("paused")
        if self.told()["status"] == "paused":
            self.with_code("resume")
        self.status("paper")

    @contextmanager
    def page(
        self, who: str | None = "ann", path: str = "/", size: Mapping[str, int] | None = None, **more: Any
    ) -> Iterator[Page]:
        """A page in a browser of its own, logged in; nothing may fail in its scripts."""
        faults: list[str] = []
        context = self.browser.new_context(viewport=dict(size or DESKTOP), **more)
        try:
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(self.url + path)
            if who is not None:
                log_in(page, TOKENS[who])
                page.wait_for_selector("#logout")
            yield page
            assert faults == []
        finally:
            context.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's own browser."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def standing(
    folder: Path, browser: Browser, port: int | None = None, alertmanager: str | None = None
) -> Iterator[Stand]:
    """Everything started, the bot trading; an Alertmanager only where one is named."""
    port = port or free_port()
    url = f"http://{HOST}:{port}"
    with ExitStack() as stack:
        bot = ArbBot("arb", folder)
        stack.callback(bot.stop)
        bot.start()
        for name, token in TOKENS.items():
            (folder / name).write_text(token)
        settings = {
            "listen": {"host": HOST, "port": port},
            "reporting_db": str(folder / "reporting.db"),
            "tokens": {
                "operators": {"ann": str(folder / "ann")},
                "viewers": {"wall": str(folder / "wall")},
                "alertmanager": str(folder / "alertmanager"),
            },
            "bots": [
                {
                    "name": "arb",
                    "kind": "arb",
                    "port": bot.entry.port,
                    "expected_interval": INTERVAL,
                    "kill_file": str(bot.kill_file),
                }
            ],
        }
        (folder / "exporter.yml").write_text(yaml.safe_dump(settings))
        exporter = stack.enter_context(
            running(
                python("-m", "exporter", "--config", folder / "exporter.yml"),
                folder / "exporter.log",
                partial(_answers, url),
                {"ALERTMANAGER_URL": alertmanager or f"http://{HOST}:{free_port()}"},
            )
        )
        stand = Stand(url, bot, browser, exporter)
        stand.status("paper")
        yield stand


def log_in(page: Page, token: str) -> None:
    """Send the login form."""
    page.fill("#token", token)
    page.click("#login button")


def hold(page: Page, selector: str, seconds: float) -> None:
    """Press with the mouse for so long."""
    page.hover(selector)
    page.mouse.down()
    time.sleep(seconds)
    page.mouse.up()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
