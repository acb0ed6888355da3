"""Renders the page at `/`: each bot's verdict and figures, readable from a distance, honest when it stops.

Pure. Every text from a bot goes through `html.escape`. There is no script or style in the page itself, so
that its content security policy can be `default-src 'self'`. The style sheet greys it when it has stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from exporter.figures import clock, duration

LEVEL_WORDS = {"act": "ACT NOW", "unknown": "NOT KNOWN", "look": "LOOK", "planned": "PLANNED", "ok": "NORMAL"}
"""The word beside each level's colour, worst first."""

SEVERITY = tuple(LEVEL_WORDS)
MOST_DETAILED = 20
"""Bots whose figures are shown; any further ones show their verdict only, so that the page stays small."""

LONG, LONGER = 7, 11  # characters of a value above which it is set smaller
LONGEST_TEXT = 160  # characters of any one text on the page


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `tone` is act, look, planned, awaiting, unknown, old, inverse or empty."""

    title: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One bot: its name, its verdict (level, text, epoch seconds since when) and its figures."""

    name: str
    level: str
    text: str
    since: float
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A link: what it is called and where it leads."""

    title: str
    address: str


def render(cards: Iterable[Card], now: float, places: Iterable[Place]) -> str:
    """The whole page as of `now` (epoch seconds), worst bot first."""
    ordered = sorted(cards, key=lambda card: SEVERITY.index(card.level))
    links = "".join(f'<a href="{escape(place.address)}">{escape(place.title)}</a>' for place in places)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{_title(ordered)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/page.css">
<script src="/static/page.js" defer></script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<div id="live">
<header>
<h1>Trading bots</h1>
<nav>{links}</nav>
<p class="clock">as of <time>{clock(now)}</time> <span class="age"></span></p>
</header>
<p class="frozen" role="alert">PAGE FROZEN: nothing newer since {clock(now)}</p>
<main class="bots">
{"".join(_card(card, now, detailed=index < MOST_DETAILED) for index, card in enumerate(ordered))}</main>
</div>
<footer>
<span>Grey is normal. Red: act now. Amber: look within the hour. Purple: not known.
Blue: planned, or paper.</span>
<span>Times are UTC. Money in USD.</span>
</footer>
</body>
</html>
"""


def _title(ordered: Sequence[Card]) -> str:
    """The worst bot, where even a tab in the background shows it."""
    if not ordered:
        return "Trading bots"
    return _text(f"{LEVEL_WORDS[ordered[0].level]} · {ordered[0].name} {ordered[0].text}")


def _card(card: Card, now: float, *, detailed: bool) -> str:
    since = f"for {duration(now - card.since)}" if now - card.since < 86_400 * 365 else ""
    tiles = "".join(map(_tile, card.tiles)) if detailed else ""
    return f"""<section class="bot {card.level}">
<div class="verdict"><h2>{_text(card.name)} {_text(card.text)}</h2>\
<p class="level">{LEVEL_WORDS[card.level]}</p><p>{since}</p></div>
{f'<dl class="tiles">{tiles}</dl>' if tiles else ""}
</section>
"""


def _tile(tile: Tile) -> str:
    note = f'<dd class="note">{_text(tile.note)}</dd>' if tile.note else ""
    return (
        f'<div class="tile {tile.tone}"><dt>{_text(tile.title)}</dt>'
        f'<dd class="value{_size(tile.value)}">{_text(tile.value)}</dd>{note}</div>'
    )


def _size(value: str) -> str:
    """The class for values that would not fit on one line at full size."""
    if len(value) <= LONG:
        return ""
    return " long" if len(value) <= LONGER else " longer"


def _text(text: str) -> str:
    """A text from anywhere, cut, without what cannot be seen or turns the others around, and escaped."""
    shown = "".join(char if char.isprintable() else " " for char in text[: LONGEST_TEXT + 1])
    return escape(shown if len(text) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT]}…")
