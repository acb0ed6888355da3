"""Commands beside kill and settings: who can do what, and what a later state must show."""

from collections.abc import Mapping

import pytest

from exporter.control.command import (
    Command,
    Tripped,
    commands_of,
    order_for,
    plan,
    possible,
    raises_risk,
    refusal,
)
from exporter.control.order import Stage
from exporter.errors import Invalid, NotNow

AT = 1000.0
OURS: dict[str, object] = {
    "status": "paper",
    "mode": "paper",
    "commands": ["update_config", "kill_switch", "pause", "resume", "close_position"],
    "open_positions": [
        {"position_id": "p1", "venue": "kalshi", "contracts": 10},
        {"position_id": "p2", "venue": "polymarket", "contracts": 10},
    ],
}
DEPLOYED: dict[str, object] = {
    "mode": "paper",
    "open_positions": [{"market_id": "M", "venue": "kalshi"}],
}
EMA: dict[str, object] = {
    "status": "live",
    "commands": ["adjust_stop", "add_to_position", "close_position"],
    "open_positions": [{"id": "n1", "shares": 150, "stop": 128.5}],
}


def sent(name: str, message: Mapping[str, object] | None = None, **more: object) -> Command:
    return Command(name, {"type": name} | dict(message or {}), order_for(name, AT, 20.0), **more)  # type: ignore[arg-type]


def after(
    command: Command, *states: Mapping[str, object], ack: Mapping[str, object] | None = None
) -> Command:
    """The command as acked at once, and then each state 5 s after the one before."""
    command = command.answered({"ok": True} if ack is None else ack, AT)
    for number, state in enumerate(states, 1):
        command = command.seen(state, AT + 5 * number)
    return command


def test_a_bot_that_names_its_commands_can_do_those() -> None:
    assert dict(possible("arb", OURS)) == {
        "pause": "",
        "resume": "",
        "set_mode": (
            "this bot cannot change its mode while it runs: it understands"
            " close_position, kill_switch, pause, resume, update_config only"
        ),
        "close_position": "",
        "adjust_stop": "an arbitrage position has no stop: its legs pay a known sum together",
        "add_to_position": "an arbitrage position is not added to: its legs belong together",
    }


def test_one_that_names_none_understands_two_and_says_so() -> None:
    assert commands_of(DEPLOYED) is None
    says = refusal("arb", None, "pause")
    assert says == "this bot cannot pause: it understands kill_switch and update_config only"
    with pytest.raises(Invalid, match="cannot pause"):
        plan("arb", DEPLOYED, "pause", {})
    assert all(dict(possible("arb", DEPLOYED)).values())
    assert set(dict(possible("arb", None)).values()) >= {"no state came yet"}


def test_a_command_list_of_another_shape_is_read_as_far_as_it_goes() -> None:
    assert commands_of({"commands": "pause"}) is None
    assert commands_of({"commands": ["pause", 3, None]}) == {"pause"}


def test_nothing_is_sent_before_the_first_state_nor_to_a_killed_bot() -> None:
    with pytest.raises(NotNow, match="not sent a state yet"):
        plan("arb", None, "pause", {})
    for name in ("pause", "resume"):
        with pytest.raises(NotNow, match="re-arm it first"):
            plan("arb", OURS | {"status": "killed"}, name, {})


def test_a_position_must_be_among_the_open_ones() -> None:
    row = plan("arb", OURS, "close_position", {"position_id": "p1"})
    assert row is not None and row["venue"] == "kalshi"
    with pytest.raises(NotNow, match="'p9' is not among the open positions"):
        plan("arb", OURS, "close_position", {"position_id": "p9"})
    with pytest.raises(NotNow):
        plan("ema", {"commands": ["close_position"]}, "close_position", {"position_id": "p1"})


@pytest.mark.parametrize(
    ("name", "statuses", "stage"),
    [
        ("pause", ["paused"], Stage.VERIFIED),
        ("pause", ["paper", "paused"], Stage.VERIFIED),
        ("pause", ["paper", "paper"], Stage.NOT_VERIFIED),
        ("pause", ["killed"], Stage.ACKED),
        ("pause", [None], Stage.ACKED),
        ("resume", ["paper"], Stage.VERIFIED),
        ("resume", ["live"], Stage.VERIFIED),
        ("resume", ["paused", "paused"], Stage.NOT_VERIFIED),
    ],
)
def test_pause_and_resume_are_seen_in_the_status(name: str, statuses: list[str], stage: Stage) -> None:
    assert after(sent(name), *({"status": status} for status in statuses)).stage is stage


