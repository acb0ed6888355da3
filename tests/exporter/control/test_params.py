"""Parameters from body and query: the same fields, strict, and never two values for one."""

import math

import pytest

from exporter.control.params import LONGEST_TEXT, Field, as_it_is, body, flag, integer, merged, number, text
from exporter.errors import Invalid

FIELDS = {
    "key": Field(text, required=True),
    "value": Field(as_it_is, required=True, may_be_empty=True),
    "reason": Field(text),
    "force": Field(flag),
    "minutes": Field(integer),
    "price": Field(number),
}
GIVEN: dict[str, object] = {"key": "K", "value": 15}


def test_body_and_query_carry_the_same_fields() -> None:
    wanted = {"key": "K", "value": 15, "reason": "why", "force": True, "minutes": 5, "price": 1.5}
    typed = merged(wanted, [], FIELDS)
    query = [
        ("key", "K"),
        ("reason", " why "),
        ("force", "TRUE"),
        ("minutes", "5"),
        ("price", "1.5"),
    ]
    assert typed == wanted == merged({"value": 15}, query, FIELDS)


def test_what_is_not_given_is_none() -> None:
    assert merged(GIVEN, [], FIELDS) == GIVEN | dict.fromkeys(("reason", "force", "minutes", "price"))


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (GIVEN, [("key", "K")]),
        (GIVEN, [("value", "15")]),
        (GIVEN | {"force": False}, [("force", "false")]),
        (GIVEN | {"price": 2}, [("price", "2.0")]),
        (GIVEN | {"reason": ""}, [("reason", "why")]),
        (GIVEN, [("reason", "why"), ("reason", "why")]),
    ],
)
def test_the_same_value_twice_is_fine(content: dict[str, object], query: list[tuple[str, str]]) -> None:
    assert merged(content, query, FIELDS)["key"] == "K"


@pytest.mark.parametrize(
    ("content", "query", "says"),
    [
        (GIVEN, [("key", "L")], "key is given twice with different values"),
        (GIVEN, [("value", "16")], "value is given twice"),
        ({"key": "K", "value": True}, [("value", "1")], "value is given twice"),
        (GIVEN, [("reason", "a"), ("reason", "b")], "reason is given twice"),
        (GIVEN | {"nonsense": 1}, [], "'nonsense' is not known here; known are key"),
        (GIVEN, [("nonsense", "1")], "'nonsense' is not known here"),
        ({"key": "K"}, [], "value is missing or blank"),
        ({"value": 1}, [], "key is missing or blank"),
        ({"key": "$key", "value": 1}, [], "key is missing or blank"),
        ({"key": "K"}, [("value", "$newValue")], "value is missing or blank"),
        (GIVEN | {"minutes": 5.0}, [], "minutes: expected a whole number"),
        (GIVEN | {"minutes": True}, [], "minutes: expected a whole number"),
        (GIVEN | {"minutes": 10**30}, [], "minutes: expected a whole number"),
        (GIVEN, [("minutes", "5.0")], "minutes: expected a whole number"),
        (GIVEN | {"price": math.nan}, [], "price: expected a finite number"),
        (GIVEN | {"price": 10**400}, [], "price: expected a finite number"),
        (GIVEN, [("price", "1e999")], "price: expected a finite number"),
        (GIVEN, [("price", "1,5")], "price: expected a finite number"),
        (GIVEN | {"price": True}, [], "price: expected a finite number"),
        (GIVEN | {"force": 1}, [], "force: expected true or false"),
        (GIVEN | {"reason": 7}, [], "reason: expected text"),
        (GIVEN | {"reason": "a\nb"}, [], "reason: expected text on one line"),
        (GIVEN | {"reason": "x" * (LONGEST_TEXT + 1)}, [], "reason: expected text on one line"),
    ],
)
def test_everything_else_is_a_fault_with_a_sentence(
    content: dict[str, object], query: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(Invalid) as caught:
        merged(content, query, FIELDS)
    assert says in str(caught.value)


def test_an_input_that_was_left_blank_is_no_reason() -> None:
    assert merged(GIVEN, [("reason", "$reason")], FIELDS)["reason"] is None
    assert merged(GIVEN, [("reason", "$5 more")], FIELDS)["reason"] == "$5 more"
    assert merged(GIVEN, [("reason", "$_r1")], FIELDS)["reason"] is None


def test_an_empty_text_is_a_value_where_it_may_be() -> None:
    assert merged({"key": "K", "value": ""}, [], FIELDS)["value"] == ""
    assert merged({"key": "K", "value": None}, [], FIELDS)["value"] is None
    assert merged({"key": "K", "value": {"kalshi": 1}}, [], FIELDS)["value"] == {"kalshi": 1}


def test_a_body_is_one_json_object() -> None:
    assert body(b"") == body(b" {} ") == {}
    assert body('{"reason": "für"}'.encode()) == {"reason": "für"}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"[]", "no JSON object"),
        (b'"x"', "no JSON object"),
        (b"{", "no JSON"),
        (b"\xff{}", "no JSON"),
        (b'{"a": 1, "a": 2}', "names a field twice"),
        (b'{"a": NaN}', "holds NaN"),
        (b'{"a": -Infinity}', "holds -Infinity"),
        (b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b" " * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_body_that_is_none_is_said_to_be(raw: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        body(raw)
