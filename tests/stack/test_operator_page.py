"""The operator page as a person uses it: a real browser, a real exporter, a real bot that trades on paper."""

import http.server
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack.operator_stand import CHROMIUM, PHONE, Stand, chromium, hold, log_in, standing
from tests.stack.processes import HOST, wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: chromium)"),
]

LONG = 20_000  # milliseconds in which a bot with a cycle of two seconds shows what it does
KILL, STANDS = "#kill-arb", "#stands-arb"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("operator"), browser) as stand:
        yield stand


@pytest.fixture
def stand(started: Stand) -> Stand:
    started.calm()
    return started


def says(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator(STANDS)).to_contain_text(text, timeout=LONG)


def confirm_with_the_code(page: Page, button: str, reason: str) -> None:
    """Open the dialog, say why, and type the code that the panel shows."""
    page.click(button)
    page.fill("input[name=reason]", reason)
    page.click("#ask-do")
    panel = page.locator("#ask-panel")
    expect(panel).to_contain_text(re.compile(r"The panel shows \d{4} for"))
    shown = re.search(r"\d{4}", panel.inner_text())
    assert shown is not None
    page.fill("input[name=code]", shown[0])
    page.click("#ask-do")


def test_a_bot_is_killed_by_holding_and_proven_then_rearmed_with_the_code_and_resumed(stand: Stand) -> None:
    with stand.page() as page:
        expect(page.locator("#leaves-arb")).to_contain_text(
            re.compile(r"KILL arb would leave: \d+ positions, kept · unhedged \$[\d.,]+ · working orders \d+")
        )
        says(page, "READY, never drilled")
        hold(page, KILL, 1.3)
        says(page, re.compile(r"HALTED, PROVEN \(flag\) \d\d:\d\d, \d+ positions? remain"))
        says(page, re.compile(r"ann \(operator page\) at .* socket: acked in \d+ ms · file: .* · proven in"))
        expect(page.locator("#bot-arb")).to_contain_text("HALTED PROVEN")
        assert stand.bot.kill_file.exists()

        confirm_with_the_code(page, "#rearm-arb-all", "the browser test goes on")
        expect(page.locator("#said")).to_contain_text("Re-arm arb: re-armed; the bot stays paused")
        says(page, "READY")
        expect(page.locator("#bot-arb")).to_contain_text("PAUSED", timeout=LONG)
        assert not stand.bot.kill_file.exists()

        confirm_with_the_code(page, "#resume-arb", "the browser test goes on")
        says(page, re.compile(r"LAST COMMAND VERIFIED resume by ann, .* a later state shows status"))
        stand.status("paper")


def test_pausing_is_shown_as_acked_first_and_as_verified_only_by_a_later_state(stand: Stand) -> None:
    with stand.page() as page:
        page.click("#pause-arb")
        page.click("#ask-do")
        expect(page.locator("#said")).to_contain_text(re.compile(r"Pause arb: (acked|a later state shows)"))
        says(page, re.compile(r"LAST COMMAND VERIFIED pause by ann"))
        expect(page.locator("#resume-arb")).to_be_visible()


def test_a_short_press_and_a_press_that_slips_off_kill_nothing(stand: Stand) -> None:
    with stand.page() as page:
        hold(page, KILL, 0.3)
        expect(page.locator("#said")).to_contain_text("hold it for a second")
        page.hover(KILL)
        page.mouse.down()
        page.mouse.move(5, 5)
        page.wait_for_timeout(1500)
        page.mouse.up()
        assert stand.told()["kill"]["state"] == "ready"


def test_with_a_keyboard_enter_twice_kills_and_once_or_held_does_not(stand: Stand) -> None:
    with stand.page() as page:
        page.focus(KILL)
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("press again within 5 s: KILL arb")
        page.keyboard.press("Escape")
        page.keyboard.down("Enter")
        for _ in range(5):
            page.keyboard.down("Enter")  # as a key repeats that is held
        page.keyboard.up("Enter")
        assert stand.told()["kill"]["state"] == "ready"
        page.keyboard.press("Enter")
        says(page, "HALTED, PROVEN (flag)")


def test_everything_is_reached_by_tab_and_has_a_name(stand: Stand) -> None:
    with stand.page() as page:
        wanted = {"kill-arb", "pause-arb", "maintenance-arb", "drill-arb", "logout"}
        reached = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id"))
        assert wanted <= reached
        names = page.get_by_role("button").all_inner_texts()
        assert all(name.strip() for name in names)


def test_maintenance_is_ordered_with_minutes_and_a_reason_and_ended(stand: Stand) -> None:
    with stand.page() as page:
        page.click("#maintenance-arb")
        page.click("#ask-do")
        assert page.locator("#ask").is_visible()  # the browser asks for what is missing
        page.fill("input[name=minutes]", "15")
        page.fill("input[name=reason]", "venue upgrade")
        page.click("#ask-do")
        expect(page.locator("#said")).to_contain_text("planned quiet until")
        page.click("#end-maintenance-arb")
        expect(page.locator("#ask-says")).to_contain_text("Ordered by ann")
        page.click("#ask-do")
        expect(page.locator("#said")).to_contain_text("maintenance has ended")


def test_a_drill_proves_the_path_and_says_when(stand: Stand) -> None:
    with stand.page() as page:
        page.click("#drill-arb")
        page.click("#ask-do")
        stand.status("paused")
        says(page, re.compile(r"READY, drilled"))


