"""Keeps what the C library's allocator holds close to what the program uses; only where that is glibc.

Each thread that allocates gets an arena of its own there, and what is freed in one is of no use to the
others: with threads that read stores and one that writes the database, an exporter of ten bots would hold
twice its need.
"""

from __future__ import annotations

import ctypes
from typing import Final

_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h


def one_arena() -> None:
    """Let all threads share one arena; to be called before there are any."""
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        option(_ARENA_MAX, 1)


def give_back() -> None:
    """Return what is freed to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
