"""The kill file on disk: seen with one `lstat`; after a crash it is whole or absent, never half.

Whatever stands at the path counts as a kill: an empty file, a folder, a dangling link. Links are never
followed.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


class KillFileError(OSError):
    """The kill file can't serve: its folder is missing, so nobody could kill this bot by file."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who killed the bot, when (epoch seconds) and why: the content of the file."""

    by: str
    ts: float
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found: `since` is the file's own time, `fault` why the path could not be read."""

    exists: bool
    since: float = 0.0
    fault: str = ""


_ABSENT = Seen(exists=False)


def require_folder(path: Path) -> None:
    """Raise KillFileError unless the folder of the kill file exists."""
    if not path.parent.is_dir():
        raise KillFileError(
            f"the folder of the kill file {path} does not exist, so it could never be created"
        )


def look(path: Path) -> Seen:
    """Look for the file, in one system call; a path that cannot be read is a fault, not an absence."""
    try:
        return Seen(exists=True, since=os.lstat(path).st_mtime)
    except FileNotFoundError:
        return _ABSENT
    except (OSError, ValueError) as exc:
        return Seen(exists=False, fault=_why(exc))


def write(path: Path, order: Order) -> None:
    """Create the file, on disk when this returns; one that is there already stays. Raises OSError."""
    if look(path).exists:
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.write(handle, json.dumps(asdict(order)).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    _sync_folder(path)


def remove(path: Path) -> None:
    """Remove the file, also on disk when this returns; a missing one is fine. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
