"""A bot that stood still in planned quiet has the time of a start when it ends: neither hung nor stale."""

from exporter.control.attendance import Attendance
from exporter.control.maintenance import Maintenance
from exporter.view import BotView
from tests.doubles.messages import T0, heartbeat, state
from tests.doubles.views import connected_view

SESSION = 3_600
QUIET = T0 + 120
ENDS = QUIET + SESSION


def idle_until(end: float) -> tuple[BotView, Attendance]:
    """A bot that sent a state every 5 s until quiet began, and only beats since."""
    view = connected_view()
    for cycle in range(1, 24):
        view.received(state(cycle), T0 + 5 * cycle)
    view.maintenance = Maintenance(QUIET, ENDS, "closed", "ann")
    attendance = Attendance(view)
    for at in range(int(QUIET), int(end) + 1):
        view.received(heartbeat(at, cycle=23), float(at))
        attendance.look(float(at))
    return view, attendance


def test_it_is_awaited_and_not_hung_when_the_quiet_ends() -> None:
    view, _ = idle_until(ENDS + 2)
    sight = view.at(ENDS + 2)
    assert (sight.expected, sight.up, sight.awaiting, sight.hung) == (True, False, True, False)


def test_it_is_hung_and_overdue_when_it_does_not_go_on_in_time() -> None:
    view, _ = idle_until(ENDS + 20)
    assert view.cadence.stale_after == 15
    sight = view.at(ENDS + 20)
    assert (sight.expected, sight.up, sight.awaiting, sight.hung) == (True, False, False, True)


def test_once_it_is_back_the_quiet_gives_it_no_more_time() -> None:
    view, attendance = idle_until(ENDS + 2)
    view.received(state(24, ENDS + 3), ENDS + 3)
    attendance.look(ENDS + 3)
    for at in range(int(ENDS) + 4, int(ENDS) + 21):
        view.received(heartbeat(at, cycle=24), float(at))
        attendance.look(float(at))
    sight = view.at(ENDS + 20)
    assert (sight.up, sight.awaiting, sight.hung) == (False, False, True)
