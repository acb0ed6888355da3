"""Made-up values for every setting of our bot: what the console lets through works in the engine, the rest
changes nothing.

Each value goes the whole way: checked by the catalogue, sent over a running engine's socket, looked up in the
module that works with it, and verified by the states.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.control.catalogue import catalogue
from exporter.control.change import Change, Known, plan
from exporter.control.desk import seen
from exporter.control.order import Order, Stage, patience
from exporter.control.parameter import Parameter
from exporter.errors import Invalid
from tests.arb_bot.setting_places import PLACES, Place, Probe
from tests.arb_bot.setting_rows import with_before
from tests.arb_bot.setting_scenes import PLAIN, cross
from tests.arb_bot.stage import Stage as Engine

ARB = catalogue("arb")
HOT = {key: p for key, p in ARB.of(own=True).items() if p.restart is None}
FEW, MANY = 4, 80  # 80 for each of 128 settings: more than 10,000
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "0x10", "1_000", "50.0", "True", "$value", "[]", "{}"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)


class Lab:
    """One running engine for all values; what is changed is changed back."""

    def __init__(self, folder: Any, patch: pytest.MonkeyPatch) -> None:
        self.probe = Probe(patch)
        scene = with_before(cross(), lambda session: setattr(self.probe, "session", session))
        self.engine = Engine(folder, scene, PLAIN, patch)

    def set(self, key: str, value: object) -> dict[str, Any]:
        return self.engine.update(key, "" if value is None else value)

    def snapshot(self) -> dict[str, object]:
        return self.engine.settings.snapshot()

    def place(self, place: Place) -> tuple[object, dict[str, Any]]:
        """What stands where the setting works after another cycle, and that cycle's state."""
        state = self.engine.after(1)[-1]
        return place.look(self.probe), state


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        made = Lab(tmp_path_factory.mktemp("engine"), patch)
        try:
            yield made
        finally:
            made.engine.close()


def values(parameter: Parameter) -> st.SearchStrategy[object]:
    """Values in and out of range, as JSON and as text, and junk."""
    if parameter.type == "switch":
        good: st.SearchStrategy[Any] = st.sampled_from([True, False, "true", "off", "YES", 0, 1])
    elif parameter.type == "text":
        good = st.sampled_from(["", *parameter.choices, *(word.upper() for word in parameter.choices)])
    else:
        low, high = parameter.minimum, parameter.maximum
        assert low is not None and high is not None
        ends = st.sampled_from([low, high, low - 1, high + 1, math.nextafter(high, math.inf), 0, -0.0])
        inside: st.SearchStrategy[Any] = st.floats(low, high)
        if parameter.type == "integer":
            inside = st.integers(int(low), int(high))
            ends = st.sampled_from([int(low), int(high), int(low) - 1, int(high) + 1])
        good = st.one_of(inside, inside, inside.map(str), ends)
    blank = st.sampled_from([None, "", " "])
    return st.one_of(good, good, blank, JUNK) if parameter.optional else st.one_of(good, good, good, JUNK)


def try_value(lab: Lab, key: str, raw: object) -> bool:
    """Send one value the whole way; whether the console let it through."""
    parameter, place = HOT[key], PLACES[key]
    before = lab.snapshot()
    known = Known(own=True, connected=True, mode="paper", settings=before)
    try:
        planned = plan(ARB, known, key, raw)
    except Invalid as error:
        assert "\n" not in str(error)
        refused(lab, key, raw, before)
        return False
    wanted = planned.wanted
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        assert parameter.minimum is not None and parameter.maximum is not None
        assert math.isfinite(wanted) and parameter.minimum <= wanted <= parameter.maximum
    assert isinstance(wanted, int) or parameter.type != "integer" or wanted is None
    change = Change(key, before[key], wanted, "paper", planned.observable, True, Order(0.0, patience(5.0)))
    reply = lab.set(key, planned.message["value"])
    assert reply["ok"] is True, reply
    there, state = lab.place(place)
    assert there == pytest.approx(place.expected(wanted), rel=1e-9, abs=1e-9)
    change = change.answered(reply, 1.0).seen(seen(state), 2.0)
    assert change.stage is Stage.VERIFIED, change.says
    assert lab.snapshot() == before | {key: pytest.approx(wanted)}
    assert lab.set(key, before[key])["ok"] is True
    return True


def refused(lab: Lab, key: str, raw: object, before: dict[str, object]) -> None:
    """What the console refuses is not sent; sent past it, the bot refuses it too or stays within its own
    bounds.
    """
    try:
        json.dumps(raw, allow_nan=True)
    except (TypeError, ValueError):
        return
    reply = lab.engine.update(key, raw)
    if reply["ok"]:
        assert HOT[key].maximum is not None or HOT[key].type == "text", "wider bounds are the only reason"
        assert lab.set(key, before[key])["ok"] is True
    assert lab.snapshot() == before


def check(lab: Lab, key: str, count: int) -> None:
    assert lab.engine._thread.is_alive(), "an earlier value has ended the engine"
    place = PLACES[key]
    base = {needed: lab.snapshot()[needed] for needed in place.needs}
    for needed, value in place.needs.items():
        assert lab.set(needed, value)["ok"] is True
    before, _ = lab.place(place)
    taken: list[bool] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=count == FEW,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(values(HOT[key]))
    def try_one(raw: object) -> None:
        taken.append(try_value(lab, key, raw))

    try:
        try_one()
        assert lab.place(place)[0] == before, "everything was changed back"
        assert any(taken) or count == FEW, "no value was let through"
        print(f"{key}: {len(taken)} values, {sum(taken)} let through and found at work")
    finally:
        for needed, value in base.items():
            lab.set(needed, value)


def test_every_hot_setting_has_its_place() -> None:
    assert set(PLACES) == set(HOT)


@pytest.mark.parametrize("key", HOT)
def test_a_value_that_is_let_through_works_in_the_engine(lab: Lab, key: str) -> None:
    check(lab, key, FEW)


@pytest.mark.soak
@pytest.mark.parametrize("key", HOT)
def test_ten_thousand_values(lab: Lab, key: str) -> None:
    check(lab, key, MANY)


def test_a_place_shows_what_the_engine_works_with(lab: Lab) -> None:
    place = PLACES["ARB_MAX_CONTRACTS_PER_TRADE"]
    before, _ = lab.place(place)
    lab.set("ARB_MAX_CONTRACTS_PER_TRADE", 7)
    after, state = lab.place(place)
    assert (before, after) == (100, 7)
    assert 0 < state["ordered"] <= 7  # the bankroll that earlier trades left may allow less
    lab.set("ARB_MAX_CONTRACTS_PER_TRADE", 100)
