"""What a session that died leaves behind: safe mode with the documented reasons, then a clean start."""

import pytest

from arb_bot import StartRefused, VenueUnavailable
from arb_bot.simulated.venue import SimulatedVenue
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import Lab, query

LIVELY = WorldShape(shortest_life=200.0, longest_life=900.0, news_per_hour=10.0)


def test_an_intent_that_was_being_opened_brings_safe_mode_once(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: any(e.leg == 0 and not e.legs[0].filled for e in session.parts.executor.active))
    lab.crash()
    placed = len(lab.placed())
    lab.start("3", LIVELY)
    lab.run(300)
    told = lab.states[-1]
    assert told["status"] == "killed"
    assert "1 open intent(s) from prior session" in told["kill_switch"]["reason"]
    assert told["kill_switch"]["cause"] == "automatic"
    assert len(lab.placed()) == placed
    lab.run(1000)
    lab.end()
    session = lab.start("4", LIVELY)
    assert not session.parts.kill.check().halted, (
        "the intent was closed in the store, the next start is clean"
    )


def test_contracts_without_a_counterpart_bring_safe_mode_until_they_are_gone(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: any(session.parts.portfolio.unhedged().values()))
    lab.crash()
    session = lab.start("3", LIVELY)
    reason = session.parts.kill.check().reason
    assert "unhedged position(s)" in reason
    assert any(session.parts.portfolio.unhedged().values())
    lab.run(1000)
    assert not any(session.parts.portfolio.unhedged().values()), "its market has settled"
    lab.end()
    assert not lab.start("4", LIVELY).parts.kill.check().halted


def test_fills_that_the_store_never_heard_of_are_noticed(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 1 and not lab.working())
    session.markets.venues["kalshi"].account.contracts["SIMKX-99999", "yes"] = 7
    lab.end()
    reason = lab.start("3").parts.kill.check().reason
    assert "kalshi holds 7 yes of SIMKX-99999, the order store knows 0" in reason


def test_a_venue_that_is_switched_off_with_positions_is_noticed(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 1 and not lab.working())
    lab.end()
    session = lab.start("3", POLYMARKET_ENABLED="false")
    assert "at a venue that is not enabled" in session.parts.kill.check().reason


def test_a_payout_while_the_bot_was_away_is_booked_once(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 2 and not lab.working())
    lab.run_until(lambda: not list(session.parts.executor.active))
    lab.end()
    before = session.parts.portfolio
    lab.clock.advance(7200)
    after = lab.start("3", LIVELY).parts.portfolio
    assert after.total() == before.total()
    lab.run(5)
    gone = set(before.holdings) - set(after.holdings)
    assert gone == set(before.holdings)
    assert after.total() - after.realized == before.total() - before.realized
    venues = lab.session.markets.venues if lab.session else {}
    assert {name: venue.account.cash for name, venue in venues.items()} == after.cash


def test_an_order_left_on_the_book_is_cancelled_and_what_it_got_is_booked(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: any(e.leg == 0 and not e.legs[0].filled for e in session.parts.executor.active))
    (execution, *_) = [e for e in session.parts.executor.active if not e.legs[0].filled]
    leg = execution.plan.opportunity.legs[0]
    lab.crash()
    lab.clock.advance(3)
    session = lab.start("3", LIVELY)
    sent = execution.plan.contracts
    held = session.parts.portfolio.holdings.get(execution.intent_id)
    got = held.lots[0].contracts if held else 0
    account = session.markets.venues[leg.venue].account
    assert account.contracts.get((leg.market_id, leg.side), 0) == got <= sent
    assert got, "with this seed the order filled while nobody looked"
    assert "holds" not in session.parts.kill.check().reason, "the venue and the store agree"
    assert not any(venue.open_orders() for venue in session.markets.venues.values())
    state = session.parts.states.build(session.engine.report, lab.clock.now())
    assert set(state["recovery"]["cancelled_orders"]) == {"kalshi", "polymarket"}
    assert state["recovery"]["reasons"]
    cash = {name: venue.account.cash for name, venue in session.markets.venues.items()}
    assert cash == session.parts.portfolio.cash


