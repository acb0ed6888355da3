"""What a session that died leaves behind: safe mode with the documented reasons, then a clean start."""

from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import Lab

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
    assert told["kill_switch"]["reason"] == "safe mode active (1 open intent(s) from prior session)"
    assert told["kill_switch"]["cause"] == "automatic"
    assert len(lab.placed()) == placed
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
    assert "1 unhedged position(s)" in reason
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
