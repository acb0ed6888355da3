"""Kelly with the chance to fill: the documented golden values, and what shrinks and lifts a fraction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot import kelly
from arb_bot.kelly import KellyRules

parts = st.floats(0, 1)


@pytest.mark.parametrize(
    ("edge", "cost", "fill", "loss", "fraction"),
    [
        (0.03, 0.97, 0.8, None, "0.000000"),
        (0.03, 0.97, 0.9, 0.0, "0.948683"),
        (0.03, 0.97, 0.8, 0.001, "1.000000"),
        (-0.01, 0.97, 0.9, 0.0, "0.000000"),
        (0.0, 0.97, 1.0, 0.0, "0.000000"),
    ],
)
def test_the_fraction_is_the_documented_one(
    edge: float, cost: float, fill: float, loss: float | None, fraction: str
) -> None:
    assert f"{kelly.fraction(edge, cost, fill, loss):.6f}" == fraction


def test_a_failure_costs_the_penalty_and_slippage_but_at_least_a_part_of_the_cost_and_at_most_all() -> None:
    def loss(cost: float, slippage: float, floor: float = 0.0005) -> float:
        return kelly.failure_loss(cost, slippage, floor_fraction=floor, partial_penalty=0.0003)

    assert loss(0.97, 0.01) == pytest.approx(0.0103)
    assert loss(0.97, 0.0) == pytest.approx(0.000485)
    assert loss(0.97, 0.0, floor=0.5) == pytest.approx(0.485)
    assert loss(0.97, 5.0) == 0.97


def effective(raw: float, *, confidence: float = 1.0, used: float = 0.0, **rules: float) -> float:
    return kelly.effective(raw, KellyRules(**rules), confidence=confidence, cluster_used=used)


def test_crowding_confidence_and_multiplier_shrink_the_fraction_in_turn() -> None:
    assert effective(0.8) == 0.8
    assert effective(0.8, used=0.5) == pytest.approx(0.8 * (1 - 0.75 * 0.5))
    assert effective(0.8, used=1.0, cluster_penalty=5.0) == pytest.approx(0.08)
    assert effective(0.8, confidence=0.5, multiplier=0.5) == pytest.approx(0.2)
    assert effective(0.8, cap=0.3) == 0.3
    assert effective(0.8, multiplier=3.0) == 1.0


def test_a_floor_lifts_what_is_small_but_makes_no_bet_of_none() -> None:
    assert effective(0.01, floor=0.2) == 0.2
    assert effective(0.01, floor=0.2, multiplier=0.0) == 0.2
    assert effective(0.0, floor=0.2) == 0.0


@given(
    st.tuples(parts, parts, parts),
    st.fixed_dictionaries(
        {"multiplier": st.floats(0, 5), "cap": parts, "floor": parts, "cluster_penalty": st.floats(0, 10)}
    ),
)
def test_an_effective_fraction_is_a_fraction(
    case: tuple[float, float, float], rules: dict[str, float]
) -> None:
    raw, confidence, used = case
    assert 0.0 <= effective(raw, confidence=confidence, used=used, **rules) <= 1.0


def test_contracts_are_cut_to_whole_ones_but_never_to_none_while_something_is_left() -> None:
    assert [kelly.resized(10, part) for part in (0.0, 0.01, 0.55, 1.0)] == [0, 1, 5, 10]


@pytest.mark.parametrize(
    ("results", "confidence"),
    [
        ([], "1.000000"),
        ([(0.02, 0.02)] * 5, "1.000000"),
        ([(0.01, 0.02)], "0.666667"),
        ([(0.01, 0.02), (0.02, 0.02)], "0.800000"),
        ([(-0.5, 0.02)], "0.250000"),
        ([(0.01, 0.0)], "0.250000"),
    ],
)
def test_confidence_falls_with_missed_expectations_down_to_its_floor(
    results: list[tuple[float, float]], confidence: str
) -> None:
    assert f"{kelly.confidence(results, sensitivity=1.0, floor=0.25):.6f}" == confidence


def test_sensitivity_says_how_strongly_a_miss_counts() -> None:
    assert kelly.confidence([(0.01, 0.02)], sensitivity=4.0, floor=0.0) == pytest.approx(1 / 3)
    assert kelly.confidence([(0.01, 0.02)], sensitivity=0.0, floor=0.25) == 1.0
