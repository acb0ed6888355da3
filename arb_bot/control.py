"""The commands of the control socket: kill and re-arm, pause and resume, settings, closing a position.

Runs in the socket's thread.
"""

from collections.abc import Mapping

from arb_bot.session import Session
from botkit import messages
from botkit.commands import Handler, update_config

SENDING_PATIENCE_SECONDS = 0.2
SETTING_SPACING_SECONDS = 0.2
LONGEST_REASON = 200


def handlers(session: Session) -> dict[str, Handler]:
    """The handlers by command type."""
    return {
        messages.UPDATE_CONFIG: lambda request: set_setting(session, request),
        messages.KILL_SWITCH: lambda request: kill_switch(session, request),
        messages.PAUSE: lambda request: pause(session, request),
        messages.RESUME: lambda request: resume(session, request),
        messages.CLOSE_POSITION: lambda request: close_position(session, request),
    }


def set_setting(session: Session, request: dict[str, object]) -> Mapping[str, object]:
    """Change one setting; the next cycle, which comes at once, works with it and shows it."""
    reply = update_config(session.parts.settings)(request)  # type: ignore[arg-type] # of any settings
    if reply["ok"]:
        session.engine.request_cycle(SETTING_SPACING_SECONDS)
    return reply


def kill_switch(session: Session, request: Mapping[str, object]) -> dict[str, object]:
    """Kill or re-arm the bot, or one venue of it. `active` is always the truth after the command."""
    kill = session.parts.kill
    activate, venue = request.get("activate"), request.get("venue")
    if not isinstance(activate, bool):
        return _refused(session, 'NOTHING WAS DONE: "activate" must be true or false')
    if request.get("close_day_trades"):
        return _refused(
            session, "NOTHING WAS DONE: this bot has no day trades; send the kill without close_day_trades"
        )
    if venue is not None:
        return _venue_kill(session, venue, activate)
    reason = str(request.get("reason") or "")[:LONGEST_REASON]
    if not activate:
        return _rearm(session)
    outcome = kill.activate("control socket", reason)
    sent = session.parts.desk.nothing_on_its_way(SENDING_PATIENCE_SECONDS)
    session.engine.request_cycle()  # its state is the proof, also where the bot was killed before
    warning = outcome.error or (
        "" if sent else "an order was being sent when the kill came; it will be cancelled"
    )
    return {"active": outcome.active, "ok": True, **({"error": warning} if warning else {})}


def pause(session: Session, request: Mapping[str, object]) -> dict[str, object]:
    """No new entries; positions and orders are still looked after."""
    reason = str(request.get("reason") or "operator")[:LONGEST_REASON]
    journal = session.parts.journal
    if not journal.paused:
        journal.paused = {"since": session.parts.clock.now(), "reason": reason}
    session.engine.request_cycle()
    return {"ok": True}


def resume(session: Session, _request: Mapping[str, object]) -> dict[str, object]:
    """New entries again, unless the kill switch says otherwise."""
    verdict = session.parts.kill.check()
    if verdict.halted:
        return {"ok": False, "error": f"still killed by {verdict.reason}"}
    session.parts.journal.paused = None
    session.engine.request_cycle()
    return {"ok": True}


def close_position(session: Session, request: Mapping[str, object]) -> dict[str, object]:
    """Sell a position with every other leg of its trade, since one leg alone would be unhedged.

    Sold in the coming seconds, at the bid less a small tolerance; while it lasts the rows say `closing`.
    """
    wanted, parts = request.get("position_id"), session.parts
    if (halt := parts.kill.check()).halted:
        return {"ok": False, "error": f"a killed bot sends nothing, not even a sale; {halt.reason}"}
    for holding in list(parts.portfolio.holdings.values()):
        lots = [lot for lot in list(holding.lots.values()) if lot.contracts]
        if wanted not in {lot.position_id for lot in lots}:
            continue
        if parts.executor.is_active(holding.intent_id):
            return {"ok": False, "error": "its orders are still on their way; try again in some seconds"}
        holding.closing = True
        session.engine.request_cycle()
        return {"ok": True, "intent_id": holding.intent_id, "closes": [lot.position_id for lot in lots]}
    return {"ok": False, "error": f"no open position {str(wanted)[:40]!r}"}


def _rearm(session: Session) -> dict[str, object]:
    """Take back the operator's own trigger; the bot is paused then, so that a person resumes it."""
    before = session.parts.kill.check()
    if before.halted and not session.parts.journal.paused:
        session.parts.journal.paused = {
            "since": session.parts.clock.now(),
            "reason": "re-armed, not resumed yet",
        }
    outcome = session.parts.kill.deactivate()
    session.engine.wake.set()
    return {
        "active": outcome.active,
        "ok": not outcome.error,
        **({"error": outcome.error} if outcome.error else {}),
    }


def _venue_kill(session: Session, venue: object, activate: bool) -> dict[str, object]:
    """Stop or release one venue, until this program ends."""
    if not isinstance(venue, str) or venue not in session.parts.venues:
        return _refused(session, f"NOTHING WAS DONE: no venue {str(venue)[:40]!r} here")
    variable = f"{session.parts.settings.current.venue_kill_prefix}{venue.upper()}"
    if activate:
        session.venue_stops[variable] = "true"
        session.parts.desk.nothing_on_its_way(SENDING_PATIENCE_SECONDS)
    else:
        session.venue_stops.pop(variable, None)
    active = session.parts.kill.check((venue,)).halted
    session.engine.wake.set()
    reply: dict[str, object] = {"active": active, "ok": active == activate, "venue": venue}
    if active and not activate:
        reply["error"] = f"still killed by {session.parts.kill.check((venue,)).reason}"
    return reply


def _refused(session: Session, error: str) -> dict[str, object]:
    return {"active": session.parts.kill.check().halted, "ok": False, "error": error}
