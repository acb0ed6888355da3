"""Keeps made-up ledgers between runs: a million results take minutes to write."""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.ledger_generator import DAYS, make

_ROOT: Final = Path(__file__).parents[1]
_MAKERS: Final = (
    "benchmarks/ledger_generator.py",
    "benchmarks/ledger_markets.py",
    "benchmarks/ledger_trades.py",
    "arb_bot/analytics_store.py",
    "arb_bot/order_store.py",
)
"""What decides what stands in a ledger."""
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


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _MAKERS:
        digest.update((_ROOT / name).read_bytes())
    return digest.hexdigest()[:12]
