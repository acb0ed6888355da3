"""The second path to a bot: the file that stops it, written and removed without ever following a link.

A bot halts while anything at all stands at the path. What is written there is whole or absent, never half;
what stands there already stays. Only what this console wrote is taken away again. Errors: KillFileNotWritten,
KillFileLeft.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from exporter.control.kill import Order
from exporter.errors import KillFileLeft, KillFileNotWritten

WRITER: Final = "tradebot-console"
LONGEST: Final = 64 * 1024  # bytes that are read of a file to find out whose it is


def usable(path: Path) -> bool:
    """Whether a kill could be written there now."""
    folder = path.parent
    try:
        return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def write(path: Path, order: Order) -> None:
    """Have a kill file there, on disk when this returns; raises KillFileNotWritten.

    A link at the path stops the bot as well as a file does, and is left as it is.
    """
    try:
        if _stands(path):
            return
        handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".draft", dir=path.parent)
        try:
            with os.fdopen(handle, "w") as file:
                os.fchmod(handle, 0o644)  # the bot may run as somebody else
                json.dump(_content(order), file)
                file.write("\n")
                file.flush()
                os.fsync(handle)
            with contextlib.suppress(FileExistsError):
                os.link(draft, path, follow_symlinks=False)  # unlike a rename it replaces nothing
        finally:
            Path(draft).unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise KillFileNotWritten(f"the kill file {path} cannot be written: {error.strerror}") from error


def remove(path: Path) -> None:
    """Take our kill file away, on disk when this returns; raises KillFileLeft with why one still stands."""
    try:
        if not _stands(path):
            return
        if not _is_ours(path):
            raise KillFileLeft(f"the kill file {path} was not written by this console and was left there")
        path.unlink()
        _sync(path.parent)
    except OSError as error:
        raise KillFileLeft(f"the kill file {path} cannot be removed: {error.strerror}") from error


def _content(order: Order) -> dict[str, object]:
    by = f"{order.who} ({order.source})"
    return {"by": by, "ts": order.sent_at, "reason": order.reason, "writer": WRITER, "id": order.id}


def _stands(path: Path) -> bool:
    """Whether anything is there, a dangling link included."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _is_ours(path: Path) -> bool:
    """Whether a regular file with our mark stands there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return False
        try:
            content = json.loads(file.read(LONGEST))
        except ValueError:
            return False
    return isinstance(content, dict) and content.get("writer") == WRITER


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
