"""Which tables of a bot's stores are mirrored, what their columns hold, and which rows can be taken. Pure.

A row is taken when every column holds what the documented schema says: a number where a number belongs, a
time that a calendar knows, something where nothing may be missing. SQLite itself enforces none of this on a
store that other programs write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 1e12  # of any amount or count; a larger one would drown every sum
END_OF_TIME: Final = 32503680000  # the year 3000, in epoch seconds

TEXT, NUMBER, TIME = "TEXT", "NUMBER", "TIME"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mirrored table: what it holds, and whether it may be NULL."""

    name: str
    holds: str
    nullable: bool

    @property
    def acceptable(self) -> str:
        """SQL that is true where the value is what the column is meant to hold, else false (never NULL)."""
        if self.holds == TEXT:
            right = f"typeof({self.name}) IN ('text', 'integer', 'real')"
        else:
            low, high = (0, END_OF_TIME) if self.holds == TIME else (-LARGEST, LARGEST)
            # The + takes a declared type away: text is above every number then, and not compared as one.
            right = f"ifnull(+{self.name} BETWEEN {low} AND {high}, 0)"
        return f"({self.name} IS NULL OR {right})" if self.nullable else right


@dataclass(frozen=True, slots=True)
class Table:
    """A mirrored table. `key` is its primary key.

    Where `changed` is empty, rows are only ever added, with growing integer keys. Else it is SQL for when a
    row last changed (epoch seconds), and rows whose `status` is one of `unfinished` are looked at each time.
    `batch` rows are read at once. `begins` is a time that a row has from its first moment on; where there is
    one, the mirror keeps rows in its order.
    """

    name: str
    key: str
    columns: tuple[Column, ...]
    batch: int
    changed: str = ""
    begins: str = ""
    unfinished: tuple[str, ...] = ()
    anchored: bool = True
    """Whether a new generation of the store is recognised by this table."""
    watched: bool = False
    """Whether unfinished rows change without a word: all are read each time, and looked for when they end."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def mirrored_key(self) -> tuple[str, ...]:
        """The columns of the mirror's primary key after bot and generation."""
        return (self.begins, self.key) if self.begins else (self.key,)

    @property
    def listed(self) -> str:
        """The columns as SQL lists them."""
        return ", ".join(self.names)

    @property
    def acceptable(self) -> str:
        """SQL that is true for a row that can be taken; it calls `is_utf8`."""
        texts = " || ".join(f"ifnull({column.name}, '')" for column in self.columns if column.holds == TEXT)
        return " AND ".join([*(column.acceptable for column in self.columns), _utf8(texts)])

    @property
    def fault(self) -> str:
        """SQL for why a row cannot be taken: its first wrong column and what that holds instead."""
        whens = "".join(
            f" WHEN NOT {column.acceptable} THEN '{column.name} is ' ||"
            f" CASE typeof({column.name}) WHEN 'null' THEN 'missing'"
            f" WHEN 'integer' THEN 'out of range' WHEN 'real' THEN 'out of range'"
            f" ELSE typeof({column.name}) END"
            for column in self.columns
        )
        whens += "".join(
            f" WHEN NOT {_utf8(column.name)} THEN '{column.name} is not UTF-8'"
            for column in self.columns
            if column.holds == TEXT
        )
        return f"CASE{whens} END"


def _utf8(text: str) -> str:
    """SQL that is true for a text that is one; SQLite stores whatever bytes it is given."""
    return f"is_utf8(CAST({text} AS BLOB))"


def is_utf8(text: bytes | None) -> bool:
    """Whether bytes are a text; every connection that reads a bot's rows has it as a function."""
    if text is None:
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _columns(described: str) -> tuple[Column, ...]:
    """Columns from words: `#` after a name is a number, `@` a time, nothing a text, `?` may be NULL."""
    columns = []
    for word in described.split():
        nullable, plain = word.endswith("?"), word.rstrip("?")
        holds = NUMBER if plain.endswith("#") else TIME if plain.endswith("@") else TEXT
        columns.append(Column(plain.rstrip("#@"), holds, nullable))
    return tuple(columns)


FILLS: Final = Table(
    "fills",
    "id",
    _columns(
        "id# timestamp@ date intent_id kind market_key planned_contracts# filled_contracts# planned_edge#"
        " realized_pnl# slippage# fill_rate# venue metadata_json"
    ),
    batch=20_000,
)
DECISIONS: Final = Table(
    "decisions",
    "id",
    _columns(
        "id# timestamp@ date kind execution_style market_key gross_edge# net_edge# contracts#"
        " capital_required# accepted# reject_reason metadata_json"
    ),
    batch=24_000,
)
ORDER_INTENTS: Final = Table(
    "order_intents",
    "intent_id",
    _columns(
        "intent_id plan_json kind execution_style contracts# capital_required# capital_required_by_venue"
        " expected_profit# edge_per_contract# status total_filled# error? created_at@ updated_at@"
    ),
    batch=8_000,
    changed="updated_at",
    begins="created_at",
    unfinished=("pending", "submitted", "partially_filled"),
)
LEG_EXECUTIONS: Final = Table(
    "leg_executions",
    "leg_id",
    _columns(
        "leg_id intent_id leg_index# venue market_id side contracts# limit_price# status order_id?"
        " filled_contracts# average_price#? raw_json? created_at@ updated_at@"
    ),
    batch=24_000,
    changed="updated_at",
    begins="created_at",
    unfinished=("pending", "submitted", "partially_filled"),
    anchored=False,
)
POSITIONS: Final = Table(
    "positions",
    "position_id",
    _columns(
        "position_id intent_id venue market_id side net_contracts# average_entry# status opened_at@"
        " closed_at@?"
    ),
    batch=24_000,
    changed="max(opened_at, ifnull(closed_at, 0))",
    begins="opened_at",
    unfinished=("open",),
    anchored=False,
    watched=True,
)

MIRRORED: Final[Mapping[tuple[str, str], tuple[Table, ...]]] = {
    ("arb", "orders"): (ORDER_INTENTS, LEG_EXECUTIONS, POSITIONS),
    ("arb", "analytics"): (FILLS, DECISIONS),
}
"""The tables that are mirrored, in the order of reading, by (kind of bot, name of its store)."""
