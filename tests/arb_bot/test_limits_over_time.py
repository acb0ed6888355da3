"""Limits hold at every moment of a session that trades, and after the next start."""

from collections import Counter

import pytest

from arb_bot.policy import Confidence
from arb_bot.session import Session
from tests.arb_bot.lab import Lab

RULES = Confidence(enabled=True, window=200, sensitivity=1.0, floor=0.25)


def by_cluster(session: Session) -> dict[str, int]:
    return dict(Counter(holding.cluster for holding in session.parts.portfolio.holdings.values()))


def test_a_cluster_never_holds_more_than_its_cap_and_keeps_its_name_over_a_restart(lab: Lab) -> None:
    session = lab.start("1", ARB_MAX_OPEN_POSITIONS_PER_CLUSTER="2", ARB_MARKET_COOLDOWN_SECONDS="0")
    most = 0
    for _ in range(240):
        lab.run(15)
        most = max(most, *by_cluster(session).values(), 0)
    assert most == 2, "the cap is reached, and never passed"
    assert {"cluster_open_position_cap_reached"} <= {d["reason"] for d in lab.decisions()}
    lab.run_until(lambda: not lab.working() and len(by_cluster(session)) > 2)
    held = by_cluster(session)
    lab.crash()
    assert by_cluster(lab.start("1")) == held


def test_a_small_budget_is_never_exceeded_by_one_cluster(lab: Lab) -> None:
    session = lab.start("1", ARB_CLUSTER_BUDGET_FRACTION="0.01", ARB_MARKET_COOLDOWN_SECONDS="0")
    for _ in range(120):
        lab.run(15)
        cost = Counter[str]()
        for holding in session.parts.portfolio.holdings.values():
            cost[holding.cluster] += sum(lot.cost for lot in holding.lots.values())
        slack = 1.10  # a later leg may cost three cents more than planned, and cash comes and goes
        assert all(used <= 16_000_000 * slack for used in cost.values()), cost
    assert lab.placed()


def test_in_canary_mode_no_order_is_larger_than_the_canarys_caps(lab: Lab) -> None:
    lab.start("1", ARB_CANARY_MODE="true", ARB_CANARY_MAX_CONTRACTS_PER_TRADE="6")
    lab.run(1800)
    bought = [order["contracts"] for order in lab.placed() if order["direction"] == "buy"]
    assert bought
    assert max(bought) <= 6


def test_what_was_learnt_is_known_after_the_next_start(lab: Lab) -> None:
    session = lab.start("1")
    lab.run_until(lambda: session.parts.portfolio.realized != 0)
    lab.run(3600)
    lab.end()
    known = session.parts.experience.confidence(RULES)
    assert 0.25 < known < 1.0
    assert lab.start("2").parts.experience.confidence(RULES) == pytest.approx(known)
