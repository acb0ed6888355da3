"""Planned quiet ends when the bot is back, and not before it was away; a bot that stays away is told."""

from dataclasses import dataclass

import pytest

from exporter.control.attendance import AWAY_SECONDS, BACK_SECONDS, OVERRUN_SECONDS, Told
from exporter.verdict import verdict
from tests.doubles.days import Day
from tests.doubles.messages import T0


@dataclass(frozen=True)
class Window:
    """UTC, Fridays from 18:00 to 18:10; T0 is 17:53:20."""

    opens: int = 18 * 60
    closes: int = 18 * 60 + 10
    tz: str = "UTC"
    days: frozenset[int] = frozenset({4})
    reason: str = "venue maintenance"


OPENS, CLOSES = T0 + 400, T0 + 1000


def settled(**settings) -> Day:
    return Day(**settings).pass_by(60)


# Maintenance ends when the bot is back.


def test_a_bot_that_never_goes_away_is_in_maintenance_to_the_end():
    day = settled().order(10).pass_by(599)
    assert (day.ordered, day.expected) == (True, False)
    day.pass_by(1)
    assert (day.ordered, day.expected) == (False, True)
    assert day.told == [Told("maintenance is over", "its time has passed")]


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_maintenance_ends_half_a_minute_after_the_bot_is_back(says_goodbye):
    day = settled().order().pass_by(60).stop(says_goodbye=says_goodbye).pass_by(90)
    assert not day.expected
    day.start().pass_by(120, until=lambda: day.expected)
    assert day.now - day.began == pytest.approx(BACK_SECONDS, abs=6)  # its first state takes up to 5 s
    assert day.words == ["maintenance is over"]
    assert day.told[0].why.startswith("the bot is back, 26 min")


def test_a_restart_within_seconds_counts_as_away_by_its_new_session():
    day = settled().order().pass_by(60).stop()
    day.pass_by(2).start().pass_by(60)
    assert day.expected


def test_a_link_that_is_lost_for_a_moment_ends_nothing():
    day = settled().order().pass_by(60).lose_link(int(AWAY_SECONDS) - 5).pass_by(120)
    assert not day.expected


def test_a_link_that_is_lost_for_long_counts_as_away():
    day = settled().order().pass_by(60).lose_link(int(AWAY_SECONDS) + 5).pass_by(60)
    assert day.expected


def test_a_bot_that_is_started_looked_at_and_stopped_again_ends_nothing():
    day = settled().order().stop().pass_by(40)
    for _ in range(3):
        day.start().pass_by(int(BACK_SECONDS) - 6).stop().pass_by(20)
    assert not day.expected
    day.start().pass_by(60)
    assert day.expected


def test_a_bot_that_was_away_before_the_order_and_comes_back_ends_it():
    day = settled().stop().pass_by(300).order().pass_by(40)
    assert not day.expected
    day.start().pass_by(60)
    assert day.expected


def test_a_bot_that_is_connected_and_overdue_is_not_back():
    day = settled().order().stop().pass_by(60)
    day.pushes = False
    day.start().pass_by(300)
    assert day.view.at(day.now).connected
    assert not day.expected
    day.pushes = True
    day.pass_by(60)
    assert day.expected


def test_after_it_ended_early_a_bot_that_goes_is_missed_at_once():
    day = settled().order().stop().pass_by(60).start().pass_by(60)
    assert day.expected
    day.stop().pass_by(1)
    assert day.view.at(day.now).planned_end is None
    assert verdict(day.view, day.now).text == "DISCONNECTED"


def test_a_clock_that_is_set_back_a_little_ends_no_order_that_has_just_begun():
    day = settled().order()
    day.now -= 3
    day.pass_by(1)
    assert day.view.maintenance is not None
    day.pass_by(5)
    assert not day.expected


# Restarts of this program.


def test_an_exporter_that_restarts_does_not_take_its_own_start_for_the_bots_absence():
    day = settled().order().pass_by(60).restart_exporter().pass_by(300)
    assert not day.expected


def test_an_exporter_that_restarts_while_the_bot_is_away_sees_it_come_back():
    day = settled().order().pass_by(60).stop().pass_by(40)
    assert day.view.maintenance is not None
    assert day.view.maintenance.away
    day.restart_exporter().pass_by(5).start().pass_by(60)
    assert day.expected


def test_a_bot_that_came_back_while_the_exporter_restarted_is_known_by_its_session():
    day = settled().order().pass_by(60).stop()
    day.now += 20
    day.restart_exporter(10).start().pass_by(60)
    assert day.expected


# Quiet that ends without the bot.


def test_a_bot_that_is_not_back_is_overrun_until_it_is_up():
    day = settled().order(10).stop().pass_by(599)
    end = day.view.at(day.now).planned_end
    assert end == T0 + 60 + 600
    day.pass_by(1)
    assert day.expected
    found = verdict(day.view, day.now)
    assert (found.level, found.text, found.since) == ("act", "OVERRUN, PLANNED UNTIL 18:04 UTC", end)
    assert day.view.at(day.now).planned_end == end
    day.pass_by(int(OVERRUN_SECONDS) + 60)
    assert day.words == ["maintenance is over", "not back from quiet that was planned until 18:04 UTC"]
    assert day.told[-1] == Told(day.words[-1], "maintenance: new disk", "warning")
    day.start().pass_by(20)
    assert day.view.at(day.now).planned_end is None
    assert day.words[-1].startswith("back 3 min")


