"""The rows in which commands, settings and changes of them stand in the reporting database; their events.

Pure. Values stand as texts that people read: `true`, `10`, `kalshi`, a JSON object for amounts by name; NULL
is a blank, or not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from exporter.control.catalogue import Catalogue
from exporter.control.change import MISSING, Change
from exporter.control.desk import Entry
from exporter.control.order import Stage
from exporter.control.parameter import TEXT, Parameter
from exporter.control.setting_desk import SettingDesk
from exporter.control.settings_book import Record, Setting, as_number, as_text

_OPEN_STAGES: Final = frozenset(stage.value for stage in Stage if not stage.final)

COMMAND: Final = """
INSERT INTO commands (id, bot, command, who, source, reason, parameters, sent_at, answered_at, answer, state,
    seen, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET answered_at = excluded.answered_at, answer = excluded.answer,
    state = excluded.state, seen = excluded.seen, decided_at = excluded.decided_at
"""
CHANGE: Final = """
INSERT INTO setting_changes (bot, key, at, before, after, who, source, reason, state, command_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (command_id) DO UPDATE SET state = excluded.state
"""
SETTING: Final = """
INSERT OR REPLACE INTO settings (bot, key, value, number, session_start, seen_at, changed_at, changed_by,
    category, type, unit, minimum, maximum, hot, risk, observable, help, default_value, state, wanted, takes,
    restart, position, differs_from_start, differs_from_default)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
END_COMMANDS: Final = (
    "UPDATE commands SET state = 'unknown', seen = ?, decided_at = ?"
    " WHERE state IN ('sent', 'acked', 'unanswered', 'restoring') AND sent_at < ?"
)
END_CHANGES: Final = (
    "UPDATE setting_changes SET state = 'unknown'"
    " WHERE state IN ('sent', 'acked', 'unanswered', 'restoring') AND at < ?"
)
SETTINGS_BEFORE: Final = (
    "SELECT key, value, session_start, seen_at, changed_at, changed_by, state, wanted"
    " FROM settings WHERE bot = ? AND seen_at IS NOT NULL"
)
CHANGES_BEFORE: Final = (
    "SELECT command_id, key, at, before, after, who, source, reason, state"
    " FROM setting_changes WHERE bot = ? AND at < ? ORDER BY at DESC LIMIT ?"
)


def event(entry: Entry) -> dict[str, Any]:
    """The event of a command that was sent or decided."""
    thing, ended = entry.thing, entry.stage.final
    told: dict[str, Any] = {
        "kind": "setting_change" if isinstance(thing, Change) else "command",
        "bot": entry.bot,
        "severity": "info",
        "who": entry.who.name,
        "source": entry.who.source,
        "what": entry.name,
        "why": entry.who.reason,
        "data": {"command_id": entry.id, "state": entry.stage, **_parameters(entry.message)},
    }
    if isinstance(thing, Change):
        told |= {"what": thing.key, "before": thing.before, "after": thing.wanted}
    told["what"] += f": {entry.stage.replace('_', ' ')}"
    if ended:
        told |= {"answer": thing.order.answer, "proof": thing.says}
        told["latency"] = None if thing.decided_at is None else thing.decided_at - entry.sent_at
    if entry.stage.doubtful:
        told["severity"] = "critical" if entry.stage is Stage.MODE_FLIPPED else "warning"
    return told


def _parameters(message: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in message.items() if name != "type"}


def command(entry: Entry) -> tuple[object, ...]:
    """The row of a command."""
    thing, who = entry.thing, entry.who
    answer = None if thing.order.answer is None else json.dumps(thing.order.answer, default=str)
    return (
        entry.id,
        entry.bot,
        entry.name,
        who.name,
        who.source,
        who.reason,
        json.dumps(_parameters(entry.message), default=str),
        entry.sent_at,
        thing.order.answered_at,
        answer,
        entry.stage.value,
        thing.says,
        thing.decided_at,
    )


def change(bot: str, record: Record) -> tuple[object, ...]:
    """The row of a change in the history."""
    return (
        bot,
        record.key,
        record.at,
        as_text(record.before),
        as_text(record.after),
        record.who,
        record.source,
        record.reason,
        str(record.state),
        record.command_id,
    )


def settings(desk: SettingDesk) -> Iterator[tuple[object, ...]]:
    """The row of each setting that this bot has or may have, in the order of the page."""
    own = desk.desk.known.own
    for position, known in enumerate(desk.book.rows()):
        parameter = known.parameter
        refusal = parameter.refusal(own=own)
        if parameter.key == desk.catalogue.mode_setting:
            refusal = "the mode is changed in two steps, not as a setting"
        yield (
            desk.bot,
            parameter.key,
            as_text(known.value),
            as_number(known.value),
            as_text(known.session_start),
            known.seen_at,
            known.changed_at,
            known.changed_by,
            parameter.category,
            parameter.type,
            parameter.unit,
            parameter.minimum,
            parameter.maximum,
            refusal is None,
            parameter.risk,
            parameter.observable(own=own),
            parameter.help,
            as_text(parameter.default),
            str(known.state),
            as_text(known.wanted),
            parameter.expectation,
            refusal,
            position,
            known.differs_from_start,
            known.differs_from_default,
        )


def setting(catalogue: Catalogue, row: Sequence[Any]) -> Setting | None:
    """A setting as an earlier run of this program wrote it."""
    key, value, start, seen_at, changed_at, changed_by, state, wanted = row
    parameter = catalogue.parameters.get(key)
    if parameter is None:
        return None
    read = [_value(parameter, text) for text in (value, start)]
    state = Stage.UNKNOWN.value if state in _OPEN_STAGES else state
    asked = _value(parameter, wanted) if state else MISSING
    return Setting(parameter, read[0], read[1], seen_at, changed_at, changed_by or "", state or "", asked)


def record(catalogue: Catalogue, row: Sequence[Any]) -> Record:
    """A change of the history as an earlier run wrote it, with the values that were set."""
    command_id, key, at, before, after, *rest = row
    if (parameter := catalogue.parameters.get(key)) is not None:
        before, after = (
            text if (value := _value(parameter, text)) is MISSING else value for text in (before, after)
        )
    return Record(command_id, key, at, before, after, *rest)


def _value(parameter: Parameter, text: str | None) -> object:
    """A value from its text; NULL is a blank where one is allowed, and else not known."""
    if text is None:
        return None if parameter.optional else MISSING
    if parameter.type == TEXT:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return MISSING
