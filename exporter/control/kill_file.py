"""The second path to a bot: the file that stops it, written and removed without ever following a link.

A bot halts while anything at all stands at the path, so the name comes first and who, when and why after it.
Only what this console wrote is taken away again. Errors: KillFileNotWritten, KillFileLeft.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Final

from exporter.control.kill import Order
from exporter.errors import KillFileLeft, KillFileNotWritten
from exporter.fields import finite

WRITER: Final = "tradebot-console"
LONGEST: Final = 64 * 1024  # bytes that are read of a file to find out whose it is


def usable(path: Path) -> bool:
    """Whether a kill could be written there now."""
    folder = path.parent
    try:
        return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def stands(path: Path) -> bool:
    """Whether anything is there, a dangling link included; raises OSError where nobody can tell."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def write(path: Path, order: Order) -> None:
    """Have a kill file there, on disk when this returns; raises KillFileNotWritten.

    Whatever stands there already stays: also a link stops the bot, and is not followed. A disk so full that
    it takes the name and not the content stops the bot as well.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return
    except OSError as error:
        raise KillFileNotWritten(f"the kill file {path} cannot be written: {error.strerror}") from error
    with contextlib.suppress(OSError), os.fdopen(handle, "wb", buffering=0) as file:
        os.fchmod(handle, 0o644)  # whatever this program's umask: the bot may run as somebody else
        file.write(json.dumps(_content(order)).encode() + b"\n")
        os.fsync(handle)
    with contextlib.suppress(OSError):
        _sync(path.parent)


def remove(path: Path) -> None:
    """Take our kill file away, on disk when this returns; raises KillFileLeft with why one still stands."""
    try:
        if not stands(path):
            return
        if _ours(path) is None:
            raise KillFileLeft(f"the kill file {path} was not written by this console and was left there")
        path.unlink()
        _sync(path.parent)
    except OSError as error:
        raise KillFileLeft(f"the kill file {path} cannot be removed: {error.strerror}") from error


def written_by(path: Path) -> Order | None:
    """The order for which this console wrote the file that stands there; None where none of ours does."""
    content = _ours(path)
    if content is None:
        return None
    by, reason = str(content.get("by", "")), str(content.get("reason", ""))
    return Order(str(content.get("id", "")), by, "kill file", reason, finite(content.get("ts")) or 0.0)


def _content(order: Order) -> dict[str, object]:
    by = f"{order.who} ({order.source})"
    return {"by": by, "ts": order.sent_at, "reason": order.reason, "writer": WRITER, "id": order.id}


def _ours(path: Path) -> dict[str, object] | None:
    """The content of a regular file with our mark; None where none stands there that can be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = json.loads(file.read(LONGEST))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("writer") == WRITER else None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
