"""The page: small, escaped, worst bot first, its words and figures as people read them."""

import re
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from exporter.figures import clock, count, duration, money, percent
from exporter.page import document
from exporter.page.parts import (
    SEVERITY,
    Alarms,
    AlertRow,
    Button,
    Card,
    Controls,
    EndedRow,
    Page,
    Place,
    ShownCode,
    Tile,
    Told,
    Visitor,
)
from exporter.web import STATIC_TYPES
from grafana import palette

NOW = 1_795_212_245.0
ALERT = AlertRow("aa", "critical", "LossCapBreached", "arb", "The loss cap is broken", NOW - 61)


def card(name: str = "arb", level: str = "ok", text: str = "OK", tiles: int = 1) -> Card:
    return Card(
        name,
        level,
        text,
        NOW - 61,
        tuple(Tile(f"T{n}", "$1,234.50", "last known, 3 min 00 s old", "old") for n in range(tiles)),
    )


def render(cards: Iterable[Card], now: float, places: Iterable[Place] = (), **more: Any) -> str:
    """The page with these cards."""
    given = {"controls": {}, "alarms": Alarms(), **more}
    return document.render(Page(now=now, cards=tuple(cards), places=tuple(places), **given))


def controls(bot: str = "arb", **changed: Any) -> Controls:
    given: dict[str, Any] = {
        "kill": Told("", "READY, drilled 3 d ago", "a kill would go over socket and file"),
        "leaves": "KILL arb would leave: 14 positions, kept · unhedged $0.00 · working orders 0",
        "buttons": (
            Button(f"kill-{bot}", f"KILL {bot}", f"/api/bots/{bot}/kill", hold=True),
            Button(f"pause-{bot}", "Pause…", f"/api/bots/{bot}/pause", f"Pause {bot}", "", ("reason",)),
            Button("x", "Drill…", f"/api/bots/{bot}/drill", why_not="arb is live: a drill would stop it"),
        ),
        **changed,
    }
    return Controls(bot, **given)


def test_a_page_says_of_when_it_is_and_what_each_bot_is() -> None:
    page = render([card()], NOW, [Place("Live", "http://localhost:3000/d/tradebot-live")])
    assert "as of <time>22:04:05 UTC</time>" in page
    assert "<h2>arb OK</h2>" in page
    assert '<p class="level">NORMAL</p><p>for 1 min 01 s</p>' in page
    assert "PAGE FROZEN: nothing newer since 22:04:05 UTC" in page
    assert '<a href="http://localhost:3000/d/tradebot-live">Live</a>' in page
    assert "<title>NORMAL · arb OK</title>" in page


def test_the_worst_bot_comes_first_and_into_the_title() -> None:
    page = render([card(level, level, "X") for level in reversed(SEVERITY)], NOW, [])
    assert re.findall(r"<h2>(\w+) X</h2>", page) == list(SEVERITY)
    assert "<title>ACT NOW · act X</title>" in page


def test_text_from_a_bot_stays_text_wherever_it_stands() -> None:
    evil = "<script>alert('x')</script>\"&"
    page = render(
        [Card(evil, "act", evil, NOW, (Tile(evil, evil, evil),))],
        NOW,
        [Place(evil, f'"{evil}')],
        controls={
            evil: controls(evil, kill=Told(evil, evil, evil, ""), leaves=evil, last=Told(evil, evil, evil))
        },
        alarms=Alarms((AlertRow(evil, "critical", evil, evil, evil, NOW, evil),), unknown=evil),
        visitor=Visitor(evil, evil),
        people=(evil,),
        trouble=evil,
    )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in page


def test_a_page_without_script_refreshes_and_has_no_inline_code_or_style() -> None:
    page = render([card()], NOW, [])
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert not re.search(r'<style|style=|\son\w+=|<script(?! type="module" src=)', page)


@pytest.mark.parametrize("bots", [0, 1, 20, 21, 100])
def test_a_page_stays_below_100_kb_however_many_bots(bots: int) -> None:
    page = render(
        [card(f"bot-{n}", "act", "LOSS CAP BREACHED, DISCONNECTED", tiles=12) for n in range(bots)], NOW, []
    )
    assert len(page.encode()) < 100_000
    assert page.count('<section class="bot') == bots


def test_ten_bots_with_every_button_weigh_less_than_100_kb_with_all_that_the_page_loads() -> None:
    names = [f"bot-{n}" for n in range(10)]
    page = render(
        [card(name, "act", "LOSS CAP BREACHED, DISCONNECTED", tiles=12) for name in names],
        NOW,
        controls={name: controls(name) for name in names},
        visitor=Visitor("ann"),
    )
    files = [resources.files("exporter").joinpath("static", name).read_bytes() for name in STATIC_TYPES]
    assert len(page.encode()) + sum(map(len, files)) < 100_000


