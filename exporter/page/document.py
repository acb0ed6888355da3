"""Renders the operator page: each bot's verdict, its controls and figures, and the alerts that fire.

Pure. Every text from a bot is escaped. There is no script or style in the page itself, so that its content
security policy can be `default-src 'self'`. Each element with an id inside of `live` is replaced by itself
when a newer page says something else; the style sheet greys everything when nothing newer comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from exporter.figures import clock, duration
from exporter.page import alarms, buttons
from exporter.page.parts import LEVEL_WORDS, SEVERITY, Card, Page, Tile
from exporter.page.text import shown

MOST_DETAILED: Final = 10
"""Bots whose figures are shown; of any further ones verdict and controls, so that the page stays small."""

LONG, LONGER = 7, 11  # characters of a value above which it is set smaller


def render(page: Page) -> str:
    """The whole page.

    The worst bot comes first, but for who may press something: for them each bot stays where it is, because
    a button that moves to under a finger stops the wrong one.
    """
    worst = sorted(page.cards, key=lambda card: SEVERITY.index(card.level))
    ordered = worst if page.visitor is None else page.cards
    links = "".join(f'<a href="{escape(place.address)}">{escape(place.title)}</a>' for place in page.places)
    who = "" if page.visitor is None else page.visitor.name
    return f"""<!doctype html>
<html lang="en" data-who="{shown(who)}">
<head>
<meta charset="utf-8">
<title>{_title(worst)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/page.css">
<link rel="stylesheet" href="/static/controls.css">
<link rel="modulepreload" href="/static/stream.js">
<link rel="modulepreload" href="/static/sound.js">
<script type="module" src="/static/page.js"></script>
<script type="module" src="/static/controls.js"></script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<div id="live">
<header>
<h1>Trading bots</h1>
<nav>{links}{"" if page.visitor is not None else '<a href="#login">Log in</a>'}</nav>
{alarms.summary(page.alarms)}
<p class="clock" id="clock" data-part>as of <time>{clock(page.now)}</time> <span class="age"></span></p>
</header>
<p class="frozen" id="frozen" role="alert" data-part>PAGE FROZEN: nothing newer since {clock(page.now)}</p>
{_headline(worst, page)}
<main class="bots">
{"".join(_bot(card, page, detailed=index < MOST_DETAILED) for index, card in enumerate(ordered))}</main>
{alarms.listed(page.alarms, page)}
</div>
<p id="announce" class="unseen" role="status"></p>
{buttons.person(page)}
{buttons.dialog(page.visitor)}
<footer>
<span>Grey is normal. Red: act now. Amber: look within the hour. Purple: not known.
Blue: planned, or paper.</span>
<span>Times are UTC. Money in USD.</span>
<button type="button" id="sound" aria-pressed="false">Sound: off</button>
</footer>
</body>
</html>
"""


def _title(worst: Sequence[Card]) -> str:
    """The worst bot, where even a tab in the background shows it."""
    if not worst:
        return "Trading bots"
    return shown(f"{LEVEL_WORDS[worst[0].level]} · {worst[0].name} {worst[0].text}")


def _headline(worst: Sequence[Card], page: Page) -> str:
    """What concerns all bots: the trouble of this program, the worst of several, and the button for all."""
    trouble = (
        f'<p id="trouble" class="trouble" role="alert" data-part>{shown(page.trouble)}</p>'
        if page.trouble
        else ""
    )
    several = ""
    if page.visitor is not None and len(worst) > 1:
        first = worst[0]
        several = (
            f'<p id="worst" class="worst {first.level}" data-part>{len(worst)} bots, the worst: '
            f'<a href="#bot-{shown(first.name)}">{shown(first.name)} {shown(first.text)}</a></p>'
        )
    return f'{trouble}<div class="all">{several}{buttons.for_all(page)}</div>'


def _bot(card: Card, page: Page, *, detailed: bool) -> str:
    name = shown(card.name)
    since = f"for {duration(page.now - card.since)}" if page.now - card.since < 86_400 * 365 else ""
    tiles = "".join(map(_tile, card.tiles)) if detailed else ""
    controls = page.controls.get(card.name)
    return f"""<section class="bot" aria-label="{name}">
<div class="verdict {card.level}" id="bot-{name}" data-part><h2>{name} {shown(card.text)}</h2>\
<p class="level">{LEVEL_WORDS[card.level]}</p><p>{since}</p></div>
{buttons.controls(controls, page) if controls is not None else ""}
{f'<dl class="tiles" id="tiles-{name}" data-part>{tiles}</dl>' if tiles else ""}
</section>
"""


def _tile(tile: Tile) -> str:
    note = f'<dd class="note">{shown(tile.note)}</dd>' if tile.note else ""
    return (
        f'<div class="tile {tile.tone}"><dt>{shown(tile.title)}</dt>'
        f'<dd class="value{_size(tile.value)}">{shown(tile.value)}</dd>{note}</div>'
    )


def _size(value: str) -> str:
    """The class for values that would not fit on one line at full size."""
    if len(value) <= LONG:
        return ""
    return " long" if len(value) <= LONGER else " longer"
