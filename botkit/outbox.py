"""What waits to be sent to one client, in order: of states only the newest are kept, answers are never lost.

One queue for both: an answer never overtakes a state that was queued before it.
"""

from collections import deque
from typing import Final

ANSWERS: Final = 64
ANSWER_BYTES: Final = 256 * 1024


class Outbox:
    """The queue of one client: at most `states` lines of the droppable kind.

    Answers are not limited here: who fills the outbox stops taking commands while it is `crowded`.
    """

    def __init__(self, states: int) -> None:
        self._limit = states
        self._lines: deque[tuple[bool, bytes]] = deque()
        self._states = 0
        self._answers = 0
        self._answer_bytes = 0

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def crowded(self) -> bool:
        """Whether so many answers wait that no further command should be taken."""
        return self._answers >= ANSWERS or self._answer_bytes >= ANSWER_BYTES

    def put_state(self, line: bytes) -> bool:
        """Queue a line that may be lost; return whether the oldest of its kind was lost for it."""
        full = self._states >= self._limit
        if full:
            oldest = next(i for i, (is_answer, _) in enumerate(self._lines) if not is_answer)
            del self._lines[oldest]
        else:
            self._states += 1
        self._lines.append((False, line))
        return full

    def put_answer(self, line: bytes) -> None:
        """Queue a line that is never lost."""
        self._answers += 1
        self._answer_bytes += len(line)
        self._lines.append((True, line))

    def take(self) -> bytes | None:
        """Return the next line to send, None when nothing waits."""
        if not self._lines:
            return None
        is_answer, line = self._lines.popleft()
        if is_answer:
            self._answers -= 1
            self._answer_bytes -= len(line)
        else:
            self._states -= 1
        return line
