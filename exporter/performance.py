"""What a ledger of results amounts to: every figure of performance that the console shows, defined once.

Pure. Results (`pnls`) are realised USD, one for each trade, oldest first, unless a function says otherwise;
each fill of the ledger is a trade. `None` is the answer where a figure is not defined, never 0. The SQL of
rollups and pages is held against these functions in the tests, and they against a well-known library.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from statistics import fmean, stdev
from typing import Final

CALENDAR_DAYS: Final = 365
"""Periods a year for event markets, which are open every day."""

SESSIONS: Final = 252
"""Periods a year for stocks."""

FAILED_STATUSES: Final = frozenset({"failed", "partially_filled"})
FILLED_STATUS: Final = "filled"


def cumulative(pnls: Iterable[float]) -> list[float]:
    """The running sum after each result, in USD."""
    return list(accumulate(pnls))


def high_water_marks(pnls: Iterable[float]) -> list[float]:
    """The highest running sum so far after each result, in USD; it starts at 0, so it is never below."""
    return list(accumulate(accumulate(pnls), max, initial=0.0))[1:]


def drawdowns(pnls: Sequence[float]) -> list[float]:
    """How far the running sum is below its high water mark after each result, in USD, at least 0."""
    return [mark - value for mark, value in zip(high_water_marks(pnls), cumulative(pnls), strict=True)]


def max_drawdown(pnls: Sequence[float]) -> float:
    """The largest fall from a peak, in USD; 0 where nothing ever fell, and for no results."""
    return max(drawdowns(pnls), default=0.0)


def max_drawdown_ratio(equity: Iterable[float]) -> float | None:
    """The largest fall as a share of its peak, from values of equity in USD, its start among them.

    None without a positive value: a share of nothing says nothing. Above 1 where equity fell below 0. From
    results alone there is no such ratio; give `starting + x for x in [0, *cumulative(pnls)]`.
    """
    worst, peak = None, 0.0
    for value in equity:
        peak = max(peak, value)
        if peak > 0:
            worst = max(worst or 0.0, (peak - value) / peak)
    return worst


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of return to risk: for one period, a year's, and the number of periods it rests on."""

    plain: float
    annualised: float
    n: int


def sharpe(daily: Sequence[float], periods: int = CALENDAR_DAYS, risk_free: float = 0.0) -> Ratio | None:
    """Mean ÷ sample standard deviation (n − 1) of daily results; a year's is that × √periods (Sharpe, 1994).

    `daily` has an entry for every day on which there might have been a trade, 0 for those without
    (`each_day`); `risk_free` is a day's, in the same unit. None for fewer than two days and for a standard
    deviation of 0: equal days are no measure of risk.
    """
    if len(daily) < 2 or min(daily) == max(daily):
        return None
    spread = stdev(daily)
    if spread == 0:
        return None
    return _ratio((fmean(daily) - risk_free) / spread, periods, len(daily))


def sortino(daily: Sequence[float], periods: int = CALENDAR_DAYS, target: float = 0.0) -> Ratio | None:
    """(Mean − target) ÷ downside deviation, √(Σ min(0, day − target)² ÷ n) (Sortino & Price, 1994).

    `daily` as for `sharpe`. None for fewer than two days and where no day is below the target.
    """
    if len(daily) < 2:
        return None
    downside = math.sqrt(fmean(min(0.0, day - target) ** 2 for day in daily))
    if downside == 0:
        return None
    return _ratio((fmean(daily) - target) / downside, periods, len(daily))


def _ratio(plain: float, periods: int, n: int) -> Ratio:
    return Ratio(plain, plain * math.sqrt(periods), n)


def each_day(by_date: Mapping[date, float], first: date, last: date) -> list[float]:
    """The results of all calendar days from `first` to `last`, 0 where nothing was traded: event markets."""
    days = (last - first).days + 1
    return [by_date.get(first + timedelta(days=number), 0.0) for number in range(days)]


def each_session(
    by_date: Mapping[date, float], first: date, last: date, closed: Collection[date] = ()
) -> list[float]:
    """The results of all sessions from `first` to `last`: Monday to Friday without the days `closed`.

    A day that has a result was a session, whatever the calendar says.
    """
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    sessions = (day for day in days if day in by_date or (day.weekday() < 5 and day not in closed))
    return [by_date.get(day, 0.0) for day in sessions]


def profit_factor(pnls: Iterable[float]) -> float | None:
    """Σ of what was won ÷ Σ of what was lost. Infinite where nothing was lost and something won.

    None where nothing was won or lost: no trades, or all of them came to 0.
    """
    won, lost = gross_profit_and_loss(pnls)
    if lost == 0:
        return math.inf if won > 0 else None
    return won / -lost


def gross_profit_and_loss(pnls: Iterable[float]) -> tuple[float, float]:
    """Σ of the results above 0, Σ of those below (at most 0), in USD."""
    pnls = tuple(pnls)
    return math.fsum(pnl for pnl in pnls if pnl > 0), math.fsum(pnl for pnl in pnls if pnl < 0)


def expectancy(pnls: Sequence[float]) -> float | None:
    """The mean result of a trade in USD, which is win rate × mean win − loss rate × mean loss."""
    return mean(pnls)


def win_rate(pnls: Sequence[float]) -> float | None:
    """The share of trades that came to more than 0, 0 to 1; a result of 0 is no win. None without trades."""
    return sum(pnl > 0 for pnl in pnls) / len(pnls) if pnls else None


def average_trade_size(filled_contracts: Sequence[int]) -> float | None:
    """Mean number of contracts a trade."""
    return mean(filled_contracts)


def slippage(per_contract: Sequence[float]) -> float | None:
    """Mean slippage of trades in USD a contract, each trade alike; below 0 is worse than planned."""
    return mean(per_contract)


def fill_rate(rates: Sequence[float]) -> float | None:
    """Mean share of the planned contracts that was filled, 0 to 1, each trade alike."""
    return mean(rates)


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return fmean(values) if values else None


@dataclass(frozen=True, slots=True)
class Streaks:
    """Wins or losses in a row: the current one (losses below 0), and the longest of either kind."""

    current: int
    longest_win: int
    longest_loss: int


def streaks(pnls: Iterable[float]) -> Streaks:
    """Trades in a row that won, or lost; a result of 0 ends either and begins none."""
    current = longest_win = longest_loss = 0
    for pnl in pnls:
        sign = (pnl > 0) - (pnl < 0)
        current = current + sign if current * sign > 0 else sign
        longest_win, longest_loss = max(longest_win, current), max(longest_loss, -current)
    return Streaks(current, longest_win, longest_loss)


def consecutive_failures(newest_first: Iterable[str]) -> int:
    """Intents that failed or filled in part since the last one that filled, by status, the newest first.

    Intents that are still under way, or were cancelled, neither count nor end the row.
    """
    failures = 0
    for status in newest_first:
        if status == FILLED_STATUS:
            break
        failures += status in FAILED_STATUSES
    return failures
