"""Keeps what the C library's allocator holds close to what the program uses; only where that is glibc.

Each thread that allocates gets an arena of its own there, and what is freed in one is of no use to the
others: with threads that read stores and one that writes the database, an exporter of ten bots would hold
twice its need.
"""

from __future__ import annotations

import ctypes
from typing import Final

# By themselves the two thresholds grow with every large batch that is freed, until hardly anything is given
# back; once set, they stay.
_OPTIONS: Final = {
    -8: 1,  # M_ARENA_MAX of malloc.h
    -3: 1 << 20,  # M_MMAP_THRESHOLD, bytes: above what a socket reads at once
    -1: 1 << 20,  # M_TRIM_THRESHOLD, bytes
}


def keep_little() -> None:
    """Let all threads share one arena, and free memory go back; to be called before there are threads."""
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        for name, value in _OPTIONS.items():
            option(name, value)


def give_back() -> None:
    """Return what is freed to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
