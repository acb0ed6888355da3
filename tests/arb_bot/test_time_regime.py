"""How the time until settlement moves thresholds."""

import pytest

from arb_bot.time_regime import Regimes, Shift, Thresholds

DAY = 86_400.0
NOW = 1_000.0
BASE = Thresholds(0.01, 1.0, 0.30, 0.5)
DOCUMENTED = Regimes(True, 30.0, 7.0, Shift(0.9, 0.9, 0.9, -0.03), Shift(1.15, 1.1, 1.1, 0.03))


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (-1, "near_mean_reversion"),
        (7, "near_mean_reversion"),
        (7.01, "mid_neutral"),
        (29.99, "mid_neutral"),
        (30, "far_momentum"),
        (None, "unknown"),
    ],
)
def test_a_regime_is_named_by_the_days_until_settlement(days: float | None, name: str) -> None:
    assert DOCUMENTED.name(None if days is None else NOW + days * DAY, NOW) == name


def test_switched_off_there_is_no_regime_and_no_shift() -> None:
    off = Regimes(False, 30.0, 7.0, DOCUMENTED.far, DOCUMENTED.near)
    assert off.name(NOW, NOW) == "disabled"
    assert off.shift("disabled").of(BASE) == BASE
    assert off.least_edge(BASE) == 0.01


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("far_momentum", (0.009, 0.9, 0.27, 0.45)),
        ("near_mean_reversion", (0.0115, 1.1, 0.33, 0.55)),
        ("mid_neutral", (0.01, 1.0, 0.30, 0.5)),
        ("unknown", (0.01, 1.0, 0.30, 0.5)),
    ],
)
def test_far_asks_less_and_near_asks_more(name: str, expected: tuple[float, ...]) -> None:
    moved = DOCUMENTED.shift(name).of(BASE)
    assert (
        moved.min_net_edge,
        moved.min_expected_profit,
        moved.min_fill_probability,
        moved.min_realized_profit,
    ) == pytest.approx(expected)


def test_a_chance_stays_a_chance() -> None:
    assert Shift(fill_probability=0.9).of(BASE).min_fill_probability == 1.0
    assert Shift(fill_probability=-0.9).of(BASE).min_fill_probability == 0.0


def test_the_search_goes_down_to_the_least_edge_of_any_regime() -> None:
    assert DOCUMENTED.least_edge(BASE) == pytest.approx(0.009)
