"""Kills that do nothing are never called proven; the long form is ten thousand of them."""

from random import Random

import pytest

from benchmarks.placebo_kills import RECORDED, Outcome, placebo, recorded_session
from exporter.control.proof import Habit


def kills(count: int) -> list[Outcome]:
    draw = Random(7)
    return [placebo(draw) for _ in range(count)]


def check(outcomes: list[Outcome]) -> None:
    assert [outcome for outcome in outcomes if outcome.verified] == []
    caught = [outcome for outcome in outcomes if outcome.seconds is not None]
    assert len(caught) > 0.9 * len(outcomes)


def test_bots_that_ack_and_trade_on_are_never_called_killed():
    check(kills(300))


@pytest.mark.soak
def test_ten_thousand_bots_that_ack_and_trade_on_are_never_called_killed():
    check(kills(10_000))


def test_the_recorded_bot_killed_at_every_cycle_is_never_called_killed(samples):
    assert RECORDED.is_relative_to(samples)
    outcomes = list(recorded_session())
    assert len(outcomes) == 79
    check(outcomes)


def test_the_placebos_would_be_caught_if_silence_were_believed_too_early(monkeypatch):
    """What this file proves could fail: five quiet cycles are not enough for most of these bots."""
    monkeypatch.setattr(Habit, "quiet_cycles_needed", property(lambda habit: 5))
    assert any(outcome.verified for outcome in kills(100))
