"""The doctor's checks of this machine: stores and kill files of bots, the own folder, zones and clock.

Nothing here creates, changes or locks a bot's file; stores are opened as the mirror opens them.
"""

from __future__ import annotations

import os
import tempfile
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from exporter.config import BotConfig
from exporter.findings import Finding, Level
from exporter.reporting.sources import EMPTY, LOCKED, MISSING, WAL_ONLY, StoreTrouble, all_lacking, opened
from exporter.reporting.tables import MIRRORED, Table

_LEVELS: Mapping[str, Level] = {EMPTY: "WARN", LOCKED: "WARN", WAL_ONLY: "WARN"}


def files_of(bot: BotConfig) -> Iterator[Finding]:
    """All findings about one bot's files."""
    for name, path in bot.stores.items():
        yield store(f"{bot.name} store {name}", path, MIRRORED.get((bot.kind, name), ()))
    if bot.kill_file is not None:
        yield kill_file(f"{bot.name} kill file", bot.kill_file)


def store(check: str, path: Path, tables: Sequence[Table]) -> Finding:
    """Whether a bot's SQLite store can be read as it is, by this user, without touching it."""
    try:
        with opened(path) as found:
            missing = all_lacking(found.connection, tables)
    except StoreTrouble as trouble:
        level = _LEVELS.get(trouble.status, "FAIL")
        if trouble.status == MISSING:
            level = "WARN" if trouble.fix else "SKIP"
        return Finding(level, check, str(trouble), trouble.fix)
    if missing:
        return Finding(
            "FAIL", check, f"{path} lacks {', '.join(missing)}", "point the setting at the right store"
        )
    return Finding("PASS", check, f"{path} is readable ({found.how})")


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