def test_a_venue_that_does_not_list_its_orders_is_unknown_and_never_empty(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: bool(session.parts.desk.working()["polymarket"]))
    lab.crash()
    listed = SimulatedVenue.open_orders

    def silent(venue: SimulatedVenue) -> object:
        if venue.name == "polymarket":
            raise VenueUnavailable("polymarket does not answer")
        return listed(venue)

    monkeypatch.setattr(SimulatedVenue, "open_orders", silent)
    lab.start("3", LIVELY)
    lab.run(10)
    told = lab.states[-1]
    assert told["status"] == "killed"
    assert "polymarket did not answer: its working orders are unknown" in told["kill_switch"]["reason"]
    assert told["recovery"]["cancelled_orders"]["polymarket"] == "unknown"
    assert "polymarket" not in told["working_orders"], "unknown is not 0"
    assert told["working_orders"]["kalshi"]["count"] == 0
    assert any("unknown" in error["message"] for error in told["recent_errors"])
    monkeypatch.setattr(SimulatedVenue, "open_orders", listed)
    lab.run(10)
    assert lab.states[-1]["working_orders"]["polymarket"] == {"count": 0, "oldest_ts": None}


def test_a_venue_that_tells_no_balance_refuses_the_start(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(venue: SimulatedVenue) -> int:
        raise VenueUnavailable(f"{venue.name} does not answer")

    monkeypatch.setattr(SimulatedVenue, "balance", silent)
    with pytest.raises(StartRefused, match="unknown; try again later"):
        lab.start("2")


def test_a_sale_that_the_stores_never_heard_of_is_booked_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = lab.start("2", LIVELY)
    unwinder = session.engine._results.unwinder
    lab.run_until(lambda: any(a.ticket is not None for a in unwinder._attempts.values()))
    lab.crash()
    lab.clock.advance(3)
    unwound = "SELECT COUNT(*), SUM(filled_contracts) FROM fills WHERE metadata_json LIKE '%unwind%'"
    before = query(lab.folder / "analytics.db", unwound)
    session = lab.start("3", LIVELY)
    after = query(lab.folder / "analytics.db", unwound)
    assert after != before, "with this seed it was sold while nobody looked"
    assert "holds" not in session.parts.kill.check().reason
    portfolio = session.parts.portfolio
    assert portfolio.total() - portfolio.realized == 1_600_000_000
    lab.crash()
    again = lab.start("4", LIVELY).parts.portfolio
    assert query(lab.folder / "analytics.db", unwound) == after
    assert again.realized == portfolio.realized


def test_a_start_that_is_refused_leaves_the_reasons_for_the_next(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: any(e.leg == 0 and not e.legs[0].filled for e in session.parts.executor.active))
    lab.crash()
    with pytest.raises(StartRefused):
        lab.start("3", LIVELY, ARB_KILL_SWITCH_FILE="nowhere/.kill_switch")
    lab.crash()
    assert "1 open intent(s) from prior session" in lab.start("4", LIVELY).parts.kill.check().reason


def test_the_account_of_a_venue_that_is_switched_off_is_kept(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: session.markets.venues["polymarket"].account.changes > 3 and not lab.working())
    lab.end()
    cash = session.markets.venues["polymarket"].account.cash
    lab.start("3", POLYMARKET_ENABLED="false")
    lab.run(10)
    lab.end()
    assert lab.start("4").markets.venues["polymarket"].account.cash == cash


def test_the_last_fill_is_remembered_over_a_restart(lab: Lab) -> None:
    session = lab.start("2", LIVELY)
    lab.run_until(lambda: bool(session.parts.portfolio.holdings) and not lab.working())
    opened = [lot.opened_at for _, lot in session.parts.portfolio.lots()]
    lab.end()
    told_before = len(lab.states)
    lab.start("3", LIVELY)
    lab.run(10)
    last_fill = lab.states[told_before]["last_fill_ts"]
    assert isinstance(last_fill, float)
    assert last_fill >= max(opened)
