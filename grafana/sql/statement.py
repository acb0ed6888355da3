"""A SELECT whose result columns have a name and one type, whatever the rows hold.

The data source takes a column's type from its first value that is not null, so an integer in the first row
would cut the decimals of all others: every column is cast. Its own types for what no row holds are of no use
either, so statements always answer with a row, and say in words where there is no data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a column holds."""

    TIME = "epoch seconds"
    NUMBER = "figure with decimals"
    COUNT = "whole number"
    TEXT = "words"


STORED_AS = {Kind.TIME: "REAL", Kind.NUMBER: "REAL", Kind.COUNT: "INTEGER", Kind.TEXT: "TEXT"}
"""The type that SQLite has to give a value so that the data source keeps it whole."""


@dataclass(frozen=True, slots=True)
class Value:
    """A column's expression and kind."""

    expression: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT as the data source takes it, and the names and kinds of its columns in order."""

    text: str
    columns: Mapping[str, Kind]


def time(expression: str) -> Value:
    """Epoch seconds."""
    return Value(expression, Kind.TIME)


def number(expression: str) -> Value:
    """A figure with decimals."""
    return Value(expression, Kind.NUMBER)


def usd(expression: str) -> Value:
    """A sum of money. What adding floats leaves of it would show half a cent as another cent in places."""
    return number(f"ROUND({expression}, 6) + 0.0")


def count(expression: str) -> Value:
    """A whole number."""
    return Value(expression, Kind.COUNT)


def text(expression: str) -> Value:
    """Words."""
    return Value(expression, Kind.TEXT)


def statement(
    columns: Mapping[str, Value], source: str, *, given: Mapping[str, str] | None = None
) -> Statement:
    """`SELECT columns FROM source`, with `given` tables before it."""
    chosen = ", ".join(f'{_stored(value)} AS "{name}"' for name, value in columns.items())
    before = ", ".join(f"{name} AS {_body(select)}" for name, select in (given or {}).items())
    whole = f"WITH {before} SELECT {chosen} FROM {source}" if before else f"SELECT {chosen} FROM {source}"
    return Statement(one_line(whole), {name: value.kind for name, value in columns.items()})


def once(select: str) -> str:
    """A table of `given` made once; else SQLite may make a column anew wherever it is named."""
    return f"MATERIALIZED ({select})"


def _body(select: str) -> str:
    return select if select.startswith("MATERIALIZED (") else f"({select})"


def _stored(value: Value) -> str:
    # Empty words would be shown as if nothing had answered.
    expression = f"NULLIF({value.expression}, '')" if value.kind is Kind.TEXT else value.expression
    return f"CAST({expression} AS {STORED_AS[value.kind]})"


def or_words(
    columns: Mapping[str, Value],
    given: Mapping[str, str],
    *,
    order: str,
    words: str,
    under: str,
    known: str = "1",
) -> Statement:
    """The rows of the last of `given` in `order`, or one row that says `words` in the column `under`.

    Where not `known`, it says that nobody knows: that there are no rows proves nothing then.
    """
    *_, rows = given
    said = f"CASE WHEN {known} THEN '{words}' ELSE '{BLIND}' END" if known != "1" else f"'{words}'"
    nothing = ", ".join(said if name == under else "NULL" for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(f'{value.expression} AS "{name}"' for name, value in columns.items())
    chosen = {
        **given,
        "told": f"SELECT {values} FROM {rows} ORDER BY {order}",
        "shown": f"SELECT {names} FROM told UNION ALL SELECT {nothing} WHERE NOT EXISTS (SELECT 1 FROM told)",
    }
    by_name = {name: Value(f'"{name}"', value.kind) for name, value in columns.items()}
    return statement(by_name, "shown", given=chosen)


def charted(columns: Mapping[str, Value], given: Mapping[str, str], *, order: str) -> Statement:
    """The rows of the last of `given`; without any, a `note` of 0 in the middle of the range.

    A chart of no rows is an empty grid that looks as if nothing had happened; the note is drawn as words.
    """
    *_, rows = given
    values = ", ".join(f'{value.expression} AS "{name}"' for name, value in columns.items())
    empty = {Kind.TIME: MIDDLE, Kind.TEXT: f"'{NO_DATA}'"}
    nothing = ", ".join(empty.get(value.kind, "NULL") for value in columns.values())
    chosen = {
        **given,
        "told": f"SELECT {values}, NULL AS note FROM {rows}",
        "shown": f"SELECT * FROM told UNION ALL SELECT {nothing}, 0.0 WHERE NOT EXISTS (SELECT 1 FROM told)",
    }
    by_name = {name: Value(f'"{name}"', value.kind) for name, value in columns.items()}
    return statement({**by_name, "note": number("note")}, f"shown ORDER BY {order}", given=chosen)


def one_line(sql: str) -> str:
    """The same SQL with single spaces."""
    return re.sub(r"\s+", " ", sql).strip()


# --- What the pages' variables and range stand for ---
BOT = "${bot:sqlstring}"
"""The chosen bot as a quoted string."""
LANES = "kind IN (${lane:sqlstring})"
"""The chosen lanes; the choice of all is the column itself, so that a lane that appears later counts, too."""
ALL_LANES = "kind"
FROM = "$__from / 1000"
TO = "$__to / 1000"
MIDDLE = "($__from + $__to) / 2000.0"
DAYS = f"date BETWEEN date({FROM}, 'unixepoch') AND date({TO}, 'unixepoch')"
"""The UTC days that the range touches, whole."""
NOW = "(julianday('now') - 2440587.5) * 86400.0"
NO_DATA = "no data yet"
BLIND = "BLIND: the exporter does not write"


def lane_name(column: str, short: Mapping[str, str]) -> str:
    """The lane's short name; a lane that has none keeps its own."""
    cases = " ".join(f"WHEN '{kind}' THEN '{name}'" for kind, name in short.items())
    return f"CASE {column} {cases} ELSE {column} END"


def clock(seconds: str) -> str:
    """`HH:MM:SS UTC` of epoch seconds."""
    return f"strftime('%H:%M:%S UTC', {seconds}, 'unixepoch')"