def test_the_sentence_says_what_was_seen() -> None:
    assert after(sent("pause"), {"status": "paused"}).says == "a later state shows status 'paused'"
    never = sent("pause").unanswered("no answer within 5 s", AT).tick(AT + 100)
    assert (never.stage, never.says) == (Stage.UNKNOWN, "not answered: unknown, look at the state")
    assert after(sent("resume"), ack={"ok": False, "error": "still killed by x"}).stage is Stage.REFUSED
    assert sent("pause").not_sent("not connected", AT).decided_at == AT


def test_a_mode_is_seen_in_the_mode() -> None:
    live = sent("set_mode", {"mode": "live"}, target="live")
    assert after(live, {"mode": "live"}).stage is Stage.VERIFIED
    assert after(live, {"mode": "paper"}, {"mode": "paper"}).stage is Stage.NOT_VERIFIED
    assert after(live, {"mode": "?"}, {}).stage is Stage.ACKED


def test_a_closed_position_is_gone_with_every_leg_that_the_ack_names() -> None:
    close = sent("close_position", {"position_id": "p1"}, target="p1")
    ack = {"ok": True, "closes": ["p1", "p2"]}
    one_left = {"open_positions": [{"position_id": "p2"}]}
    waiting = after(close, OURS, one_left, one_left, ack=ack)
    assert (waiting.stage, waiting.says) == (
        Stage.ACKED,
        "acked; the last state shows 1 of 2 closed positions still open",
    )
    assert waiting.seen({"open_positions": []}, AT + 18).stage is Stage.VERIFIED
    assert waiting.tick(AT + 21).stage is Stage.NOT_VERIFIED
    assert after(close, {"open_positions": [{"position_id": "p2"}]}).stage is Stage.VERIFIED
    assert after(close, {}, {"open_positions": "?"}).stage is Stage.ACKED


def test_a_moved_stop_is_seen_in_its_position() -> None:
    stop = sent("adjust_stop", {"position_id": "n1", "price": 130}, target="n1")
    moved = {"open_positions": [{"id": "n1", "stop": 130.0}]}
    assert after(stop, moved).stage is Stage.VERIFIED
    assert after(stop, EMA, EMA).stage is Stage.NOT_VERIFIED
    assert after(stop, {"open_positions": []}).stage is Stage.ACKED


def test_an_addition_is_seen_in_the_size() -> None:
    row = plan("ema", EMA, "add_to_position", {"position_id": "n1"})
    add = sent("add_to_position", {"position_id": "n1", "quantity": 50}, target="n1", row=row)
    assert after(add, EMA).stage is Stage.ACKED
    assert after(add, EMA, {"open_positions": [{"id": "n1", "shares": 200}]}).stage is Stage.VERIFIED
    assert after(add, {"open_positions": [{"id": "n1"}]}).stage is Stage.ACKED


def test_to_resume_raises_the_risk_after_a_trip_and_while_nobody_knows() -> None:
    tripped = Tripped()
    assert raises_risk("resume", tripped=tripped.holds)
    tripped.seen({"status": "paper"})
    tripped.seen({"status": "paused"})
    assert not raises_risk("resume", tripped=tripped.holds)
    tripped.seen({"status": "paused", "kill_switch": {"active": True}})
    tripped.seen({"status": "paused", "kill_switch": {"active": False}})
    assert raises_risk("resume", tripped=tripped.holds)
    tripped.seen({"status": "live"})
    tripped.seen({"status": "killed"})
    assert tripped.holds


def test_the_direction_of_every_other_command() -> None:
    assert not raises_risk("pause") and not raises_risk("close_position")
    assert raises_risk("adjust_stop") and raises_risk("add_to_position")
    assert raises_risk("set_mode", target="live") and not raises_risk("set_mode", target="paper")
