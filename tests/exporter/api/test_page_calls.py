"""The page over HTTP: its login, what it tells whom, and the stream of what happens."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.bots import DeployedBot, OwnBot
from tests.exporter.api.office import TOKENS, Office

HERE = {"Origin": "http://console", "X-Tradebot-Page": "1"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot(), "old": DeployedBot()})
    for _ in range(3):
        for link in made.links.values():
            link.cycle()
        made.now += 5
    async with made.client:
        yield made


async def log_in(office: Office, who: str = "ann", **heads: str) -> Any:
    return await office.client.post("/login", json={"token": TOKENS[who]}, headers={**HERE, **heads})


async def test_a_login_sets_a_cookie_that_no_script_and_no_other_site_gets(office: Office) -> None:
    answer = await log_in(office)
    assert answer.json() == {"name": "ann", "says": "logged in"}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly; SameSite=Strict; Path=/; Max-Age=43200" in cookie
    assert "Secure" not in cookie
    assert TOKENS["ann"] not in cookie
    assert office.told("login") == [
        {"kind": "login", "who": "ann", "source": "operator page", "what": "logged in"}
    ]


async def test_with_the_cookie_the_page_has_buttons_and_a_kill_needs_our_own_page(office: Office) -> None:
    await log_in(office)
    page = (await office.client.get("/")).text
    assert 'data-who="ann"' in page
    assert 'id="kill-arb"' in page
    assert (await office.client.post("/api/bots/arb/kill", json={})).status_code == 403
    answer = await office.client.post("/api/bots/arb/kill", json={}, headers=HERE)
    assert answer.status_code == 200
    assert answer.json()["state"] == "sent"


async def test_what_a_bot_cannot_do_has_no_button_but_the_reason(office: Office) -> None:
    await log_in(office)
    page = (await office.client.get("/")).text
    assert 'id="pause-arb"' in page
    assert 'id="pause-old"' not in page
    assert "Pause: this bot cannot pause: it understands kill_switch and update_config only" in page


@pytest.mark.parametrize("who", ["grafana", "alertmanager"])
async def test_a_token_that_is_no_persons_logs_nobody_in(office: Office, who: str) -> None:
    answer = await log_in(office, who)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_wrong_tokens_are_refused_and_slowed_down_and_a_good_one_never(office: Office) -> None:
    wrong = [await office.client.post("/login", json={"token": f"no-{n}"}, headers=HERE) for n in range(7)]
    assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 2
    assert wrong[-1].headers["retry-after"] == "60"
    assert (await log_in(office)).status_code == 200


@pytest.mark.parametrize(
    ("heads", "status"),
    [
        ({"X-Tradebot-Page": ""}, 403),
        ({"Origin": "http://evil"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_login_from_elsewhere_is_refused(office: Office, heads: dict[str, str], status: int) -> None:
    assert (await log_in(office, **heads)).status_code == status


async def test_a_token_in_an_address_logs_nobody_in(office: Office) -> None:
    answer = await office.client.post(f"/login?token={TOKENS['ann']}", headers=HERE)
    assert answer.status_code == 422
    assert TOKENS["ann"] not in answer.text
    assert (await office.client.get(f"/?token={TOKENS['ann']}")).text.count("data-to=") == 0


async def test_a_logout_ends_the_session_itself(office: Office) -> None:
    cookie = (await log_in(office)).headers["set-cookie"].partition(";")[0]
    answer = await office.client.post("/logout", headers=HERE)
    assert "Max-Age=0" in answer.headers["set-cookie"]
    page = await office.client.get("/", headers={"Cookie": cookie})
    assert 'data-who=""' in page.text


async def test_codes_are_shown_to_who_is_logged_in_alone(office: Office) -> None:
    await office.post("/bots/arb/kill")
    await office.pass_time(20)
    await office.post("/bots/arb/rearm", reason="all is well")
    code = office.code()
    assert code not in (await office.client.get("/")).text
    await log_in(office, "wall")
    assert f"To re-arm arb, type <strong>{code}</strong>" in (await office.client.get("/")).text


async def test_a_kill_of_one_venue_is_rearmed_by_its_own_button(office: Office) -> None:
    await office.post("/bots/arb/kill", venue="kalshi")
    await log_in(office)
    page = (await office.client.get("/")).text
    assert 'id="rearm-arb-kalshi"' in page
    assert 'data-sends="{&quot;venue&quot;: &quot;kalshi&quot;}"' in page


async def test_a_bot_that_is_not_heard_is_shown_with_what_a_kill_would_have_left_then(office: Office) -> None:
    office.console.bots["arb"].view.disconnected(office.now, "connection refused")
    office.now += 60
    page = (await office.client.get("/")).text
    assert "KILL arb would leave: " in page
    assert "as of 1 min 05 s ago" in page
    assert "NO PATH" in page


async def test_a_bot_that_cannot_be_read_can_be_killed_all_the_same(office: Office) -> None:
    office.console.bots["arb"].view.link = None  # type: ignore[assignment]
    await log_in(office)
    page = (await office.client.get("/")).text
    assert "arb BLIND: NOT READABLE, SEE THE LOG" in page
    assert 'id="kill-arb" class="kill" data-hold data-to="/api/bots/arb/kill"' in page
    assert re.search(r"positions ≥ \d+ \(1 of 2 bots say\)", page)


async def test_the_wall_frames_grafana_and_nothing_else(office: Office) -> None:
    answer = await office.client.get("/wall", params={"pages": "live, system", "every": "20"})
    assert answer.headers["content-security-policy"].endswith("; frame-src http://localhost:3000")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.text.count("<iframe ") == 2
    assert 'src="http://localhost:3000/d/tradebot-system/system?kiosk&amp;refresh=5s' in answer.text
    assert 'data-every="20"' in answer.text


@pytest.mark.parametrize(
    "query", ["pages=", "pages=live,evil", "pages=live&every=3", "every=1e3", "every=99999999999"]
)
async def test_a_wall_of_what_there_is_not_is_refused_with_what_there_is(office: Office, query: str) -> None:
    answer = await office.client.get(f"/wall?{query}")
    assert answer.status_code == 422
    assert "expected" in answer.json()["error"]


class Listener:
    """Somebody who listens to the stream without a socket; `takes` events, then takes nothing more."""

    def __init__(self, office: Office, takes: int = 10**6) -> None:
        self.told: list[dict[str, Any]] = []
        self.ended = False
        self.status = 0
        self._takes = takes
        self._gone = asyncio.Event()
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/events/stream",
            "raw_path": b"/events/stream",
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
            "scheme": "http",
        }
        self.task = asyncio.create_task(office.app(scope, self._receive, self._send))  # type: ignore[arg-type]

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if len(self.told) >= self._takes:
            await asyncio.Event().wait()
        self.ended = not message.get("more_body", False)
        for line in message["body"].decode().splitlines():
            if line.startswith("data: "):
                self.told.append(json.loads(line.removeprefix("data: ")))

    async def hears(self, events: int) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < events:
                await asyncio.sleep(0.005)


async def test_each_event_tells_verdicts_ages_kills_and_alerts(office: Office) -> None:
    listener = Listener(office)
    await listener.hears(1)
    said = listener.told[0]
    assert [bot["bot"] for bot in said["bots"]] == ["arb", "old"]
    arb = said["bots"][0]
    assert (arb["level"], arb["text"], arb["kill"]["state"], arb["paper"]) == ("ok", "OK", "ready", True)
    assert arb["age"] == 5
    assert said["alerts"]["words"] == "ALERTS NOT KNOWN"
    listener.leave()
    await listener.task
    assert office.streams.listeners == 0


async def test_the_mark_is_another_one_when_something_happens_and_not_as_time_passes(office: Office) -> None:
    listener = Listener(office)
    await listener.hears(1)
    office.now += 1
    await listener.hears(len(listener.told) + 3)
    assert len({said["mark"] for said in listener.told}) == 1
    await office.post("/bots/arb/kill")
    await listener.hears(len(listener.told) + 3)
    assert listener.told[-1]["mark"] != listener.told[0]["mark"]
    listener.leave()
    await listener.task


async def test_all_streams_end_at_once_with_the_program(office: Office) -> None:
    listeners = [Listener(office) for _ in range(3)]
    for listener in listeners:
        await listener.hears(1)
    office.streams.end()
    async with asyncio.timeout(5):
        await asyncio.gather(*(listener.task for listener in listeners))
    assert all(listener.ended for listener in listeners)


async def test_one_that_takes_nothing_is_left_and_keeps_nobody_waiting(office: Office, caplog: Any) -> None:
    stuck, other = Listener(office, takes=1), Listener(office)
    async with asyncio.timeout(10):
        await stuck.task
    heard = len(other.told)
    await other.hears(heard + 3)
    assert heard > 1
    assert "it is left" in caplog.text
    assert office.streams.listeners == 1
    other.leave()
    await other.task


async def test_no_more_listen_than_agreed_and_the_rest_are_told_so(office: Office) -> None:
    office.streams.listeners = 64
    listener = Listener(office)
    await listener.task
    assert listener.status == 503


async def test_a_bot_that_cannot_be_read_is_blind_in_the_stream_too(office: Office) -> None:
    office.console.bots["arb"].view.link = None  # type: ignore[assignment]
    listener = Listener(office)
    await listener.hears(1)
    assert {bot["bot"]: bot["level"] for bot in listener.told[0]["bots"]}["arb"] == "unknown"
    listener.leave()
    await listener.task
