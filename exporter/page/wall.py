"""Renders `/wall`: Grafana's kiosk pages in a frame, and above them what does not come through Grafana.

Pure. The strip is filled by the script from the stream alone; before the first event, and without the script,
it says that nothing is known. The style sheet says WALL FROZEN by itself when no event restarts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlsplit

from exporter.errors import Invalid

POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""The content security policy of every answer."""

KNOWN: Final = ("live", "system", "analytics", "config")
SHORTEST, LONGEST = 10, 3600  # seconds for which a page is shown
KIOSK: Final = "kiosk&refresh=5s&theme=dark&_dash.hideTimePicker&_dash.hideVariables&_dash.hideLinks"


def chosen(pages: str, every: str) -> tuple[tuple[str, ...], int]:
    """Which pages to show and for how many seconds each, as a person asked; raises Invalid."""
    names = tuple(name for word in pages.split(",") if (name := word.strip()))
    if not names or not set(names) <= set(KNOWN):
        raise Invalid(f"pages: expected some of {', '.join(KNOWN)}, with commas between them")
    if not every.isascii() or not every.isdigit() or not SHORTEST <= int(every[:6]) <= LONGEST:
        raise Invalid(f"every: expected {SHORTEST} to {LONGEST} seconds")
    return names, int(every)


def policy(grafana: str) -> str:
    """The content security policy of this page, which may frame what is at this address and nothing else."""
    place = urlsplit(grafana)
    return f"{POLICY}; frame-src {place.scheme}://{place.netloc}"


def render(grafana: str, pages: Sequence[str], every: int) -> str:
    """The page; `grafana` is its public address, `every` the seconds for which one of several is shown."""
    frames = "".join(
        f'<iframe title="{name}" src="{escape(f"{grafana}/d/tradebot-{name}/{name}?{KIOSK}")}"'
        f"{'' if index == 0 else ' class=away'}></iframe>\n"
        for index, name in enumerate(pages)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Wall</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/page.css">
<link rel="stylesheet" href="/static/controls.css">
<link rel="stylesheet" href="/static/wall.css">
<link rel="modulepreload" href="/static/stream.js">
<link rel="modulepreload" href="/static/sound.js">
<script type="module" src="/static/wall.js"></script>
</head>
<body class="wall" data-every="{every}" data-grafana="{escape(urlsplit(grafana).hostname or "")}">
<header id="strip">
<p id="worst" class="worst unknown" role="status">NOTHING KNOWN YET</p>
<ul id="others"></ul>
<p id="alarms" class="alarms unknown" role="status">ALERTS NOT KNOWN</p>
<p id="clock" class="clock">--:--:-- UTC</p>
<button type="button" id="sound" aria-pressed="false">Sound: off</button>
</header>
<p id="trouble" class="trouble" role="alert"></p>
<p id="hint" class="hint"></p>
<p id="frozen" class="frozen" role="alert">WALL FROZEN: nothing came since \
<span id="last">this page was opened</span></p>
<main id="frames" class="bots">
{frames}</main>
</body>
</html>
"""