def test_colours_are_those_of_the_dashboards() -> None:
    css = resources.files("exporter").joinpath("static", "page.css").read_text().upper()
    wanted = {"ACT": palette.RED, "LOOK": palette.AMBER, "UNKNOWN": palette.PURPLE, "PLANNED": palette.BLUE}
    assert {name: dict(re.findall(r"--(\w+): (#\w{6});", css))[name] for name in wanted} == wanted


def test_without_a_login_there_is_no_button_and_a_login_that_puts_no_token_into_an_address() -> None:
    page = render([card()], NOW, controls={"arb": controls()}, alarms=Alarms((ALERT,)))
    assert re.findall(r"<button[^>]*>(?:<span>)?([^<]+)", page) == ["Log in", "Sound: off"]
    assert '<form id="login" method="post" action="/login">' in page
    assert "READY, drilled 3 d ago" in page
    assert "KILL arb would leave: 14 positions, kept" in page


def test_who_may_press_has_buttons_and_the_reason_where_there_is_none() -> None:
    page = render([card()], NOW, controls={"arb": controls()}, visitor=Visitor("ann"))
    assert re.findall(r'<button type="button" id="([^"]+)"', page) == [
        "kill-arb",
        "pause-arb",
        "test-page",
        "logout",
        "ask-cancel",
        "sound",
    ]
    assert "disabled" not in page
    assert "Drill: arb is live: a drill would stop it" in page


def test_for_who_may_only_look_no_button_works_and_a_line_says_who_may_press() -> None:
    visitor = Visitor("wall", "wall may look and not change anything")
    page = render(
        [card()],
        NOW,
        controls={"arb": controls()},
        visitor=visitor,
        people=("ann", "bob"),
        alarms=Alarms((ALERT,)),
    )
    buttons = re.findall(r"<button[^>]+>", page)
    assert all(any(word in button for word in ("disabled", "logout", "sound")) for button in buttons)
    assert len(buttons) == 6
    assert "wall may look and not change anything. These may press: ann, bob." in page
    assert "<dialog" not in page


def test_where_there_are_buttons_no_bot_changes_its_place() -> None:
    cards = [card("calm"), card("worst", "act", "NOT KILLED")]
    named = {each.name: controls(each.name) for each in cards}
    logged_in = render(cards, NOW, controls=named, visitor=Visitor("ann"))
    assert re.findall(r'id="bot-(\w+)"', logged_in) == ["calm", "worst"]
    assert '2 bots, the worst: <a href="#bot-worst">worst NOT KILLED</a>' in logged_in
    assert re.findall(r'id="bot-(\w+)"', render(cards, NOW, controls=named)) == ["worst", "calm"]


def test_what_a_kill_is_at_and_the_last_command_stand_beside_the_buttons_with_their_colour() -> None:
    of = controls(
        kill=Told("ann (operator page) at 22:03:00 UTC", "NOT KILLED: opened KX-1", "socket: acked", "act"),
        last=Told("pause by bob, 7 s ago", "ACKED", "acked; no later state shows it yet", "look"),
    )
    page = render([card()], NOW, controls={"arb": of})
    assert '<p class="told act"><b>KILL</b> <strong>NOT KILLED: opened KX-1</strong>' in page
    assert "<b>LAST COMMAND</b> <strong>ACKED</strong> <span>pause by bob, 7 s ago · " in page


def test_a_code_is_shown_with_what_it_is_for() -> None:
    of = controls(codes=(ShownCode("0471", "re-arm arb", NOW + 118),))
    page = render([card()], NOW, controls={"arb": of}, visitor=Visitor("ann"))
    assert "To re-arm arb, type <strong>0471</strong> within 1 min 58 s" in page


def test_alerts_are_listed_with_who_has_them_and_only_a_free_one_can_be_taken() -> None:
    taken = AlertRow("bb", "warning", "LossCapNear", "arb", "Most of the cap is used", NOW - 60, by="bob")
    page = render([card()], NOW, alarms=Alarms((ALERT, taken), inhibited=2), visitor=Visitor("ann"))
    assert ">ALERTS: 1 critical, 1 warning</a>" in page
    assert page.count("I have it</span>") == 1
    assert 'data-to="/api/alerts/aa/ack"' in page
    assert "<em>bob has it</em>" in page
    assert "2 more, which another alert speaks for" in page


def test_who_takes_an_alert_is_told_whether_that_makes_it_quiet() -> None:
    page = render([card()], NOW, alarms=Alarms((ALERT,)), visitor=Visitor("ann"))
    assert "are told no more, for an hour or until it ends." in page
    page = render([card()], NOW, alarms=Alarms((replace(ALERT, exempt=True),)), visitor=Visitor("ann"))
    assert "are told on: nothing makes it quiet until it ends." in page


