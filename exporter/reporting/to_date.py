"""Running totals beside daily sums, so that a page finds what lies between two dates by two looks a key.

A row of such a table has for each of its sums also the sum of its key over all dates up to its own. Whoever
writes a row leaves that NULL, by which the partial index `…_undone` finds it; `complete` then makes it for
that row and the key's later ones. A fill that comes late thus costs its own bucket's later days.
"""

from __future__ import annotations

from collections.abc import Sequence


def to_date(column: str) -> str:
    """The name of the running total of a column."""
    return f"{column}_to_date"


def reset(columns: Sequence[str]) -> dict[str, str]:
    """What an upsert sets, beside adding to the columns themselves."""
    return {to_date(column): "NULL" for column in columns}


def reset_later(table: str, keys: Sequence[str], columns: Sequence[str]) -> str:
    """Before rows of the dates `:first` to `:end` are deleted: their keys' later totals are undone."""
    key = ", ".join(keys)
    return f"""
UPDATE {table} SET {", ".join(f"{name} = {value}" for name, value in reset(columns).items())}
WHERE bot = :bot AND date >= :end
  AND ({key}) IN (SELECT {key} FROM {table} WHERE bot = :bot AND date >= :first AND date < :end)"""


def complete(table: str, keys: Sequence[str], columns: Sequence[str]) -> str:
    """Make the totals from each key's first row without one on, beginning with that of the row before."""
    key = ", ".join(keys)
    undone = f"{to_date(columns[0])} IS NULL"

    def same(one: str, other: str) -> str:
        return f"{one}.bot = :bot AND " + " AND ".join(f"{one}.{name} = {other}.{name}" for name in keys)

    running = ", ".join(
        f"sum(CASE WHEN f.date < b.since THEN f.{to_date(column)} ELSE f.{column} END) OVER dates AS {column}"
        for column in columns
    )
    return f"""
UPDATE {table} AS t SET {", ".join(f"{to_date(column)} = run.{column}" for column in columns)}
FROM (
    WITH
        undone AS (
            SELECT {key}, min(date) AS since FROM {table} INDEXED BY {table}_undone
            WHERE bot = :bot AND {undone} GROUP BY {key}
        ),
        begun AS (
            SELECT {key}, since,
                   coalesce((SELECT max(p.date) FROM {table} AS p
                             WHERE {same("p", "u")} AND p.date < u.since), since) AS starts
            FROM undone AS u
        )
    SELECT {", ".join(f"f.{name}" for name in keys)}, f.date, {running}
    FROM begun AS b CROSS JOIN {table} AS f
    WHERE {same("f", "b")} AND f.date >= b.starts
    WINDOW dates AS (PARTITION BY {", ".join(f"f.{name}" for name in keys)} ORDER BY f.date)
) AS run
WHERE {same("t", "run")} AND t.date = run.date"""
