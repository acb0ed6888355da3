"""Says where a kill or a command stands, as the API and the shell answer it. Pure."""

from __future__ import annotations

from exporter.control.desk import Entry
from exporter.control.standing import Standing


def standing_of(bot: str, stands: Standing) -> dict[str, object]:
    """Where a bot's kill stands, as an answer."""
    kill = stands.kill
    return {
        "bot": bot,
        "command_id": None if kill is None else kill.order.id,
        "state": str(stands.state),
        "says": stands.words,
        "rung": None if stands.rung is None else str(stands.rung),
        "seen": {
            "paths": dict(stands.paths),
            "delivered": dict(stands.delivered),
            "positions": stands.positions,
            "unhedged_usd": stands.unhedged,
            "working_orders": stands.working_orders,
            "seconds_to_proof": None if kill is None else kill.time_to_verified,
            "last_drill": stands.last_drill,
        },
        "kills": [
            {
                "venue": each.order.venue,
                "state": str(each.stage),
                "rung": None if each.rung is None else str(each.rung),
                "detail": each.detail,
                "who": each.order.who,
                "reason": each.order.reason,
                "sent_at": each.order.sent_at,
                "drill": each.order.drill,
            }
            for each in stands.kills
        ],
    }


def answer_of(entry: Entry) -> dict[str, object]:
    """Where a command stands, as an answer."""
    order = entry.thing.order
    return {
        "bot": entry.bot,
        "command_id": entry.id,
        "command": entry.name,
        "state": str(entry.stage),
        "says": entry.thing.says,
        "seen": {"answer": order.answer, "sent_at": entry.sent_at, "answered_at": order.answered_at},
        "who": entry.who.name,
        "reason": entry.who.reason,
    }
