"""The calendars of exchanges, held against a second library that was made independently, over many years."""

import itertools
import random
import re
import subprocess
import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from exchange_calendars import get_calendar
from hypothesis import given
from hypothesis import strategies as st
from pandas import Timestamp

from exporter.exchange_sessions import sessions
from exporter.exchanges import EXCHANGES, EXTENDED_HOURS, Closed, Sessions

FROM = 2018
YEARS = {"XNYS": (1990, 2035), "XNAS": (1990, 2035), "XLON": (2001, 2035), "XSHG": (FROM, 2026)}
"""For which both libraries say that they know; for the others from FROM to 2027."""
BY_ANOTHER_CODE = {"XTKS": "XJPX"}

ONLY_HERE = {"XTKS": {"2020-10-01"}}
"""Closed by the library in use alone: on that day the exchange's machines failed."""
ONLY_THERE = {"XHKG": {"2023-09-01", "2023-09-08"}}
"""Closed by the other library alone: typhoons, which are announced in the morning."""
EARLY_ONLY_HERE = {"XASX": {"2023-12-22", "2023-12-29"}}
"""Early closes that the other library leaves out in this one year."""
EARLY_ONLY_THERE = {"XNYS": {"1994-02-11"}, "XNAS": {"1994-02-11"}}
"""A snow storm closed New York at 14:30, which the library in use does not know."""


@pytest.fixture(scope="module")
def closes_at():
    """By exchange, the time on the local clock at which each day's last session ends."""
    found: dict[str, dict[date, str]] = {}
    for code, zone in EXCHANGES.items():
        first, last = YEARS.get(code, (FROM, 2027))
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # the library's own use of pandas, in a process of its own elsewhere
            rows = [*sessions(code, f"{first}-01-01", f"{last}-12-31")]
        closes = (datetime.fromtimestamp(close, ZoneInfo(zone)) for _, close in rows)
        found[code] = {close.date(): f"{close:%H:%M}" for close in closes}
    return found


def other(code: str, category: str = "public") -> dict[date, str]:
    """The days that the other library names, without weekends."""
    first, last = YEARS.get(code, (FROM, 2027))
    name, years = BY_ANOTHER_CODE.get(code, code), range(first, last + 1)
    if category not in holidays.financial_holidays(name).supported_categories:
        return {}
    days = holidays.financial_holidays(name, years=years, categories=(category,))
    return {day: why for day, why in days.items() if day.weekday() < 5}


def weekdays(code: str) -> set[date]:
    first, last = YEARS.get(code, (FROM, 2027))
    start = date(first, 1, 1)
    days = (start + timedelta(n) for n in range((date(last, 12, 31) - start).days + 1))
    return {day for day in days if day.weekday() < 5}


def told(days: set[date]) -> set[str]:
    return {str(day) for day in days}


@pytest.mark.parametrize("code", EXCHANGES)
def test_both_libraries_name_the_same_closed_days_but_for_those_that_are_explained(code, closes_at):
    here, there = weekdays(code) - closes_at[code].keys(), {*other(code)}
    assert len(here) > 7 * (YEARS.get(code, (FROM, 2026))[1] - FROM)
    assert told(here - there) == ONLY_HERE.get(code, set())
    assert told(there - here) == ONLY_THERE.get(code, set())


@pytest.mark.parametrize("code", EXCHANGES)
def test_no_exchange_has_a_session_at_a_weekend(code, closes_at):
    assert {day.weekday() for day in closes_at[code]} <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("code", ["XASX", "XHKG", "XLON", "XNAS", "XNYS", "XTSE"])
def test_both_libraries_name_the_same_half_days_but_for_those_that_are_explained(code, closes_at):
    usual = "16:30" if code == "XLON" else "16:00"
    here = {day for day, time in closes_at[code].items() if time < usual}
    there = {*other(code, "half_day")} & closes_at[code].keys()
    assert len(here) >= 8
    assert told(here - there) == EARLY_ONLY_HERE.get(code, set())
    assert told(there - here) == EARLY_ONLY_THERE.get(code, set())


def test_a_half_day_of_new_york_ends_when_the_other_library_says(closes_at):
    compared = 0
    for day, why in other("XNYS", "half_day").items():
        said = re.search(r"close at (\d+):(\d\d)pm", why)
        if said is None or str(day) in EARLY_ONLY_THERE["XNYS"]:
            continue
        compared += 1
        assert closes_at["XNYS"][day] == f"{int(said[1]) % 12 + 12:02}:{said[2]}", (day, why)
    assert compared > 50


@pytest.mark.parametrize("code", ["XNYS", "XLON", "XHKG", "XASX"])
def test_a_minute_is_planned_quiet_if_and_only_if_the_exchange_is_closed_in_it(code):
    """Over a year of changing clocks, holidays, half days and breaks, the library is asked by the minute."""
    draw = random.Random(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendar = get_calendar(code, start="2025-12-01", end="2027-01-31")
        opens, closes = zip(*sessions(code, "2025-12-01", "2027-01-31"), strict=True)
        known = {code: Sessions(opens, closes)}
        closed = Closed(code, "regular", "closed", known)
        edges = [time + 60 * shift for time in draw.sample(opens + closes, 100) for shift in (-1, 0, 1)]
        start = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
        somewhen = [start + 60 * draw.randrange(355 * 1440) for _ in range(500)]
        for minute in (*edges, *somewhen):
            if opens[5] < minute < opens[-5]:
                asked = Timestamp(minute, unit="s", tz="UTC")
                assert (closed.at(minute) is None) == calendar.is_open_on_minute(asked), asked


@given(
    st.lists(st.integers(1, 40), min_size=4, max_size=24).filter(lambda gaps: len(gaps) % 2 == 0),
    st.integers(-10, 400),
    st.sampled_from([(0, 0), (3, 2), (0, 7), (9, 0)]),
)
def test_a_closing_is_what_a_search_second_by_second_finds(gaps, now, margins):
    times = [*itertools.accumulate(gaps)]
    known, (before, after) = Sessions(tuple(times[::2]), tuple(times[1::2])), margins
    is_open = {
        second
        for opens, closes in zip(known.opens, known.closes, strict=True)
        for second in range(opens - before, closes + after)
    }
    found = known.closed_at(now, before, after)
    inside = min(is_open) <= now < known.opens[-1] - before
    assert (found is not None) == (inside and now not in is_open)
    if found is not None:
        since, until = found
        assert not is_open & {*range(int(since), int(until))}
        assert {since - 1, until} <= is_open


def test_every_exchange_keeps_its_hours_in_the_zone_that_stands_here():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert {code: get_calendar(code, start="2026-01-01").tz.key for code in EXCHANGES} == EXCHANGES


def test_extended_hours_are_those_around_a_usual_session_in_new_york():
    for code, (before, after) in EXTENDED_HOURS.items():
        assert EXCHANGES[code] == "America/New_York"
        assert (9.5 * 3600 - before, 16 * 3600 + after) == (4 * 3600, 20 * 3600)


def test_the_running_exporter_never_loads_pandas():
    """The calendars live in a process of their own, because memory counts in this one."""
    heavy = "{'pandas', 'numpy', 'exchange_calendars'}"
    loads = f"import exporter.assembly, sys; print(sorted({heavy} & {{*sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
