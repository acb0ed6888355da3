"""Commands from the socket: refused ones change nothing and never look like a kill."""

from typing import Any

import pytest

from arb_bot.control import handlers
from arb_bot.session import Session
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import Lab, query

CALM = WorldShape(shortest_life=900.0, longest_life=3000.0, news_per_hour=0.0, rivals=0.0)


@pytest.fixture
def session(lab: Lab) -> Session:
    started = lab.start("1")
    lab.run(5)
    return started


def send(session: Session, kind: str, **fields: Any) -> dict[str, Any]:
    return dict(handlers(session)[kind]({"type": kind, **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"activate": "true"},
        {"activate": 1},
        {"activate": None},
        {"activate": True, "close_day_trades": True},
        {"activate": True, "venue": "nowhere"},
        {"activate": True, "venue": ["kalshi"]},
    ],
)
def test_a_kill_that_is_not_understood_says_that_nothing_was_done(
    session: Session, lab: Lab, fields: dict[str, Any]
) -> None:
    reply = send(session, "kill_switch", **fields)
    assert (reply["ok"], reply["active"]) == (False, False)
    assert "NOTHING WAS DONE" in reply["error"]
    assert not session.parts.kill.check(session.parts.venues).halted
    assert not (lab.folder / ".kill_switch").exists()


def test_re_arming_lands_in_paused_and_resuming_trades_again(session: Session, lab: Lab) -> None:
    assert send(session, "kill_switch", activate=True)["ok"]
    lab.run(2)
    assert lab.states[-1]["status"] == "killed"
    assert send(session, "resume") == {
        "ok": False,
        "error": f"still killed by kill switch file exists ({lab.folder / '.kill_switch'})",
    }
    assert send(session, "kill_switch", activate=False) == {"active": False, "ok": True}
    lab.run(2)
    assert lab.states[-1]["status"] == "paused"
    placed = len(lab.placed())
    lab.run(600)
    assert len([line for line in lab.placed()[placed:] if line["direction"] == "buy"]) == 0
    assert {d["reason"] for d in lab.decisions()[-3:]} == {"paused (re-armed, not resumed yet)"}
    assert send(session, "resume") == {"ok": True}
    lab.run(600)
    assert lab.states[-1]["status"] == "paper"
    assert len(lab.placed()) > placed


def test_re_arming_takes_back_the_operators_trigger_only(session: Session, lab: Lab) -> None:
    session.parts.kill.enter_safe_mode("a reason")
    send(session, "kill_switch", activate=True)
    reply = send(session, "kill_switch", activate=False)
    assert reply["active"] is True
    assert reply["ok"] is False
    assert reply["error"] == "still killed by safe mode active (a reason)"


def test_pausing_opens_nothing_but_settles_what_is_open(lab: Lab) -> None:
    session = lab.start("1")
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 2 and not lab.working())
    states = len(lab.states)
    assert send(session, "pause", reason="lunch") == {"ok": True}
    session.engine.tick()
    assert len(lab.states) == states + 1, "pushed at once"
    assert lab.states[-1]["status"] == "paused"
    assert lab.states[-1]["paused"]["reason"] == "lunch"
    placed = len([line for line in lab.placed() if line["direction"] == "buy"])
    lab.run(3600)
    assert not session.parts.portfolio.holdings
    assert len([line for line in lab.placed() if line["direction"] == "buy"]) == placed


def test_a_setting_holds_from_the_next_cycle(session: Session, lab: Lab) -> None:
    reply = send(session, "update_config", key="ARB_MAX_CONTRACTS_PER_TRADE", value=3)
    assert reply == {"key": "ARB_MAX_CONTRACTS_PER_TRADE", "ok": True, "old": 100, "new": 3}
    lab.run(1200)
    assert lab.states[-1]["config_snapshot"]["ARB_MAX_CONTRACTS_PER_TRADE"] == 3
    bought = [line["contracts"] for line in lab.placed() if line["direction"] == "buy"]
    assert bought
    assert max(bought) <= 3


