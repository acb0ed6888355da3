"""No order after a kill, whatever the trigger: orders cancelled, positions kept, the state told at once."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arb_bot.clock import RealClock
from arb_bot.control import handlers, kill_switch
from arb_bot.session import Session
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import BANKROLL, Lab

LIVELY = WorldShape(shortest_life=120.0, longest_life=600.0, news_per_hour=10.0)


def by_socket(lab: Lab, session: Session) -> None:
    assert kill_switch(session, {"activate": True, "reason": "test"}) == {"active": True, "ok": True}


def by_file(lab: Lab, session: Session) -> None:
    (lab.folder / ".kill_switch").touch()


def by_environment(lab: Lab, session: Session) -> None:
    lab.environ["ARB_KILL_SWITCH"] = "yes"


def by_both_venues_environment(lab: Lab, session: Session) -> None:
    lab.environ |= {"ARB_KILL_KALSHI": "1", "ARB_KILL_POLYMARKET": "on"}


def by_loss_cap(lab: Lab, session: Session) -> None:
    session.parts.kill.record_pnl(-500.0, lab.clock.now())


def by_failures(lab: Lab, session: Session) -> None:
    for _ in range(6):
        session.parts.kill.record_failure()


def by_safe_mode(lab: Lab, session: Session) -> None:
    session.parts.kill.enter_safe_mode("test")


TRIGGERS = [
    (by_socket, "kill switch file exists", "operator"),
    (by_file, "kill switch file exists", "operator"),
    (by_environment, "kill switch env var ARB_KILL_SWITCH is set", "environment"),
    (by_loss_cap, "daily loss cap breached (realized=", "automatic"),
    (by_failures, "consecutive failures breached (6 >= 6)", "automatic"),
    (by_safe_mode, "safe mode active (test)", "automatic"),
]


@pytest.mark.parametrize(
    ("trigger", "reason", "cause"), TRIGGERS, ids=lambda value: getattr(value, "__name__", "")
)
@pytest.mark.parametrize("moment", ["a first leg works", "a second leg works", "nothing works"])
def test_nothing_is_placed_after_a_kill(
    lab: Lab, trigger: Callable[[Lab, Session], None], reason: str, cause: str, moment: str
) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 1)
    leg = {"a first leg works": 0, "a second leg works": 1}.get(moment)
    if leg is None:
        lab.run_until(lambda: not lab.working())
    else:
        lab.run_until(lambda: lab.working() and any(e.leg == leg for e in session.parts.executor.active))
    placed, states = len(lab.placed()), len(lab.states)
    trigger(lab, session)
    session.engine.tick()

    assert len(lab.states) == states + 1, "the kill is pushed at once"
    told = lab.states[-1]
    assert told["status"] == "killed"
    assert told["kill_switch"]["active"] is True
    assert reason in told["kill_switch"]["reason"]
    assert told["kill_switch"]["cause"] == cause
    assert all(not orders["count"] for orders in told["working_orders"].values())
    asked = [line["action"] for line in lab.log() if line["action"] != "fill"]
    assert asked[-2:] == ["cancel_all"] * 2

    held = sum(len(h.markets) for h in session.parts.portfolio.holdings.values())
    assert held, "positions are kept"
    lab.run(900)
    assert len(lab.placed()) == placed
    assert not any(session.markets.venues[name].open_orders() for name in session.markets.venues)
    later = [d for state in lab.states[states + 1 :] for d in state["last_cycle"]["decisions"]]
    refused = [d["reason"] for d in later if d["action"] == "skipped"]
    assert refused
    assert all(text.startswith("kill switch: ") for text in refused)
    assert {d["action"] for d in later} <= {"skipped", "settled"}
    assert "settled" in {d["action"] for d in later}, "hedged positions settle"


def test_a_leg_in_flight_is_flagged_as_unhedged_and_not_sold_while_killed(lab: Lab) -> None:
    session = lab.start("2", replace(LIVELY, rivals=0.0))
    portfolio = session.parts.portfolio
    lab.run_until(lambda: lab.working() and any(e.leg == 1 for e in session.parts.executor.active))
    session.parts.kill.activate("test")
    session.engine.tick()
    (unhedged,) = [lot for _, lot in portfolio.lots() if not _.hedged]
    state = lab.states[-1]
    assert state["unhedged_usd"][unhedged.venue] == unhedged.cost / 1_000_000
    assert [p["hedged"] for p in state["open_positions"] if p["position_id"] == unhedged.position_id] == [
        False
    ]
    placed = len(lab.placed())
    session.parts.kill.deactivate()
    lab.run(20)
    sold = [line for line in lab.placed()[placed:] if line["direction"] == "sell"]
    assert [line["market_id"] for line in sold][:1] == [unhedged.market_id], "re-armed, it is unwound"


def test_a_killed_venue_gets_no_order_while_the_other_trades_on(lab: Lab) -> None:
    session = lab.start("2", LIVELY, ARB_MAX_CONSECUTIVE_FAILURES="0")
    lab.run_until(lambda: bool(lab.working()))
    reply = kill_switch(session, {"activate": True, "venue": "kalshi"})
    assert reply == {"active": True, "ok": True, "venue": "kalshi"}
    killed_at = lab.clock.now()
    lab.run(1800)
    after = {line["venue"] for line in lab.placed() if line["ts"] > killed_at}
    assert after == {"polymarket"}
    assert lab.states[-1]["status"] == "paper"
    assert lab.states[-1]["venue_kills"] == {"kalshi": "ARB_KILL_KALSHI"}
    assert kill_switch(session, {"activate": False, "venue": "kalshi"})["active"] is False


def test_a_kill_during_an_outage_cancels_when_the_venue_is_back(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    venue = session.markets.venues["polymarket"]
    lab.run_until(lambda: bool(session.parts.desk.working()["polymarket"]))
    venue._down_until = session.markets.market_time() + 30
    session.parts.kill.activate("test")
    session.engine.tick()
    assert lab.states[-1]["working_orders"]["polymarket"]["count"] == 1, "not claimed to be gone"
    placed = len(lab.placed())
    lab.run(32)
    assert lab.working() == 0
    assert not venue.open_orders()
    assert len(lab.placed()) == placed


def test_a_real_loss_past_the_cap_halts_for_the_rest_of_the_utc_day_only(lab: Lab) -> None:
    rough = WorldShape(shortest_life=120.0, longest_life=600.0, news_per_hour=30.0, rivals=0.7)
    session = lab.start("8", rough, ARB_DAILY_LOSS_CAP_USD="2", ARB_MAX_CONSECUTIVE_FAILURES="0")
    lab.run_until(lambda: session.parts.kill.check().daily_loss_breached, most=4 * 3600)
    broken_at = lab.clock.now()
    lab.run(600)
    assert not [line for line in lab.placed() if line["ts"] > broken_at]
    assert lab.states[-1]["daily_loss_cap_remaining"] == pytest.approx(
        2 + min(0, lab.states[-1]["daily_pnl"])
    )
    lab.clock.advance(86_400 - lab.clock.now() % 86_400)
    lab.run(30)
    assert lab.states[-1]["status"] == "paper"
    lab.run(870)
    assert [line for line in lab.placed() if line["ts"] > broken_at]


def test_no_order_is_sent_after_an_ack_however_the_threads_meet(lab: Lab) -> None:
    lab.clock = RealClock()  # type: ignore[assignment]
    session = lab.start("2", replace(LIVELY, news_per_hour=3000.0), ARB_POLL_INTERVAL_SECONDS="0.2")
    commands, desk, stop = handlers(session), session.parts.desk, threading.Event()
    quiet: list[tuple[float, float]] = []

    def kill_again_and_again() -> None:
        for _ in range(6):
            before, end = desk.last_order_at, time.monotonic() + 2.0
            while desk.last_order_at == before and time.monotonic() < end:
                session.engine.request_cycle()
                stop.wait(0.002)
            commands["kill_switch"]({"activate": True})
            killed = time.time()
            session.engine.request_cycle()
            stop.wait(0.02)
            quiet.append((killed, time.time()))
            commands["kill_switch"]({"activate": False})
            commands["resume"]({})
        stop.set()

    operator = threading.Thread(target=kill_again_and_again)
    operator.start()
    session.engine.run(stop)
    operator.join()
    orders = [line["ts"] for line in lab.placed()]
    assert len(orders) > 3
    assert not [ts for ts in orders for killed, rearmed in quiet if killed < ts < rearmed]


def test_file_and_variables_are_those_of_the_settings(lab: Lab) -> None:
    session = lab.start(
        "1",
        ARB_KILL_SWITCH_FILE="stop-now",
        ARB_KILL_SWITCH_ENV_VAR="HALT",
        ARB_VENUE_KILL_SWITCH_ENV_PREFIX="HALT_",
    )
    kill = session.parts.kill
    lab.environ |= {"ARB_KILL_SWITCH": "true", "ARB_KILL_KALSHI": "true"}
    assert not kill.check(("kalshi",)).halted
    lab.environ["HALT_KALSHI"] = "true"
    assert kill.check(("kalshi",)).reason == "venue kill switch active (kalshi, HALT_KALSHI)"
    lab.environ["HALT"] = "true"
    assert kill.check().reason == "kill switch env var HALT is set"
    del lab.environ["HALT"]
    by_socket(lab, session)
    assert (lab.folder / "stop-now").exists()
    assert kill_switch(session, {"activate": True, "venue": "polymarket"})["active"] is True
    assert "HALT_POLYMARKET" in session.venue_stops


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    second=st.integers(20, 400),
    trigger=st.sampled_from([*(trigger for trigger, _, _ in TRIGGERS), by_both_venues_environment]),
)
def test_no_order_follows_a_kill_at_any_moment(
    new_lab: Callable[[], Lab], seed: int, second: int, trigger: Callable[[Lab, Session], None]
) -> None:
    lab = new_lab()
    session = lab.start(str(seed), LIVELY)
    lab.run(second)
    placed = len(lab.placed())
    trigger(lab, session)
    lab.run(300)
    assert len(lab.placed()) == placed
    assert lab.working() == 0
    portfolio = session.parts.portfolio
    assert portfolio.total() == BANKROLL + portfolio.realized
    lab.end()
    assert len(lab.placed()) == placed
