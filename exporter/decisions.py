"""Counts what a bot decided and why, and finds the one reason that blocks it.

Pure. A decision list belongs to one cycle and is counted once. Reasons lose their ids: everything from ` (`
on, and everything after `kill switch:`, so that `kill switch: venue kill switch active (x, Y)` is `kill
switch`.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from exporter.labels import OTHER, Labels

MOST_COUNTS: Final = 1_000
"""Different counts of one bot; 100 values of each label would make a million of them."""

SKIPPED: Final = "skipped"
OPENINGS: Final = frozenset({"filled", "dry_run", "execution_failed"})
"""Actions with which a bot tried to open something."""

WINDOW_SECONDS: Final = 30 * 60
SLICE_SECONDS: Final = 60
MANY_SKIPS: Final = 30
ONE_REASON: Final = 0.8

_ARB_KINDS: Final = (
    "intra_venue",
    "cross_venue",
    "structural_bucket",
    "structural_event_tree",
    "structural_parity",
)
_ARB_OUTCOMES: Final = (
    ("dry_run", "paper_position_opened"),
    ("filled", "executed"),
    ("settled", "paper_position_settled"),
)
BORN_AT_ZERO: Final = {
    "arb": tuple((kind, action, reason) for kind in _ARB_KINDS for action, reason in _ARB_OUTCOMES)
}
"""By kind of bot, the counts that exist before the first such decision, so that increase() sees it too."""


def reduced(reason: str) -> str:
    """A reason without the ids and figures that make each one unique."""
    if reason.startswith("kill switch:"):
        return "kill switch"
    return reason.partition(" (")[0]


@dataclass(frozen=True, slots=True)
class Blocked:
    """More than 30 skips in 30 minutes, no opening, and one reason above 80 % of the skips."""

    reason: str
    since: float


class Decisions:
    """Counts since this exporter started, and the last 30 minutes in slices of one minute."""

    __slots__ = ("_labels", "_openings", "_skips", "_slices", "blocked", "counts")

    def __init__(self, labels: Labels, kind: str) -> None:
        self._labels = labels
        self.counts: dict[tuple[str, str, str], int] = dict.fromkeys(BORN_AT_ZERO.get(kind, ()), 0)
        """By (kind, action, reduced reason); past MOST_COUNTS all `other`."""
        self.blocked: Blocked | None = None
        self._slices: deque[_Slice] = deque()
        self._skips: Counter[str] = Counter()
        self._openings = 0

    def take(self, decisions: list[object], now: float) -> int:
        """Count the decisions of one cycle; returns how many of them could not be read."""
        current, labels = self._slice(now), self._labels
        readable = Counter(found for decision in decisions if (found := _read(decision)) is not None)
        for (raw_kind, raw_action, raw_reason), times in readable.items():
            action, reason = labels.action(raw_action), labels.reason(raw_reason)
            counted = labels.kind(raw_kind), action, reason
            if counted not in self.counts and len(self.counts) >= MOST_COUNTS:
                counted = OTHER, OTHER, OTHER
            self.counts[counted] = self.counts.get(counted, 0) + times
            if action == SKIPPED:
                current.skips[reason] += times
                self._skips[reason] += times
            elif action in OPENINGS:
                current.openings += times
                self._openings += times
        self._judge(now)
        return len(decisions) - readable.total()

    def _slice(self, now: float) -> _Slice:
        """The slice of this minute; slices that left the window are taken out of the sums."""
        if not self._slices or now >= self._slices[-1].begins + SLICE_SECONDS:
            self._slices.append(_Slice(now, Counter(), 0))
        while self._slices[0].begins <= now - WINDOW_SECONDS:
            gone = self._slices.popleft()
            self._skips -= gone.skips
            self._openings -= gone.openings
        return self._slices[-1]

    def _judge(self, now: float) -> None:
        total = sum(self._skips.values())
        reason = max(self._skips, key=self._skips.__getitem__, default="")
        if self._openings or total <= MANY_SKIPS or self._skips[reason] <= ONE_REASON * total:
            self.blocked = None
        elif self.blocked is None or self.blocked.reason != reason:
            self.blocked = Blocked(reason, now)


def _read(decision: object) -> tuple[str, str, str] | None:
    """Kind, action and reduced reason, or None for what is no decision."""
    if not isinstance(decision, dict):
        return None
    kind, action, reason = decision.get("kind"), decision.get("action"), decision.get("reason")
    if not (isinstance(kind, str) and isinstance(action, str) and isinstance(reason, str)):
        return None
    return kind, action, reduced(reason)


@dataclass(slots=True)
class _Slice:
    begins: float
    skips: Counter[str]
    openings: int
