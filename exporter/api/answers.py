"""What the calls of the API answer, as JSON schemas for its own document. Data, no behaviour.

A test holds every answer against them, so a field that is added to an answer must be added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exporter.alerting import paging
from exporter.control import kill, order
from exporter.control.proof import Rung
from exporter.reporting.chain import COLUMNS

Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
ANYTHING: Final[Schema] = {}


def maybe(schema: Schema) -> Schema:
    """The same, or null where nobody knows or there is none."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(words)}


def several(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def by_name(value: Schema) -> Schema:
    """An object whose keys are names, such as those of venues."""
    return {"type": "object", "additionalProperties": value}


def fields(**properties: Schema) -> Schema:
    """An object with exactly these fields."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def and_(one: Schema, **more: Schema) -> Schema:
    """The fields of an object and some more."""
    return fields(**one["properties"], **more)


_KILL_STAGE: Final = one_of(*(str(stage) for stage in kill.Stage))
_RUNG: Final = maybe(one_of(*(str(rung) for rung in Rung)))

STANDING: Final = fields(
    bot=TEXT,
    command_id=maybe(TEXT),
    state=_KILL_STAGE,
    says=TEXT,
    rung=_RUNG,
    seen=fields(
        paths=by_name(FLAG),
        delivered=by_name(TEXT),
        positions=maybe(NUMBER),
        unhedged_usd=maybe(NUMBER),
        working_orders=maybe(NUMBER),
        seconds_to_proof=maybe(NUMBER),
        last_drill=maybe(NUMBER),
    ),
    kills=several(
        fields(
            venue=maybe(TEXT),
            state=_KILL_STAGE,
            rung=_RUNG,
            detail=TEXT,
            who=TEXT,
            reason=TEXT,
            sent_at=NUMBER,
            drill=FLAG,
        )
    ),
)
"""Where the kill of a bot stands."""

_FAILED: Final = fields(bot=TEXT, state=_KILL_STAGE, says=TEXT)
STANDINGS: Final = fields(state=_KILL_STAGE, says=TEXT, bots=several({"anyOf": [STANDING, _FAILED]}))
REARMED: Final = and_(STANDING, rearmed=FLAG)

COMMAND: Final = fields(
    bot=TEXT,
    command_id=TEXT,
    command=TEXT,
    state=one_of(*(str(stage) for stage in order.Stage)),
    says=TEXT,
    seen=fields(answer=maybe({"type": "object"}), sent_at=NUMBER, answered_at=maybe(NUMBER)),
    who=TEXT,
    reason=TEXT,
)
"""Where a command stands."""

CHANGE: Final = and_(COMMAND, warning=TEXT)
MAINTENANCE: Final = fields(bot=TEXT, state=one_of("on", "off"), says=TEXT, until=maybe(NUMBER))
TAKEN: Final = fields(news=COUNT)
HAD: Final = fields(bot=TEXT, state=one_of("had"), says=TEXT, until=NUMBER, silence=TEXT)
PAGE_TESTED: Final = fields(
    page=TEXT,
    state=one_of(*paging.STATES),
    says=TEXT,
    tone=TEXT,
    seconds=NUMBER,
    channels=several(fields(channel=TEXT, state=one_of(*paging.STATES), says=TEXT)),
)

_PLANNED: Final = fields(since=NUMBER, until=NUMBER, says=TEXT, by=TEXT, overrun=FLAG)
IN_SHORT: Final = fields(
    bot=TEXT,
    kind=TEXT,
    tier=maybe(TEXT),
    as_of=NUMBER,
    verdict=fields(level=TEXT, text=TEXT, since=maybe(NUMBER)),
    connected=FLAG,
    link=TEXT,
    state=fields(at=maybe(NUMBER), age=maybe(NUMBER), stale_after=NUMBER, fresh=FLAG),
    mode=maybe(TEXT),
    status=maybe(TEXT),
    simulated=maybe(FLAG),
    kill=STANDING,
    maintenance=maybe(fields(until=NUMBER, reason=TEXT, who=TEXT)),
    planned=maybe(_PLANNED),
    venues=by_name(maybe(_PLANNED)),
)
BOTS: Final = fields(as_of=NUMBER, bots=several(IN_SHORT))

_FIGURE: Final[Schema] = {
    "type": "object",
    "properties": {
        "value": maybe({"anyOf": [NUMBER, by_name(maybe(NUMBER))]}),
        "reported": FLAG,
        "source": TEXT,
        "age": maybe(NUMBER),
    },
    "required": ["value"],
    "additionalProperties": False,
}

BOT: Final = and_(
    IN_SHORT,
    figures=by_name(several(_FIGURE)),
    positions=fields(source=TEXT, age=maybe(NUMBER), reported=FLAG, rows=several({"type": "object"})),
    can=by_name(TEXT),
    commands=several(COMMAND),
    codes=several({**fields(code=TEXT, action=TEXT, expires_at=NUMBER, asked_by=TEXT, **{"for": TEXT})}),
    unverified_settings=several(TEXT),
    preflight=several(fields(name=TEXT, holds=FLAG, says=TEXT)),
)

_SETTING: Final = fields(
    **dict.fromkeys(("key", "category", "type", "takes", "risk", "help", "state", "refusal"), TEXT),
    **dict.fromkeys(("default", "value", "session_start", "wanted"), ANYTHING),
    **dict.fromkeys(("minimum", "maximum", "changed_at"), maybe(NUMBER)),
    **dict.fromkeys(("unit", "changed_by"), maybe(TEXT)),
    **dict.fromkeys(("differs_from_start", "differs_from_default"), maybe(FLAG)),
    **dict.fromkeys(("known", "observable"), FLAG),
)
SETTINGS: Final = fields(
    bot=TEXT,
    as_of=NUMBER,
    source=TEXT,
    age=maybe(NUMBER),
    settings=several(_SETTING),
    history=several(
        fields(
            command_id=maybe(TEXT),
            at=NUMBER,
            before=ANYTHING,
            after=ANYTHING,
            **dict.fromkeys(("key", "who", "source", "reason", "state"), TEXT),
        )
    ),
)

EVENTS: Final = fields(
    events=several(
        fields(**dict.fromkeys(COLUMNS, maybe(TEXT)) | {"seq": COUNT, "at": NUMBER, "latency": maybe(NUMBER)})
    )
)
FILLS: Final = fields(fills=several({"type": "object"}))


def answer(schema: Schema, says: str = "What was asked for.") -> dict[int | str, dict[str, Any]]:
    """The answer of a call that does what it was asked, for `responses`."""
    return {200: {"description": says, "content": {"application/json": {"schema": dict(schema)}}}}


def listing(schema: Schema) -> dict[int | str, dict[str, Any]]:
    """The same of a call that also answers as CSV."""
    content = {"application/json": {"schema": dict(schema)}, "text/csv": {"schema": dict(TEXT)}}
    return {200: {"description": "The rows, newest first.", "content": content}}
