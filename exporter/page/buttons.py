"""Renders what can be pressed: each bot's controls, who is logged in, the login, and the dialog.

Pure. Without a login there is no button; for who may only look each is there and none works, with a line that
says who may press. A button carries where it sends to, so the script knows no call by itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from typing import Final

from exporter.figures import duration
from exporter.page.parts import Button, Controls, Page, Told, Visitor
from exporter.page.text import shown

LONGEST_REASON: Final = 500


def controls(of: Controls, page: Page) -> str:
    """The controls of one bot, under its verdict."""
    name, visitor = shown(of.bot), page.visitor
    kill, *others = of.buttons
    press = (
        f'<div class="press" id="press-{name}" data-part>{button(kill, visitor, f"leaves-{name}")}</div>'
        if visitor
        else ""
    )
    there = "".join(button(each, visitor) for each in others if not each.why_not)
    absent = "".join(_cannot(each) for each in others if each.why_not)
    rest = f'<div class="rest" id="rest-{name}" data-part>{there}{absent}</div>'
    codes = "".join(
        f'<p class="code">To {shown(code.says)}, type <strong>{shown(code.code)}</strong>'
        f" within {duration(code.expires - page.now)}</p>"
        for code in of.codes
    )
    stands = f"{told('KILL', of.kill)}{told('LAST COMMAND', of.last)}{codes}"
    return f"""<div class="control">
{press}
<div class="stands" id="stands-{name}" data-part>{stands}</div>
<p class="leaves" id="leaves-{name}" data-part>{shown(of.leaves, 300)}</p>
{rest if visitor else ""}
</div>
"""


def for_all(page: Page) -> str:
    """The button that stops every bot, where there are several."""
    if page.kill_all is None or page.visitor is None:
        return ""
    leaves = f'<p class="leaves" id="leaves-all" data-part>KILL ALL {shown(page.kill_all.says)}</p>'
    return leaves + button(replace(page.kill_all, says=""), page.visitor, "leaves-all")


def person(page: Page) -> str:
    """Who is logged in and may press what, or the login."""
    visitor = page.visitor
    if visitor is None:
        return _LOGIN
    may = ", ".join(map(shown, page.people)) or "nobody: exporter.yml names no operator"
    line = (
        f"{shown(visitor.refusal)}. These may press: {may}."
        if visitor.refusal
        else "Hold KILL for a second; with a keyboard, press Enter twice."
    )
    return (
        f'<section class="person"><p id="hint">Logged in as <strong>{shown(visitor.name)}</strong>.'
        f" {line}</p>"
        '<button type="button" id="logout">Log out</button></section>'
        '<p id="said" class="said" role="status" aria-live="assertive"></p>'
    )


def dialog(visitor: Visitor | None) -> str:
    """The one dialog, which the script fills for the button that was pressed."""
    return "" if visitor is None or visitor.refusal else _DIALOG


def _cannot(button: Button) -> str:
    return f'<p class="cannot">{shown(button.label.rstrip("…"))}: {shown(button.why_not, 300)}</p>'


def button(of: Button, visitor: Visitor | None, described_by: str = "") -> str:
    """One button; it works for who may press it."""
    data = {
        "to": of.call,
        "title": of.title,
        "says": of.says,
        "asks": " ".join(of.asks),
        "sends": json.dumps(dict(of.sends)) if of.sends else "",
    }
    given = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items() if value)
    hold = " data-hold" if of.hold else ""
    described = f' aria-describedby="{described_by}"' if described_by else ""
    off = " disabled" if visitor is None or visitor.refusal else ""
    kind = ' class="kill"' if of.hold else ""
    return (
        f'<button type="button" id="{shown(of.id)}"{kind}{hold}{given}{described}{off}>'
        f"<span>{shown(of.label)}</span></button>"
    )


def told(title: str, of: Told | None) -> str:
    """What something was told or is, and what is to be said of it; nothing where there is none."""
    if of is None:
        return ""
    details = " · ".join(filter(None, (of.what, of.says)))
    return (
        f'<p class="told {of.tone}"><b>{title}</b> <strong>{shown(of.state, 200)}</strong> '
        f"<span>{shown(details, 400)}</span></p>"
    )


_LOGIN: Final = """<section class="person">
<form id="login" method="post" action="/login">
<label for="token">To press buttons, log in with your token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required maxlength="500">
<button type="submit">Log in</button>
</form>
<noscript><p>Buttons need JavaScript; without it this page only shows.</p></noscript>
<p id="said" class="said" role="status" aria-live="assertive"></p>
</section>"""

_DIALOG: Final = f"""<dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-says">
<form method="dialog">
<h2 id="ask-title"></h2>
<p id="ask-says"></p>
<label data-field="minutes">Minutes
<input name="minutes" type="number" min="1" max="240" step="1" inputmode="numeric" autocomplete="off"></label>
<label data-field="reason"><span>Reason</span>
<input name="reason" type="text" maxlength="{LONGEST_REASON}" autocomplete="off"></label>
<p id="ask-panel" data-field="code" role="status"></p>
<label data-field="code">Type the code
<input name="code" type="text" inputmode="numeric" pattern="[0-9]{{4}}" maxlength="4"
autocomplete="off"></label>
<p id="ask-error" role="alert"></p>
<div class="choice"><button type="button" id="ask-cancel">Cancel</button>
<button type="submit" id="ask-do">Do it</button></div>
</form>
</dialog>"""