def test_an_overrun_is_remembered_over_a_restart_of_the_exporter():
    day = settled().order(10).stop().pass_by(700).restart_exporter().pass_by(20)
    assert day.view.at(day.now).planned_end == T0 + 660
    assert verdict(day.view, day.now).text == "OVERRUN, PLANNED UNTIL 18:04 UTC"


def test_a_bot_that_stops_with_a_goodbye_has_two_minutes():
    day = settled().stop(says_goodbye=True).pass_by(119)
    assert day.view.at(day.now).planned_end == T0 + 60 + 120
    assert verdict(day.view, day.now).text == "STOPPED: stopped"
    day.pass_by(1)
    assert day.expected
    assert verdict(day.view, day.now).text == "OVERRUN, PLANNED UNTIL 17:56 UTC"
    assert day.view.at(day.now).planned_end == T0 + 180


def test_a_bot_that_is_back_after_its_goodbye_leaves_nothing_behind():
    day = settled().stop(says_goodbye=True).pass_by(10).start().pass_by(20)
    assert (day.expected, day.view.last_quiet, day.told) == (True, None, [])


def test_an_order_that_a_person_ends_is_no_overrun():
    day = settled().order().stop().pass_by(60)
    day.view.maintenance = None
    day.pass_by(600)
    assert verdict(day.view, day.now).text == "DISCONNECTED"
    assert day.view.at(day.now).planned_end is None
    assert day.told == []


def test_a_bot_that_was_up_after_the_end_and_dies_then_is_no_overrun():
    day = settled().order(10).pass_by(620).stop().pass_by(600)
    assert verdict(day.view, day.now).text == "DISCONNECTED"
    assert day.words == ["maintenance is over"]


def test_exposure_that_an_overrun_bot_left_is_said_with_it():
    day = settled().order(10)
    day.view.unhedged_since = day.now
    assert day.view.state is not None
    object.__setattr__(day.view.state, "unhedged", {"kalshi": 38.0})
    day.stop().pass_by(660)
    assert verdict(day.view, day.now).text == "OVERRUN, UNHEDGED $38"


# Schedules.


def test_a_window_begins_and_ends_as_events_and_the_bot_may_come_and_go_in_it():
    day = settled(schedule=[Window()]).pass_by(400).stop().pass_by(60).start().pass_by(60).stop().pass_by(100)
    assert not day.expected
    day.start().pass_by(400)
    assert day.expected
    assert day.told == [
        Told("planned quiet until 18:10 UTC", "venue maintenance"),
        Told("planned quiet is over", "venue maintenance"),
    ]


def test_a_bot_that_misses_the_end_of_its_window_is_overrun():
    day = settled(schedule=[Window()]).pass_by(400).stop().pass_by(int(CLOSES - OPENS) + 200)
    assert day.view.at(day.now).planned_end == CLOSES
    assert verdict(day.view, day.now).text == "OVERRUN, PLANNED UNTIL 18:10 UTC"
    assert day.words[-1] == "not back from quiet that was planned until 18:10 UTC"


def test_a_restart_inside_a_window_tells_nothing_twice():
    day = settled(schedule=[Window()]).pass_by(400).stop().pass_by(60).restart_exporter().pass_by(60)
    assert not day.expected
    assert day.words == ["planned quiet until 18:10 UTC"]


def test_a_restart_after_a_window_still_knows_who_did_not_come_back():
    day = settled(schedule=[Window()]).pass_by(400).stop().pass_by(700).restart_exporter().pass_by(30)
    assert verdict(day.view, day.now).text == "OVERRUN, PLANNED UNTIL 18:10 UTC"


def test_back_to_back_windows_are_one_quiet_with_one_event():
    windows = [Window(), Window(opens=18 * 60 + 10, closes=18 * 60 + 20, reason="the other venue")]
    day = settled(schedule=windows).pass_by(1700)
    assert day.words == ["planned quiet until 18:20 UTC", "planned quiet is over"]


def test_maintenance_that_runs_into_a_window_ends_with_the_window():
    day = settled(schedule=[Window()]).order(10).stop().pass_by(360)
    found = day.view.at(day.now).planned
    assert found is not None
    assert (found.until, found.by) == (CLOSES, "schedule")
    day.pass_by(400)
    assert not day.expected
    day.start().pass_by(300)
    assert day.expected


def test_a_bot_of_a_maintenance_that_ends_early_inside_a_window_stays_planned():
    day = settled(schedule=[Window()]).pass_by(400).order(30).stop().pass_by(60).start().pass_by(60)
    assert not day.ordered
    assert not day.expected
    assert "PLANNED until 18:10 UTC" in verdict(day.view, day.now).text


def test_a_bot_that_never_beats_is_followed_as_well():
    day = settled(beats=False).order().stop().pass_by(60).start().pass_by(60)
    assert day.expected
