"""Which command an ack answers."""

import random

import pytest

from exporter.control.acks import MOST_WAITING, Acks


def setting(key: str, value: object) -> dict[str, object]:
    return {"type": "update_config", "key": key, "value": value}


def taken(key: str, value: object, **more: object) -> dict[str, object]:
    return {"type": "update_config_ack", "key": key, "ok": True, "old": 0, "new": value, **more}


KILL = {"type": "kill_switch", "activate": True}
REARM = {"type": "kill_switch", "activate": False}


def waiting_for(*messages: dict[str, object]) -> Acks:
    """Acks with these commands sent, their ids their places: "0", "1" …"""
    acks = Acks()
    for place, message in enumerate(messages):
        acks.sent(message, str(place))
    return acks


def answers(acks: Acks, message: dict[str, object]) -> str | None:
    found = acks.answered(message)
    return None if found is None else found.id


def test_an_echoed_id_decides_alone_whatever_the_order():
    acks = waiting_for(setting("A", 1), setting("A", 1), KILL)
    assert answers(acks, {"type": "kill_switch_ack", "ok": True, "active": True, "id": "2"}) == "2"
    assert answers(acks, taken("A", 1, id="1")) == "1"
    assert answers(acks, taken("A", 1, id="1")) is None, "it has had its answer"
    assert answers(acks, taken("A", 1, id="from somebody else")) is None
    assert acks.waiting == 1


def test_without_an_id_acks_belong_to_commands_of_their_type_and_key_in_order():
    acks = waiting_for(setting("A", 1), setting("B", 2), KILL, setting("A", 3))
    assert answers(acks, {"type": "kill_switch_ack", "ok": True, "active": True}) == "2"
    assert answers(acks, taken("B", 2)) == "1"
    assert answers(acks, taken("A", 1)) == "0"
    assert answers(acks, taken("A", 3)) == "3"


@pytest.mark.parametrize(
    "odd",
    [
        taken("B", 1),
        {"type": "pause_ack", "ok": True},
        {"type": "state", "cycle": 1},
        {"type": "error", "error": "unknown type: pause"},
        {"type": "update_config_ack", "key": ["A"], "ok": False, "error": "unhashable type: 'list'"},
    ],
    ids=["another key", "another type", "a state", "an error about another type", "a key that is a list"],
)
def test_what_answers_something_else_never_matches(odd):
    assert answers(waiting_for(setting("A", 1)), odd) is None


def test_a_refusal_without_a_key_belongs_to_the_first_of_its_type():
    refused = {"type": "update_config_ack", "ok": False, "error": "no handler"}
    assert answers(waiting_for(KILL, setting("A", 1)), refused) == "1"


def test_a_late_ack_goes_to_the_command_that_asked_for_it_and_not_to_the_next_one():
    acks = waiting_for(setting("A", 1), setting("A", 2))
    assert answers(acks, taken("A", 1)) == "0"
    assert answers(acks, taken("A", 2)) == "1"


def test_an_ack_that_was_lost_does_not_shift_the_answers_of_other_values():
    acks = waiting_for(setting("A", 1), setting("A", 2))
    assert answers(acks, taken("A", 2)) == "1"


def test_the_late_ack_of_a_kill_does_not_answer_a_rearming():
    acks = waiting_for(REARM)
    assert answers(acks, {"type": "kill_switch_ack", "ok": True, "active": True}) is None
    still_killed = {"type": "kill_switch_ack", "ok": False, "active": True, "error": "still killed by …"}
    assert answers(acks, still_killed) == "0"


def test_a_venue_kill_is_not_answered_by_the_ack_of_another_venues():
    acks = waiting_for({**KILL, "venue": "kalshi"}, {**KILL, "venue": "polymarket"})
    ack = {"type": "kill_switch_ack", "ok": True, "active": True, "venue": "polymarket"}
    assert answers(acks, ack) == "1"


def test_an_unknown_type_answers_the_command_that_it_names():
    acks = waiting_for(KILL, {"type": "pause"})
    assert answers(acks, {"type": "error", "error": "unknown type: pause"}) == "1"


def test_what_a_bot_leaves_unanswered_takes_bounded_memory():
    acks = waiting_for(*[KILL] * (MOST_WAITING + 50))
    assert acks.waiting == MOST_WAITING


def test_any_number_of_commands_in_flight_are_all_told_apart_by_id():
    draw = random.Random(7)
    acks = waiting_for(*[setting(f"K{draw.randrange(5)}", draw.randrange(3)) for _ in range(200)])
    order = list(range(200))
    draw.shuffle(order)
    for place in order:
        assert answers(acks, {"type": "update_config_ack", "ok": True, "id": str(place)}) == str(place)
    assert acks.waiting == 0
