"""The bot's SQLite files: opened so that nothing is lost, left alone when not what they should be."""

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from arb_bot import StoreUnusable, StoreWriteFailed

BUSY_SECONDS = 1.0

Statement = tuple[str, tuple[object, ...]]
"""SQL with its values."""


def insert(table: str, row: Mapping[str, object]) -> Statement:
    """The statement that adds a row; table and column names are the program's own."""
    places = ", ".join("?" * len(row))
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())  # noqa: S608


def tables_of(ddl: str) -> dict[str, tuple[str, ...]]:
    """Tables and their columns, in order, as `CREATE TABLE` statements of one column a line declare them."""
    return {
        table: tuple(line.split()[0] for line in body.strip().splitlines())
        for table, body in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\);", ddl, re.DOTALL)
    }


class SqliteFile:
    """One SQLite database in WAL mode with a known schema; every statement is its own transaction.

    A file whose tables have other columns than `ddl` says is refused. Raises StoreUnusable with one sentence.
    """

    def __init__(self, path: Path, ddl: str) -> None:
        self.path = path
        tables = tables_of(ddl)
        try:
            existed = path.exists() and path.stat().st_size > 0
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        except (sqlite3.Error, OSError) as exc:
            raise StoreUnusable(f"cannot open {path}: {exc}") from exc
        try:
            if existed:
                self._check_pages()
                self._check_columns(tables)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._db.executescript(ddl)
            self._check_columns(tables)
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
        except sqlite3.Error as exc:
            self._db.close()
            raise StoreUnusable(f"cannot use {path}: {exc}; the file is left as it is") from exc
        except StoreUnusable:
            self._db.close()
            raise
        self._db.row_factory = sqlite3.Row

    def _check_columns(self, tables: dict[str, tuple[str, ...]]) -> None:
        for table, columns in tables.items():
            found = [row[1] for row in self._db.execute(f"PRAGMA table_info({table})")]
            if found and found != list(columns):
                raise StoreUnusable(
                    f"{self.path} has another table {table!r} than this bot writes; the file is left as it is"
                )

    def _check_pages(self) -> None:
        fault = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if fault != "ok":
            raise StoreUnusable(f"{self.path} is damaged ({fault}); the file is left as it is")

    def write(self, *statements: Statement) -> None:
        """Run statements in one transaction.

        Raises StoreWriteFailed, after which nothing of it is written.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for sql, values in statements:
                self._db.execute(sql, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreWriteFailed(f"{self.path.name}: {exc}") from exc

    def read(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """All rows of a query. Raises StoreWriteFailed when the file cannot be read any more."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise StoreWriteFailed(f"{self.path.name}: {exc}") from exc

    def close(self) -> None:
        """Checkpoint into the main file and close."""
        with contextlib.suppress(sqlite3.Error):  # a reader, a full disk: the rows are safe in the -wal file
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
