"""The operator's day begins when the clock on the wall says so, whatever daylight saving does."""

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.reporting.days import OperatorDay
from tests.exporter.reporting.slow_ledger import BOT, Fill
from tests.exporter.reporting.test_rollups import Ledger, on_a_ledger

HOUR = 3_600.0
NEW_YORK, BERLIN, LORD_HOWE, APIA = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("day", "date", "starts", "hours"),
    [
        (OperatorDay(), "2026-11-20", "2026-11-20 00:00", 24),
        (OperatorDay("UTC", 17 * 60), "2026-11-20", "2026-11-20 17:00", 24),
        (OperatorDay(NEW_YORK), "2026-03-08", "2026-03-08 05:00", 23),
        (OperatorDay(NEW_YORK), "2026-11-01", "2026-11-01 04:00", 25),
        (OperatorDay(NEW_YORK, 17 * 60), "2026-03-07", "2026-03-07 22:00", 23),
        (OperatorDay(NEW_YORK, 17 * 60), "2026-10-31", "2026-10-31 21:00", 25),
        # 02:30 does not exist on 8 March 2026 there: the day begins where the clock jumps, at 03:00 EDT.
        (OperatorDay(NEW_YORK, 150), "2026-03-08", "2026-03-08 07:00", 23.5),
        (OperatorDay(NEW_YORK, 150), "2026-03-07", "2026-03-07 07:30", 23.5),
        # 01:30 is shown twice on 1 November 2026: the day begins at the first, and is 25 hours long.
        (OperatorDay(NEW_YORK, 90), "2026-11-01", "2026-11-01 05:30", 25),
        (OperatorDay(NEW_YORK, 90), "2026-10-31", "2026-10-31 05:30", 24),
        (OperatorDay(BERLIN), "2026-03-29", "2026-03-28 23:00", 23),
        (OperatorDay(LORD_HOWE), "2026-04-05", "2026-04-04 13:00", 24.5),
    ],
)
def test_a_day_begins_and_ends_when_the_wall_clock_says(
    day: OperatorDay, date: str, starts: str, hours: float
) -> None:
    span = day.at(utc(starts))
    assert (span.date, span.starts_at) == (date, utc(starts))
    assert span.ends_at - span.starts_at == hours * HOUR
    assert day.at(span.ends_at - 0.001) == span
    assert day.at(span.ends_at).starts_at == span.ends_at
    assert day.at(span.starts_at - 0.001).ends_at == span.starts_at


def test_a_date_that_a_zone_skipped_is_no_day() -> None:
    day = OperatorDay(APIA)
    dates = [span.date for span in day.spans(utc("2011-12-29 00:00"), utc("2012-01-01 00:00"))]
    assert dates == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["UTC", NEW_YORK, BERLIN, LORD_HOWE, "Asia/Kolkata", "Africa/Casablanca", APIA]),
    st.integers(0, 1439),
    st.floats(utc("2005-01-01"), utc("2035-01-01")),
)
def test_every_moment_is_in_exactly_one_day_and_that_is_near_its_date(
    tz: str, rolls_at: int, when: float
) -> None:
    day = OperatorDay(tz, rolls_at)
    around = list(day.spans(when - 200 * HOUR, when + 200 * HOUR))
    assert sum(span.starts_at <= when < span.ends_at for span in around) == 1
    assert all(a.ends_at == b.starts_at for a, b in itertools.pairwise(around))
    assert all(0 < span.ends_at - span.starts_at <= 49 * HOUR for span in around)
    wall = datetime.fromtimestamp(when, ZoneInfo(tz)).date()
    assert abs((wall - datetime.fromisoformat(day.at(when).date).date()).days) <= 1


def test_a_day_is_named_with_its_zone_and_its_hour() -> None:
    assert str(OperatorDay()) == "UTC"
    assert str(OperatorDay(NEW_YORK, 17 * 60 + 5)) == "America/New_York from 17:05"


def test_the_operators_days_add_up_their_own_hours_across_the_end_of_daylight_saving() -> None:
    day = OperatorDay(NEW_YORK)
    starts = utc("2026-11-01 04:00")

    async def scenario(ledger: Ledger) -> None:
        moments = (starts - 1, starts, starts + 24.5 * HOUR, starts + 25 * HOUR)
        await ledger.fills(*(Fill(n, at, 2.0**n) for n, at in enumerate(moments)))
        assert await ledger.rows("operator_daily_pnl") == {
            ("2026-10-31",): (NEW_YORK, starts - 24 * HOUR, starts, 1.0, 1, 1),
            ("2026-11-01",): (NEW_YORK, starts, starts + 25 * HOUR, 6.0, 2, 2),
            ("2026-11-02",): (NEW_YORK, starts + 25 * HOUR, starts + 49 * HOUR, 8.0, 1, 1),
        }

    on_a_ledger(scenario, day)


@pytest.mark.parametrize("new", [OperatorDay(NEW_YORK, 60), OperatorDay(BERLIN), OperatorDay()])
def test_another_setting_makes_all_the_operators_days_anew_and_the_same_setting_none(
    new: OperatorDay,
) -> None:
    rows = [Fill(n, utc("2026-10-20 00:30") + n * 7 * HOUR, float(n)) for n in range(1, 60)]

    async def fresh(ledger: Ledger) -> None:
        await ledger.fills(*rows)
        wanted.update(await ledger.rows("operator_daily_pnl"))
        assert not await ledger.rollups.days_changed(ledger.db, BOT)

    async def changed(ledger: Ledger) -> None:
        await ledger.fills(*rows)
        ledger = Ledger(ledger.db, new)
        assert await ledger.rollups.days_changed(ledger.db, BOT)
        assert await ledger.rows("operator_daily_pnl") == wanted
        assert not await ledger.rollups.days_changed(ledger.db, BOT)

    wanted: dict[tuple[object, ...], tuple[object, ...]] = {}
    on_a_ledger(fresh, new)
    on_a_ledger(changed, OperatorDay(NEW_YORK))