def test_a_finger_on_a_phone_kills_where_everything_fits(stand: Stand) -> None:
    with stand.page(size=PHONE, has_touch=True, is_mobile=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        box = page.locator(KILL).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] < PHONE["height"]
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        touch = page.context.new_cdp_session(page)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        page.wait_for_timeout(1300)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        says(page, "HALTED, PROVEN (flag)")


def test_who_is_not_logged_in_sees_everything_and_has_no_button(stand: Stand) -> None:
    with stand.page(who=None) as page:
        expect(page.locator("#bot-arb")).to_contain_text("arb")
        says(page, "READY")
        assert page.get_by_role("button").all_inner_texts() == ["Log in", "Sound: off"]
        log_in(page, "Xk3-ann-qlTGW2UZb0z8")
        expect(page.locator("#said")).to_contain_text("this token does not fit")
        assert "token" not in page.url


def test_a_viewer_sees_who_may_press_and_no_button_works(stand: Stand) -> None:
    with stand.page(who="wall") as page:
        expect(page.locator("#hint")).to_contain_text("wall may look and not change anything")
        expect(page.locator("#hint")).to_contain_text("These may press: ann.")
        for button in page.locator("#live button").all():
            expect(button).to_be_disabled()
        forged = """fetch('/api/bots/arb/kill', {method: 'POST', headers: {'X-Tradebot-Page': '1'}})
            .then(answer => answer.status)"""
        assert page.evaluate(forged) == 403
        assert stand.told()["kill"]["state"] == "ready"


def test_the_cookie_is_for_this_page_alone_and_ends_with_the_logout(stand: Stand) -> None:
    with stand.page() as page:
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        heads = {"Cookie": f"{cookie['name']}={cookie['value']}", "Origin": stand.url}
        kill = "/api/bots/arb/kill"
        assert stand.ask(kill, {}, heads)[0] == 403  # without the page's own header
        assert stand.ask(kill, {}, {**heads, "X-Tradebot-Page": "1", "Origin": "http://evil"})[0] == 403
        assert stand.ask(kill, {}, {"X-Tradebot-Page": "1", "Origin": stand.url})[0] == 401
        page.click("#logout")
        page.wait_for_selector("#login")
        assert stand.ask("/api/bots", None, heads)[0] == 401
    assert stand.told()["kill"]["state"] == "ready"


@pytest.mark.parametrize("name", ["localhost", HOST], ids=["another site", "another port of the same site"])
def test_a_page_from_elsewhere_kills_nothing_though_the_browser_is_logged_in(
    stand: Stand, name: str, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text(
        f"""<form method="post" action="{stand.url}/api/bots/arb/kill" enctype="text/plain" target="f">
        <input name='{{"reason":"' value='"}}'></form><iframe name="f"></iframe>"""
    )
    ask = """([call, more]) => fetch(call, {method: 'POST', credentials: 'include', body: '{}', ...more})
        .then(answer => answer.status, () => 'refused')"""
    call = f"{stand.url}/api/bots/arb/kill"
    with serving(tmp_path) as port, stand.page() as page:
        page.goto(f"http://{name}:{port}/")
        assert page.evaluate(ask, [call, {"headers": {"X-Tradebot-Page": "1"}}]) == "refused"
        assert page.evaluate(ask, [call, {"mode": "no-cors"}]) == "refused"
        page.evaluate("document.forms[0].submit()")
        page.wait_for_timeout(500)
    assert stand.told()["kill"]["state"] == "ready"
    assert stand.told()["status"] == "paper"


def test_the_wall_ticks_with_the_stream_and_says_frozen_when_nothing_comes(stand: Stand) -> None:
    with stand.page(who=None, path="/wall?pages=live,system&every=10") as page:
        expect(page.locator("#worst")).to_contain_text("arb")
        before = page.inner_text("#clock")
        wait_until(lambda: page.inner_text("#clock") != before, "the clock to tick")
        expect(page.locator("#alarms")).to_have_text("ALERTS NOT KNOWN")
        expect(page.locator("#frozen")).to_be_hidden()
        assert page.locator("iframe").count() == 2
        page.context.set_offline(True)
        stand.exporter.send(signal.SIGSTOP)
        try:
            expect(page.locator("#frozen")).to_be_visible(timeout=LONG)
            expect(page).to_have_title("WALL FROZEN")
        finally:
            stand.exporter.send(signal.SIGCONT)
        page.context.set_offline(False)
        expect(page.locator("#frozen")).to_be_hidden(timeout=LONG)


def test_an_open_page_does_not_keep_the_exporter_from_ending(tmp_path: Path, browser: Browser) -> None:
    with standing(tmp_path, browser) as stand, stand.page() as page:
        expect(page.locator(STANDS)).to_contain_text("READY")
        stand.exporter.send(signal.SIGTERM)
        assert stand.exporter.ended(10) == 0
        log = stand.exporter.log.read_text()
        assert "timeout graceful shutdown exceeded" not in log
        assert "without waiting any longer" not in log


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class serving:  # noqa: N801 - reads as what it does
    """A folder over HTTP on loopback."""

    def __init__(self, folder: Path) -> None:
        self._server = http.server.ThreadingHTTPServer(
            (HOST, 0), lambda *given: _Quiet(*given, directory=str(folder))
        )

    def __enter__(self) -> int:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        port: int = self._server.server_address[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
