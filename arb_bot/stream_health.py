"""Whether a venue's quotes come as they should: `recovering`, `connected`, `degraded`, `poll_only`.

It starts as recovering and is connected with the first fresh quote. A venue that does not answer is
degraded and asked again five seconds later; its first answer makes it recovering. Answers without anything
fresh for too long make it poll-only, and every half minute the stream is tried again. Pure: time and
answers are passed in.
"""

from dataclasses import dataclass

CONNECTED, DEGRADED, POLL_ONLY, RECOVERING = "connected", "degraded", "poll_only", "recovering"
RESTART_SECONDS = 5.0
LEAST_STALE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds without a fresh quote a stream is stale, what it is then, when it is retried."""

    stale: float
    poll_only: bool
    retry: float

    @classmethod
    def of(cls, poll_interval: float, configured: float, poll_only: bool, retry: float) -> "Patience":
        """Stale after 30 seconds, two polls or what is configured, whichever is longest."""
        return cls(max(LEAST_STALE_SECONDS, 2.0 * poll_interval, configured), poll_only, retry)


class StreamHealth:
    """One venue's stream. `reconnects` and `gaps` count since the start; times in epoch seconds."""

    def __init__(self, now: float) -> None:
        self.status = RECOVERING
        self.reconnects = 0
        self.gaps = 0
        self._seen_connected = False
        self._fresh_at = now
        self._newest = 0.0
        self._retry_at = now

    def due(self, now: float) -> bool:
        """Whether to ask the venue now: always, except right after it did not answer."""
        return self.status != DEGRADED or now >= self._retry_at

    def failed(self, now: float) -> None:
        """The venue did not answer."""
        if self.status == CONNECTED:
            self.gaps += 1
        self.status = DEGRADED
        self._retry_at = now + RESTART_SECONDS

    def answered(self, newest: float | None, now: float, patience: Patience) -> None:
        """The venue answered; `newest` is the time of its newest good quote, None where it gave none."""
        fresh = newest is not None and newest > self._newest
        if newest is not None:
            self._newest = max(self._newest, newest)
        if fresh:
            self._fresh_at = now
        if self.status == DEGRADED:
            self.status = RECOVERING
        elif self.status == POLL_ONLY and now >= self._retry_at:
            self.status, self._retry_at = RECOVERING, now + patience.retry
        elif self.status == RECOVERING and fresh:
            self.status = CONNECTED
            self.reconnects += self._seen_connected
            self._seen_connected = True
        elif not fresh and self.status != POLL_ONLY and now - self._fresh_at >= patience.stale:
            self.gaps += self.status == CONNECTED
            self.status = POLL_ONLY if patience.poll_only else DEGRADED
            self._retry_at = now + patience.retry

    def rested(self, now: float) -> None:
        """A planned quiet: nothing is expected, and nothing is late."""
        self._fresh_at = now
