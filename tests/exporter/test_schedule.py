"""Weekly windows of planned quiet, over midnights and changes of daylight saving."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.planned import Planned
from exporter.schedule import planned

NEW_YORK = "America/New_York"
EVERY_DAY = frozenset(range(7))
THURSDAY = frozenset({3})


@dataclass(frozen=True)
class Window:
    opens: int
    closes: int
    days: frozenset[int] = EVERY_DAY
    tz: str = NEW_YORK
    reason: str = "venue maintenance"


def at(text: str, zone: str = NEW_YORK, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


MAINTENANCE = Window(3 * 60, 5 * 60, THURSDAY)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-19 02:59:59", None),  # a Thursday
        ("2026-11-19 03:00:00", "05:00 ET"),
        ("2026-11-19 04:59:59", "05:00 ET"),
        ("2026-11-19 05:00:00", None),
        ("2026-11-20 03:30:00", None),
    ],
)
def test_a_window_holds_from_its_first_to_before_its_last_moment_on_its_days(when, expected):
    found = planned([MAINTENANCE], at(when))
    assert (found and found.until_text) == expected


def test_the_end_is_the_moment_that_the_clock_at_the_venue_shows_it():
    found = planned([MAINTENANCE], at("2026-07-16 04:00"))
    assert found is not None
    assert (found.since, found.until) == (at("2026-07-16 03:00"), at("2026-07-16 05:00"))
    assert found.reason == "venue maintenance"


def test_a_window_keeps_its_hours_on_the_wall_when_daylight_saving_changes():
    """The same window in winter and summer is an hour apart in UTC."""
    winter = planned([Window(180, 300)], at("2026-02-02 04:00"))
    summer = planned([Window(180, 300)], at("2026-06-02 04:00"))
    assert winter is not None
    assert summer is not None
    assert winter.until % 86_400 - summer.until % 86_400 == 3600


def test_a_window_over_the_spring_gap_is_an_hour_shorter():
    found = planned([Window(60, 240)], at("2026-03-08 01:30"))
    assert found is not None
    assert found.until - found.since == 2 * 3600


def test_a_window_over_the_autumn_hour_is_an_hour_longer():
    found = planned([Window(60, 240)], at("2026-11-01 01:30"))
    assert found is not None
    assert found.until - found.since == 4 * 3600


@pytest.mark.parametrize(
    ("opens", "closes", "first", "last"),
    [
        (150, 210, "2026-03-08 03:00", "2026-03-08 03:30"),  # 02:30 to 03:30: the clock goes from 02 to 03
        (60, 150, "2026-03-08 01:00", "2026-03-08 03:00"),  # 01:00 to 02:30
        (150, 240, "2026-03-08 03:00", "2026-03-08 04:00"),  # 02:30 to 04:00
    ],
)
def test_a_time_that_the_spring_skips_is_the_moment_at_which_it_does(opens, closes, first, last):
    found = planned([Window(opens, closes)], at(last) - 60)
    assert found is not None
    assert (found.since, found.until) == (at(first), at(last))
    assert planned([Window(opens, closes)], at(first) - 1) is None


def test_a_window_within_the_skipped_hour_is_none_that_day():
    assert all(planned([Window(125, 150)], at("2026-03-08 03:00") + s) is None for s in (-1, 0, 1))


def test_a_stretch_of_more_than_a_day_ends_on_a_day_with_a_name():
    weekend = [Window(0, 1440, frozenset({5})), Window(0, 1440, frozenset({6}))]
    found = planned(weekend, at("2026-11-21 12:00"))
    assert found is not None
    assert found.until_text == "Mon 00:00 ET"


def test_a_window_that_ends_in_the_repeated_hour_ends_at_its_second_showing():
    found = planned([Window(0, 90)], at("2026-11-01 00:30"))
    assert found is not None
    assert found.until == at("2026-11-01 01:30", fold=1)
    assert planned([Window(0, 90)], at("2026-11-01 01:15", fold=1)) is not None


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on():
    night = Window(22 * 60, 2 * 60, THURSDAY)
    assert planned([night], at("2026-11-19 23:00")) is not None
    assert planned([night], at("2026-11-20 01:59")) is not None
    assert planned([night], at("2026-11-19 01:00")) is None


def test_a_whole_day_ends_at_midnight():
    found = planned([Window(0, 1440, frozenset({5}))], at("2026-11-21 12:00"))
    assert found is not None
    assert found.until == at("2026-11-22 00:00")


def test_windows_that_touch_are_one_stretch_of_quiet():
    saturday, sunday = (Window(0, 1440, frozenset({day})) for day in (5, 6))
    found = planned([sunday, saturday], at("2026-11-21 12:00"))
    assert found is not None
    assert found.until == at("2026-11-23 00:00")


def test_of_windows_that_overlap_the_later_end_counts():
    found = planned([Window(180, 300), Window(240, 360)], at("2026-11-19 04:30"))
    assert found is not None
    assert found.until_text == "06:00 ET"


def test_a_schedule_of_all_hours_has_an_end_all_the_same():
    found = planned([Window(0, 1440)], at("2026-11-19 12:00"))
    assert found is not None
    assert found.until - found.since <= 9 * 86_400


def test_a_zone_without_letters_is_named_by_its_offset():
    found = planned([Window(180, 300, tz="America/Sao_Paulo")], at("2026-11-19 04:00", "America/Sao_Paulo"))
    assert found is not None
    assert found.until_text == "05:00 -03"


def test_no_windows_are_never_planned_quiet():
    assert planned([], at("2026-11-19 04:00")) is None


def test_back_to_back_windows_in_two_zones_are_one_quiet_with_the_last_ones_zone():
    first = Window(3 * 60, 5 * 60)
    second = Window(10 * 60, 11 * 60, tz="Europe/London", reason="the other venue")
    found = planned([first, second], at("2026-11-19 04:00"))
    assert found is not None
    assert (found.until, found.until_text) == (at("2026-11-19 06:00"), "11:00 GMT")
    assert found.reason == "venue maintenance"


def test_what_is_ordered_beside_the_schedule_joins_it():
    ordered = Planned(at("2026-11-19 02:30"), at("2026-11-19 03:30"), "new disk", ZoneInfo("UTC"), "ann")
    found = planned([MAINTENANCE], at("2026-11-19 02:45"), [ordered])
    assert found is not None
    assert (found.by, found.until_text) == ("ann", "05:00 ET")
    assert planned([MAINTENANCE], at("2026-11-19 02:15"), [ordered]) is None
    alone = planned([], at("2026-11-19 02:45"), [ordered])
    assert alone is not None
    assert alone.until_text == "08:30 UTC"


def test_the_central_time_of_china_is_not_that_of_chicago():
    ends = {"America/Chicago": "05:00 CT", "Asia/Shanghai": "05:00 CST"}
    for zone, text in ends.items():
        found = planned([Window(180, 300, tz=zone)], at("2026-11-19 04:00", zone))
        assert found is not None
        assert found.until_text == text


# Against a slow computation that knows nothing of offsets: it watches the clock on the wall go by.

CHANGES = (
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kolkata", "2026-06-15"),
)
QUARTERS = st.integers(0, 14) | st.integers(0, 95)
"""Of an hour, after midnight: more of those at which clocks change."""
EVERY_DAY_OR_SOME = st.just(frozenset(range(7))) | st.frozensets(st.integers(0, 6), min_size=1)
MINUTE = 60


def watched(window: Window, start: float, hours: int) -> set[int]:
    """The minutes, counted from `start`, in which the window is open.

    Each minute is read off the wall: the window opens when the clock first shows its beginning or passes over
    it, and closes when it last shows its end or passes over it.
    """
    zone = ZoneInfo(window.tz)
    shown = [datetime.fromtimestamp(start + MINUTE * n, zone).replace(tzinfo=None) for n in range(hours * 60)]
    open_minutes: set[int] = set()
    for day in sorted({moment.date() for moment in shown}):
        if day.weekday() not in window.days:
            continue
        begins = datetime.combine(day, datetime.min.time()) + timedelta(minutes=window.opens)
        ends = datetime.combine(day, datetime.min.time()) + timedelta(minutes=window.closes)
        if window.closes <= window.opens:
            ends += timedelta(days=1)
        first = next((n for n, moment in enumerate(shown) if moment >= begins), len(shown))
        passed = max((n for n, moment in enumerate(shown) if moment < ends), default=-1) + 1
        last = max((n for n, moment in enumerate(shown) if moment == ends), default=passed)
        open_minutes.update(range(first, last))
    return open_minutes


@settings(max_examples=80, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    windows=st.lists(
        st.tuples(QUARTERS, QUARTERS.map(lambda quarter: quarter + 1), EVERY_DAY_OR_SOME).filter(
            lambda drawn: drawn[0] != drawn[1]
        ),
        min_size=1,
        max_size=2,
    ),
)
def test_windows_hold_at_the_very_minutes_that_the_clock_on_the_wall_shows(change, windows):
    zone, day = change
    made = [Window(15 * opens, 15 * closes, days, zone) for opens, closes, days in windows]
    start = at(f"{day} 00:00", zone) - 3 * 86_400
    slow = set().union(*(watched(window, start, 7 * 24) for window in made))
    for minute in range(
        2 * 24 * 60, 5 * 24 * 60, 7
    ):  # within the days before and after, which it knows whole
        now = start + MINUTE * minute
        found = planned(made, now)
        assert (found is not None) == (minute in slow), (minute, datetime.fromtimestamp(now, ZoneInfo(zone)))
        if found is not None and found.until < start + 6 * 86_400:
            until = int(found.until - start) // MINUTE
            assert until not in slow
            assert slow.issuperset(range(minute, until))
