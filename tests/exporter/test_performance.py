"""Every figure of performance: golden values, edges, and a library that others trust."""

import math
import random
import sqlite3
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import performance
from exporter.performance import Ratio, Streaks

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own dependencies, while it is imported
    import empyrical

GOLDEN = [200.0, -100.0, 300.0, -50.0, 150.0]
MONEY = st.floats(-1e4, 1e4).map(lambda usd: round(usd, 4))
LEDGERS = st.lists(MONEY, max_size=60)


def test_the_golden_ledger_gives_its_golden_figures() -> None:
    assert performance.win_rate(GOLDEN) == 0.6
    assert performance.gross_profit_and_loss(GOLDEN) == (650, -150)
    assert performance.profit_factor(GOLDEN) == pytest.approx(4.3333, abs=5e-5)
    assert performance.expectancy(GOLDEN) == pytest.approx(100)
    assert performance.cumulative(GOLDEN) == [200, 100, 400, 350, 500]
    assert performance.high_water_marks(GOLDEN) == [200, 200, 400, 400, 500]
    assert performance.drawdowns(GOLDEN) == [0, 100, 0, 50, 0]
    assert performance.max_drawdown(GOLDEN) == 100


def test_the_golden_sharpe_and_drawdown() -> None:
    found = performance.sharpe([0.01, -0.005, 0.02, 0.005, -0.01, 0.015], performance.SESSIONS)
    assert found is not None
    assert found.annualised == pytest.approx(7.994563, abs=5e-7)
    assert found.n == 6
    assert performance.max_drawdown_ratio([100, 105, 102, 108, 95, 110]) == pytest.approx(13 / 108)


def test_the_high_water_mark_starts_at_0_so_a_first_loss_is_a_drawdown() -> None:
    assert performance.high_water_marks([-5.0, 2.0, 4.0]) == [0, 0, 1]
    assert performance.drawdowns([-5.0, 2.0, 4.0]) == [5, 3, 0]
    assert performance.max_drawdown([]) == 0


def test_equity_below_0_has_lost_more_than_all_and_no_equity_has_no_ratio() -> None:
    assert performance.max_drawdown_ratio([100, -50]) == 1.5
    assert performance.max_drawdown_ratio([]) is None
    assert performance.max_drawdown_ratio([-10, -20]) is None
    assert performance.max_drawdown_ratio([10, 10]) == 0


@pytest.mark.parametrize("daily", [[], [3.0], [2.0, 2.0, 2.0], [0.1] * 7, [0.0, 0.0]])
def test_too_few_days_or_days_that_are_all_alike_have_no_sharpe(daily: list[float]) -> None:
    assert performance.sharpe(daily) is None


def test_sortino_has_nothing_to_divide_by_where_no_day_lost() -> None:
    assert performance.sortino([1.0, 2.0]) is None
    assert performance.sortino([-1.0]) is None
    assert performance.sortino([3.0, -1.0]) == Ratio(
        pytest.approx(math.sqrt(2)), pytest.approx(math.sqrt(2 * 365)), 2
    )


def test_a_profit_factor_without_losses_is_infinite_and_without_results_unknown() -> None:
    assert performance.profit_factor([1.0, 2.0]) == math.inf
    assert performance.profit_factor([-1.0]) == 0
    assert performance.profit_factor([]) is None
    assert performance.profit_factor([0.0, 0.0]) is None


def test_a_result_of_0_is_no_win_and_no_loss() -> None:
    assert performance.win_rate([0.0, 1.0]) == 0.5
    assert performance.streaks([1.0, 0.0, 1.0, 1.0, -1.0]) == Streaks(-1, 2, 1)


def test_of_no_trades_every_mean_is_unknown() -> None:
    for figure in (performance.win_rate, performance.expectancy, performance.average_trade_size,
                   performance.slippage, performance.fill_rate):  # fmt: skip
        assert figure([]) is None


def test_streaks_say_how_long_it_won_or_lost() -> None:
    assert performance.streaks([1.0, 2.0, 3.0, -1.0, -1.0, 5.0, 5.0]) == Streaks(2, 3, 2)
    assert performance.streaks([]) == Streaks(0, 0, 0)


