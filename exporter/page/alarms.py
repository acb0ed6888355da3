"""Renders alerts: how many fire at the top of the page, and at its end which, who has each, who is called."""

from __future__ import annotations

from typing import Final

from exporter.figures import clock, duration
from exporter.page.buttons import button, told
from exporter.page.parts import Alarms, AlertRow, Button, EndedRow, Page
from exporter.page.text import shown

MOST_ROWS: Final = 30
TEST_PAGE: Final = Button(
    "test-page",
    "Test page…",
    "/api/alerts/test",
    "Send a test page",
    "Everybody whom a critical alert would call is called now. What arrives is seen within 20 seconds.",
    ("reason",),
    {"severity": "critical"},
)


def summary(alarms: Alarms) -> str:
    """One line for the top of the page."""
    tone, words = said(alarms)
    return f'<a id="alarms" class="alarms {tone}" href="#alerts" data-part>{shown(words)}</a>'


def said(alarms: Alarms) -> tuple[str, str]:
    """How bad it is, and how many alerts fire, in words; none only where that is known."""
    free = [row for row in alarms.rows if not row.by]
    critical = sum(row.severity == "critical" for row in alarms.rows)
    parts = [f"{critical} critical"] if critical else []
    if warnings := len(alarms.rows) - critical:
        parts.append(f"{warnings} warning{'s' if warnings > 1 else ''}")
    if alarms.unknown:
        return (
            "act" if critical else "unknown"
        ), f"ALERTS NOT KNOWN{': ' if parts else ''}{', '.join(parts)}"
    if not parts:
        return "", "NO ALERT FIRES"
    tone = "act" if any(row.severity == "critical" for row in free) else "look" if free else ""
    return tone, f"ALERTS: {', '.join(parts)}{'' if free else ', all taken'}"


def listed(alarms: Alarms, page: Page) -> str:
    """The list at the end of the page."""
    unknown = f'<p class="told unknown"><strong>NOT KNOWN</strong> {shown(alarms.unknown, 300)}</p>'
    rows = "".join(_row(row, page) for row in alarms.rows[:MOST_ROWS])
    more = len(alarms.rows) - MOST_ROWS
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    hidden = f"<p>{alarms.inhibited} more, which another alert speaks for</p>" if alarms.inhibited else ""
    none = "" if alarms.rows or alarms.unknown else "<p>None fires.</p>"
    ended = "".join(map(_ended, alarms.ended))
    press = button(TEST_PAGE, page.visitor) if page.visitor is not None else ""
    return (
        f'<section class="alerts" id="alerts" aria-label="Alerts" data-part><h2>Alerts</h2>'
        f"{unknown if alarms.unknown else ''}{f'<ul>{rows}</ul>' if rows else none}{rest}{hidden}"
        f"{f'<h3>Ended</h3><ul>{ended}</ul>' if ended else ''}"
        f'<div class="delivery">{told("WHO IS CALLED", alarms.called)}{told("ALERT PATH", alarms.path)}'
        f'{told("TEST PAGE", alarms.tested)}{press} <a href="/runbooks">Runbooks</a></div></section>'
    )


def _ended(row: EndedRow) -> str:
    where = f" · {shown(row.where)}" if row.where else ""
    lasted = "" if row.lasted is None else f" after {duration(row.lasted)}"
    by = f" <em>{shown(row.by)} had it</em>" if row.by else ""
    return (
        f"<li><strong>{shown(row.name)}{where}</strong> <span>{shown(row.why or 'ended', 300)}</span>"
        f" <span>{clock(row.at)}{lasted}</span>{by}</li>"
    )


def _row(row: AlertRow, page: Page) -> str:
    tone = "" if row.by else {"critical": "act", "warning": "look"}.get(row.severity, "")
    where = f" · {shown(row.where)}" if row.where else ""
    return (
        f'<li class="{tone}"><b>{shown(row.severity.upper())}</b> <strong>{shown(row.name)}{where}</strong> '
        f"<span>for {duration(page.now - row.since)}</span> <span>{shown(row.says, 300)}</span>"
        f"{_runbook(row)}{_taken(row, page)}</li>"
    )


def _runbook(row: AlertRow) -> str:
    return f' <a href="{shown(row.runbook)}">Runbook</a>' if row.runbook else ""


def _taken(row: AlertRow, page: Page) -> str:
    if row.by:
        return f" <em>{shown(row.by)} has it</em>"
    if page.visitor is None:
        return ""
    off = " disabled" if page.visitor.refusal else ""
    key = shown(row.fingerprint)
    told = "and are told on: nothing makes it quiet" if row.exempt else "and are told no more, for an hour or"
    return (
        f' <button type="button" id="have-{key}" data-to="/api/alerts/{key}/ack"'
        f' data-title="{shown(row.name)}: I have it" data-asks="reason"'
        f' data-says="Others see that you have it {told} until it ends."{off}>'
        "<span>I have it</span></button>"
    )
