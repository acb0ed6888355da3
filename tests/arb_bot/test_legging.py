"""What becomes of a trade whose second leg does not come: sold again at once, flagged until it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from arb_bot.engine import DRAIN_SECONDS
from arb_bot.execution import FIRST_LEG_SECONDS, POLL_TIMEOUT_SECONDS
from arb_bot.simulated.book import Book
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import Lab, query

CALM = WorldShape(shortest_life=900.0, longest_life=3000.0, news_per_hour=0.0, rivals=0.0)


@pytest.fixture
def nobody_sells(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, no book has anything at the price a buyer will pay; bids stay."""
    buy = Book.buy

    def arrange() -> None:
        monkeypatch.setattr(Book, "buy", lambda book, contracts, limit: buy(book, 0, limit))

    return arrange


def test_a_second_leg_that_never_fills_is_cancelled_in_time_and_the_first_is_sold(
    lab: Lab, nobody_sells: Callable[[], None]
) -> None:
    session = lab.start("1", CALM)
    executor, portfolio = session.parts.executor, session.parts.portfolio
    lab.run_until(lambda: any(e.leg == 1 and not e.legs[1].filled for e in executor.active))
    (execution,) = [e for e in executor.active if e.leg == 1]
    nobody_sells()
    began = lab.clock.now()
    lab.run_until(lambda: not executor.is_active(execution.intent_id))
    assert lab.clock.now() - began <= POLL_TIMEOUT_SECONDS + 2
    assert execution.legs[1].filled == 0
    assert execution.intent_id in portfolio.holdings, "flagged, not forgotten"
    lab.run_until(lambda: execution.intent_id not in portfolio.holdings, most=30)
    lab.run(6)
    failed = [d for d in lab.decisions() if d["action"] == "execution_failed"]
    assert [d["reason"] for d in failed] == ["one or more legs failed"]
    sold = query(
        lab.folder / "analytics.db",
        "SELECT json_extract(metadata_json, '$.event'), SUM(filled_contracts) FROM fills "
        f"WHERE intent_id = '{execution.intent_id}' GROUP BY 1",
    )
    assert sold == [("unwind", execution.legs[0].filled)]
    assert lab.states[-1]["daily_trades"] >= 1
    assert session.parts.kill.consecutive_failures == 1


def test_a_price_that_ran_away_aborts_the_second_leg(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    session = lab.start("1", CALM)
    executor = session.parts.executor
    lab.run_until(lambda: any(e.leg == 0 for e in executor.active))
    (execution, *_) = executor.active
    venue = session.markets.venues[execution.plan.opportunity.legs[1].venue]
    quote = venue.quote

    def dearer(market_id: str) -> object:
        seen = quote(market_id)
        return seen and replace(seen, yes_ask=0.99, no_ask=0.99)

    monkeypatch.setattr(venue, "quote", dearer)
    lab.run_until(lambda: not executor.is_active(execution.intent_id))
    assert execution.legs[1].order_id is None, "the second leg was never ordered"
    assert execution.trouble == "legging aborted: quote drift or time window exceeded"


def test_a_first_leg_that_never_fills_ends_as_no_fill(lab: Lab, nobody_sells: Callable[[], None]) -> None:
    session = lab.start("1", CALM)
    nobody_sells()
    lab.run_until(lambda: bool(list(session.parts.executor.active)))
    began = lab.clock.now()
    lab.run_until(lambda: not list(session.parts.executor.active))
    assert lab.clock.now() - began <= FIRST_LEG_SECONDS + 2
    lab.run(6)
    assert {d["reason"] for d in lab.decisions() if d["action"] != "skipped"} == set()
    assert "paper_no_fill" in {d["reason"] for d in lab.decisions()}
    assert not any(session.parts.portfolio.lots()), "nothing is held, whatever is tried next"
    assert session.parts.kill.consecutive_failures == 0


@pytest.mark.parametrize("leg", [0, 1])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_clean_stop_in_the_middle_of_a_trade_leaves_nothing_unhedged(lab: Lab, seed: str, leg: int) -> None:
    session = lab.start(seed, replace(CALM, rivals=0.6))
    lab.run_until(lambda: any(e.leg == leg and e.ticket for e in session.parts.executor.active))
    before = lab.clock.now()
    session.engine.finish()
    assert lab.clock.now() - before <= DRAIN_SECONDS + 0.2
    assert lab.working() == 0
    assert not list(session.parts.executor.active)
    assert not any(session.parts.portfolio.unhedged().values())
    for venue in session.markets.venues.values():
        assert not venue.open_orders()


def test_a_clean_stop_while_killed_sends_nothing_more(lab: Lab) -> None:
    session = lab.start("1", CALM)
    lab.run_until(lambda: any(e.leg == 1 and e.ticket for e in session.parts.executor.active))
    placed = len(lab.placed())
    session.parts.kill.activate("test")
    session.engine.finish()
    assert len(lab.placed()) == placed
    assert lab.working() == 0
    assert any(lab.states[-1]["unhedged_usd"].values()), "flagged in the last state"
