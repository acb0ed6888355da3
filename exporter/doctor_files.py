"""The doctor's checks of this machine: stores and kill files of bots, the own folder, zones and clock.

Nothing here creates, changes or locks a bot's file. A store in WAL mode without sidecars is opened with
`immutable=1`, because SQLite's `mode=ro` alone would leave new `-wal` and `-shm` files beside it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from exporter.config import BotConfig
from exporter.findings import Finding

SQLITE_MAGIC = b"SQLite format 3\0"
WAL_VERSION = 2  # read and write version in bytes 18 and 19 of the header

_COLUMNS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("arb", "orders"): {
        "schema_version": "version",
        "order_intents": "intent_id plan_json kind execution_style contracts capital_required"
        " capital_required_by_venue expected_profit edge_per_contract status total_filled error created_at"
        " updated_at",
        "leg_executions": "leg_id intent_id leg_index venue market_id side contracts limit_price status"
        " order_id filled_contracts average_price raw_json created_at updated_at",
        "positions": "position_id intent_id venue market_id side net_contracts average_entry status opened_at"
        " closed_at",
    },
    ("arb", "analytics"): {
        "decisions": "id timestamp date kind execution_style market_key gross_edge net_edge contracts"
        " capital_required accepted reject_reason metadata_json",
        "fills": "id timestamp date intent_id kind market_key planned_contracts filled_contracts planned_edge"
        " realized_pnl slippage fill_rate venue metadata_json",
    },
}
Schema = Mapping[str, frozenset[str]]
SCHEMAS: Mapping[tuple[str, str], Schema] = {
    store: {table: frozenset(columns.split()) for table, columns in tables.items()}
    for store, tables in _COLUMNS.items()
}
"""Tables and columns that a store of a kind of bot has, by (kind, name of the store)."""


def files_of(bot: BotConfig) -> Iterator[Finding]:
    """All findings about one bot's files."""
    for name, path in bot.stores.items():
        yield store(f"{bot.name} store {name}", path, SCHEMAS.get((bot.kind, name), {}))
    if bot.kill_file is not None:
        yield kill_file(f"{bot.name} kill file", bot.kill_file)