def test_no_alert_fires_is_said_only_where_it_is_known() -> None:
    assert "NO ALERT FIRES" in render([card()], NOW)
    page = render([card()], NOW, alarms=Alarms(unknown="Alertmanager is not reachable: refused"))
    assert "NO ALERT FIRES" not in page
    assert "None fires" not in page
    assert ">ALERTS NOT KNOWN</a>" in page
    assert "Alertmanager is not reachable: refused" in page


def test_the_trouble_of_the_program_itself_is_said_first() -> None:
    page = render([card()], NOW, trouble="/x/reporting.db: no space left; it is tried again")
    assert 'role="alert" data-part>/x/reporting.db: no space left; it is tried again</p>' in page
    assert 'id="trouble"' not in render([card()], NOW)


def test_endless_text_is_cut() -> None:
    page = render([Card("arb", "ok", "x" * 10_000, NOW, ())], NOW, [])
    assert len(page) < 4_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "$0.00"),
        (-0.001, "$0.00"),
        (1234.5, "$1,234.50"),
        (-3.2, "−$3.20"),
        (1e15, "$1e+15"),
        (-1e300, "−$1e+300"),
    ],
)
def test_money_is_written_with_its_sign_and_cents(value: float, text: str) -> None:
    assert money(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (86_399, "23 h 59 min"),
        (266_400, "3 d 2 h"),
        (1e300, "very long"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(value: float, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0, "0 %"), (0.994, "99 %"), (0.999, "99 %"), (1.0, "100 %"), (1.024, "102 %"), (1e14, "1e+16 %")],
)
def test_a_share_below_the_whole_is_never_shown_as_the_whole(ratio: float, text: str) -> None:
    assert percent(ratio) == text


def test_counts_and_clocks() -> None:
    assert [count(0), count(1234.0), count(0.25), count(1e14)] == ["0", "1,234", "0.25", "1e+14"]
    assert clock(NOW) == "22:04:05 UTC"


def test_what_cannot_be_seen_or_turns_a_text_around_is_not_on_the_page() -> None:
    evil = "KILLED\x00\x1b[31m\u202e\u2066\r\n\ud800"
    page = render([Card("arb", "act", evil, NOW, (Tile("T", evil, evil),))], NOW, [])
    assert "<h2>arb KILLED  [31m     </h2>" in page
    assert page.encode()


def test_an_alert_leads_to_its_runbook_and_one_that_ended_says_why_and_who_had_it() -> None:
    ended = EndedRow("StateStale", "arb", NOW - 200, 75.0, "recovered", "ann")
    unexplained = EndedRow("Flapping", "arb", NOW - 300, None, "")
    row = replace(ALERT, runbook="/runbooks/TradebotLossCapBreached")
    page = render([card()], NOW, alarms=Alarms((row, ALERT), ended=(ended, unexplained)))
    assert page.count('<a href="/runbooks/TradebotLossCapBreached">Runbook</a>') == 1
    assert (
        "<li><strong>StateStale · arb</strong> <span>recovered</span> "
        "<span>22:00:45 UTC after 1 min 15 s</span> <em>ann had it</em></li>"
    ) in page
    assert "<li><strong>Flapping · arb</strong> <span>ended</span> <span>21:59:05 UTC</span></li>" in page


def test_who_is_called_and_whether_alerts_are_delivered_is_said_in_words() -> None:
    unknown = render([card()], NOW)
    assert '<p class="told unknown"><b>WHO IS CALLED</b> <strong>NOT KNOWN</strong>' in unknown
    nobody = Told("", "NO PUSH RECEIVER: nobody is called", "no dead-man's switch", "look")
    page = render(
        [card()],
        NOW,
        alarms=Alarms(
            path=Told("", "PROVEN", "the Watchdog came back 7 s ago"),
            called=nobody,
            tested=Told("by ann at 03:07:00 UTC", "slack FAILED: is it right?", "", "act"),
        ),
    )
    assert (
        '<p class="told look"><b>WHO IS CALLED</b> <strong>NO PUSH RECEIVER: nobody is called</strong>'
        in page
    )
    assert "<b>ALERT PATH</b> <strong>PROVEN</strong> <span>the Watchdog came back 7 s ago</span>" in page
    assert '<p class="told act"><b>TEST PAGE</b> <strong>slack FAILED: is it right?</strong>' in page


def test_a_test_page_is_asked_for_with_a_reason_by_who_may_press() -> None:
    assert 'id="test-page"' not in render([card()], NOW)
    page = render([card()], NOW, visitor=Visitor("ann"))
    assert 'id="test-page" data-to="/api/alerts/test" data-title="Send a test page"' in page
    assert 'data-sends="{&quot;severity&quot;: &quot;critical&quot;}"' in page
