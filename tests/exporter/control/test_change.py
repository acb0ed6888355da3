"""A change of a setting is checked first, and believed only when later states show value and mode."""

from dataclasses import replace
from typing import Any

import pytest

from exporter.control.catalogue import catalogue
from exporter.control.change import Change, Known, Seen, contradiction, plan
from exporter.control.order import Order, Stage, patience
from exporter.errors import Invalid, NotNow

ARB = catalogue("arb")
CAP = "ARB_DAILY_LOSS_CAP_USD"
SETTINGS: dict[str, object] = {
    "ARB_LIVE_MODE": False,
    CAP: 10.0,
    "ARB_MAX_DOLLARS_PER_TRADE": 40.0,
    "ARB_MAX_CONTRACTS_PER_TRADE": 100,
}
OWN = Known(own=True, connected=True, mode="paper", settings=SETTINGS)
DEPLOYED = replace(OWN, own=False)
OK = {"type": "update_config_ack", "key": CAP, "ok": True}
AT = 1000.0


def sent(*, key: str = CAP, own: bool = True, wanted: Any = 5.0, mode: str | None = "paper") -> Change:
    before = SETTINGS[key]
    observable = ARB.parameters[key].observable(own=own)
    return Change(key, before, wanted, mode, observable, own, Order(AT, patience(5.0)))


def state(value: object, mode: str | None = "paper", key: str = CAP) -> Seen:
    return Seen(mode, SETTINGS | {key: value})


def test_a_good_change_becomes_a_message_with_a_typed_value() -> None:
    whole = plan(ARB, OWN, "ARB_MAX_CONTRACTS_PER_TRADE", "50")
    assert whole.message == {
        "type": "update_config",
        "key": "ARB_MAX_CONTRACTS_PER_TRADE",
        "value": 50,
    }
    assert type(whole.message["value"]) is int
    assert (whole.before, whole.raises_risk, whole.observable, whole.warning) == (100, False, True, "")
    assert plan(ARB, OWN, CAP, 15).raises_risk
    assert not plan(ARB, DEPLOYED, "ARB_MAX_CONTRACTS_PER_TRADE", 50).observable


def test_a_blank_goes_out_as_an_empty_text() -> None:
    key = "ARB_LANE_CROSS_KELLY_FRACTION_CAP"
    known = replace(OWN, settings=SETTINGS | {key: 0.5})
    assert plan(ARB, known, key, None).message["value"] == ""


