"""What a state shows about a kill, whatever shape it has."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import Window
from exporter.control.evidence import Evidence, Witness
from exporter.control.proof import Sighting
from exporter.view import BotView
from tests.doubles import bots, messages
from tests.doubles.messages import T0, base_state, cycle_of, decision, killed, state

FILE_KILL = "kill switch file exists (.kill_switch)"


def shown(*said: dict[str, Any], view: BotView | None = None) -> Evidence:
    """The evidence of the last of these states."""
    view, witness = view or BotView("arb", now=T0), Witness()
    evidence = None
    for message in said:
        view.received(message, message["ts"])
        evidence = witness.heard(view, message, message["ts"]) or evidence
    assert evidence is not None
    return evidence


def seen(*said: dict[str, Any], venue: str | None = None) -> Sighting:
    return shown(*said).of(venue)


def with_markets(cycle: int, *markets: str, **more: Any) -> dict[str, Any]:
    positions = [{"venue": "kalshi", "market_id": market} for market in markets]
    return base_state(cycle, open_positions=positions, last_cycle=cycle_of(), **more)


@pytest.mark.parametrize("action", ["filled", "dry_run", "execution_failed"])
def test_a_decision_that_opened_or_tried_to_is_an_opening(action):
    sighting = seen(base_state(1, last_cycle=cycle_of(decision(action=action, reason="x"))))
    assert sighting.opening == f"{action} intra_venue kalshi:KX-1"


@pytest.mark.parametrize("action", ["skipped", "settled", "detected"])
def test_any_other_decision_is_none(action):
    assert seen(base_state(1, last_cycle=cycle_of(decision(action=action, reason="x")))).opening == ""


def test_a_new_market_among_the_open_positions_is_an_opening_and_one_that_goes_is_none():
    assert seen(with_markets(1, "A"), with_markets(2, "A", "B")).opening == "new position kalshi B"
    assert seen(with_markets(1, "A", "B"), with_markets(2, "A")).opening == ""
    assert seen(with_markets(1, "A")).opening == "", "nothing to compare with"
    assert seen(with_markets(1, "A"), with_markets(2), with_markets(3, "A")).opening != "", "opened again"


def test_a_market_that_comes_in_the_middle_of_a_cycle_is_an_opening_of_the_next():
    middle = with_markets(1, "A", "B", ts=T0 + 7)
    assert seen(with_markets(1, "A"), middle, with_markets(2, "A", "B")).opening == "new position kalshi B"


def test_an_execution_that_the_kill_switch_stopped_is_a_refusal_and_no_opening():
    stopped = decision(action="execution_failed", reason=f"kill switch: {FILE_KILL}")
    sighting = seen(base_state(1, last_cycle=cycle_of(stopped)))
    assert (sighting.opening, sighting.refused) == ("", True)


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (f"kill switch: {FILE_KILL}", True),
        (f"kill switch: daily loss cap breached (realized=-12, cap=10); {FILE_KILL}", True),
        ("kill switch: daily loss cap breached (realized=-12, cap=10)", False),
        ("kill switch: venue kill switch active (kalshi, ARB_KILL_KALSHI)", False),
        ("kill switch", False),
        ("kelly_fraction_zero", False),
    ],
)
def test_only_a_refusal_by_an_operators_kill_counts(reason, refused):
    said = base_state(1, last_cycle=cycle_of(decision(action="skipped", reason=reason)))
    assert seen(said).refused is refused


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ({"kill_switch": killed("operator", FILE_KILL)}, (True, True)),
        ({"kill_switch": killed("automatic", f"safe mode active (x); {FILE_KILL}")}, (True, True)),
        ({"kill_switch": killed("automatic", "daily loss cap breached (x)")}, (None, False)),
        ({"kill_switch": None, "status": "killed"}, (True, False)),
        ({}, (False, False)),
        ({"kill_switch": None, "status": None}, (None, False)),
    ],
    ids=["by file", "by file and more", "by the loss cap alone", "only a status", "off", "not reported"],
)
def test_a_bots_own_word_counts_where_it_names_an_operators_kill_or_no_cause(switch, expected):
    sighting = seen(state(1, **switch))
    assert (sighting.killed, sighting.by_operator) == expected


@pytest.mark.parametrize(
    "halted",
    [
        state(1, kill_switch=killed("automatic", "daily loss cap breached (x)")),
        state(1, kill_switch=killed("automatic", "drawdown of 20 % (x)")),
        state(1, status="paused"),
        base_state(
            1, last_cycle=cycle_of(decision(action="skipped", reason="kill switch: safe mode active (x)"))
        ),
    ],
    ids=["by the loss cap", "by a cause of its own", "by a pause", "by what its refusals name"],
)
def test_the_silence_of_a_bot_that_something_else_halts_says_nothing_of_a_kill(halted):
    sighting = seen(halted)
    assert (sighting.could_open, sighting.refused, sighting.by_operator) == (False, False, False)
    assert not sighting.killed


def test_orders_at_a_venue_that_does_not_say_are_unknown():
    assert seen(state(1, working_orders=bots.NO_ORDERS)).working == 0
    assert seen(state(1, working_orders={"kalshi": {"count": 0}})).working is None, "polymarket holds cash"
    assert seen(state(1, working_orders={**bots.NO_ORDERS, "kalshi": {"count": "?"}})).working is None
    assert seen(base_state(1)).working is None


def test_a_bots_times_are_told_by_the_exporters_clock():
    view, witness = BotView("arb", now=T0), Witness()
    beat = messages.heartbeat(ts=T0 + 100)
    view.received(beat, T0)
    assert witness.heard(view, beat, T0) is None
    late = state(1, ts=T0 + 99, last_order_ts=T0 + 98, kill_switch=killed("operator", FILE_KILL, T0 + 98.5))
    view.received(late, T0)
    evidence = witness.heard(view, late, T0)
    assert evidence is not None
    sighting = evidence.of(None)
    assert (sighting.built_at, sighting.ordered_at, sighting.killed_since) == (T0 - 1, T0 - 2, T0 - 1.5)


def test_a_cycle_without_quotes_or_in_planned_quiet_could_open_nothing():
    assert not seen(base_state(1, last_cycle={**cycle_of(), "quotes_count": 0})).could_open
    assert seen(base_state(1)).could_open
    window = Window.model_validate(
        {"tz": "UTC", "days": "fri", "from": "17:00", "to": "19:00", "reason": "x"}
    )
    assert not shown(base_state(1), view=BotView("arb", now=T0, schedule=[window])).of(None).could_open


def test_a_repeated_state_shows_nothing_and_a_push_within_a_cycle_is_no_new_one():
    view, witness = BotView("arb", now=T0), Witness()
    for cycle, ts, expected in ((1, T0, True), (1, T0, None), (1, T0 + 1, False), (2, T0 + 5, True)):
        said = base_state(cycle, ts)
        view.received(said, ts)
        evidence = witness.heard(view, said, ts)
        assert (None if evidence is None else evidence.new_cycle) == expected


def test_another_session_is_seen_and_its_positions_are_compared_with_nothing():
    first, second = with_markets(7, "A"), with_markets(1, "B", ts=T0 + 60)
    evidence = shown(first, second)
    assert evidence.new_session
    assert evidence.of(None).opening == ""
    assert not shown(with_markets(7, "A"), with_markets(8, "A")).new_session


def test_for_one_venue_only_what_is_of_that_venue_counts():
    said = state(
        1,
        venue_kills={"kalshi": "ARB_KILL_KALSHI"},
        working_orders={"kalshi": {"count": 0}, "polymarket": {"count": 2}},
        last_cycle=cycle_of(decision() | {"match_key": "polymarket:P-1"}),
    )
    ours, other = seen(said, venue="kalshi"), seen(said, venue="polymarket")
    assert (ours.killed, ours.working, ours.opening) == (True, 0, "")
    assert (other.killed, other.working) == (False, 2)
    assert other.opening.endswith("polymarket:P-1")
    assert seen(base_state(1), venue="kalshi").killed is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["cycle", "open_positions", "last_cycle", "kill_switch", "venue_kills", "working_orders",
             "last_order_ts", "status", "cash_by_venue"]
        ),
        JSON,
    ),
    st.lists(st.fixed_dictionaries({"action": JSON, "reason": JSON, "match_key": JSON}), max_size=3),
)  # fmt: skip
def test_a_state_of_any_shape_is_looked_at_without_a_fault(fields, decisions):
    second = base_state(2) | fields
    if isinstance(second.get("last_cycle"), dict):
        second["last_cycle"]["decisions"] = decisions
    evidence = shown(base_state(1), second)
    for venue in (None, "kalshi"):
        evidence.of(venue)
