"""How much one client may ask of the bot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.allowance import Allowance


def test_a_burst_is_free_then_the_rate_holds() -> None:
    allowance = Allowance(per_second=10, burst=3, now=0.0)
    for _ in range(3):
        assert allowance.wait(0.0) == 0
        allowance.spend(1, 0.0)
    assert allowance.wait(0.0) == 0
    allowance.spend(1, 0.0)
    assert allowance.wait(0.0) == pytest.approx(0.1)
    assert allowance.wait(0.1) == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.floats(0, 5), max_size=60))
def test_who_waits_as_told_never_gets_more_than_burst_and_rate(pauses: list[float]) -> None:
    now, allowance = 0.0, Allowance(per_second=2, burst=4, now=0.0)
    for spent, pause in enumerate(pauses, start=1):
        now += pause
        now += allowance.wait(now)
        allowance.spend(1, now)
        assert spent <= 4 + 2 * now + 1 + 1e-6
