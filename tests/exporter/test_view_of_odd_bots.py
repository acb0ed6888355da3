"""What the view makes of floods, gaps, clocks that are wrong and figures that vanish: no lie from any."""

import pytest

from exporter.labels import SETTINGS_LIMIT
from tests.doubles import messages
from tests.doubles.messages import T0, base_state, decision, heartbeat, state
from tests.doubles.views import connected_view, fed

# What a flood of odd values must not hide


def test_modes_and_statuses_that_mean_something_are_never_crowded_out():
    view = connected_view()
    for number in range(150):
        said = state(number + 1, mode=f"m{number}", status=f"s{number}", stream_status={"k": f"t{number}"})
        fed(said, view=view)
    fed(state(200, mode="live", status="paused", stream_status={"k": "degraded"}), view=view)
    assert view.state is not None
    assert (view.last_mode, view.state.status) == ("live", "paused")
    assert view.state.stream_status == {"k": "degraded"}
    assert view.tier == "live"


def test_the_loss_cap_is_found_among_any_number_of_settings_and_the_rest_share_no_value():
    many = {f"ARB_SETTING_{number}": number for number in range(300)}
    view = fed(state(1, config_snapshot={**many, "ARB_DAILY_LOSS_CAP_USD": 10.0}))
    assert view.cap == 10.0
    assert view.settings is not None
    assert len(view.settings) == SETTINGS_LIMIT - 1  # and a place that is kept for the interval
    assert "other" not in view.settings


def test_the_bots_own_metrics_beyond_the_bound_share_no_value():
    many = [{"name": f"m{number}", "kind": "gauge", "value": number} for number in range(150)]
    view = fed(state(1, metrics=many))
    assert view.state is not None
    assert view.state.registry is not None
    assert len(view.state.registry) == 100
    assert ("other", "gauge") not in view.state.registry


def test_streams_that_share_a_label_and_not_a_status_are_mixed():
    streams = {f"v{number}": "connected" for number in range(100)} | {"w": "degraded", "x": "connected"}
    view = fed(state(1, cash_by_venue={}, stream_status=streams))
    assert view.state is not None
    assert view.state.stream_status is not None
    assert view.state.stream_status["other"] == "mixed"


def test_sums_over_venues_beyond_the_bound_lose_nothing():
    view = fed(state(1, cash_by_venue={f"v{number}": 1.0 for number in range(10_000)}))
    assert view.state is not None
    assert view.state.cash is not None
    assert len(view.state.cash) == 101
    assert view.state.cash["other"] == 9_900.0
    assert sum(view.state.cash.values()) == 10_000.0


def test_the_cause_of_a_halt_is_named_however_many_reasons_came_before():
    view = fed(state(1, last_cycle=messages.cycle_of(*[decision(reason=f"r {n}") for n in range(150)])))
    fed(state(2, kill_switch=messages.killed("automatic", "safe mode active (x)")), view=view)
    assert view.state is not None
    assert view.state.kill is not None
    assert view.state.kill.label == "safe mode active"


def test_cycles_at_both_ends_of_what_a_number_can_say_break_nothing():
    view = fed(state(-1e308, ts=T0), state(1e308, ts=T0 + 1), state(5, ts=T0 + 2), state(6, ts=T0 + 3))
    assert view.state is not None
    assert view.state.cycle == 6
    assert view.totals.malformed["unreadable"] == 0


# What is not reported is not zero


def test_exposure_that_is_no_longer_reported_is_not_taken_as_hedged():
    view = fed(state(1, unhedged_usd={"kalshi": 38.0}), state(2, unhedged_usd={"kalshi": None}))
    assert view.unhedged_since == T0 + 5
    silent = state(3)
    del silent["unhedged_usd"]
    fed(silent, view=view)
    assert view.unhedged_since == T0 + 5
    fed(state(4, unhedged_usd={"kalshi": 0.0}), view=view)
    assert view.unhedged_since is None


def test_a_new_run_that_says_nothing_of_exposure_ends_what_was_known_of_it():
    view = fed(state(7, unhedged_usd={"kalshi": 38.0}), base_state(1, ts=T0 + 60))
    assert view.unhedged_since is None


def test_a_bot_that_calls_itself_killed_is_killed_whatever_its_switch_says():
    view = fed(state(1, status="killed"))
    assert view.state is not None
    assert view.state.kill is not None
    assert (view.state.kill.active, view.state.kill.cause) == (True, "unknown")


# The exporter's own clock


