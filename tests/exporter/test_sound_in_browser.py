"""The sound of wall and operator page in a browser: the new at once, what goes on each minute, off is off."""

import json
from collections.abc import Iterator
from importlib import resources
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from exporter.page import wall
from exporter.page.document import render
from exporter.page.parts import Alarms
from exporter.page.parts import Page as Content
from exporter.web import STATIC_TYPES
from tests.stack.operator_stand import CHROMIUM, chromium

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: chromium)"),
]

PLACE = "http://console.test"
NOW = 1_700_000_000.0
TONES = 3  # of one sound
NOTHING: dict[str, bool] = {}
KILL, CAP = {"arb kill_switch": True}, {"arb loss_cap_breached": True}
ORDERED = {"arb kill_switch": False}
DOUBLES = """
    window.tones = 0;
    window.AudioContext = class {
        constructor() { this.state = "running"; this.currentTime = 0; }
        async resume() { this.state = "running"; }
        createGain() { return {gain: {}, connect: (to) => to}; }
        createOscillator() {
            window.tones += 1;
            return {frequency: {}, connect: (to) => to, start() {}, stop() {}};
        }
    };
    window.EventSource = class { constructor() { window.source = this; this.readyState = 1; } close() {} };
    window.EventSource.CLOSED = 2;
"""
"""A loudspeaker that counts, and a stream that says what the test does."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def content(path: str) -> tuple[str, str]:
    """What the exporter would answer: type and text."""
    if path.startswith("/static/"):
        name = path.removeprefix("/static/")
        return STATIC_TYPES[name], resources.files("exporter").joinpath("static", name).read_text()
    if path == "/wall":
        return "text/html", wall.render(PLACE, ("live",), 30)
    page = Content(
        now=NOW, cards=(), controls={}, alarms=Alarms(rows=()), places=(), visitor=None, people=(), trouble=""
    )
    return "text/html", render(page)


class Listener:
    """A page whose stream the test speaks, and whose clock it moves."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        page.add_init_script(DOUBLES)
        page.route("**/*", self._answer)
        page.clock.install(time=NOW)
        page.goto(f"{PLACE}{path}")
        page.wait_for_function("Boolean(window.source?.onmessage)")

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/d/"):
            route.fulfill(status=200, content_type="text/html", body="")
            return
        kind, text = content(path)
        route.fulfill(status=200, content_type=kind, body=text)

    def hears(self, sounds: dict[str, bool]) -> int:
        """The tones that the page makes when the stream says this."""
        said = {
            "as_of": NOW,
            "clock": "22:13:20 UTC",
            "bots": [],
            "trouble": "",
            "mark": "m",
            "sounds": sounds,
        }
        said["alerts"] = {"tone": "", "words": "NO ALERT FIRES", "unknown": "", "firing": []}
        before = self.tones
        self.page.evaluate("said => window.source.onmessage({data: said})", json.dumps(said))
        return self.tones - before

    @property
    def tones(self) -> int:
        return int(self.page.evaluate("window.tones"))

    def switch(self) -> str:
        """Press the button; what it says then."""
        self.page.click("#sound")
        return self.page.inner_text("#sound")


@pytest.fixture(params=["/wall", "/"], ids=["wall", "operator page"])
def listener(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Listener]:
    context = browser.new_context()
    faults: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield Listener(page, request.param)
        assert faults == []
    finally:
        context.close()


def test_it_is_silent_until_somebody_switches_it_on_and_remembers_that(listener: Listener) -> None:
    assert listener.hears(KILL) == 0
    assert listener.switch() == "Sound: on"
    assert listener.hears(CAP) == TONES
    listener.page.reload()
    listener.page.wait_for_function("Boolean(window.source?.onmessage)")
    assert listener.page.inner_text("#sound") == "Sound: on"
    assert listener.hears(KILL) == TONES
    assert listener.switch() == "Sound: off"
    assert listener.hears(CAP) == 0


def test_something_new_sounds_at_once_and_what_goes_on_each_minute(listener: Listener) -> None:
    listener.switch()
    assert listener.hears(NOTHING) == 0
    assert listener.hears(KILL) == TONES
    assert listener.hears(KILL) == 0
    assert listener.hears({**KILL, **CAP}) == TONES
    listener.page.clock.fast_forward(59_000)
    listener.hears(KILL)  # a page that slept may have sounded for its own standstill
    before = listener.tones
    listener.page.clock.fast_forward(10_000)
    listener.hears(KILL)
    listener.page.clock.fast_forward(10_000)
    listener.hears(KILL)
    assert listener.tones == before
    for _ in range(5):
        listener.page.clock.fast_forward(10_000)
        listener.hears(KILL)
    assert listener.tones == before + TONES
    assert listener.hears(NOTHING) == 0


def test_what_somebody_ordered_sounds_once_and_again_only_when_it_fails(listener: Listener) -> None:
    listener.switch()
    assert listener.hears(ORDERED) == TONES
    for _ in range(9):
        listener.page.clock.fast_forward(10_000)
        assert listener.hears(ORDERED) == 0
    assert listener.hears(KILL) == TONES
    assert listener.hears(ORDERED) == 0


def test_a_page_that_hears_nothing_any_more_sounds_by_itself(listener: Listener) -> None:
    listener.switch()
    listener.hears(NOTHING)
    listener.page.unroute("**/*")
    listener.page.route("**/*", lambda route: route.abort())
    before = listener.tones
    listener.page.clock.run_for(20_000)
    assert listener.tones == before + TONES
