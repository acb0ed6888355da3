"""The page: small, escaped, worst bot first, its words and figures as people read them."""

import re

import pytest

from exporter.figures import clock, count, duration, money, percent
from exporter.page import SEVERITY, Card, Place, Tile, render

NOW = 1_795_212_245.0


def card(name: str = "arb", level: str = "ok", text: str = "OK", tiles: int = 1) -> Card:
    return Card(
        name,
        level,
        text,
        NOW - 61,
        tuple(Tile(f"T{n}", "$1,234.50", "last known, 3 min 00 s old", "old") for n in range(tiles)),
    )


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
    page = render([Card(evil, "act", evil, NOW, (Tile(evil, evil, evil),))], NOW, [Place(evil, f'"{evil}')])
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in page


def test_a_page_without_script_refreshes_and_has_no_inline_code_or_style() -> None:
    page = render([card()], NOW, [])
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert not re.search(r"<style|style=|\son\w+=|<script(?! src=)", page)


@pytest.mark.parametrize("bots", [0, 1, 20, 21, 100])
def test_a_page_stays_below_100_kb_however_many_bots(bots: int) -> None:
    page = render(
        [card(f"bot-{n}", "act", "LOSS CAP BREACHED, DISCONNECTED", tiles=12) for n in range(bots)], NOW, []
    )
    assert len(page.encode()) < 100_000
    assert page.count('<section class="bot') == bots


def test_endless_text_is_cut() -> None:
    page = render([Card("arb", "ok", "x" * 10_000, NOW, ())], NOW, [])
    assert len(page) < 3_000


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
