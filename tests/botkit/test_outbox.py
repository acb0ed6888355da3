"""What waits to be sent to one client."""

from hypothesis import given
from hypothesis import strategies as st

from botkit.outbox import ANSWER_BYTES, ANSWERS, Outbox


def drain(outbox: Outbox) -> list[bytes]:
    lines = []
    while (line := outbox.take()) is not None:
        lines.append(line)
    return lines


@given(st.lists(st.sampled_from(["state", "answer", "take"]), max_size=120))
def test_answers_are_never_lost_states_only_the_oldest_and_order_is_kept(steps: list[str]) -> None:
    outbox, model, taken, expected = Outbox(states=3), [], [], []  # type: ignore[var-annotated]
    for number, step in enumerate(steps):
        line = f"{step} {number}".encode()
        if step == "answer":
            outbox.put_answer(line)
            model.append(line)
        elif step == "state":
            states = [waiting for waiting in model if waiting.startswith(b"state")]
            assert outbox.put_state(line) == (len(states) == 3)
            if len(states) == 3:
                model.remove(states[0])
            model.append(line)
        else:
            taken.append(outbox.take())
            expected.append(model.pop(0) if model else None)
        assert len(outbox) == len(model)
    assert taken == expected
    assert drain(outbox) == model


def test_an_outbox_is_crowded_by_many_answers_or_long_ones_and_by_no_state() -> None:
    many, long, states = Outbox(3), Outbox(3), Outbox(3)
    for _ in range(ANSWERS):
        assert not many.crowded
        many.put_answer(b"x")
    assert many.crowded
    many.take()
    assert not many.crowded
    long.put_answer(b"x" * ANSWER_BYTES)
    assert long.crowded
    for _ in range(1000):
        states.put_state(b"x" * ANSWER_BYTES)
    assert not states.crowded
