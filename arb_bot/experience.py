"""What results so far teach the sizing: how far expectations came true, and how each bucket does."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from arb_bot import decision, kelly
from arb_bot.bucket_quality import BucketQuality
from arb_bot.decision import Decision
from arb_bot.lanes import STRUCTURAL_BUCKET
from arb_bot.policy import Confidence

RESULTS_KEPT = 5_000
"""As many as the longest window of the settings."""


@dataclass(frozen=True, slots=True)
class Result:
    """One realised result, in dollars a contract: what came, and what the plan had promised."""

    kind: str
    match_key: str
    realized: float
    expected: float


class Experience:
    """Results of this and earlier sessions, the newest last; bucket records grow with them."""

    def __init__(self, seed: str, past: Iterable[Result] = ()) -> None:
        self.buckets = BucketQuality(seed)
        self._results: deque[Result] = deque(maxlen=RESULTS_KEPT)
        for result in past:
            self.realized(result)

    def realized(self, result: Result) -> None:
        """A settlement or an unwinding came in."""
        self._results.append(result)
        if result.kind == STRUCTURAL_BUCKET:
            self.buckets.realized(result.match_key, result.realized)

    def concluded(self, decisions: Iterable[Decision]) -> None:
        """Entries ended, well or badly; other decisions say nothing about a bucket."""
        for verdict in decisions:
            if verdict.kind != STRUCTURAL_BUCKET:
                continue
            if verdict.action in (decision.DRY_RUN, decision.EXECUTION_FAILED):
                self.buckets.entered(verdict.match_key, hedged=verdict.action == decision.DRY_RUN)

    def confidence(self, rules: Confidence) -> float:
        """The factor on Kelly's fraction, 0..1; 1 where it is switched off."""
        if not rules.enabled:
            return 1.0
        newest = [(r.realized, r.expected) for r in islice(reversed(self._results), rules.window)]
        return kelly.confidence(newest, sensitivity=rules.sensitivity, floor=rules.floor)
