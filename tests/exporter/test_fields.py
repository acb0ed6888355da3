"""States of any shape: typed values out, wrong ones counted, labels bounded."""

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import state
from exporter.fields import Fields
from exporter.labels import LIMIT, LONGEST, Bounded, Labels, clean
from tests.doubles import messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("value", ["12", True, [1], {}, "NaN"])
def test_a_number_of_a_wrong_type_is_not_reported_and_counted(value):
    fields = Fields({"cycle": value})
    assert fields.number("cycle") is None
    assert fields.bad == 1


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_null_and_what_is_not_finite_are_not_reported_and_nobodys_fault(value):
    fields = Fields({"cycle": value})
    assert fields.number("cycle") is None
    assert fields.bad == 0


def test_an_integer_too_long_for_a_float_is_not_reported():
    assert Fields({"cycle": 10**400}).number("cycle") is None


def test_absent_is_not_reported_in_every_type():
    fields = Fields({})
    found = (fields.number("a"), fields.text("a"), fields.flag("a"), fields.items("a"), fields.inner("a"))
    assert found == (None,) * 5
    assert fields.rows("a") is None
    assert fields.texts("a") == frozenset()
    assert fields.bad == 0


def test_one_bad_venue_costs_only_itself():
    fields = Fields({"cash": {"kalshi": 1.5, "polymarket": "2", "forecastex": None}})
    assert fields.numbers("cash", str, operator.add) == {"kalshi": 1.5}
    assert fields.bad == 1


def test_numbers_whose_names_share_a_label_are_merged_and_not_lost():
    fields = Fields({"cash": {"a": 1.0, "b": 2.0}})
    assert fields.numbers("cash", lambda _: "other", operator.add) == {"other": 3.0}


def test_a_list_with_rows_of_a_wrong_type_keeps_the_others():
    fields = Fields({"rows": [{"a": 1}, 5, "x"], "words": ["a", 1]})
    assert len(fields.rows("rows") or ()) == 1
    assert fields.texts("words") == {"a"}
    assert fields.bad == 3


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_state_of_any_shape_is_read_without_an_error(data):
    template = messages.state()
    broken = data.draw(st.lists(st.sampled_from(sorted(template)), max_size=8))
    message = template | {key: data.draw(JSON) for key in broken}
    found = state.read(message, Labels())
    assert found.bad_fields >= 0


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(messages.state())), JSON))
def test_nothing_but_nonsense_is_read_without_an_error_too(message):
    state.read(message, Labels())


def test_a_label_takes_100_values_and_calls_the_rest_other():
    label = Bounded()
    taken = [label(f"venue-{number}") for number in range(LIMIT)]
    assert len(set(taken)) == LIMIT
    assert label("one more") == "other"
    assert label("venue-7") == "venue-7"


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("kalshi", "kalshi"),
        ("", "unknown"),
        ("  ", "unknown"),
        ("two\nlines", "two lines"),
        ("half a pair \ud800", "half a pair ?"),
        ("x" * 500, "x" * LONGEST),
    ],
)
def test_a_label_is_printable_short_and_never_empty(raw, label):
    assert clean(raw) == label


def test_coverage_may_be_flat_or_by_venue_and_a_share_of_nothing_is_none():
    read = {
        "flat": state.read({"coverage": {"scanned": 5, "total": 10}}, Labels()).coverage,
        "by venue": state.read({"coverage": {"kalshi": {"scanned": 1, "total": 4}}}, Labels()).coverage,
        "nothing": state.read({"coverage": {"scanned": 0, "total": 0}}, Labels()).coverage,
        "absent": state.read({}, Labels()).coverage,
    }
    assert read == {"flat": {"all": 0.5}, "by venue": {"kalshi": 0.25}, "nothing": {}, "absent": None}


def test_both_forms_of_open_positions_count_and_a_venue_with_money_alone_has_none():
    rich = [{"position_id": "1", "venue": "kalshi", "market": "x"}, {"market_id": "m", "venue": "kalshi"}]
    found = state.read(messages.state(open_positions=rich), Labels())
    assert found.open_positions == {"kalshi": 2, "polymarket": 0}


def test_a_setting_that_looks_like_a_credential_is_never_kept():
    snapshot = {
        "FORECASTEX_ACCOUNT_ID": 4711,
        "X_API_KEY": 1,
        "ARB_MAX_BUCKET_LEGS": 4,
        "ARB_LIVE_MODE": True,
    }
    found = state.read({"config_snapshot": snapshot | {"NAME": "text"}}, Labels())
    assert found.settings == {"ARB_MAX_BUCKET_LEGS": 4, "ARB_LIVE_MODE": 1}
    assert found.bad_fields == 0


def test_a_bot_that_only_says_killed_leaves_the_cause_unknown():
    found = state.read({"status": "killed"}, Labels()).kill
    assert found is not None
    assert (found.active, found.cause) == (True, "unknown")
    assert state.read({"status": "paper"}, Labels()).kill is None
