"""Which buckets are traded: score, limits, and a choice by Thompson sampling that a seed repeats."""

from dataclasses import replace

import pytest

from arb_bot import decision
from arb_bot.bucket_quality import RECORDS_KEPT, BucketQuality, BucketRules, Record
from arb_bot.decision import Decision
from arb_bot.experience import Experience, Result
from arb_bot.policy import Confidence

RULES = BucketRules(
    enabled=True,
    max_legs=0,
    max_failures=3,
    min_observations=8,
    max_active=0,
    prior_mean=0.002,
    prior_strength=12.0,
    min_score=-0.02,
    leg_penalty=0.00025,
    redraw_cycles=25,
)


def quality(**results: list[float]) -> BucketQuality:
    made = BucketQuality("1")
    for group, amounts in results.items():
        for amount in amounts:
            made.realized(group, amount)
    return made


def test_the_score_is_the_mean_drawn_towards_the_prior_less_the_legs_above_two() -> None:
    assert Record().score(2, RULES) == pytest.approx(0.002)
    assert Record().score(5, RULES) == pytest.approx(0.002 - 3 * 0.00025)
    assert Record(wins=8, realized=0.16).score(2, RULES) == pytest.approx((0.024 + 0.16) / 20)


def test_a_bucket_that_loses_is_left_alone_once_enough_is_known() -> None:
    bad = [-0.06] * 8
    assert quality(a=bad[:7]).admitted({"a": 3}, RULES) == {"a"}
    assert quality(a=bad).admitted({"a": 3, "b": 3}, RULES) == {"b"}
    assert quality(a=bad).admitted({"a": 3}, replace(RULES, min_score=-1.0)) == {"a"}
    assert quality(a=bad).admitted({"a": 3}, replace(RULES, enabled=False)) == {"a"}


def test_too_many_legs_are_left_alone_whatever_the_record() -> None:
    rules = replace(RULES, max_legs=4, enabled=False)
    assert quality().admitted({"a": 4, "b": 5}, rules) == {"a"}


def test_failures_in_a_row_end_a_bucket_and_a_success_starts_the_count_again() -> None:
    made = quality()
    for hedged in (False, False, True, False, False):
        made.entered("a", hedged=hedged)
    assert made.admitted({"a": 3}, RULES) == {"a"}
    made.entered("a", hedged=False)
    assert made.admitted({"a": 3}, RULES) == frozenset()
    assert made.admitted({"a": 3}, replace(RULES, max_failures=0)) == {"a"}


def test_only_so_many_are_active_good_ones_mostly_and_unknown_ones_now_and_then() -> None:
    made = quality(good=[0.02] * 6 + [-0.01], bad=[-0.01] * 6 + [0.02])
    rules = replace(RULES, max_active=1, redraw_cycles=1)
    groups = {"good": 3, "bad": 3, "new": 3}
    chosen = [next(iter(made.admitted(groups, rules))) for _ in range(400)]
    share = {group: chosen.count(group) / len(chosen) for group in groups}
    assert share["good"] > share["new"] > share["bad"]
    assert share["new"] > 0.05


def test_a_choice_holds_for_its_cycles_and_a_seed_repeats_it() -> None:
    rules = replace(RULES, max_active=2, redraw_cycles=10)
    groups = {f"g{number}": 3 for number in range(8)}
    runs = []
    for _ in range(2):
        made = BucketQuality("7")
        runs.append([made.admitted(groups, rules) for _ in range(40)])
    assert runs[0] == runs[1]
    assert all(len(set(runs[0][start : start + 10])) == 1 for start in range(0, 40, 10))
    assert len(set(runs[0])) > 1


def test_records_of_buckets_that_are_long_gone_take_no_memory() -> None:
    made = quality(a=[-0.06] * 8)
    for number in range(RECORDS_KEPT - 1):
        made.realized(f"other {number}", 0.01)
    assert made.admitted({"a": 3}, RULES) == frozenset()
    made.realized("one more", 0.01)
    assert made.admitted({"a": 3}, RULES) == {"a"}, "nothing is known of it any more"


def test_experience_takes_bucket_records_from_results_and_entries() -> None:
    past = [Result("structural_bucket", "a", -0.06, 0.02)] * 8 + [Result("cross_venue", "b", 0.02, 0.02)]
    experience = Experience("1", past)
    assert experience.buckets.admitted({"a": 3, "b": 3}, RULES) == {"b"}
    failed = Decision(decision.EXECUTION_FAILED, "structural_bucket", "c", "one or more legs failed", 0.02)
    experience.concluded([failed, failed, failed, replace(failed, kind="intra_venue", match_key="d")])
    skipped = Decision(decision.SKIPPED, "structural_bucket", "e", "paper_no_fill", 0.02)
    experience.concluded([skipped] * 5)
    assert experience.buckets.admitted({"c": 3, "d": 3, "e": 3}, RULES) == {"d", "e"}


def test_confidence_counts_the_newest_results_of_its_window() -> None:
    experience = Experience("1", [Result("cross_venue", "a", 0.0, 0.02)] * 300)
    rules = Confidence(enabled=True, window=200, sensitivity=1.0, floor=0.25)
    assert experience.confidence(rules) == pytest.approx(0.5)
    for _ in range(200):
        experience.realized(Result("cross_venue", "a", 0.02, 0.02))
    assert experience.confidence(rules) == 1.0
    assert experience.confidence(replace(rules, window=400)) == pytest.approx(1 / 1.5)
    assert experience.confidence(replace(rules, window=400, enabled=False)) == 1.0
