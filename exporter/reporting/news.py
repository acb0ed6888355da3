"""Records what happens to bots, and sums up what happens too often for a chain that is kept for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exporter.reporting.throttle import Sum, Throttle

Record = Callable[..., None]
"""`EventLog.record`."""

FLAPPING: Final = "flapping"


class News:
    """Events of bots on their way into the log, throttled by bot and group (exporter.reporting.throttle)."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._throttle = Throttle()

    def tell(self, kind: str, group: str, now: float, *, bot: str, what: str, **told: object) -> bool:
        """Record an event, or count it where its group has had too many; `told` goes to `EventLog.record`.

        Returns whether it was recorded by itself.
        """
        self.tick(now)
        key = bot, group
        if self._throttle.passes(key, kind, what, now):
            self._record(kind, bot=bot, what=what, **told)
            return True
        if self._throttle.begins(key):
            says = f"too many changes of {group}: from now on they are summed up"
            self._record(FLAPPING, bot=bot, severity="warning", source="exporter", what=says)
        return False

    def tick(self, now: float, *, last: bool = False) -> None:
        """Record the sums that are due; at the end of the program all of them."""
        for held in self._throttle.ended(now, all_of_them=last):
            self._tell_sum(held)

    def _tell_sum(self, held: Sum) -> None:
        bot, group = held.key
        counts = ", ".join(f"{count} × {kind}" for kind, count in held.counts.most_common())
        self._record(
            FLAPPING,
            bot=bot,
            severity="warning",
            source="exporter",
            what=f"changes of {group} in {(held.until - held.since) / 60:.0f} minutes: {counts}",
            why=f"the last one: {held.last}",
            data={"since": held.since, "until": held.until, "counts": dict(held.counts)},
        )