def test_a_state_from_the_future_is_of_an_unknown_age_and_not_now():
    view = fed(state(1), state(2), state(3))
    view.received(heartbeat(T0 + 16, cycle=3), T0 + 16)
    an_hour_earlier = T0 + 16 - 3600
    sight = view.at(an_hour_earlier)
    assert (sight.live, sight.connected, sight.up) == (None, False, False)
    view.received(state(4, ts=T0 + 20), an_hour_earlier + 4)
    assert view.at(an_hour_earlier + 4).up


def test_a_goodbye_from_the_future_excuses_nothing():
    view = fed(state(1))
    view.received(messages.goodbye("upgrade"), T0 + 6)
    view.disconnected(T0 + 7, "stopped: upgrade")
    assert not view.at(T0 + 8).expected
    assert view.at(T0 + 8 - 3600).expected


def test_a_bot_that_says_goodbye_again_and_again_and_stays_is_expected():
    view = connected_view()
    for cycle in range(1, 60):
        view.received(state(cycle), T0 + 5 * cycle)
        view.received(messages.goodbye("soon"), T0 + 5 * cycle)
        assert view.at(T0 + 5 * cycle).expected == (5 * cycle > 35)
    view.disconnected(T0 + 300, "closed by the bot")
    assert not view.at(T0 + 300).expected


def test_a_state_of_a_run_that_has_ended_is_not_now():
    view = fed(*(state(cycle) for cycle in range(50, 54)))
    end = T0 + 5 * 53
    view.received(heartbeat(end, cycle=53), end)
    view.disconnected(end + 1, "closed by the bot")
    view.connected(end + 2)
    view.received(heartbeat(end + 3, cycle=1), end + 3)
    sight = view.at(end + 3)
    assert (sight.live, sight.awaiting, sight.up) == (None, True, False)
    view.received(state(1, ts=end + 4, session_id="new"), end + 4)
    assert view.at(end + 4).up
    assert view.totals.restarts == 1


@pytest.mark.parametrize("changed", [{}, {"session_id": "another", "uptime_seconds": 0.0}])
def test_a_bot_that_was_told_a_longer_interval_is_not_hung_for_keeping_it(changed):
    view = fed(*(state(cycle, config_snapshot={"ARB_POLL_INTERVAL_SECONDS": 5.0}) for cycle in range(1, 9)))
    slow = {**changed, "config_snapshot": {"ARB_POLL_INTERVAL_SECONDS": 60.0}}
    fed(state(9, **slow), view=view)
    for later in range(1, 59):
        view.received(heartbeat(T0 + 45 + later, cycle=9), T0 + 45 + later)
    sight = view.at(T0 + 45 + 58)
    assert (sight.hung, sight.up) == (False, True)
    fed(*(state(9 + n, ts=T0 + 45 + 60 * n, **slow) for n in (1, 2)), view=view)
    assert view.cadence.stale_after == 180.0


@pytest.mark.parametrize("absurd", [-1.0, 1e300])
def test_an_absurd_number_neither_drowns_a_counter_nor_turns_it_back(absurd):
    cycle = messages.cycle_of()
    view = fed(
        state(1, rejects={"kalshi": 3.0}, last_cycle={**cycle, "duration_ms": 50}),
        state(2, rejects={"kalshi": absurd}, last_cycle={**cycle, "duration_ms": absurd}),
        state(3, rejects={"kalshi": 7.0}, last_cycle={**cycle, "duration_ms": 50}),
    )
    assert view.totals.rejects == {"kalshi": 4.0}
    assert view.totals.durations.sum == pytest.approx(0.1)
    assert view.totals.malformed["bad_field"] == 1


def test_a_heartbeat_from_before_a_reconnect_does_not_make_the_bot_a_new_run():
    view = fed(state(1), state(2), state(3))
    view.received(heartbeat(T0 + 15.5, cycle=3), T0 + 15.5)
    fed(state(4), view=view)
    view.disconnected(T0 + 21, "connection reset")
    view.connected(T0 + 22)
    assert view.at(T0 + 22).live is view.state
    view.received(heartbeat(T0 + 23, cycle=5), T0 + 23)
    assert view.at(T0 + 23).up


def test_a_bot_whose_clock_is_hours_off_is_believed_when_it_says_that_its_cap_is_breached():
    ahead = T0 + 8 * 3600  # which is the next UTC day
    said = messages.killed(
        "automatic", "daily loss cap breached (realized=-10.2, cap=10.0)", since=ahead - 60
    )
    view = connected_view()
    view.received(base_state(1, ts=ahead, kill_switch=said), T0 + 5)
    assert view.latch.active(T0 + 5) is not None
    assert view.latch.active(T0 + 86_400) is None
