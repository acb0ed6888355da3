"""Plans of more than two legs: opened one leg after the other, never left half open, paid as a whole."""

from collections.abc import Callable

import pytest

from arb_bot.execution import FIRST_LEG_SECONDS, LEG_WINDOW_SECONDS, Execution
from arb_bot.lanes import STRUCTURAL_BUCKET, STRUCTURAL_EVENT_TREE, MarketView
from arb_bot.lanes.scanning import LANES
from arb_bot.opportunity import Opportunity
from arb_bot.plan import Plan
from arb_bot.session import Session
from arb_bot.simulated.book import Book
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import BANKROLL, Lab, query

STILL = WorldShape(shortest_life=900.0, longest_life=3000.0, volatility=0.01, news_per_hour=0.0, rivals=0.0)
CONTRACTS = 5


@pytest.fixture
def session(lab: Lab) -> Session:
    """A bot that opens nothing by itself, in markets that hardly move."""
    switches = {f"ARB_LANE_{lane}_ENABLED": "false" for lane in ("INTRA", "CROSS")}
    started = lab.start("3", STILL, ARB_ENABLE_STRUCTURAL_ARB="false", **switches)
    lab.run(5)
    return started


def combinations(session: Session, lab: Lab, kind: str) -> list[Opportunity]:
    """Every set of a kind at the prices of now, whatever its edge."""
    (lane,) = [lane for lane in LANES if lane.kind == kind]
    quotes = session.parts.intake.look(lab.clock.now())
    return list(lane.find(MarketView(quotes, session.parts.relations()), -5.0))


def begin(session: Session, lab: Lab, kind: str = STRUCTURAL_BUCKET, contracts: int = CONTRACTS) -> Execution:
    opportunity = next(
        o
        for o in combinations(session, lab, kind)
        if len(o.legs) > 2 and all(leg.size >= 2 * contracts for leg in o.legs)
    )
    session.parts.executor.start(Plan(opportunity, contracts, 0.9, 1.0), lab.clock.now())
    (execution,) = session.parts.executor.active
    return execution


def over(session: Session) -> Callable[[], bool]:
    return lambda: not list(session.parts.executor.active)


def test_the_legs_go_one_after_the_other_and_end_as_complete_sets(session: Session, lab: Lab) -> None:
    execution = begin(session, lab)
    most = 0
    while list(session.parts.executor.active):
        most = max(most, lab.working())
        assert sum(session.parts.portfolio.unhedged().values()) > 0 or not execution.holding.lots
        lab.run(1)
    assert most == 1
    assert [record.filled for record in execution.legs] == [CONTRACTS] * 4
    assert [line["market_id"] for line in lab.placed()] == [
        leg.market_id for leg in execution.plan.opportunity.legs
    ]
    assert not any(session.parts.portfolio.unhedged().values())
    lab.run(6)
    assert "paper_position_opened" in {decision["reason"] for decision in lab.decisions()}


@pytest.mark.parametrize(
    ("kind", "payouts"), [(STRUCTURAL_BUCKET, {1.0}), (STRUCTURAL_EVENT_TREE, {1.0, 2.0})]
)
def test_a_whole_set_pays_what_its_lane_promised(
    session: Session, lab: Lab, kind: str, payouts: set[float]
) -> None:
    executor, portfolio = session.parts.executor, session.parts.portfolio
    for opportunity in combinations(session, lab, kind):
        executor.start(Plan(opportunity, CONTRACTS, 0.9, 1.0), lab.clock.now())
    plans = {execution.intent_id: execution.plan for execution in executor.active}
    lab.run_until(over(session), most=120)
    whole = [h for h in portfolio.holdings.values() if h.hedged == CONTRACTS and not h.unhedged()]
    costs = {h.intent_id: sum(lot.cost + lot.fees for lot in h.lots.values()) for h in whole}
    lab.run_until(lambda: not portfolio.holdings)
    lab.end()
    earned = dict(query(lab.folder / "analytics.db", "SELECT intent_id, realized_pnl FROM fills"))
    paid = {intent: (earned[intent] + cost / 1e6) / CONTRACTS for intent, cost in costs.items()}
    assert paid == pytest.approx({intent: plans[intent].opportunity.payout for intent in paid})
    assert {plans[intent].opportunity.payout for intent in paid} == payouts
    assert portfolio.total() == BANKROLL + portfolio.realized


def test_when_a_middle_leg_does_not_come_the_earlier_ones_are_sold(
    session: Session, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = begin(session, lab)
    lab.run_until(lambda: execution.leg == 2 and not execution.legs[2].filled, most=30)
    buy = Book.buy
    monkeypatch.setattr(Book, "buy", lambda book, contracts, limit: buy(book, 0, limit))
    began = lab.clock.now()
    lab.run_until(over(session), most=30)
    assert lab.clock.now() - began <= FIRST_LEG_SECONDS + 2
    assert [record.filled for record in execution.legs] == [CONTRACTS, CONTRACTS, 0, 0]
    assert execution.legs[3].order_id is None, "what cannot be completed is not made larger"
    lab.run_until(lambda: execution.intent_id not in session.parts.portfolio.holdings, most=60)
    sold = query(
        lab.folder / "analytics.db",
        "SELECT json_extract(metadata_json, '$.event'), SUM(filled_contracts) FROM fills GROUP BY 1",
    )
    assert sold == [("unwind", 2 * CONTRACTS)]
    assert session.parts.portfolio.total() == BANKROLL + session.parts.portfolio.realized


def test_later_legs_follow_a_leg_that_got_less_and_the_rest_of_the_earlier_ones_is_sold(
    session: Session, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = begin(session, lab)
    lab.run_until(lambda: execution.leg == 1 and not execution.legs[1].filled, most=30)
    buy, left = Book.buy, [2]

    def scarce(book: Book, contracts: int, limit: int) -> object:
        take = buy(book, min(contracts, left[0]), limit)
        left[0] -= take.contracts
        return take

    monkeypatch.setattr(Book, "buy", scarce)
    lab.run_until(lambda: execution.leg == 2, most=30)
    monkeypatch.setattr(Book, "buy", buy)
    lab.run_until(over(session), most=60)
    assert [record.filled for record in execution.legs] == [CONTRACTS, 2, 2, 2]
    assert execution.holding.hedged == 2
    lab.run_until(lambda: not any(session.parts.portfolio.unhedged().values()), most=60)
    assert [lot.contracts for lot in execution.holding.lots.values()] == [2, 2, 2, 2]


def test_a_leg_is_not_begun_long_after_the_one_before_it(session: Session, lab: Lab) -> None:
    execution = begin(session, lab)
    lab.run_until(lambda: execution.leg == 1, most=30)
    # The venue that works on the second leg is away for a while, and fills the order on its return.
    venue = session.markets.venues[execution.plan.opportunity.legs[1].venue]
    venue._down_until = session.markets.market_time() + LEG_WINDOW_SECONDS + 3
    lab.run_until(over(session), most=60)
    assert execution.legs[2].order_id is None
    assert execution.trouble.startswith("legging aborted") or not execution.legs[1].filled
    lab.run_until(lambda: execution.intent_id not in session.parts.portfolio.holdings, most=120)


def test_a_clean_stop_completes_the_legs_still_to_come(session: Session, lab: Lab) -> None:
    execution = begin(session, lab)
    lab.run_until(lambda: execution.leg == 1, most=30)
    before = lab.clock.now()
    session.engine.finish()
    assert lab.clock.now() - before <= 16
    assert lab.working() == 0
    assert execution.holding.hedged == CONTRACTS
    assert not any(session.parts.portfolio.unhedged().values())
