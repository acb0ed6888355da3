"""Whether a bot goes on opening positions after its daily loss cap was breached.

Pure; messages and the time are passed in, after the view has taken them. What counts as an opening is what
`exporter.control.evidence` and a bot's order intents say: a planned closing or unwinding is none. The cycle
under way when the breach was seen may still end, and so may an order that was sent before; whoever raised
the cap since, or took it away, has allowed what fits under the new one. What is found is kept with the breach
and ends with its UTC day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from exporter.control.evidence import Witness
from exporter.control.kill import BUILT_BEFORE_SLACK_SECONDS, INTERVAL_WHILE_UNKNOWN
from exporter.control.proof import Sighting
from exporter.losscap import Breach, day_of
from exporter.view import BotView

GRACE_INTERVALS: Final = 2.0
"""After so many of a bot's intervals since the breach no cycle that was under way then can still end."""

LEAST_GRACE_SECONDS: Final = 5.0
"""By which a time in a bot's books has to come after the breach: two clocks are told apart no better."""


class CapGuard:
    """Watches one bot for as long as its cap is breached, and otherwise costs nothing."""

    __slots__ = ("_breach", "_cycles", "_view", "_witness")

    def __init__(self, view: BotView) -> None:
        self._view = view
        self._breach: tuple[str, float] | None = None
        self._witness = Witness()
        self._cycles = 0

    def heard(self, message: Mapping[str, object], now: float) -> None:
        """A message came that the view has taken."""
        if (breach := self._unanswered(now)) is None:
            return
        if self._breach != (breach.day, breach.at):
            self._breach, self._witness, self._cycles = (breach.day, breach.at), Witness(), 0
        evidence = self._witness.heard(self._view, message, now)
        if evidence is None or not evidence.new_cycle or day_of(evidence.state.ts, now) != breach.day:
            return
        seen = evidence.of(None)
        if self._is_past_grace(seen, breach) and seen.opening and not self._excused(seen, breach, now):
            self._opened(breach, now, seen.opening)

    def ledger_opened(self, created_at: float, what: str, now: float) -> None:
        """The bot's books have an order that was begun at `created_at`, by the bot's own clock."""
        breach = self._unanswered(now)
        here = created_at - (self._view.clock_skew or 0.0)
        grace = max(self._interval, LEAST_GRACE_SECONDS)
        if breach is None or not breach.at + grace < here <= now + INTERVAL_WHILE_UNKNOWN:
            return
        if not self._has_room(breach, now):
            self._opened(breach, now, what)

    @property
    def _interval(self) -> float:
        return self._view.cadence.expected_interval or INTERVAL_WHILE_UNKNOWN

    def _unanswered(self, now: float) -> Breach | None:
        """The breach that holds, while nothing is known to have been opened in spite of it."""
        breach = self._view.latch.active(now)
        return breach if breach is not None and breach.opened_at is None else None

    def _is_past_grace(self, seen: Sighting, breach: Breach) -> bool:
        """Whether the cycle began after the breach was seen; the first one that ends after it did not."""
        built_at = seen.at if seen.built_at is None else seen.built_at
        if built_at <= breach.at + BUILT_BEFORE_SLACK_SECONDS:
            return False
        self._cycles += 1
        return self._cycles > 1 or built_at > breach.at + GRACE_INTERVALS * self._interval

    def _excused(self, seen: Sighting, breach: Breach, now: float) -> bool:
        """Whether what was opened was ordered before the breach, or fits under a cap raised since."""
        late_fill = seen.ordered_at is not None and not seen.ordered_since(breach.at)
        return late_fill or self._has_room(breach, now)

    def _has_room(self, breach: Breach, now: float) -> bool:
        cap, sight = self._view.cap, self._view.at(now)
        if cap is None or breach.cap is None or 0 < cap <= breach.cap:
            return False
        return cap <= 0 or (sight.headroom is not None and sight.headroom.remaining > 0)

    def _opened(self, breach: Breach, now: float, what: str) -> None:
        self._view.latch.breach = replace(breach, opened_at=now, opening=what)
