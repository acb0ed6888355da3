"""A kill, judged state by state: what proves it, what undoes it, and what only looks like either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.control.kill import Kill, Order, Stage, pressed
from exporter.control.proof import Habit, Rung, Sighting, quiet_cycles_needed

T = 1_000_000.0
INTERVAL = 5.0
ORDER = Order("k1", "ann", "page", "it trades nonsense", T)


def sent(need: int | None = 7) -> Kill:
    return pressed(ORDER, need, T)


def acked(need: int | None = 7) -> Kill:
    return sent(need).acked(T + 0.1)


def state(at: float, **shown) -> Sighting:
    """A state that shows nothing but a cycle, built when it came; times are seconds after the press."""
    return Sighting(**{"at": T + at, "built_at": T + at, **shown})


def ours(at: float, **shown) -> Sighting:
    """A state of a bot that reports its kill, and orders that it has not."""
    return state(at, **{"killed": True, "by_operator": True, "killed_since": T, "working": 0.0, **shown})


def after(kill: Kill, *sightings: Sighting) -> Kill:
    for sighting in sightings:
        kill = kill.seen(sighting)
    return kill


def quiet(count: int, first: float = 5.0) -> list[Sighting]:
    return [state(first + INTERVAL * number) for number in range(count)]


# The flag


def test_a_bot_that_says_it_is_killed_and_has_no_orders_is_verified_at_its_first_state():
    kill = after(acked(), ours(0.2))
    assert (kill.stage, kill.rung, kill.decided_at) == (Stage.VERIFIED, Rung.FLAG, T + 0.2)
    assert kill.time_to_verified == pytest.approx(0.2)


def test_a_push_in_the_middle_of_a_cycle_can_show_the_flag_as_well():
    assert after(acked(), ours(0.2, new_cycle=False)).stage is Stage.VERIFIED


@pytest.mark.parametrize(
    ("shown", "detail"),
    [
        ({"working": 2.0}, "2 working orders"),
        ({"ordered_at": T + 3}, "an order was sent after the kill"),
        ({"ordered_at": T + 0.5, "killed_since": T + 0.05}, "an order was sent after the kill"),
    ],
    ids=["orders work", "an order after the ack", "an order after the kill by the bot's own clock"],
)
def test_the_flag_proves_nothing_while_orders_are_about(shown, detail):
    kill = after(acked(), ours(5, **shown))
    assert (kill.stage, kill.detail) == (Stage.ACKED, detail)
    assert after(kill, ours(10)).rung is Rung.FLAG


def test_an_order_that_was_on_its_way_when_the_kill_came_does_not_stand_against_it():
    assert after(acked(), ours(0.3, ordered_at=T + 0.2, killed_since=T + 0.05)).stage is Stage.VERIFIED


def test_orders_of_which_nothing_is_known_are_not_none():
    kill = after(acked(), *(ours(5.0 * n, working=None) for n in range(1, 4)))
    assert (kill.stage, kill.detail) == (Stage.UNPROVEN, "quiet 2 of 7")


def test_a_flag_without_an_ack_counts_only_where_it_names_an_operators_kill():
    assert after(sent(), ours(1)).stage is Stage.VERIFIED
    assert after(sent(), ours(1, by_operator=False)).stage is Stage.SENT


def test_a_bot_that_says_it_is_not_killed_is_not_after_one_cycle_of_grace():
    kill = after(acked(), state(5, killed=False), state(10, killed=False))
    assert (kill.stage, kill.detail) == (Stage.NOT_VERIFIED, "the bot reports itself not killed")
    assert kill.wants_sending
    assert after(kill.acked(T + 11), ours(12)).stage is Stage.VERIFIED, "no lie, a kill that was taken back"


def test_an_order_that_its_venue_would_not_take_back_and_that_fills_later_is_no_opening():
    kill = after(acked(), *(ours(5.0 * n, working=1.0, ordered_at=T - 3) for n in range(1, 5)))
    kill = after(kill, ours(25, ordered_at=T - 3, opening="new position kalshi KX-2"))
    assert (kill.stage, kill.rung) == (Stage.VERIFIED, Rung.FLAG)
    kill = after(kill, ours(30, ordered_at=T - 3, opening="new position kalshi KX-3"))
    assert kill.stage is Stage.NOT_VERIFIED, "none worked any more"


@pytest.mark.parametrize(
    "shown",
    [
        {"ordered_at": T + 8},
        {"ordered_at": None},
        {"ordered_at": T - 3, "killed": None},
    ],
    ids=["an order after the kill", "nothing about orders", "nothing about the kill"],
)
def test_a_late_fill_is_believed_only_of_a_bot_that_tells_all_about_it(shown):
    kill = after(acked(), *(ours(5.0 * n, working=1.0, ordered_at=T - 3) for n in range(1, 3)))
    assert after(kill, ours(15, opening="filled", **shown)).stage is Stage.NOT_VERIFIED


# The gate


def test_a_refusal_by_the_kill_switch_after_the_grace_proves_it():
    kill = after(acked(), state(5, refused=True))
    assert kill.stage is Stage.ACKED, "the grace"
    kill = after(kill, state(10, refused=True))
    assert (kill.stage, kill.rung) == (Stage.VERIFIED, Rung.GATE)


def test_a_bot_that_refuses_one_and_opens_another_is_not_killed():
    kill = after(acked(), state(5, refused=True), state(10, refused=True, opening="filled x"))
    assert (kill.stage, kill.detail) == (Stage.NOT_VERIFIED, "filled x")


# Silence


def test_silence_counts_after_one_cycle_of_grace_and_proves_what_chance_does_not_explain():
    kill = after(acked(7), state(5))
    assert (kill.stage, kill.quiet) == (Stage.ACKED, 0)
    kill = after(kill, *quiet(4, first=10))
    assert (kill.stage, kill.detail) == (Stage.UNPROVEN, "quiet 4 of 7")
    kill = after(kill, *quiet(3, first=30))
    assert (kill.stage, kill.rung, kill.quiet) == (Stage.VERIFIED, Rung.QUIET, 7)


def test_silence_of_a_bot_that_rarely_opens_proves_nothing_however_long():
    kill = after(acked(None), *quiet(1000))
    assert (kill.stage, kill.detail) == (Stage.UNPROVEN, "quiet, not proven")


@pytest.mark.parametrize(
    "shown", [{"could_open": False}, {"new_cycle": False}], ids=["no quotes", "a repeat"]
)
def test_a_cycle_that_could_open_nothing_is_no_silence(shown):
    kill = after(acked(5), *(state(5.0 * n, **shown) for n in range(1, 50)))
    assert kill.stage is not Stage.VERIFIED
    assert kill.quiet == 0


# What undoes it


@pytest.mark.parametrize("proof", [[ours(0.2)], quiet(9), [state(5), state(10, refused=True)]])
def test_an_opening_an_hour_after_the_proof_undoes_it_for_good(proof):
    kill = after(acked(7), *proof)
    assert kill.stage is Stage.VERIFIED
    kill = after(kill, state(1800), state(3600, opening="new position kalshi KX-2"))
    assert (kill.stage, kill.rung, kill.detail) == (Stage.NOT_VERIFIED, None, "new position kalshi KX-2")
    assert kill.since == T + 3600
    assert kill.decided_at is None
    for believed_no_more in (ours(3605), *quiet(500, first=3610)):
        kill = after(kill, believed_no_more)
    assert kill.stage is Stage.NOT_VERIFIED
    assert not kill.wants_sending


def test_another_attempt_in_the_same_session_does_not_believe_the_flag_again():
    kill = pressed(ORDER, 5, T, quiet_only=True).acked(T + 0.1)
    kill = after(kill, ours(5), ours(10), ours(15))
    assert (kill.stage, kill.detail) == (Stage.UNPROVEN, "quiet 2 of 5")


def test_an_intent_in_the_ledger_after_the_grace_undoes_a_proof():
    kill = after(acked(), ours(0.2))
    assert kill.ledger_opened(T + 4.9, "an intent", T + 6, INTERVAL) == kill, "begun in the cycle of grace"
    undone = kill.ledger_opened(T + 60, "order intent 17", T + 62, INTERVAL)
    assert (undone.stage, undone.detail, undone.since) == (Stage.NOT_VERIFIED, "order intent 17", T + 62)


def test_orders_that_flatten_a_killed_bot_undo_nothing():
    kill = after(acked(), ours(0.2), ours(5), ours(600, working=3.0, ordered_at=T + 599))
    assert kill.stage is Stage.VERIFIED


# States that cross the ack


def test_a_state_built_before_the_ack_that_comes_after_it_is_neither_grace_nor_guilt():
    kill = after(
        acked(),
        Sighting(at=T + 0.2, built_at=T - 0.1, opening="filled before the kill"),
        state(5, opening="filled in the cycle that was under way"),
    )
    assert kill.stage is Stage.ACKED
    assert after(kill, state(10, opening="filled")).stage is Stage.NOT_VERIFIED


def test_without_a_time_the_first_state_after_the_ack_may_be_from_before_it():
    kill = after(acked(), *(Sighting(at=T + at, opening="filled") for at in (0.2, 5)))
    assert kill.stage is Stage.ACKED
    assert after(kill, Sighting(at=T + 10, opening="filled")).stage is Stage.NOT_VERIFIED


def test_a_clock_that_stands_still_hides_no_more_than_one_state():
    kill = after(acked(), *(Sighting(at=T + at, built_at=T - 900, opening="filled") for at in (1, 6, 11)))
    assert kill.stage is Stage.NOT_VERIFIED


# Sending, acks, restarts


def test_a_kill_wants_sending_until_it_is_acked():
    assert sent().wants_sending
    assert not acked().wants_sending


def test_openings_before_any_ack_show_that_it_did_not_arrive_and_an_ack_begins_anew():
    kill = after(sent(), state(5, opening="filled"), state(10, opening="filled"))
    assert (kill.stage, kill.wants_sending) == (Stage.NOT_VERIFIED, True)
    kill = kill.acked(T + 12)
    assert kill.stage is Stage.ACKED
    assert after(kill, state(15, opening="filled"), ours(16)).stage is Stage.VERIFIED


def test_a_second_ack_changes_nothing_once_it_is_held_to_the_first():
    for kill in (after(acked(), ours(0.2)), after(acked(), state(5), state(10)), acked()):
        assert kill.acked(T + 60) == kill


def test_a_refusal_is_said_until_the_bot_acks():
    assert sent().refused("disk full").detail == "the bot answers: disk full"
    assert acked().refused("disk full") == acked()


def test_a_restart_of_the_bot_begins_again_whatever_was_proven_or_disproved():
    verified = after(acked(), ours(0.2))
    disproved = after(acked(), state(5), state(10, opening="filled"))
    for kill in (verified, disproved):
        anew = kill.restarted(T + 100)
        assert (anew.stage, anew.wants_sending, anew.begun_at) == (Stage.SENT, True, T + 100)
        assert after(anew.acked(T + 101), ours(102)).time_to_verified == pytest.approx(2)


# No states


def test_without_states_it_is_unproven_after_seven_intervals_and_ten_seconds():
    kill = acked()
    assert kill.ticked(T + 45, INTERVAL).stage is Stage.ACKED
    silent = kill.ticked(T + 45.2, INTERVAL)
    assert (silent.stage, silent.detail) == (Stage.UNPROVEN, "no states")
    assert after(silent, ours(60)).stage is Stage.VERIFIED, "it can still be proven"


def test_without_an_answer_it_is_unproven_and_goes_on_being_sent():
    silent = sent().ticked(T + 500, None)
    assert (silent.stage, silent.detail, silent.wants_sending) == (Stage.UNPROVEN, "no answer", True)
    assert silent.acked(T + 501).stage is Stage.ACKED


def test_orders_that_never_go_are_why_it_is_unproven():
    kill = after(acked(), *(ours(5.0 * n, working=1.0) for n in range(1, 10)))
    assert kill.ticked(T + 60, INTERVAL).detail == "1 working order"


# How much silence it takes


@pytest.mark.parametrize(
    ("opening", "seen", "needed"),
    [(19, 19, None), (19, 200, None), (20, 20, 12), (200, 200, 5), (100, 200, 18), (20, 200, 194)],
)
def test_how_many_quiet_cycles_prove_a_kill(opening, seen, needed):
    assert quiet_cycles_needed(opening, seen) == needed


@given(st.integers(20, 200), st.integers(0, 180))
def test_the_silence_is_never_shorter_than_the_share_itself_asks_for(opening, more):
    seen = min(200, opening + more)
    needed = quiet_cycles_needed(opening, seen)
    assert needed is not None
    assert needed >= 5
    assert (1 - opening / seen) ** needed <= 0.001


def test_the_habit_is_that_of_the_last_two_hundred_cycles_that_could_have_opened_something():
    habit = Habit()
    for number in range(400):
        habit.seen(state(number, opening="filled" if number >= 200 else ""))
        habit.seen(state(number, could_open=False))
        habit.seen(state(number, new_cycle=False))
    assert habit.quiet_cycles_needed == 5


def test_silence_between_bursts_is_no_proof_until_it_is_twice_as_long_as_it_ever_was():
    bursts = Habit(([True] * 20 + [False] * 15) * 5)
    steady = Habit([True, False] * 80)
    assert bursts.quiet_cycles_needed == 31
    assert steady.quiet_cycles_needed == quiet_cycles_needed(80, 160)


@given(
    st.lists(
        st.builds(
            Sighting,
            at=st.floats(0, 100).map(lambda seconds: T + seconds),
            built_at=st.none() | st.floats(-50, 100).map(lambda seconds: T + seconds),
            new_cycle=st.booleans(),
            opening=st.sampled_from(["", "", "filled"]),
            refused=st.booleans(),
            could_open=st.booleans(),
            killed=st.none() | st.booleans(),
            by_operator=st.booleans(),
            working=st.none() | st.sampled_from([0.0, 1.0]),
        ),
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_whatever_is_seen_a_proof_has_a_rung_and_a_time_and_nothing_else_has(sightings, acked_after):
    kill = sent()
    for number, sighting in enumerate(sightings):
        if number == acked_after:
            kill = kill.acked(sighting.at)
        caught = kill.disproved
        kill = kill.seen(sighting)
        verified = kill.stage is Stage.VERIFIED
        assert verified == (kill.rung is not None) == (kill.decided_at is not None)
        assert not (caught and kill.stage is not Stage.NOT_VERIFIED)
        assert not (verified and kill.rung is Rung.QUIET and kill.quiet < 7)


def test_an_old_state_that_is_sent_again_proves_nothing_whatever_it_shows():
    earlier = [{"killed_since": T - 900}, {"refused": True}, {}, {}, {}, {}, {}, {}, {}, {}, {}]
    replayed = [ours(n / 10, built_at=T - 600 + n, **shown) for n, shown in enumerate(earlier, 2)]
    kill = after(acked(), *replayed)
    assert kill.stage is Stage.ACKED
    assert after(kill, ours(5)).rung is Rung.FLAG
