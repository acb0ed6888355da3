"""Checks that the hours of the exchanges in the schedules are known, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.calendars import CalendarError, ends_soon, last_day, read
from exporter.exchanges import REGULAR, Closed, Sessions
from exporter.findings import Finding


async def exchanges(codes: Sequence[str], now: float) -> list[Finding]:
    """A finding for each exchange, or one where none could be read; `now` in epoch seconds."""
    try:
        known = await read(codes)
    except CalendarError as error:
        fix = "install what requirements/exporter.lock names; until then closed hours are not planned quiet"
        return [Finding("FAIL", "exchange calendars", f"not known ({', '.join(codes)}): {error}", fix)]
    return [_finding(code, known, now) for code in codes]


def _finding(code: str, known: dict[str, Sessions], now: float) -> Finding:
    closed = Closed(code, REGULAR, "", known).at(now)
    is_now = "open now" if closed is None else f"closed now, until {closed.until_text}"
    says = f"{is_now}; known until {last_day(known[code])}"
    if ends_soon(known[code], now):
        return Finding(
            "WARN", f"calendar of {code}", says, "upgrade this program: later closings are not planned quiet"
        )
    return Finding("PASS", f"calendar of {code}", says)
