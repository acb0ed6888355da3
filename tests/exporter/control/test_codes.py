"""Codes, the gate before what raises the risk, and the throttle behind both."""

import contextlib
from collections.abc import Iterator

import pytest

from exporter.control.codes import GUESSES, GUESSES_BY_SOURCE, VALID_SECONDS, Act, Codes
from exporter.control.gate import DELAY_SECONDS, CodeNeeded, Gate, SecondNeeded
from exporter.control.throttle import SOURCES, Throttle
from exporter.errors import Invalid, NotAllowed

NOW = 1_000_000.0
RAISE = Act("arb", "settings", "raise the cap to 15", {"key": "CAP", "value": 15})


def counted() -> Iterator[str]:
    yield from (f"{number:04d}" for number in range(10_000))


@pytest.fixture
def codes() -> Codes:
    digits = counted()
    return Codes(lambda: next(digits))


def test_a_code_works_once_within_two_minutes(codes: Codes) -> None:
    shown = codes.show(RAISE, "ann", NOW)
    assert (shown.code, shown.expires, codes.shown(NOW)) == ("0000", NOW + 120, [shown])
    assert codes.redeem(RAISE, " 0000 ", "ann", NOW + 119) is None
    assert "ask for a new one" in str(codes.redeem(RAISE, "0000", "ann", NOW + 119))
    codes.show(RAISE, "ann", NOW)
    assert "ask for a new one" in str(codes.redeem(RAISE, "0001", "ann", NOW + VALID_SECONDS))
    assert codes.shown(NOW + VALID_SECONDS) == []


@pytest.mark.parametrize(
    "other",
    [
        Act("ema", "settings", "", {"key": "CAP", "value": 15}),
        Act("arb", "mode", "", {"key": "CAP", "value": 15}),
        Act("arb", "settings", "", {"key": "CAP", "value": 16}),
        Act("arb", "settings", "", {"key": "CAP", "value": "15"}),
    ],
)
def test_a_code_is_for_one_bot_one_action_and_its_parameters(codes: Codes, other: Act) -> None:
    codes.show(RAISE, "ann", NOW)
    assert codes.redeem(other, "0000", "ann", NOW) is not None
    assert codes.redeem(RAISE, "0000", "ann", NOW) is None


def test_asking_again_shows_the_same_code_so_that_nobody_types_an_old_one(codes: Codes) -> None:
    assert codes.show(RAISE, "ann", NOW) is codes.show(RAISE, "bob", NOW + 60)


def test_a_few_wrong_guesses_void_a_code(codes: Codes) -> None:
    codes.show(RAISE, "ann", NOW)
    said = [codes.redeem(RAISE, "9999", "ann", NOW) for _ in range(GUESSES)]
    assert said[:-1] == ["wrong code"] * (GUESSES - 1) and "void" in str(said[-1])
    assert codes.redeem(RAISE, "0000", "ann", NOW) is not None


def test_whoever_guesses_too_often_waits_and_nobody_else_does(codes: Codes) -> None:
    for _ in range(GUESSES_BY_SOURCE):
        codes.show(RAISE, "eve", NOW)
        codes.redeem(RAISE, "wrong", "eve", NOW)
    code = codes.show(RAISE, "eve", NOW).code
    assert "too many wrong codes; wait 600 s" in str(codes.redeem(RAISE, code, "eve", NOW))
    assert codes.redeem(RAISE, code, "ann", NOW) is None


def test_a_clock_that_was_set_back_expires_codes(codes: Codes) -> None:
    codes.show(RAISE, "ann", NOW)
    assert codes.redeem(RAISE, "0000", "ann", NOW - 3600) is not None


def test_real_codes_have_four_digits_and_differ() -> None:
    codes = Codes()
    made = {codes.show(Act("arb", str(n), ""), "ann", NOW).code for n in range(40)}
    assert all(len(code) == 4 and code.isdigit() for code in made)
    assert len(made) > 30


def test_the_panel_holds_so_many_and_the_newest_first(codes: Codes) -> None:
    for number in range(60):
        codes.show(Act("arb", str(number), ""), "ann", NOW)
    shown = codes.shown(NOW)
    assert len(shown) == 50 and shown[0].act.action == "59"


