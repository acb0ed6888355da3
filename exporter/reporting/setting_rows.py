"""The rows of `settings` for what a bot's states show, and what has changed since the last ones. Pure.

A key that the catalogue of that kind of bot does not know has no row; a credential is never in a catalogue.
`value` is the setting as text, `number` the same where it is a number, `session_start` what it was when it
was first seen in the session.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from exporter.control.parameter import LONGEST_TEXT, Parameter
from exporter.fields import finite
from exporter.labels import clean


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a row decides on the next one; `changed_at` None where it was never seen to change."""

    value: str | None
    session_start: str | None
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that has another value than its row."""

    key: str
    before: str | None
    after: str | None


def next_rows(
    snapshot: Mapping[str, object],
    known: Mapping[str, Parameter],
    kept: Mapping[str, Kept],
    *,
    at: float,
    new_session: bool,
) -> tuple[dict[str, Kept], list[Change]]:
    """The rows by key for a snapshot first shown at `at`, after those that are `kept`."""
    rows, changes = {}, []
    for key in snapshot.keys() & known.keys():
        value, before = text(snapshot[key]), kept.get(key)
        if before is None:
            rows[key] = Kept(value, value, None)
            continue
        changed = value != before.value
        if changed:
            changes.append(Change(key, before.value, value))
        start = value if new_session else before.session_start
        rows[key] = Kept(value, start, at if changed else before.changed_at)
    return rows, changes


def values(raw: object, parameter: Parameter, *, own: bool) -> tuple[object, ...]:
    """What a row holds beside `Kept`: the number, and what the catalogue says of the setting."""
    return (
        finite(raw),
        parameter.category,
        parameter.type,
        parameter.unit,
        parameter.minimum,
        parameter.maximum,
        parameter.refusal(own=own) is None,
        parameter.risk,
        parameter.observable(own=own),
        parameter.help,
        text(parameter.default),
    )


def text(value: object) -> str | None:
    """A setting's value as people write it; a blank is None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.12g}" if finite(value) is not None else None
    return clean(value if isinstance(value, str) else json.dumps(value, default=str), LONGEST_TEXT)