@pytest.mark.parametrize(
    ("newest_first", "failures"),
    [
        ([], 0),
        (["filled", "failed"], 0),
        (["failed", "partially_filled", "filled", "failed"], 2),
        (["pending", "failed", "cancelled", "submitted", "failed"], 2),
    ],
)
def test_failures_in_a_row_are_those_since_the_last_intent_that_filled(
    newest_first: list[str], failures: int
) -> None:
    assert performance.consecutive_failures(newest_first) == failures


def test_days_without_trades_are_0_for_event_markets_and_weekends_are_no_sessions_of_stocks() -> None:
    by_date = {date(2026, 11, 20): 5.0, date(2026, 11, 23): -1.0}  # a Friday and the Monday after it
    span = (date(2026, 11, 19), date(2026, 11, 24))
    assert performance.each_day(by_date, *span) == [0, 5, 0, 0, -1, 0]
    assert performance.each_session(by_date, *span) == [0, 5, -1, 0]
    assert performance.each_session(by_date, *span, closed={date(2026, 11, 19), date(2026, 11, 20)}) == [
        5,
        -1,
        0,
    ]


@given(LEDGERS)
def test_the_parts_add_up_to_the_whole(pnls: list[float]) -> None:
    won, lost = performance.gross_profit_and_loss(pnls)
    assert won + lost == pytest.approx(sum(pnls), abs=1e-6)
    assert all(
        mark >= value
        for mark, value in zip(performance.high_water_marks(pnls), performance.cumulative(pnls), strict=True)
    )
    if pnls:
        wins, losses = [p for p in pnls if p > 0], [p for p in pnls if p <= 0]
        rate = performance.win_rate(pnls)
        assert rate is not None
        by_parts = rate * (sum(wins) / len(wins) if wins else 0) + (1 - rate) * (
            sum(losses) / len(losses) if losses else 0
        )
        assert performance.expectancy(pnls) == pytest.approx(by_parts, abs=1e-6)


def _agrees_with_the_library(daily: Sequence[float], starting: float) -> None:
    """`daily` in USD; the library wants returns, which for its ratios are any numbers."""
    returns = np.asarray(daily)
    for periods in (performance.CALENDAR_DAYS, performance.SESSIONS):
        sharpe = performance.sharpe(daily, periods)
        if sharpe is not None:
            assert sharpe.annualised == pytest.approx(
                empyrical.sharpe_ratio(returns, annualization=periods), rel=1e-6
            )
        sortino = performance.sortino(daily, periods)
        if sortino is not None:
            assert sortino.annualised == pytest.approx(
                empyrical.sortino_ratio(returns, annualization=periods), rel=1e-6
            )
    equity = np.asarray([starting, *(starting + x for x in performance.cumulative(daily))])
    if equity.min() > 0:
        ratio = performance.max_drawdown_ratio(list(equity))
        assert ratio == pytest.approx(-empyrical.max_drawdown(np.diff(equity) / equity[:-1]), abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_random_ledgers_agree_with_a_library_that_others_trust(seed: int) -> None:
    chance = random.Random(seed)
    daily = [
        round(chance.gauss(1.0, 10.0), 2) if chance.random() < 0.8 else 0.0
        for _ in range(chance.randrange(2, 200))
    ]
    _agrees_with_the_library(daily, 5_000.0)


def test_the_recorded_ledger_agrees_with_the_library_and_with_its_golden_sums(
    samples: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "analytics.db"
    copy.write_bytes((samples / "arb-session" / "analytics.db").read_bytes())
    connection = sqlite3.connect(copy)
    pnls = [row[0] for row in connection.execute("SELECT realized_pnl FROM fills ORDER BY timestamp, id")]
    by_date = {
        date.fromisoformat(day): usd
        for day, usd in connection.execute("SELECT date, SUM(realized_pnl) FROM fills GROUP BY date")
    }
    worst = connection.execute(
        "SELECT MIN(total - MAX(0, peak))"
        " FROM (SELECT total, MAX(total) OVER (ORDER BY timestamp, id) AS peak"
        " FROM (SELECT timestamp, id, SUM(realized_pnl) OVER (ORDER BY timestamp, id) AS total FROM fills))"
    ).fetchone()[0]
    connection.close()
    daily = performance.each_day(by_date, min(by_date), max(by_date))
    _agrees_with_the_library(daily, 1_000.0)
    assert performance.cumulative(pnls)[-1] == pytest.approx(sum(daily))
    assert performance.max_drawdown(pnls) == pytest.approx(-worst, abs=0.005)
    assert len(daily) == 15
