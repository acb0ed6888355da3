"""How long to wait before trying a bot's socket again, and what to call the failure.

Pure: the random source is passed in, nothing here sleeps or connects.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from random import Random

from exporter.errors import LinkLost

FIRST_SECONDS = 0.5
LIMIT_SECONDS = 15.0

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_WORDS: tuple[tuple[type[OSError], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection reset"),
    (TimeoutError, "no answer from the host"),
    (socket.gaierror, "host name not found"),
)


def delays(random: Random, first: float = FIRST_SECONDS, limit: float = LIMIT_SECONDS) -> Iterator[float]:
    """Seconds to wait before each further attempt, without end.

    The ceiling doubles from `first` to `limit`; each delay lies in the upper half below its ceiling, so that
    many exporters do not knock in step, and never below `first`.
    """
    ceiling = first
    while True:
        yield random.uniform(max(first, ceiling / 2), ceiling)
        ceiling = min(limit, ceiling * 2)


def describe(error: OSError | LinkLost) -> str:
    """A failed or ended link in the few words that an operator reads beside DISCONNECTED."""
    if isinstance(error, LinkLost):
        return str(error)
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if error.errno in _UNREACHABLE:
        return "host unreachable"
    return error.strerror or type(error).__name__
