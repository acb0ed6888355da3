"""Keeps made-up ledgers between runs: a million results take minutes to write."""

import contextlib
import functools
import hashlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.ledger_generator import ANALYTICS, DAYS, ORDERS, make

_TOLD_BY: Final = 40
"""A ledger of so few results says whether larger ones that were made before are still what would be made."""
_SAID_EVERY: Final = 5.0


def ledger(fills: int, *, days: float = DAYS) -> Path:
    """The folder of a ledger of so many results, made where there is none yet. Nobody may write to it."""
    folder = _kept() / f"{fills}-{days:g}-{_fingerprint()}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        said = _Said(fills)
        make(unfinished, fills, days=days, progress=said.so_far)
        with contextlib.suppress(OSError):  # another run was quicker
            unfinished.rename(folder)
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def copy(folder: Path, to: Path) -> Path:
    """A copy of a ledger that may be written to."""
    return Path(shutil.copytree(folder, to))


class _Said:
    """Progress on standard error, a line every few seconds."""

    def __init__(self, fills: int) -> None:
        self._fills = fills
        self._began = self._next = time.monotonic()

    def so_far(self, done: int) -> None:
        """Say how far it is, unless that was said just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SAID_EVERY
            print(f"\n  ledger: {done:,} of {self._fills:,} results", end="", file=sys.stderr, flush=True)


def _kept() -> Path:
    """A folder that only this user may enter; somebody else's of the same name is refused."""
    folder = Path(tempfile.gettempdir()) / f"tradebot-ledgers-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


@functools.cache
def _fingerprint() -> str:
    """Changes when the code that makes ledgers would write other rows than it did."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), _TOLD_BY)
        for store in (ORDERS, ANALYTICS):
            with contextlib.closing(sqlite3.connect(Path(folder) / store)) as db:
                digest.update("\n".join(db.iterdump()).encode())
    return digest.hexdigest()[:12]
