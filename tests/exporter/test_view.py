"""What the view makes of whatever a bot says: which fields are real, what is counted, what is fresh."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.messages import T0, base_state, decision, heartbeat, state
from tests.doubles.views import connected_view, decided, fed

# Which fields are real


def test_the_five_constants_of_a_deployed_bot_are_not_reported():
    view = fed(*(base_state(cycle) for cycle in range(1, 40)))
    assert view.state is not None
    found = (view.state.daily_pnl, view.state.daily_trades, view.state.loss_cap_remaining)
    assert found == (None, None, None)
    assert (view.state.consecutive_failures, view.state.stream_status) == (None, None)


@pytest.mark.parametrize(
    ("field", "attribute", "value"),
    [
        ("daily_pnl", "daily_pnl", -3.5),
        ("daily_trades", "daily_trades", 2),
        ("daily_loss_cap_remaining", "loss_cap_remaining", 6.5),
        ("consecutive_failures", "consecutive_failures", 1),
        ("stream_status", "stream_status", {"kalshi": "connected"}),
    ],
)
def test_each_field_counts_from_its_own_first_other_value_and_stays_real(field, attribute, value):
    view = fed(base_state(1), base_state(2, **{field: value}))
    assert getattr(view.state, attribute) == value
    constant = messages.FIVE_CONSTANTS[field]
    fed(base_state(3, **{field: constant}), view=view)
    assert getattr(view.state, attribute) == constant
    others = {"daily_pnl", "daily_trades", "loss_cap_remaining", "consecutive_failures", "stream_status"}
    assert all(getattr(view.state, other) is None for other in others - {attribute})


def test_a_field_that_the_bot_names_is_real_from_its_first_zero():
    view = fed(base_state(1, reports=["daily_pnl"]))
    assert view.state is not None
    assert view.state.daily_pnl == 0.0
    assert view.state.daily_trades is None


def test_a_wrong_type_makes_no_field_real():
    view = fed(base_state(1, daily_pnl="much", stream_status=["x"]))
    assert view.state is not None
    assert view.state.daily_pnl is None
    assert view.totals.malformed["bad_field"] == 2


def test_after_a_restart_a_field_must_prove_itself_again():
    view = fed(base_state(7, daily_pnl=-1.0), base_state(1, ts=T0 + 60))
    assert view.state is not None
    assert view.state.daily_pnl is None


# Counting


def test_a_state_that_comes_again_is_counted_as_received_and_not_taken_in_again():
    view = fed(state(1), state(2))
    view.received(state(1), T0 + 60)
    assert view.totals.states == 3
    assert decided(view) == 2
    assert view.totals.restarts == 0
    assert view.state_at == T0 + 10


def test_a_status_push_between_cycles_updates_the_state_and_counts_no_decision_twice():
    view = fed(state(1), state(1, ts=T0 + 6, status="paused"))
    assert view.state is not None
    assert view.state.status == "paused"
    assert decided(view) == 1
    assert view.totals.cycles == 1
    assert view.progress_at == T0 + 5


def test_gaps_in_the_cycle_are_missed_states_also_over_a_reconnect():
    view = fed(state(1), state(4))
    view.disconnected(T0 + 21, "gone")
    view.connected(T0 + 22)
    fed(state(10), view=view)
    assert view.totals.missed == 2 + 5
    assert view.totals.cycles == 10


def test_the_first_state_ever_is_one_cycle_whatever_its_number():
    view = fed(state(3717))
    assert (view.totals.cycles, view.totals.missed) == (1, 0)


def test_a_cycle_number_from_nowhere_is_no_million_missed_states():
    view = fed(state(1), state(2, ts=T0 + 10) | {"cycle": 10**9})
    assert view.totals.missed == 0


@pytest.mark.parametrize(
    "again",
    [
        state(1, ts=T0 + 60, uptime_seconds=5.0),
        state(9, ts=T0 + 60, session_id="other", uptime_seconds=500.0),
        state(9, ts=T0 + 60, uptime_seconds=1.0),
    ],
    ids=["cycle went down", "another session", "uptime went down"],
)
def test_a_restart_is_seen_by_cycle_uptime_or_session(again):
    view = fed(state(7), state(8), again)
    assert view.totals.restarts == 1


def test_counters_go_on_over_a_restart_of_the_bot():
    view = fed(state(7), state(8), state(2, ts=T0 + 60, session_id="new", rejects={"kalshi": 2}))
    assert view.totals.states == 3
    assert view.totals.cycles == 1 + 1 + 2
    assert decided(view) == 3
    assert view.totals.rejects == {"kalshi": 2}


def test_one_state_without_its_session_is_no_restart():
    view = fed(state(1), state(2, session_id=5), state(3))
    assert view.totals.restarts == 0


def test_cycle_zero_of_a_restarted_bot_is_counted():
    view = fed(state(8), state(0, ts=T0 + 60, session_id="new"))
    assert decided(view) == 2


def test_a_bots_own_counts_begin_at_zero_here_and_grow_with_it():
    view = fed(state(1, rejects={"kalshi": 40}), state(2, rejects={"kalshi": 43, "polymarket": 2}))
    assert view.totals.rejects == {"kalshi": 3, "polymarket": 2}


def test_new_entries_of_the_bots_error_list_are_counted_once():
    def error(at: float, severity: str = "error") -> dict[str, object]:
        return {"ts": at, "severity": severity, "message": "venue timed out"}

    view = fed(
        state(1, recent_errors=[error(1)]),
        state(2, recent_errors=[error(1), error(2), error(3, "warning")]),
        state(3, recent_errors=[error(2), error(3, "warning"), error(4, "odd")]),
    )
    assert view.totals.errors == {"error": 1, "warning": 1, "other": 1}


def test_a_state_without_a_cycle_or_a_time_is_taken_in_each_time():
    bare = {"type": "state", "last_cycle": {"decisions": [decision()]}}
    view = connected_view()
    view.received(bare, T0 + 1)
    view.received(bare, T0 + 2)
    assert decided(view) == 2


def test_a_change_of_mode_is_counted_also_over_a_restart():
    view = fed(state(1), state(2), state(1, ts=T0 + 60, session_id="new", mode="live"))
    assert view.totals.mode_changes == 1
    assert view.last_mode == "live"


def test_messages_are_counted_by_type_and_unknown_ones_ignored():
    view = connected_view()
    for kind in ("kill_switch_ack", "update_config_ack", "error", "telemetry", "goodbye", "heartbeat"):
        view.received({"type": kind}, T0 + 1)
    view.received({"type": 5}, T0 + 1)
    assert view.totals.messages == {
        "state": 0, "heartbeat": 1, "goodbye": 1, "ack": 2, "error": 1, "other": 2,
    }  # fmt: skip


# Fresh, stale, awaiting


def test_a_state_is_live_up_to_its_age_and_then_no_more():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    assert view.at(T0 + 20 + 15).live is not None
    assert view.at(T0 + 20 + 15.1).live is None


def test_ages_are_those_of_the_exporters_clock_and_the_bots_skew_is_told():
    view = connected_view()
    view.received(state(1, ts=T0 - 3600), T0 + 5)
    assert view.at(T0 + 6).age == 1
    assert view.clock_skew == -3605


def test_awaiting_is_connected_without_a_state_and_not_overdue():
    view = connected_view()
    assert view.at(T0 + 179).awaiting
    assert not view.at(T0 + 181).awaiting
    fed(state(1), view=view)
    assert not view.at(T0 + 6).awaiting


def test_after_a_reconnect_the_next_state_is_awaited_before_the_old_one_counts_as_stale():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    view.disconnected(T0 + 21, "gone")
    assert not view.at(T0 + 100).awaiting
    view.connected(T0 + 101)
    assert view.at(T0 + 110).awaiting
    assert not view.at(T0 + 117).awaiting


def test_nobody_is_awaited_while_nothing_is_connected():
    assert not BotView("arb", now=T0).at(T0 + 1).awaiting


# Connected


def test_a_bot_without_heartbeats_is_connected_as_long_as_its_socket_is():
    view = fed(base_state(1))
    assert view.at(T0 + 600).connected
    view.disconnected(T0 + 600, "closed by the bot")
    assert not view.at(T0 + 600).connected
    assert view.link.why == "closed by the bot"


def test_a_bot_that_beats_and_falls_silent_is_not_connected_after_5_s():
    view = fed(state(1))
    view.received(heartbeat(T0 + 6), T0 + 6)
    assert view.at(T0 + 11).connected
    assert not view.at(T0 + 11.1).connected
    assert view.link.gone_since(T0 + 20) == T0 + 6


def test_a_stopped_process_whose_kernel_accepts_is_not_connected_until_it_speaks():
    view = fed(state(1))
    view.received(heartbeat(T0 + 6), T0 + 6)
    view.disconnected(T0 + 11.1, "nothing heard for 5 s")
    view.connected(T0 + 12)
    assert not view.at(T0 + 12).connected
    assert view.link.gone_since(T0 + 20) == T0 + 6
    view.received(heartbeat(T0 + 30), T0 + 30)
    assert view.at(T0 + 30).connected


def test_an_older_build_that_does_not_beat_is_believed_from_its_first_state():
    view = fed(state(9))
    view.received(heartbeat(T0 + 46), T0 + 46)
    view.disconnected(T0 + 50, "closed by the bot")
    view.connected(T0 + 60)
    view.received(base_state(1, ts=T0 + 90), T0 + 90)
    assert view.at(T0 + 140).connected
    assert view.link.heartbeat_at is None


def test_a_restarted_bot_that_beats_before_its_first_state_keeps_its_beat():
    view = fed(state(9))
    view.disconnected(T0 + 50, "closed by the bot")
    view.connected(T0 + 60)
    view.received(heartbeat(T0 + 61), T0 + 61)
    view.received(state(1, ts=T0 + 61, session_id="new"), T0 + 61)
    assert view.link.beats
    assert not view.at(T0 + 67).connected


def test_only_connections_after_the_first_are_reconnects_and_failed_attempts_are_attempts():
    view = BotView("arb", now=T0)
    view.disconnected(T0, "connection refused")
    view.connected(T0 + 1)
    view.disconnected(T0 + 2, "gone")
    view.connected(T0 + 3)
    assert view.link.reconnects == 1
    assert view.link.attempts == 3


# Hung


def beating(view: BotView, at: float, cycle: int = 1) -> BotView:
    view.received(heartbeat(at, cycle=cycle, phase="quotes"), at)
    return view


def test_a_bot_whose_heart_beats_and_whose_cycles_stopped_hangs():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    assert beating(view, T0 + 34).at(T0 + 35).hung is False
    assert beating(view, T0 + 35.5).at(T0 + 36).hung is True


def test_a_bot_without_heartbeats_cannot_be_said_to_hang():
    assert fed(base_state(1)).at(T0 + 600).hung is None


def test_a_cycle_that_a_heartbeat_tells_of_is_progress():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    beating(view, T0 + 21, cycle=4)
    beating(view, T0 + 30, cycle=5)
    assert beating(view, T0 + 44, cycle=5).at(T0 + 44).hung is False


def test_a_status_push_of_a_hung_bot_is_no_progress():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    view.received(state(4, ts=T0 + 34, status="killed"), T0 + 34)
    assert beating(view, T0 + 36).at(T0 + 36).hung is True


def test_a_bot_that_is_back_after_an_hour_does_not_hang_at_once():
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    view.disconnected(T0 + 21, "gone")
    view.connected(T0 + 3600)
    assert beating(view, T0 + 3601).at(T0 + 3602).hung is False


def restarted(at: float) -> BotView:
    """A bot of 5 s cycles that is back since `at` and still prepares its first cycle."""
    view = fed(*(state(cycle) for cycle in range(1, 5)))
    view.disconnected(T0 + 21, "gone")
    view.connected(at)
    return view


def test_a_bot_that_takes_its_time_to_start_is_awaited_and_does_not_hang():
    view = restarted(T0 + 30)
    sight = beating(view, T0 + 130, cycle=0).at(T0 + 130)
    assert (sight.hung, sight.awaiting) == (False, True)
    sight = beating(view, T0 + 211, cycle=0).at(T0 + 211)
    assert (sight.hung, sight.awaiting) == (True, False)


def test_a_bot_that_hung_while_the_link_was_away_is_not_taken_for_one_that_starts():
    view = restarted(T0 + 30)
    assert beating(view, T0 + 46, cycle=4).at(T0 + 46).hung is True


# Planned


def test_a_goodbye_makes_the_bot_unexpected_for_two_minutes():
    view = fed(state(1))
    view.received(messages.goodbye("upgrade"), T0 + 6)
    assert not view.at(T0 + 6).expected
    view.disconnected(T0 + 6, "closed by the bot")
    assert not view.at(T0 + 125).expected
    assert view.at(T0 + 126).expected


def test_a_bot_that_came_back_is_expected_again_at_its_first_word():
    view = fed(state(1))
    view.received(messages.goodbye("upgrade"), T0 + 6)
    view.disconnected(T0 + 6, "closed by the bot")
    view.connected(T0 + 30)
    assert not view.at(T0 + 30).expected
    view.received(heartbeat(T0 + 30), T0 + 30)
    assert view.at(T0 + 30).expected


# Settings, tier, risk


def test_settings_are_the_last_known_and_carry_their_time():
    view = fed(state(1), state(2, config_snapshot=None), state(3, config_snapshot="x"))
    assert view.settings == {"ARB_LIVE_MODE": 0, "ARB_DAILY_LOSS_CAP_USD": 10}
    assert (view.settings_at, view.cap) == (T0 + 5, 10)


def test_a_cap_that_became_unreadable_is_unknown_again():
    view = fed(state(1), state(2, config_snapshot={"ARB_DAILY_LOSS_CAP_USD": None}))
    assert view.cap is None


def test_the_tier_is_configured_or_that_of_the_last_known_mode():
    assert BotView("arb", now=T0).tier is None
    assert fed(state(1, mode="live")).tier == "live"
    assert fed(state(1, mode="live"), view=connected_view(tier="paper")).tier == "paper"
    assert fed(state(1, mode="shadow")).tier is None


def test_unhedged_exposure_has_a_beginning_and_an_end():
    view = fed(state(1), state(2, unhedged_usd={"kalshi": 38.0}), state(3, unhedged_usd={"kalshi": 12.0}))
    assert view.unhedged_since == T0 + 10
    fed(state(4), view=view)
    assert view.unhedged_since is None


def test_a_breach_is_latched_from_the_reported_pnl_and_never_from_a_constant():
    assert fed(state(1, daily_pnl=-10.0)).latch.active(T0 + 6) is not None
    assert fed(base_state(1, config_snapshot={"ARB_DAILY_LOSS_CAP_USD": 0.0})).latch.active(T0 + 6) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(sorted(state())).flatmap(
            lambda key: st.tuples(
                st.just(key),
                st.none()
                | st.booleans()
                | st.floats()
                | st.text(max_size=3)
                | st.lists(st.integers(), max_size=2),
            )
        ),
        max_size=6,
    ),
    st.lists(
        st.sampled_from(["state", "heartbeat", "goodbye", "x_ack", "error", "?"]), min_size=1, max_size=5
    ),
)
def test_no_message_of_whatever_shape_ever_raises_and_every_view_can_be_read(broken, kinds):
    view = connected_view()
    for number, kind in enumerate(kinds):
        view.received({**state(number), **dict(broken), "type": kind}, T0 + number)
        sight = view.at(T0 + number)
        assert sight.connected
        assert sight.headroom is None or sight.headroom.cap > 0
