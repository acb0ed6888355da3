"""Counts of decisions by reduced reason, and the one reason that blocks a bot."""

import pytest

from exporter.decisions import MOST_COUNTS, Decisions, reduced
from exporter.labels import Labels
from tests.doubles.messages import decision

CAP = "venue exposure cap reached (kalshi)"


def skipped(reason: str = CAP, times: int = 1) -> list[object]:
    return [decision(action="skipped", reason=reason)] * times


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("paper_position_opened", "paper_position_opened"),
        ("market cooldown active (kalshi/KX-1:yes)", "market cooldown active"),
        ("open market cap reached (kalshi; intra reserve)", "open market cap reached"),
        ("kill switch: kill switch file exists (/data/.kill_switch)", "kill switch"),
        (
            "kill switch: daily loss cap breached (realized=-10.2, cap=10.0); safe mode active (x)",
            "kill switch",
        ),
        (
            "legging aborted: quote drift or time window exceeded",
            "legging aborted: quote drift or time window exceeded",
        ),
        ("", ""),
    ],
)
def test_a_reason_loses_what_makes_each_one_unique(reason, short):
    assert reduced(reason) == short


def test_decisions_are_counted_by_kind_action_and_reduced_reason():
    counted = Decisions(Labels(), "ema")
    counted.take([*skipped(), *skipped("venue exposure cap reached (polymarket)"), decision()], 0)
    assert counted.counts == {
        ("intra_venue", "skipped", "venue exposure cap reached"): 2,
        ("intra_venue", "dry_run", "paper_position_opened"): 1,
    }


def test_the_outcomes_that_matter_are_born_at_zero():
    counts = Decisions(Labels(), "arb").counts
    assert counts["cross_venue", "filled", "executed"] == 0
    assert set(counts.values()) == {0}


def test_what_is_no_decision_is_left_out_and_told():
    counted = Decisions(Labels(), "ema")
    nonsense = [
        5,
        None,
        {},
        {"kind": 1, "action": "x", "reason": "y"},
        {"kind": "a", "action": "b", "reason": None},
    ]
    assert counted.take([*nonsense, decision()], 0) == 5
    assert sum(counted.counts.values()) == 1


def test_a_bot_that_invents_reasons_fills_100_labels_and_then_other():
    counted = Decisions(Labels(), "ema")
    counted.take([decision(action="skipped", reason=f"reason {number}") for number in range(500)], 0)
    assert len(counted.counts) == 101
    assert counted.counts["intra_venue", "skipped", "other"] == 400


def test_many_skips_for_one_reason_and_no_opening_is_blocked_since_the_first_sight_of_it():
    counted = Decisions(Labels(), "arb")
    counted.take(skipped(times=30), 100)
    assert counted.blocked is None
    counted.take(skipped(), 160)
    counted.take(skipped(), 220)
    assert counted.blocked is not None
    assert (counted.blocked.reason, counted.blocked.since) == ("venue exposure cap reached", 160)


@pytest.mark.parametrize("action", ["dry_run", "filled", "execution_failed"])
def test_one_opening_in_the_half_hour_is_not_blocked(action):
    counted = Decisions(Labels(), "arb")
    counted.take(skipped(times=100), 0)
    counted.take([decision(action=action)], 1)
    assert counted.blocked is None


def test_a_settlement_is_no_opening():
    counted = Decisions(Labels(), "arb")
    counted.take([*skipped(times=100), decision(action="settled", reason="paper_position_settled")], 0)
    assert counted.blocked is not None


@pytest.mark.parametrize(("others", "is_blocked"), [(25, False), (24, True)])
def test_above_80_percent_of_the_skips_must_have_one_reason(others, is_blocked):
    counted = Decisions(Labels(), "arb")
    counted.take([*skipped(times=100), *skipped("edge_below_dynamic_threshold", others)], 0)
    assert (counted.blocked is not None) == is_blocked


def test_what_is_older_than_half_an_hour_no_longer_counts():
    counted = Decisions(Labels(), "arb")
    counted.take([*skipped(times=100), decision()], 0)
    counted.take(skipped(times=31), 1799)
    assert counted.blocked is None
    counted.take([], 1800)
    assert counted.blocked is not None
    counted.take([], 1860 + 1800)
    assert counted.blocked is None


def test_different_counts_are_bounded_whatever_a_bot_combines():
    decisions = Decisions(Labels(), "ema")
    flood = [decision(f"k{n % 90}", f"a{n % 89}", f"r{n % 83}") for n in range(5_000)]
    decisions.take(flood, 0.0)
    assert len(decisions.counts) == MOST_COUNTS + 1
    assert sum(decisions.counts.values()) == len(flood)
    assert decisions.counts["other", "other", "other"] == len(flood) - MOST_COUNTS


def test_a_flood_of_odd_actions_does_not_hide_what_blocks_the_bot():
    decisions = Decisions(Labels(), "arb")
    decisions.take([decision(action=f"odd {n}") for n in range(200)], 0.0)
    decisions.take([decision(action="skipped", reason="no edge")] * 31, 1.0)
    assert decisions.blocked is not None
    assert decisions.blocked.reason == "no edge"
