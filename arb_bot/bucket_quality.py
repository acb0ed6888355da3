"""Which buckets are worth trading, by what they have brought so far: a score, and Thompson sampling.

The score is the mean realised profit in dollars a contract, drawn towards a prior that counts as so many
observations, less a penalty for every leg above two. Where only so many buckets may be active, those
with the best draws from Beta(wins + 1, losses + 1) are: good ones mostly, little known ones now and then.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

PENALTY_FREE_LEGS = 2
RECORDS_KEPT = 2_000
"""Buckets come and go; the record that was written to longest ago goes first."""


@dataclass(frozen=True, slots=True)
class BucketRules:
    """Limits; 0 means no limit for `max_legs`, `max_failures` and `max_active`.

    `redraw_cycles` is for how many cycles a draw holds.
    """

    enabled: bool
    max_legs: int
    max_failures: int
    min_observations: int
    max_active: int
    prior_mean: float
    prior_strength: float
    min_score: float
    leg_penalty: float
    redraw_cycles: int


@dataclass(slots=True)
class Record:
    """What one bucket has brought: results in dollars a contract, and failed entries in a row."""

    wins: int = 0
    losses: int = 0
    realized: float = 0.0
    failures: int = 0

    @property
    def observations(self) -> int:
        """How many results there are."""
        return self.wins + self.losses

    def score(self, legs: int, rules: BucketRules) -> float:
        """Expected profit in dollars a contract, as the module describes it."""
        total = rules.prior_mean * rules.prior_strength + self.realized
        mean = total / (rules.prior_strength + self.observations)
        return mean - rules.leg_penalty * max(0, legs - PENALTY_FREE_LEGS)


class BucketQuality:
    """The records of all buckets by group id, and the draws that hold at the moment."""

    def __init__(self, seed: str) -> None:
        self._rng = random.Random(f"{seed}:buckets")  # noqa: S311 - a choice, no secret
        self._records: dict[str, Record] = {}
        self._draws: dict[str, float] = {}
        self._drawn_for = 0

    def realized(self, group_id: str, per_contract: float) -> None:
        """A result came in, dollars a contract."""
        record = self._record(group_id)
        record.realized += per_contract
        if per_contract > 0.0:
            record.wins += 1
        else:
            record.losses += 1

    def entered(self, group_id: str, *, hedged: bool) -> None:
        """An entry ended with complete sets, or failed."""
        record = self._record(group_id)
        record.failures = 0 if hedged else record.failures + 1

    def admitted(self, legs_by_group: Mapping[str, int], rules: BucketRules) -> frozenset[str]:
        """The groups that may be traded in this cycle, of those that are offered with so many legs."""
        fit = [group for group, legs in sorted(legs_by_group.items()) if self._fits(group, legs, rules)]
        if not rules.enabled or rules.max_active == 0:
            return frozenset(fit)
        self._drawn_for += 1
        if self._drawn_for > rules.redraw_cycles:
            self._draws.clear()
            self._drawn_for = 1
        for group in fit:
            if group not in self._draws:
                record = self._records.get(group, Record())
                self._draws[group] = self._rng.betavariate(record.wins + 1, record.losses + 1)
        return frozenset(sorted(fit, key=lambda group: -self._draws[group])[: rules.max_active])

    def _record(self, group: str) -> Record:
        """The record to write to, the newest of all then."""
        record = self._records[group] = self._records.pop(group, Record())
        if len(self._records) > RECORDS_KEPT:
            del self._records[next(iter(self._records))]
        return record

    def _fits(self, group: str, legs: int, rules: BucketRules) -> bool:
        record = self._records.get(group, Record())
        if rules.max_legs and legs > rules.max_legs:
            return False
        if rules.max_failures and record.failures >= rules.max_failures:
            return False
        known = rules.enabled and record.observations >= rules.min_observations
        return not known or record.score(legs, rules) >= rules.min_score