@pytest.mark.parametrize(
    ("known", "key", "raw", "error", "says"),
    [
        (OWN, "ARB_NONSENSE", 1, Invalid, "'ARB_NONSENSE' is no setting"),
        (OWN, "ARB_LIVE_MODE", True, Invalid, "two steps"),
        (DEPLOYED, "ARB_LIVE_MODE", True, Invalid, "two steps"),
        (OWN, CAP, "nan", Invalid, "expected a number from 0"),
        (OWN, CAP, -1, Invalid, "got -1"),
        (OWN, "ARB_CONTROL_SOCKET_PORT", 9121, Invalid, "requires a restart: the control socket"),
        (OWN, "ARB_STREAM_MODE", True, Invalid, "this bot has no such setting"),
        (DEPLOYED, "ARB_MAX_CONSECUTIVE_FAILURES", 3, Invalid, "at start only"),
        (OWN, "ARB_CANARY_MODE", True, Invalid, "does not show this setting"),
        (replace(OWN, connected=False), CAP, 5, NotNow, "not connected; nothing was sent"),
        (replace(OWN, settings=None), CAP, 5, NotNow, "wait for its first state"),
        (replace(DEPLOYED, mode="live"), CAP, 5, NotNow, "any change may flip its mode; to send"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    known: Known, key: str, raw: object, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        plan(ARB, known, key, raw)
    assert says in str(caught.value)


def test_a_mode_that_contradicts_the_bots_own_setting_takes_force_and_keeps_its_warning() -> None:
    odd = replace(DEPLOYED, mode="live")
    assert "says live and its own ARB_LIVE_MODE is false" in contradiction(ARB, odd)
    assert "may flip its mode" in plan(ARB, odd, CAP, 5, force=True).warning
    assert contradiction(ARB, OWN) == ""
    assert contradiction(ARB, replace(OWN, mode=None)) == ""


def test_a_live_bot_that_may_forget_its_command_line_is_warned_of() -> None:
    live = Known(own=False, connected=True, mode="live", settings=SETTINGS | {"ARB_LIVE_MODE": True})
    assert "goes back to paper" in plan(ARB, live, CAP, 5).warning


def test_value_and_mode_in_a_later_state_verify() -> None:
    change = sent().answered(OK, AT + 0.1)
    assert (change.stage, change.decided_at) == (Stage.ACKED, None)
    done = change.seen(state(5), AT + 1)
    assert (done.stage, done.decided_at) == (Stage.VERIFIED, AT + 1)
    assert done.says == "a later state shows ARB_DAILY_LOSS_CAP_USD = 5"


def test_a_state_from_before_the_ack_that_comes_after_it_is_forgiven() -> None:
    change = sent().answered(OK, AT + 0.1)
    for late in range(20):  # states at 20 Hz that were on their way
        change = change.seen(state(10.0), AT + 0.1 + late * 0.05)
        assert change.stage is Stage.ACKED
    assert change.seen(state(5), AT + 1.5).stage is Stage.VERIFIED
    slow = sent().answered(OK, AT).seen(state(10.0), AT + 59)
    assert slow.stage is Stage.ACKED
    assert slow.seen(state(10.0), AT + 119).stage is Stage.NOT_VERIFIED


def test_states_that_go_on_to_show_the_old_value_contradict_the_ack() -> None:
    change = sent().answered(OK, AT + 0.1).seen(state(10.0), AT + 5).seen(state(10.0), AT + 10)
    assert change.stage is Stage.NOT_VERIFIED
    assert change.says == "acked, but later states show ARB_DAILY_LOSS_CAP_USD = 10.0"
    assert change.seen(state(5), AT + 15) == change, "it is decided"


def test_one_contradicting_state_and_then_silence_is_not_verified() -> None:
    change = sent().answered(OK, AT).seen(state(10.0), AT + 5).tick(AT + 1000)
    assert change.stage is Stage.NOT_VERIFIED


def test_where_no_state_shows_whether_it_works_the_ack_is_all_there_is() -> None:
    change = sent(key="ARB_MAX_CONTRACTS_PER_TRADE", own=False, wanted=50)
    change = change.answered({"ok": True}, AT).seen(state(50, key="ARB_MAX_CONTRACTS_PER_TRADE"), AT + 1)
    assert change.stage is Stage.NOT_OBSERVABLE
    assert "no state can show whether the running bot works with it" in change.says
    odd = sent(key="ARB_MAX_CONTRACTS_PER_TRADE", own=False, wanted=50).answered({"ok": True}, AT)
    odd = odd.seen(state(100, key="ARB_MAX_CONTRACTS_PER_TRADE"), AT + 5)
    assert odd.seen(state(100, key="ARB_MAX_CONTRACTS_PER_TRADE"), AT + 9).stage is Stage.NOT_VERIFIED


def test_a_flipped_mode_is_told_with_the_way_back() -> None:
    live = sent(mode="live", own=False).answered(OK, AT)
    flipped = live.seen(state(5, mode="paper"), AT + 3)
    assert (flipped.stage, flipped.decided_at) == (Stage.MODE_FLIPPED, AT + 3)
    assert flipped.says.startswith("the mode went from live to paper with this change; change the mode to")
    assert flipped.stage.doubtful


def test_a_state_without_a_mode_proves_nothing_where_there_was_one() -> None:
    change = sent().answered(OK, AT).seen(state(5, mode=None), AT + 3)
    assert change.stage is Stage.ACKED
    assert change.tick(AT + 1000).stage is Stage.UNKNOWN


def test_a_bot_that_never_told_its_mode_is_verified_by_value() -> None:
    assert sent(mode=None).answered(OK, AT).seen(state(5, mode=None), AT + 3).stage is Stage.VERIFIED


def test_a_refusal_of_our_bot_is_its_sentence_and_leaves_nothing() -> None:
    change = sent().answered({"ok": False, "key": CAP, "error": "expected a number\nfrom 0"}, AT + 1)
    assert (change.stage, change.must_restore) == (Stage.REFUSED, None)
    assert change.says == "refused by the bot: expected a number from 0"


@pytest.mark.parametrize("error", ["requires_restart", "unknown key: X", "missing key", "no handler"])
def test_a_deployed_bots_harmless_refusals_leave_nothing(error: str) -> None:
    change = sent(own=False).answered({"ok": False, "error": error}, AT + 1)
    assert (change.stage, change.must_restore) == (Stage.REFUSED, None)


def poisoned() -> Change:
    error = "could not convert string to float: 'None'"
    return sent(own=False).answered({"ok": False, "key": CAP, "error": error}, AT + 1)


def test_a_poisoned_bot_gets_its_old_value_back() -> None:
    change = poisoned()
    assert (change.stage, change.decided_at) == (Stage.RESTORING, None)
    assert change.must_restore == {"type": "update_config", "key": CAP, "value": 10.0}
    change = change.restoring(Order(AT + 1, patience(5.0)).answered(OK, AT + 2))
    assert (change.stage, change.must_restore, change.decided_at) == (Stage.RESTORING, None, None)
    done = change.seen(state(10.0), AT + 6)
    assert (done.stage, done.decided_at) == (Stage.POISONED, AT + 6)
    assert "could not convert" in done.says and "was sent back and holds again" in done.says


def test_where_the_old_value_is_refused_too_another_setting_is_the_poison() -> None:
    change = poisoned().restoring(Order(AT + 1, 10).answered({"ok": False, "error": "could not"}, AT + 2))
    assert change.stage is Stage.POISONED
    assert "every change will fail until that setting gets a good value" in change.says


def test_a_restoration_that_nobody_answers_is_said_to_be_unknown() -> None:
    change = poisoned().restoring(Order(AT + 1, 10).unanswered("3 s", AT + 4)).tick(AT + 100)
    assert change.stage is Stage.POISONED
    assert "unknown, look at the state" in change.says


def test_a_restoration_may_flip_the_mode_as_any_change_may() -> None:
    change = replace(poisoned(), mode="live").restoring(Order(AT + 1, 10).answered(OK, AT + 2))
    assert change.seen(state(10.0, mode="paper"), AT + 6).stage is Stage.MODE_FLIPPED


def test_no_answer_is_unknown_unless_a_state_shows_it_all_the_same() -> None:
    change = sent().unanswered("no answer within 3 s", AT + 3)
    assert change.stage is Stage.UNANSWERED
    assert change.seen(state(5), AT + 6).stage is Stage.VERIFIED
    assert change.seen(state(5), AT + 6).says.startswith("never answered, but a later state shows")
    lost = change.seen(state(10.0), AT + 6).seen(state(10.0), AT + 11).tick(AT + 1000)
    assert (lost.stage, lost.decided_at) == (Stage.UNKNOWN, AT + 1000)
    assert "unknown, look at the state" in lost.says


def test_a_value_that_stood_there_before_proves_nothing_without_an_answer() -> None:
    change = sent(wanted=10.0).unanswered("3 s", AT + 3).seen(state(10.0), AT + 6)
    assert change.tick(AT + 1000).stage is Stage.UNKNOWN


def test_an_answer_about_another_key_is_no_answer() -> None:
    change = sent().answered({"ok": True, "key": "ARB_MAX_BUCKET_LEGS"}, AT + 1)
    assert change.stage is Stage.UNANSWERED
    assert "'ARB_MAX_BUCKET_LEGS'" in change.says


def test_an_ack_without_a_clear_yes_is_a_refusal() -> None:
    assert sent().answered({"ok": "true", "key": CAP}, AT + 1).stage is Stage.REFUSED
    assert "no reason given" in sent().answered({}, AT + 1).says


def test_a_change_that_never_left_changed_nothing() -> None:
    change = sent().not_sent("not connected", AT)
    assert (change.stage, change.says) == (
        Stage.NOT_SENT,
        "not sent: not connected; nothing has changed",
    )
    assert not change.stage.doubtful


def test_an_ack_and_then_no_state_at_all_is_unknown() -> None:
    change = sent().answered(OK, AT + 1)
    assert change.tick(AT + 20).stage is Stage.ACKED
    assert change.tick(AT + 26).stage is Stage.UNKNOWN


def test_a_state_without_settings_says_nothing() -> None:
    assert sent().answered(OK, AT).seen(Seen("paper", None), AT + 9).stage is Stage.ACKED
