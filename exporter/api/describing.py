"""What of a bot is told to whoever may look: its verdict, its figures with source and age, what can be done.

Pure but for the desks that it reads. A figure that nobody knows is there with `reported` false and no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from botkit.messages import KILL_SWITCH, UPDATE_CONFIG
from exporter import sourced
from exporter.control.change import MISSING
from exporter.control.console import Console, Desks
from exporter.control.settings_book import Record, Setting
from exporter.control.told import answer_of, standing_of
from exporter.flight_recorder import without_credentials
from exporter.planned import Planned
from exporter.rows import Rows
from exporter.sight import Sight
from exporter.verdict import judge

COMMANDS_TOLD: Final = 20
HISTORY_TOLD: Final = 100


def bots(console: Console, now: float) -> dict[str, object]:
    """Every bot in short."""
    return {"as_of": now, "bots": [_in_short(desks, now) for desks in console.bots.values()]}


def bot(console: Console, desks: Desks, now: float) -> dict[str, object]:
    """One bot in full."""
    sight = desks.view.at(now)
    entries = desks.desk.entries()[:COMMANDS_TOLD]
    return {
        **_in_short(desks, now),
        "figures": _figures(sight),
        "positions": _positions(desks, sight),
        "can": _can(desks),
        "commands": [answer_of(entry) for entry in entries],
        "codes": [
            {
                "for": code.act.says,
                "code": code.code,
                "action": code.act.action,
                "expires_at": code.expires,
                "asked_by": code.who,
            }
            for code in console.codes.shown(now)
            if code.act.bot == desks.view.name
        ],
        "unverified_settings": sorted(key for key, doubt in desks.view.unverified.items() if doubt),
        "preflight": [
            {"name": check.name, "holds": check.holds, "says": check.says}
            for check in desks.commands.preflight()
        ],
    }


def _in_short(desks: Desks, now: float) -> dict[str, object]:
    view = desks.view
    sight = view.at(now)
    verdict, link = judge(sight), view.link
    state = view.state
    maintenance = view.maintenance if view.maintenance is not None and view.maintenance.holds(now) else None
    return {
        "bot": view.name,
        "kind": view.kind,
        "tier": view.tier,
        "as_of": now,
        "verdict": {"level": verdict.level, "text": verdict.text, "since": verdict.since},
        "connected": sight.connected,
        "link": link.why,
        "state": {
            "at": view.state_at,
            "age": sight.age,
            "stale_after": view.cadence.stale_after,
            "fresh": sight.live is not None,
        },
        "mode": state.mode if state is not None else None,
        "status": state.status if state is not None else None,
        "simulated": state.simulated if state is not None else None,
        "kill": standing_of(view.name, desks.kill.standing(now)),
        "maintenance": None
        if maintenance is None
        else {"until": maintenance.until, "reason": maintenance.reason, "who": maintenance.who},
        "planned": _planned(sight.quiet or sight.overrun, now),
        "venues": {venue: _planned(quiet, now) for venue, quiet in sight.venues.items()},
    }


def _planned(quiet: Planned | None, now: float) -> dict[str, object] | None:
    """Planned quiet that holds; `overrun` where its end has passed and the bot is not back."""
    if quiet is None:
        return None
    return {
        "since": quiet.since,
        "until": quiet.until,
        "says": f"until {quiet.until_text}: {quiet.reason}",
        "by": quiet.by,
        "overrun": quiet.until <= now,
    }


def _figures(sight: Sight) -> dict[str, object]:
    """Figures by name, each a list with one entry a source."""
    by_source: Mapping[str, Rows] = {
        "daily_pnl_usd": sourced.daily_pnl(sight),
        "daily_trades": sourced.daily_trades(sight),
        "daily_loss_cap_remaining_usd": sourced.remaining(sight),
        "consecutive_failures": sourced.consecutive_failures(sight),
        "realized_pnl_usd": sourced.realized_pnl(sight),
    }
    figures: dict[str, object] = {
        name: [{"value": value, "source": labels[0]} for labels, value in rows]
        or [{"value": None, "reported": False}]
        for name, rows in by_source.items()
    }
    figures["daily_loss_cap_usd"] = [_last_known(sight.view.cap, sight.view.settings_at, sight.now)]
    state, at = sight.view.state, sight.view.state_at
    by_venue: Mapping[str, Mapping[str, float] | None] = {
        "cash_usd": state.cash if state else None,
        "locked_capital_usd": state.locked_capital if state else None,
        "unhedged_usd": state.unhedged if state else None,
        "working_orders": state.working_orders if state else None,
        "open_positions": state.open_positions if state else None,
    }
    for name, value in by_venue.items():
        figures[name] = [_last_known(None if value is None else dict(value), at, sight.now)]
    return figures


def _last_known(value: object, at: float | None, now: float) -> dict[str, object]:
    if value is None:
        return {"value": None, "reported": False}
    return {"value": value, "source": "bot", "age": None if at is None else max(0.0, now - at)}


def _positions(desks: Desks, sight: Sight) -> dict[str, object]:
    """The open positions as the last state had them, with its age."""
    rows = (desks.desk.last or {}).get("open_positions")
    return {
        "source": "bot",
        "age": sight.age,
        "reported": isinstance(rows, list),
        "rows": [without_credentials(row) for row in rows if isinstance(row, dict)]
        if isinstance(rows, list)
        else [],
    }


def _can(desks: Desks) -> dict[str, str]:
    """Every command, with why this bot cannot do it; empty where it can."""
    return {KILL_SWITCH: "", UPDATE_CONFIG: "", **desks.commands.possible()}


def settings(desks: Desks, now: float) -> dict[str, object]:
    """The catalogue of a bot with what is known of each setting, and the history of changes, newest first."""
    book, own = desks.settings.book, desks.desk.known.own
    listed = desks.settings.catalogue.of(own=own)
    return {
        "bot": desks.view.name,
        "as_of": now,
        "source": "bot",
        "age": None if desks.view.settings_at is None else max(0.0, now - desks.view.settings_at),
        "settings": [
            _setting(book.settings.get(key) or Setting(parameter), own=own)
            for key, parameter in listed.items()
        ],
        "history": [_record(record) for record in list(book.history)[-HISTORY_TOLD:][::-1]],
    }


def _setting(known: Setting, *, own: bool) -> dict[str, object]:
    parameter = known.parameter
    return {
        "key": parameter.key,
        "category": parameter.category,
        "type": parameter.type,
        "takes": parameter.expectation,
        "unit": parameter.unit,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "risk": parameter.risk,
        "help": parameter.help,
        "default": parameter.default,
        "known": known.value is not MISSING,
        "value": _plain(known.value),
        "session_start": _plain(known.session_start),
        "differs_from_start": known.differs_from_start,
        "differs_from_default": known.differs_from_default,
        "changed_at": known.changed_at,
        "changed_by": known.changed_by,
        "state": str(known.state),
        "wanted": _plain(known.wanted),
        "refusal": parameter.refusal(own=own) or "",
        "observable": parameter.observable(own=own),
    }


def _record(record: Record) -> dict[str, object]:
    return {
        "command_id": record.command_id,
        "key": record.key,
        "at": record.at,
        "before": _plain(record.before),
        "after": _plain(record.after),
        "who": record.who,
        "source": record.source,
        "reason": record.reason,
        "state": str(record.state),
    }


def _plain(value: object) -> object:
    return None if value is MISSING else value
