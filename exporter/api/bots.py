"""The calls about bots: look, kill, re-arm, drill, pause, maintain, override a position, set, switch mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exporter.api import describing
from exporter.api.answers import (
    BOT,
    BOTS,
    CHANGE,
    COMMAND,
    MAINTENANCE,
    REARMED,
    SETTINGS,
    STANDING,
    STANDINGS,
    Schema,
    answer,
)
from exporter.api.asking import Doorkeeper
from exporter.api.calls import (
    CODE,
    FORCE,
    REASON,
    REASON_NEEDED,
    REASON_OF_KILL,
    REFUSALS,
    TOKEN,
    VENUE,
    Doing,
    Given,
    Parameter,
    change,
)
from exporter.control import params
from exporter.control.access import Caller
from exporter.control.actions import Actions, Asked, Row
from exporter.control.maintenance import LONGEST_MINUTES
from exporter.control.told import answer_of
from exporter.errors import NotFound

_TEXT: Final = {"type": "string", "maxLength": params.LONGEST_TEXT}
_TYPED: Final = {"type": "string", "minLength": 1, "maxLength": params.LONGEST_TEXT}
CLOSE_DAY_TRADES: Final = Parameter(
    params.Field(params.flag), {"type": "boolean"}, "Close the day's trades, too, where the bot can."
)
MINUTES: Final = Parameter(
    params.Field(params.integer, required=True),
    {"type": "integer", "minimum": 0, "maximum": LONGEST_MINUTES},
    "For how long; 0 ends it.",
)
SYMBOL: Final = Parameter(
    params.Field(params.text, required=True),
    _TYPED,
    "The market or ticker of the position, typed by the person: it must be that of the path.",
)
PRICE: Final = Parameter(
    params.Field(params.number, required=True), {"type": "number"}, "The new stop, in USD."
)
QUANTITY: Final = Parameter(
    params.Field(params.number, required=True), {"type": "number"}, "How many more, in contracts or shares."
)
KEY: Final = Parameter(params.Field(params.text, required=True), _TYPED, "The setting.")
VALUE: Final = Parameter(
    params.Field(params.as_it_is, required=True, may_be_empty=True),
    {"description": "Typed or as text; an empty text is a blank, where the setting takes one."},
    "The value it should have.",
)
COMMAND_ID: Final = Parameter(params.Field(params.text, required=True), _TYPED, "The change to take back.")
TARGET: Final = Parameter(
    params.Field(params.text, required=True), {"type": "string", "enum": ["paper", "live"]}, "The mode."
)


def router(actions: Actions, door: Doorkeeper) -> APIRouter:
    """Every call under /api/bots, and /api/kill."""
    made = APIRouter(prefix="/api", tags=["bots"], dependencies=TOKEN)
    door.turned_away = actions.refused
    _looking(made, actions, door)
    for path, parameters, do, answers in (*_control(actions), *_money(actions)):
        change(made, path, parameters, door.changing, do, refused=actions.refused, answers=answers)
    return made


def _looking(made: APIRouter, actions: Actions, door: Doorkeeper) -> None:
    console = actions.console

    @made.get("/bots", responses=REFUSALS | answer(BOTS))
    async def bots(request: Request) -> Response:
        """Every bot with its verdict, the age of what it said, and how its kill stands."""
        door.looking(request)
        return JSONResponse(describing.bots(console, console.clock()))

    @made.get("/bots/{bot}", responses=REFUSALS | answer(BOT))
    async def bot(request: Request, bot: str) -> Response:
        """One bot in full: figures with sources and ages, positions, what can be done, the last commands."""
        door.looking(request)
        return JSONResponse(describing.bot(console, actions.desks(bot), console.clock()))

    @made.get("/bots/{bot}/settings", responses=REFUSALS | answer(SETTINGS))
    async def settings(request: Request, bot: str) -> Response:
        """The settings of a bot with their current values, and the history of their changes."""
        door.looking(request)
        return JSONResponse(describing.settings(actions.desks(bot), console.clock()))

    @made.get("/bots/{bot}/commands/{command_id}", responses=REFUSALS | answer(COMMAND))
    async def command(request: Request, bot: str, command_id: str) -> Response:
        """What became of a command so far."""
        door.looking(request)
        entry = actions.desks(bot).desk.entry(command_id)
        if entry is None:
            raise NotFound("no command of this bot has this id, or it is too old: see /api/events")
        return JSONResponse(answer_of(entry))


Calls = tuple[tuple[str, Mapping[str, Parameter], Doing, Schema], ...]
"""Each call with its path, its fields, what does it, and what it answers."""


def _control(actions: Actions) -> Calls:
    async def kill(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Kill a bot, or one venue of it.

        Answers at once where it stands; an ack proves nothing, look at `state` and `rung` later.
        """
        asked = _asked(request, caller, given)
        return actions.kill(asked, given["venue"], close_day_trades=bool(given["close_day_trades"]))

    async def kill_all(_: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Kill every bot. The headline is the worst of them."""
        return actions.kill_all(caller, given["reason"] or "")

    async def rearm(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Take a kill back. The bot is paused then; another trigger that holds keeps it killed."""
        return await actions.rearm(_asked(request, caller, given), given["venue"])

    async def drill(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Prove the kill of a paper bot. It is killed, proven, re-armed, and then paused."""
        return actions.drill(_asked(request, caller, given))

    async def pause(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Pause a bot. It opens nothing more; positions are still managed."""
        return await actions.pause(_asked(request, caller, given))

    async def resume(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Resume a bot. After a trip this needs a reason and the code."""
        return await actions.resume(_asked(request, caller, given))

    async def maintenance(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Plan quiet from now on. Alerts about the link wait; those about money and control do not."""
        return await actions.maintain(_asked(request, caller, given), given["minutes"])

    return (
        (
            "/bots/{bot}/kill",
            {"reason": REASON_OF_KILL, "venue": VENUE, "close_day_trades": CLOSE_DAY_TRADES},
            kill,
            STANDING,
        ),
        ("/kill", {"reason": REASON_OF_KILL}, kill_all, STANDINGS),
        ("/bots/{bot}/rearm", {"code": CODE, "reason": REASON_NEEDED, "venue": VENUE}, rearm, REARMED),
        ("/bots/{bot}/drill", {"reason": REASON}, drill, STANDING),
        ("/bots/{bot}/pause", {"reason": REASON}, pause, COMMAND),
        ("/bots/{bot}/resume", {"code": CODE, "reason": REASON}, resume, COMMAND),
        ("/bots/{bot}/maintenance", {"minutes": MINUTES, "reason": REASON}, maintenance, MAINTENANCE),
    )


def _money(actions: Actions) -> Calls:
    async def settings(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Change one setting. What raises the risk needs a reason and the code.

        Answers once the bot has; `state` says what later states showed, value and mode.
        """
        asked = _asked(request, caller, given)
        return await actions.set_setting(asked, given["key"], given["value"], force=bool(given["force"]))

    async def revert(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Take a change of a setting back, by its command_id."""
        asked = _asked(request, caller, given)
        return await actions.revert(asked, given["command_id"], force=bool(given["force"]))

    async def mode(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Switch between paper and live. Live takes two calls: the first shows the code, the second gives it.

        Back to paper takes one.
        """
        return await actions.set_mode(_asked(request, caller, given), given["target"])

    async def close_position(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Close a position."""
        return await actions.close_position(_asked(request, caller, given), _row(request, given))

    async def adjust_stop(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Move the stop of a position."""
        asked = _asked(request, caller, given)
        return await actions.adjust_stop(asked, _row(request, given), given["price"])

    async def add_to_position(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Buy more of a position."""
        asked = _asked(request, caller, given)
        return await actions.add_to_position(asked, _row(request, given), given["quantity"])

    of_position: Mapping[str, Parameter] = {"symbol": SYMBOL, "reason": REASON}
    raising: Mapping[str, Parameter] = {"symbol": SYMBOL, "reason": REASON_NEEDED, "code": CODE}
    changing: Mapping[str, Parameter] = {"reason": REASON, "code": CODE, "force": FORCE}
    return (
        ("/bots/{bot}/settings", {"key": KEY, "value": VALUE, **changing}, settings, CHANGE),
        ("/bots/{bot}/settings/revert", {"command_id": COMMAND_ID, **changing}, revert, CHANGE),
        ("/bots/{bot}/mode", {"target": TARGET, "reason": REASON, "code": CODE}, mode, COMMAND),
        ("/bots/{bot}/positions/{position}/close", of_position, close_position, COMMAND),
        ("/bots/{bot}/positions/{position}/stop", {**raising, "price": PRICE}, adjust_stop, COMMAND),
        ("/bots/{bot}/positions/{position}/add", {**raising, "quantity": QUANTITY}, add_to_position, COMMAND),
    )


def _asked(request: Request, caller: Caller, given: Mapping[str, Any]) -> Asked:
    bot = str(request.path_params["bot"])
    return Asked(caller, bot, given.get("reason") or "", given.get("code") or "")


def _row(request: Request, given: Mapping[str, Any]) -> Row:
    return Row(str(request.path_params["position"]), given["symbol"])
