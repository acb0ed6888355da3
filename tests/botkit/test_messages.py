"""The wire format: what goes through unchanged, what becomes 'not reported', what is refused and why."""

import itertools
import json
import math
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botkit.messages import (
    LINE_LIMIT,
    MALFORMED_REASONS,
    LineSplitter,
    MalformedMessage,
    TooLong,
    UnsendableMessage,
    ack_type,
    decode,
    encode,
)

whole_text = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | whole_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(whole_text, inner, max_size=4),
    max_leaves=12,
)
messages = st.dictionaries(whole_text, json_values, max_size=6).map(
    lambda fields: {**fields, "type": "state"}
)


@given(messages)
def test_what_is_encoded_is_decoded_to_the_same(message: dict[str, object]) -> None:
    line = encode(message)
    assert decode(line) == message
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_goes_out_as_null(number: float) -> None:
    sent = encode({"type": "state", "pnl": number, "deep": [{"x": (1.5, number)}], number: 1})
    assert json.loads(sent) == {"type": "state", "pnl": None, "deep": [{"x": [1.5, None]}], str(number): 1}


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 301, "-" + "9" * 5000]
)
def test_a_number_that_no_float_holds_counts_as_not_reported(literal: str) -> None:
    assert decode(f'{{"type":"state","pnl":{literal},"cash":{{"kalshi":{literal}}}}}'.encode()) == {
        "type": "state",
        "pnl": None,
        "cash": {"kalshi": None},
    }


def test_a_reader_who_must_refuse_it_gets_a_number_that_is_not_finite_as_it_is() -> None:
    assert decode(b'{"type":"x","n":-Infinity}', keep_non_finite=True) == {"type": "x", "n": -math.inf}
    with pytest.raises(MalformedMessage, match="not_json"):
        decode(b'{"type":"x","n":' + b"9" * 5000 + b"}", keep_non_finite=True)


def test_long_integers_that_a_float_holds_stay_whole() -> None:
    assert decode(b'{"type":"x","n":123456789012345678901234567890}')["n"] == 123456789012345678901234567890


def test_values_that_json_does_not_know_go_out_as_text_and_mappings_as_objects() -> None:
    message = {
        "type": "state",
        "path": Path("/data"),
        "cash": MappingProxyType({"kalshi": 1.5}),
        "d": Decimal("1.1"),
    }
    assert decode(encode(message)) == {"type": "state", "path": "/data", "cash": {"kalshi": 1.5}, "d": "1.1"}


def test_a_message_that_contains_itself_or_has_a_key_that_is_no_text_cannot_be_sent() -> None:
    endless: dict[str, object] = {"type": "state"}
    endless["self"] = endless
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for message in (
        endless,
        {"type": "state", "keys": {(1, 2): 3}},
        {"type": "state", "nan": math.nan, ("a",): 1},
        {"type": "state", "deep": deep},
    ):
        with pytest.raises(UnsendableMessage):
            encode(message)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type":"state"', "not_json"),
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b'{"type":"state"} trailing', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"type":"\\ud800","a":' + b"[" * 600 + b"]" * 600 + b"}", "not_json"),
        (b'{"type":"\xff"}', "not_utf8"),
        ('{"type":"state"}'.encode("utf-16"), "not_utf8"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"5", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"{}", "no_type"),
        (b'{"type":null}', "no_type"),
        (b'{"type":["state"]}', "no_type"),
        (b" " * (LINE_LIMIT + 3), "too_long"),
    ],
)
def test_each_malformed_line_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode(line)
    assert refused.value.reason == reason
    assert reason in MALFORMED_REASONS


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'{"type":"x","n":1E400}')
@example(b'{"type":"x","n":-}')
def test_any_bytes_are_a_message_or_malformed_and_nothing_else(line: bytes) -> None:
    try:
        message = decode(line)
    except MalformedMessage as exc:
        assert exc.reason in MALFORMED_REASONS
    else:
        assert isinstance(message["type"], str)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_line_ends_of_both_kinds_are_taken(ending: bytes) -> None:
    assert decode(b'{"type":"pause"}' + ending) == {"type": "pause"}


def test_half_surrogate_pairs_become_a_sign_that_every_page_can_hold() -> None:
    message = decode(rb'{"type":"x","reason":"a\ud800b","list":[{"\uDFFF":"\ud83d\ude00"}]}')
    assert message == {"type": "x", "reason": "a\ufffdb", "list": [{"\ufffd": "\U0001f600"}]}


def test_an_ack_is_named_after_its_command() -> None:
    assert ack_type("kill_switch") == "kill_switch_ack"


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


@given(
    st.lists(messages, max_size=5),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_however_a_stream_is_cut_the_same_messages_come_out(
    sent: list[dict[str, object]], places: list[int], ending: bytes
) -> None:
    stream = b"".join(encode(message).rstrip(b"\n") + ending for message in sent)
    splitter = LineSplitter()
    lines = [line for part in cut(stream, places) for line in splitter.feed(part)]
    assert [decode(line) for line in lines if isinstance(line, bytes)] == sent
    assert splitter.close() == []


def reference(stream: bytes, limit: int) -> list[object]:
    """What a splitter with all the memory in the world would say."""
    lines = stream.split(b"\n")
    return [
        TooLong(limit) if len(line) > limit else line for line in lines if len(line) > limit or line.strip()
    ]


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b" ", b"\r", b"x" * 9]), max_size=60),
    st.lists(st.integers(0, 500)),
)
@settings(max_examples=300)
@example([b"a", b"\n", b"x" * 20, b"\n", b"bc"], [])
def test_long_lines_are_told_once_and_the_stream_is_in_step_again(
    pieces: list[bytes], places: list[int]
) -> None:
    stream, limit = b"".join(pieces), 12
    splitter = LineSplitter(limit)
    lines: list[object] = []
    for part in cut(stream, places):
        lines += splitter.feed(part)
        assert len(splitter._kept) <= limit
    lines += splitter.close()
    assert lines == reference(stream, limit)
    assert splitter.unfinished == 0


def test_an_endless_line_is_told_at_once_and_its_length_is_known_but_not_kept() -> None:
    splitter = LineSplitter(limit=1000)
    told = [line for _ in range(1000) for line in splitter.feed(b"x" * 100)]
    assert told == [TooLong(1000)]
    assert splitter.unfinished == 100_000
    assert len(splitter._kept) == 0
    assert splitter.feed(b'tail\n{"type":"x"}\n') == [b'{"type":"x"}']


def test_the_recorded_session_goes_through_whole(samples: Path) -> None:
    stream = (samples / "arb-session" / "states.jsonl").read_bytes()
    splitter = LineSplitter()
    lines = [line for at in range(0, len(stream), 65_536) for line in splitter.feed(stream[at : at + 65_536])]
    lines += splitter.close()
    states = [decode(line) for line in lines if isinstance(line, bytes)]
    assert len(states) == len(lines) == 80
    assert [state["cycle"] for state in states] == list(range(1, 81))
    assert [decode(encode(state)) for state in states] == states
