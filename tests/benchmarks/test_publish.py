"""The benchmark of publishing measures what it says it does."""

import pytest

from benchmarks.disturbers import MODES
from benchmarks.publish import DECISIONS, SITUATIONS, Slice, _publish_figure, _rate_figure, state
from botkit.messages import encode


@pytest.mark.parametrize(("size", "low", "high"), [("5 kB", 4_500, 5_500), ("80 kB", 76_000, 84_000)])
def test_the_states_have_the_size_they_are_named_for(size: str, low: int, high: int) -> None:
    assert low <= len(encode(state(DECISIONS[size]))) <= high


def test_every_situation_is_one_that_the_disturber_knows() -> None:
    assert {order for order in SITUATIONS.values() if order != "rest"} == set(MODES)


def test_the_ratios_are_of_publish_to_bare_and_of_alone_to_disturbed() -> None:
    alone = Slice(publishes=[0.0], bares=[0.004], cycle=0.050)
    disturbed = Slice(publishes=[0.001, 0.001, 0.009], bares=[0.002], cycle=0.0501)
    pairs = [(alone, disturbed)] * 3
    assert _publish_figure("p", pairs).value == 0.5
    assert _publish_figure("p", pairs).passed
    assert _rate_figure("r", pairs).value == pytest.approx(0.998, abs=1e-3)
    assert _rate_figure("r", pairs).passed
    assert not _rate_figure("r", [(alone, Slice([0.0], [0.1], cycle=0.0506))] * 3).passed
