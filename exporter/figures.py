"""Figures as people read them on a page: money, lengths of time, counts, shares. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

TOO_LARGE = 1e12
"""From here on digits no longer help; a power of ten does."""


def money(usd: float) -> str:
    """`$1,234.50`, `−$3.20`; no plus sign, because a sign must not shout."""
    sign = "−" if usd < 0 and round(usd, 2) != 0 else ""
    amount = abs(usd)
    return f"{sign}${amount:.3g}" if amount >= TOO_LARGE else f"{sign}${amount:,.2f}"


def count(number: float) -> str:
    """`1,234`; a count with a fraction keeps two digits of it."""
    if abs(number) >= TOO_LARGE:
        return f"{number:.3g}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def percent(ratio: float) -> str:
    """`42 %`; never rounded up to 100 % while it is less."""
    whole = int(ratio * 100 + 0.5) if abs(ratio) < TOO_LARGE else ratio * 100
    if ratio < 1 <= whole / 100:
        whole = 99
    return f"{whole:,} %" if abs(whole) < TOO_LARGE else f"{whole:.3g} %"


def duration(seconds: float) -> str:
    """`7 s`, `3 min 12 s`, `5 h 02 min`, `3 d 4 h`."""
    if seconds >= TOO_LARGE:
        return "very long"
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400:,} d {whole % 86_400 // 3600} h"


def clock(at: float) -> str:
    """The UTC time of day of an epoch time, with its zone."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
