"""The daily digest: what one day of the operator was, in a few lines for a phone, each with its source.

Pure. What is not known is said to be so, and why: a ledger that was not read to the end of the day says
nothing of it. The count and the last hash of the audit trail go out with it, so that nobody can shorten it
unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.alerts import DIGEST, iso
from exporter.figures import clock, count, money
from exporter.reporting.days import OperatorDay, Span

SETTLES: Final = 120.0
"""Seconds after the end of a day until its last rows are in the database."""
LATE: Final = 12 * 3600.0
"""A digest that could not be sent for so long is not sent any more."""
LASTS: Final = 300.0
MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class BotDay:
    """One bot's day by its ledger. `read_at` is until when that was read, None for a bot without one."""

    bot: str
    simulated: bool | None
    read_at: float | None
    pnl: float = 0.0
    trades: int = 0
    wins: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What stands in the database of one day; `count` and `hash` are the head of the audit trail."""

    span: Span
    tz: str
    bots: Sequence[BotDay]
    alerts: Mapping[str, int] = field(default_factory=dict)
    critical: int = 0
    kills: int = 0
    unproven: int = 0
    drills: int = 0
    settings: int = 0
    console_starts: int = 0
    noted: Mapping[str, int] = field(default_factory=dict)
    watched_from: float | None = None
    """The first event there is."""
    count: int = 0
    hash: str = ""


def due(day: OperatorDay, now: float) -> Span | None:
    """The day whose digest may be sent now."""
    over = day.at(day.at(now).starts_at - 1)
    return over if SETTLES <= now - over.ends_at <= LATE else None


def text(day: Day) -> str:
    """The digest, a line for each thing."""
    lines = [_bot(bot, day.span.ends_at) for bot in day.bots]
    fired = sum(day.alerts.values())
    most = sorted(day.alerts.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMES]
    names = ", ".join(f"{name.removeprefix('Tradebot')} {number}" for name, number in most)
    more = f" and {len(day.alerts) - MOST_NAMES} more kinds" if len(day.alerts) > MOST_NAMES else ""
    lines.append(f"Alerts fired: {fired}" + (f" ({day.critical} critical): {names}{more}" if fired else ""))
    unproven = f" ({day.unproven} not proven)" if day.unproven else ""
    lines.append(f"Kills: {day.kills}{unproven} · drills: {day.drills} · settings changed: {day.settings}")
    restarts = [f"{bot.bot} {bot.restarts}" for bot in day.bots if bot.restarts]
    starts = [f"console {day.console_starts}"] if day.console_starts else []
    lines.append(f"Sessions begun: {', '.join([*restarts, *starts]) or 'none'}")
    if day.noted:
        words = {"trade": "trades told by the bots", "daily_high": "daily highs", "cap_unset": "cap not set"}
        noted = (f"{words.get(kind, kind)} {number}" for kind, number in sorted(day.noted.items()))
        lines.append(f"Noted: {', '.join(noted)}")
    if day.watched_from is not None and day.watched_from > day.span.starts_at:
        lines.append(f"Watched only from {clock(day.watched_from)} on")
    lines.append(f"Audit trail: {day.count} events, head {day.hash or 'none'}")
    return "\n".join(lines)


def title(day: Day) -> str:
    """The headline: which day, in which zone."""
    return f"Digest of {day.span.date} ({day.tz})"


def alert(day: Day, now: float) -> dict[str, object]:
    """The same as Alertmanager takes it."""
    return {
        "labels": {"alertname": DIGEST, "severity": "digest", "area": "self", "date": day.span.date},
        "annotations": {"summary": title(day), "description": text(day)},
        "startsAt": iso(now),
        "endsAt": iso(now + LASTS),
    }


def _bot(bot: BotDay, ends_at: float) -> str:
    name = f"{bot.bot} ({'simulated' if bot.simulated else 'not known whether simulated'})"
    name = bot.bot if bot.simulated is False else name
    if bot.read_at is None:
        return f"{name}: PnL not known, no ledger was read"
    if bot.read_at < ends_at:
        return f"{name}: PnL not known, its ledger was read until {clock(bot.read_at)} only"
    won = f", {count(bot.wins)} won" if bot.trades else ""
    return f"{name}: PnL {money(bot.pnl)}, {count(bot.trades)} trades{won} (ledger)"