def admit(gate: Gate, code: str = "", who: str = "ann", now: float = NOW, **other: object) -> None:
    arguments = {"raises_risk": True, "live": False, "reason": "because"} | other
    gate.admit(RAISE, who=who, code=code, now=now, **arguments)  # type: ignore[arg-type]


def test_what_lowers_the_risk_passes_at_once(codes: Codes) -> None:
    admit(Gate(codes, four_eyes=True), raises_risk=False, live=True, reason="")
    assert codes.shown(NOW) == []


def test_what_raises_it_takes_a_reason_and_then_a_code(codes: Codes) -> None:
    gate = Gate(codes, four_eyes=False)
    with pytest.raises(Invalid, match="say why in `reason`"):
        admit(gate, reason=" ")
    with pytest.raises(CodeNeeded) as caught:
        admit(gate)
    assert "0000" not in str(caught.value), "only the panel shows it"
    assert caught.value.shown.act is RAISE
    with pytest.raises(NotAllowed, match="wrong code"):
        admit(gate, "4711")
    admit(gate, "0000", live=True)
    with pytest.raises(NotAllowed):
        admit(gate, "0000")


def confirmed(gate: Gate, who: str, now: float) -> None:
    """Ask for a code and type it."""
    with pytest.raises(CodeNeeded) as caught:
        admit(gate, who=who, now=now, live=True)
    admit(gate, caught.value.shown.code, who=who, now=now, live=True)


@pytest.mark.parametrize(
    ("first", "second", "passes"),
    [("ann", "bob", True), ("ann", "ANN", False), ("ann", "admin", False), ("admin", "carol", True)],
    ids=["two with tokens", "one with two spellings", "perhaps one's name in Grafana", "two of Grafana"],
)
def test_a_second_person_is_one_for_sure(codes: Codes, first: str, second: str, passes: bool) -> None:
    gate = Gate(codes, four_eyes=True, people=["ann", "bob"])
    with pytest.raises(SecondNeeded):
        confirmed(gate, first, NOW)
    with contextlib.nullcontext() if passes else pytest.raises(SecondNeeded):
        confirmed(gate, second, NOW)


def test_four_eyes_in_live_mode_are_two_people(codes: Codes) -> None:
    gate = Gate(codes, four_eyes=True)
    with pytest.raises(SecondNeeded) as caught:
        confirmed(gate, "ann", NOW)
    assert (caught.value.first, caught.value.until) == ("ann", NOW + DELAY_SECONDS)
    with pytest.raises(SecondNeeded):
        confirmed(gate, "Ann", NOW + 60)
    confirmed(gate, "bob", NOW + 61)
    with pytest.raises(SecondNeeded):
        confirmed(gate, "bob", NOW + 62)


def test_or_the_same_person_ten_minutes_later_counted_from_the_first_time(codes: Codes) -> None:
    gate = Gate(codes, four_eyes=True)
    for later in (0.0, 300.0):
        with pytest.raises(SecondNeeded) as caught:
            confirmed(gate, "ann", NOW + later)
        assert caught.value.until == NOW + DELAY_SECONDS
    confirmed(gate, "ann", NOW + DELAY_SECONDS)


def test_a_confirmation_is_forgotten_after_an_hour(codes: Codes) -> None:
    gate = Gate(codes, four_eyes=True)
    with pytest.raises(SecondNeeded):
        confirmed(gate, "ann", NOW)
    with pytest.raises(SecondNeeded):
        confirmed(gate, "bob", NOW + 3600)


def test_in_paper_mode_one_person_is_enough(codes: Codes) -> None:
    gate = Gate(codes, four_eyes=True)
    with pytest.raises(CodeNeeded):
        admit(gate)
    admit(gate, "0000")


def test_a_throttle_counts_each_source_by_itself_and_forgets_the_oldest() -> None:
    throttle = Throttle(2, 60.0)
    throttle.failed("a", NOW)
    assert throttle.wait("a", NOW) == 0
    throttle.failed("a", NOW + 10)
    assert throttle.wait("a", NOW + 20) == 40
    assert throttle.wait("a", NOW + 60) == 0
    assert throttle.wait("b", NOW + 20) == 0
    for number in range(SOURCES):
        throttle.failed(str(number), NOW + 20)
    assert throttle.wait("a", NOW + 20) == 0