def store(check: str, path: Path, schema: Schema) -> Finding:
    """Whether a bot's SQLite store can be read as it is, by this user, without touching it."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Finding("FAIL", check, f"{path} is not a file", "name the store's file, not its folder")
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return _absent(check, path)
    except OSError as error:
        says = f"{path} cannot be read by uid {os.geteuid()}: {error.strerror}"
        return Finding("FAIL", check, says, _as_owner(path))
    if not header:
        return Finding(
            "WARN", check, f"{path} is empty", "normal until the bot writes; else check the bot's own path"
        )
    if not header.startswith(SQLITE_MAGIC):
        return Finding(
            "FAIL", check, f"{path} is not a SQLite database", "point the setting at the bot's own store"
        )
    return _opened(check, path, schema, wal=WAL_VERSION in header[18:20])


def _absent(check: str, path: Path) -> Finding:
    if path.parent.is_dir():
        return Finding("SKIP", check, f"{path} is not there yet; the bot writes it when it first trades")
    says = f"{path} is not there, nor is its folder"
    return Finding("WARN", check, says, "mount the bot's data folder at that path, or correct the path")


def _as_owner(path: Path) -> str:
    try:
        owner = path.parent.stat().st_uid
    except OSError:
        return "run the exporter with the bot's uid, and give that uid permission to enter the folder"
    return f"run the exporter with the bot's uid ({owner}), or give this uid read permission"


def _opened(check: str, path: Path, schema: Schema, *, wal: bool) -> Finding:
    """Open the store read-only, in the one way that leaves its folder as it was."""
    log, index = path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
    has_log = wal and log.exists() and log.stat().st_size > 0
    if has_log and not index.exists():
        says = f"{path} has rows in its -wal and no -shm beside it: a copy, or a bot that died"
        return Finding("WARN", check, says, "start the bot once, or copy the three files together")
    unreadable = [side.name for side in (log, index) if has_log and not _allowed(side, os.R_OK)]
    if unreadable:
        says = f"{' and '.join(unreadable)} beside {path} cannot be read by uid {os.geteuid()}"
        return Finding("FAIL", check, says, _as_owner(path))
    options = "mode=ro" if has_log else "mode=ro&immutable=1"
    try:
        lacking = _lacking(path, options, schema)
    except sqlite3.Error as error:
        fix = "use the bot's uid and a mount that is not read-only, so that SQLite can share its -shm"
        return Finding("FAIL", check, f"{path} cannot be opened read-only: {error}", fix)
    if lacking:
        return Finding(
            "FAIL", check, f"{path} lacks {', '.join(lacking)}", "point the setting at the right store"
        )
    journal = "WAL with its sidecars" if has_log else "WAL, cleanly closed" if wal else "rollback journal"
    return Finding("PASS", check, f"{path} is readable ({journal})")


def _lacking(path: Path, options: str, schema: Schema) -> list[str]:
    """Tables and columns of the documented schema that the store does not have; more than these is fine."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=1)
    try:
        tables = {
            str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        lacking = [f"table {table}" for table in schema if table not in tables]
        for table in schema.keys() & tables:
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
            columns = {str(row[0]) for row in rows}
            lacking += [f"column {table}.{column}" for column in sorted(schema[table] - columns)]
        return sorted(lacking)
    finally:
        connection.close()


def kill_file(check: str, path: Path) -> Finding:
    """Whether a kill file could be written here, without writing one."""
    if path.is_symlink():
        return Finding(
            "FAIL", check, f"{path} is a symbolic link", "use the plain path; links are never followed"
        )
    if path.exists():
        return Finding(
            "WARN", check, f"{path} exists: the bot is killed by it", "re-arm the bot when that is wanted"
        )
    if not path.parent.is_dir():
        return Finding(
            "WARN", check, f"the folder of {path} is not there", "mount the bot's data folder at that path"
        )
    if not _allowed(path.parent, os.W_OK | os.X_OK):
        says = f"uid {os.geteuid()} may not write in {path.parent}"
        return Finding(
            "WARN", check, says, "mount it writable and use the bot's uid, else a kill has no second path"
        )
    return Finding("PASS", check, f"{path} could be written")


def _allowed(path: Path, mode: int) -> bool:
    """Whether this process may do that, as the user it acts for."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def own_folder(folder: Path) -> Finding:
    """Whether the exporter can keep its latches; tried with a file that is removed at once."""
    check = "own folder"
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        return Finding(
            "FAIL", check, f"{there} is a file, not a folder", "set reporting_db to a path in a folder"
        )
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"latch")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        fix = f"give uid {os.geteuid()} a folder with space that it may write, and set reporting_db into it"
        return Finding("FAIL", check, f"nothing can be written in {there}: {error.strerror}", fix)
    if there != folder:
        return Finding("PASS", check, f"{folder} is not there yet and will be made at start")
    return Finding("PASS", check, f"{folder} can be written")


def time_zones() -> Finding:
    """Whether this machine knows the time zones that schedules need."""
    try:
        zoneinfo.ZoneInfo("America/New_York")
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        return Finding(
            "FAIL", "time zones", "no time zone data on this machine", "install the package tzdata"
        )
    return Finding("PASS", "time zones", "time zone data is there")


def clock(now: float) -> Finding:
    """Whether this machine's clock (epoch seconds) can be right at all; bots' clocks are compared with it."""
    earliest, latest = 1_735_689_600.0, 4_102_444_800.0  # the years 2025 and 2100
    if earliest <= now < latest:
        return Finding("PASS", "clock", "this machine's clock is plausible")
    return Finding(
        "FAIL", "clock", f"this machine's clock says epoch {now:.0f}", "set it, best by NTP (timedatectl)"
    )
