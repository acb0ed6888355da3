"""How a measured figure is judged and written."""

import math

from benchmarks.figure import Figure, at_least, at_most, exit_code, table


def test_a_figure_at_its_limit_passes_and_one_past_it_is_missed() -> None:
    assert at_most("a", 1.05, "×", 1.05) == Figure("a", 1.05, "×", "≤ 1.05", passed=True)
    assert not at_most("a", 1.0501, "×", 1.05).passed
    assert at_least("a", 0.99, "×", 0.99, "floor") == Figure("a", 0.99, "×", "≥ 0.99", True, "floor")
    assert not at_least("a", 0.9899, "×", 0.99).passed


def test_a_value_that_is_not_a_number_misses_its_target() -> None:
    assert not at_most("a", math.nan, "s", 1).passed
    assert not at_least("a", math.nan, "s", 1).passed


def test_one_missed_figure_or_none_at_all_is_a_failure() -> None:
    reached, missed = at_most("a", 1, "s", 2), at_most("b", 3, "s", 2)
    assert exit_code([reached, reached]) == 0
    assert exit_code([reached, missed]) == 1
    assert exit_code(iter(())) == 1


def test_the_table_says_each_figure_with_its_unit_target_verdict_and_floor() -> None:
    measured = [at_least("states", 12_345.6, "/s", 5000, "json 20,000/s"), at_most("b", 0.5, "s", 0.1)]
    rows = [[cell.strip() for cell in line.split("  ") if cell] for line in table(measured).split("\n")]
    assert rows == [
        ["figure", "value", "target", "floor in the same run"],
        ["states", "12,346 /s", "≥ 5000", "ok", "json 20,000/s"],
        ["b", "0.5 s", "≤ 0.1", "MISSED"],
    ]
