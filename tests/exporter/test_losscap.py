"""Headroom of the daily loss cap, and the latch that remembers a breach."""

import pytest

from exporter.losscap import Breach, BreachLatch, Headroom, day_of, headroom
from exporter.state import Kill
from tests.doubles.messages import T0

TODAY, MIDNIGHT = "2026-11-20", 1_795_219_200.0
SAID = Kill(
    True, "daily loss cap breached (realized=-10.2, cap=10.0)", "daily loss cap breached", "automatic", T0
)


@pytest.mark.parametrize(
    ("pnl", "cap", "used", "remaining", "ratio"),
    [
        (0.0, 10.0, 0.0, 10.0, 0.0),
        (3.42, 10.0, 0.0, 10.0, 0.0),
        (-8.0, 10.0, 8.0, 2.0, 0.8),
        (-10.0, 10.0, 10.0, 0.0, 1.0),
        (-12.5, 10.0, 12.5, -2.5, 1.25),
    ],
)
def test_headroom_has_one_meaning(pnl, cap, used, remaining, ratio):
    room = headroom(pnl, cap)
    assert room is not None
    assert (room.used, room.remaining, room.ratio) == (used, remaining, ratio)


@pytest.mark.parametrize(
    ("pnl", "cap"), [(None, 10.0), (-5.0, None), (-5.0, 0.0), (-5.0, -1.0), (None, None)]
)
def test_without_a_pnl_or_a_cap_there_is_no_headroom(pnl, cap):
    assert headroom(pnl, cap) is None


def test_a_breach_stays_when_the_loss_is_won_back_and_ends_with_the_utc_day():
    latch = BreachLatch()
    latch.judge(Headroom(10, 9.99), None, TODAY, T0)
    assert latch.active(T0) is None
    latch.judge(Headroom(10, 10), None, TODAY, T0 + 1)
    latch.judge(Headroom(10, 0), None, TODAY, T0 + 2)
    assert latch.active(MIDNIGHT - 1) == Breach(TODAY, T0 + 1, cap=10)
    assert latch.active(MIDNIGHT) is None


def test_a_second_breach_on_the_same_day_keeps_the_first_time():
    latch = BreachLatch(Breach(TODAY, T0))
    latch.judge(Headroom(10, 11), None, TODAY, T0 + 60)
    assert latch.active(T0 + 60) == Breach(TODAY, T0)


def test_a_breach_of_the_day_before_does_not_hide_todays():
    latch = BreachLatch(Breach("2026-11-19", T0 - 86_400))
    assert latch.active(T0) is None
    latch.judge(Headroom(10, 11), None, TODAY, T0)
    assert latch.active(T0) == Breach(TODAY, T0, cap=10)


def test_the_bots_own_word_for_a_breach_counts_although_nobody_saw_the_figure():
    latch = BreachLatch()
    latch.judge(Headroom(10, 2), SAID, TODAY, T0 + 5)
    assert latch.active(T0 + 5) is not None


@pytest.mark.parametrize("since", [None, T0 - 86_400])
def test_a_kill_of_another_day_is_no_breach_today(since):
    latch = BreachLatch()
    latch.judge(None, Kill(True, SAID.reason, SAID.label, SAID.cause, since), TODAY, T0)
    assert latch.active(T0) is None


def test_figures_belong_to_the_bots_day_where_its_clock_can_be_believed():
    assert day_of(MIDNIGHT - 0.5, MIDNIGHT + 0.5) == TODAY
    assert day_of(MIDNIGHT - 4000, MIDNIGHT + 0.5) == "2026-11-21"
    assert day_of(None, MIDNIGHT) == "2026-11-21"
    assert day_of(1e300, MIDNIGHT) == "2026-11-21"


def test_a_loss_told_just_after_midnight_does_not_breach_the_new_day():
    latch = BreachLatch()
    latch.judge(Headroom(10, 11), None, day_of(MIDNIGHT - 0.5, MIDNIGHT + 0.5), MIDNIGHT + 0.5)
    assert latch.active(MIDNIGHT + 0.5) is None