def test_a_lane_that_is_switched_off_finds_nothing_more(session: Session, lab: Lab) -> None:
    for lane in ("CROSS", "INTRA", "STRUCTURAL_BUCKET", "STRUCTURAL_EVENT_TREE", "STRUCTURAL_PARITY"):
        send(session, "update_config", key=f"ARB_LANE_{lane}_ENABLED", value=False)
    lab.run(600)
    assert all(state["last_cycle"]["opportunities_found"] == 0 for state in lab.states[-20:])


def test_a_lowered_loss_cap_trips_at_once(session: Session, lab: Lab) -> None:
    session.parts.kill.record_pnl(-10.0, lab.clock.now())
    send(session, "update_config", key="ARB_DAILY_LOSS_CAP_USD", value=5)
    session.engine.tick()
    assert lab.states[-1]["kill_switch"]["reason"] == "daily loss cap breached (realized=-10.00, cap=5.00)"
    assert lab.states[-1]["daily_loss_cap_remaining"] == -5.0


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("ARB_NOT_A_SETTING", 1, "unknown key: ARB_NOT_A_SETTING"),
        ("ARB_LIVE_MODE", True, "requires_restart"),
        ("ARB_MAX_DOLLARS_PER_TRADE", float("nan"), "expected a number"),
        ("ARB_MAX_DOLLARS_PER_TRADE", -1, "expected a number from 0 USD"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", "50.0", "expected a whole number"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", True, "expected a whole number"),
        ("ARB_LANE_CROSS_ENABLED", "maybe", "expected true or false"),
    ],
)
def test_a_refused_value_changes_nothing(session: Session, key: str, value: object, error: str) -> None:
    before = session.parts.settings.snapshot()
    reply = send(session, "update_config", key=key, value=value)
    assert reply["ok"] is False
    assert str(reply["error"]).startswith(error)
    assert session.parts.settings.snapshot() == before


def test_closing_a_position_sells_every_leg_of_its_trade(lab: Lab) -> None:
    session = lab.start("1", CALM)
    lab.run_until(lambda: any(p["hedged"] for p in open_positions(lab)))
    held = next(p for p in open_positions(lab) if p["hedged"])
    legs = {p["position_id"] for p in open_positions(lab) if p["intent_id"] == held["intent_id"]}
    assert len(legs) >= 2
    reply = send(session, "close_position", position_id=held["position_id"])
    assert (reply["ok"], set(reply["closes"])) == (True, legs)
    lab.run(1)
    assert all(p["closing"] for p in open_positions(lab) if p["position_id"] in legs)
    lab.run_until(lambda: not legs & {p["position_id"] for p in open_positions(lab)}, most=300)
    booked = "SELECT DISTINCT json_extract(metadata_json, '$.event') FROM fills WHERE intent_id = '{}'"
    assert query(lab.folder / "analytics.db", booked.format(held["intent_id"])) == [("unwind",)]
    remaining = "SELECT COUNT(*) FROM positions WHERE intent_id = '{}' AND status = 'open'"
    assert query(lab.folder / "arb_orders.db", remaining.format(held["intent_id"])) == [(0,)]


def test_a_position_that_is_not_there_or_must_not_be_sold_is_refused_in_words(lab: Lab) -> None:
    session = lab.start("1", CALM)
    lab.run_until(lambda: any(p["hedged"] for p in open_positions(lab)))
    assert send(session, "close_position", position_id="nothing") == {
        "ok": False,
        "error": "no open position 'nothing'",
    }
    assert not send(session, "close_position")["ok"]
    send(session, "kill_switch", activate=True)
    held = open_positions(lab)[0]["position_id"]
    reply = send(session, "close_position", position_id=held)
    assert not reply["ok"]
    assert "a killed bot sends nothing" in reply["error"]
    lab.run(30)
    assert not any(p["closing"] for p in open_positions(lab))


def open_positions(lab: Lab) -> list[dict[str, Any]]:
    return list(lab.states[-1]["open_positions"]) if lab.states else []
