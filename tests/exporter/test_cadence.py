"""When a state is stale and a loop stuck, by the rhythm that was seen."""

import pytest

from exporter.cadence import Cadence


def seen(*times: float, expected_interval: float | None = None, stale_after: float | None = None) -> Cadence:
    cadence = Cadence(expected_interval, stale_after)
    for time in times:
        cadence.cycle_seen(time)
    return cadence


@pytest.mark.parametrize("times", [(), (0,), (0, 5)])
def test_until_three_states_were_seen_the_rhythm_is_unknown_and_180_s_are_allowed(times):
    cadence = seen(*times)
    assert cadence.expected_interval is None
    assert cadence.stale_after == 180.0


def test_three_intervals_make_a_state_stale():
    assert seen(0, 60, 120).stale_after == 180.0
    assert seen(0, 10, 20, 30).stale_after == 30.0


def test_a_fast_bot_is_not_stale_before_15_s():
    assert seen(0, 1, 2).stale_after == 15.0


def test_the_longest_of_the_last_20_intervals_counts():
    assert seen(0, 10, 15, 20).expected_interval == 10
    assert seen(0, 10, *range(15, 15 + 5 * 20, 5)).expected_interval == 5


def test_configured_times_come_before_observed_ones():
    assert seen(0, 5, 10, expected_interval=60).stale_after == 180.0
    assert seen(0, 5, 10, stale_after=42).stale_after == 42
    assert seen(0, 5, 10, stale_after=42).stuck_after == 15.0


def test_a_fast_loop_is_stuck_sooner_than_its_states_are_stale():
    assert seen(0, 1, 2).stuck_after == 10.0
    assert seen().stuck_after == 180.0


def test_the_time_that_a_link_was_down_is_not_the_bots_rhythm():
    cadence = seen(0, 5, 10)
    cadence.interrupted()
    cadence.cycle_seen(100)
    cadence.cycle_seen(105)
    assert cadence.expected_interval == 5


def test_a_loop_that_hung_once_does_not_count_as_slow_afterwards():
    assert seen(0, 5, 10, 55, 60).expected_interval == 5


def test_a_bot_that_was_slowed_down_is_learned_at_its_second_long_interval():
    assert seen(0, 5, 10, 70, 130).expected_interval == 60


def test_a_clock_set_back_is_no_interval():
    assert seen(0, 5, 10, 2, 7).expected_interval == 5


def test_a_rhythm_that_was_changed_is_learned_anew_from_that_state_on():
    cadence = seen(0, 5, 10, 15)
    cadence.changed()
    assert cadence.stale_after == 180.0
    cadence.cycle_seen(75)
    cadence.cycle_seen(135)
    assert (cadence.expected_interval, cadence.stale_after) == (60.0, 180.0)
