"""Keeps the stores in step with the engine: a row that a store does not take waits, in order, until it does.

While rows wait, nothing new may be opened: never trade without being able to record it.
"""

from collections import deque
from collections.abc import Callable

from arb_bot import StoreWriteFailed
from arb_bot.sqlite_file import SqliteFile, Statement

MOST_WAITING = 20_000
RETRY_SECONDS = 2.0


class Recorder:
    """Writes to one store.

    `on_failure` hears the sentence when a write fails, once until writes work again.
    """

    def __init__(self, file: SqliteFile, on_failure: Callable[[str], None]) -> None:
        self._file = file
        self._on_failure = on_failure
        self._waiting: deque[tuple[Statement, ...]] = deque()
        self._failing = False
        self._next_try = 0.0
        self._overflowed = False

    @property
    def healthy(self) -> bool:
        """Whether everything is written."""
        return not self._waiting and not self._failing

    def must_write(self, *statements: Statement) -> None:
        """Write in one transaction now, or raise StoreWriteFailed: what needs these rows must not happen."""
        if not self.healthy:
            raise StoreWriteFailed(f"{self._file.path.name}: earlier rows are not written yet")
        try:
            self._file.write(*statements)
        except StoreWriteFailed as exc:
            self._fail(str(exc))
            raise

    def write(self, *statements: Statement, now: float) -> None:
        """Write in one transaction, now or later: it has happened and must not be forgotten."""
        self._waiting.append(statements)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            if not self._overflowed:
                self._overflowed = True
                self._on_failure(f"{self._file.path.name}: {MOST_WAITING} rows wait, the oldest are lost")
        if not self._failing or now >= self._next_try:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Try to write what waits, oldest first; at most every two seconds while the store refuses."""
        if self._failing and now < self._next_try:
            return
        try:
            while self._waiting:
                self._file.write(*self._waiting[0])
                self._waiting.popleft()
            if self._failing:
                self._file.write()
        except StoreWriteFailed as exc:
            self._next_try = now + RETRY_SECONDS
            self._fail(str(exc))
        else:
            self._failing = False

    def _fail(self, sentence: str) -> None:
        if not self._failing:
            self._failing = True
            self._on_failure(f"{sentence}; rows are kept and written when it takes them")
