"""The books balance to the last micro-dollar: in the bot, at the venues, in the stores."""

import json
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arb_bot.money import MICROS, to_usd
from arb_bot.simulated.world import WorldShape
from tests.arb_bot.lab import BANKROLL, Lab, query

ROUGH = WorldShape(shortest_life=60.0, longest_life=400.0, news_per_hour=20.0, rivals=0.6)


def assert_balanced(lab: Lab) -> None:
    assert lab.session
    parts = lab.session.parts
    assert parts.portfolio.total() == BANKROLL + parts.portfolio.realized
    for name, venue in lab.session.markets.venues.items():
        assert all(contracts > 0 for contracts in venue.account.contracts.values())
        assert parts.portfolio.cash[name] >= 0
    limits = parts.settings.current
    for venue, locked in parts.portfolio.locked().items():
        assert locked <= limits.max_exposure_per_venue * 1_000_000
        assert len(parts.portfolio.open_markets()[venue]) <= limits.max_open_markets_per_venue
    if not lab.working() and not lab.outage():
        for name, venue in lab.session.markets.venues.items():
            # A payout is booked when all legs' venues have answered; until then only the venue has it.
            unbooked = sum(
                lot.contracts * MICROS
                for _, lot in parts.portfolio.lots()
                if lot.venue == name and venue._winners.get(lot.market_id) == lot.side
            )
            assert venue.account.cash == parts.portfolio.cash[name] + unbooked


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), minutes=st.integers(1, 12), kill_after=st.none() | st.integers(5, 300))
def test_cash_locked_capital_and_pnl_balance_at_every_moment(
    new_lab: Callable[[], Lab], seed: int, minutes: int, kill_after: int | None
) -> None:
    lab = new_lab()
    session = lab.start(str(seed), ROUGH)
    for second in range(0, minutes * 60, 7):
        lab.run(7)
        assert_balanced(lab)
        if kill_after is not None and second <= kill_after < second + 7:
            session.parts.kill.activate("test")
    lab.end()


def test_the_stores_say_what_the_books_say(lab: Lab) -> None:
    session = lab.start("5", ROUGH)
    lab.run(1800)
    lab.end()
    realized = session.parts.portfolio.realized
    analytics = lab.folder / "analytics.db"
    events = dict(
        query(analytics, "SELECT json_extract(metadata_json, '$.event'), COUNT(*) FROM fills GROUP BY 1")
    )
    ((total, trades),) = query(analytics, "SELECT SUM(realized_pnl), COUNT(*) FROM fills")
    assert events["settlement"] > 5
    assert events["unwind"] > 0, "this seed should show legging, too"
    assert round(total, 6) == to_usd(realized)
    last = lab.states[-1]
    assert last["realized_pnl"] == to_usd(realized)
    assert last["daily_pnl"] == to_usd(realized)
    assert last["daily_trades"] == trades
    by_venue = dict(
        query(
            lab.folder / "arb_orders.db",
            "SELECT venue, ROUND(SUM(net_contracts * average_entry), 6) FROM positions "
            "WHERE status = 'open' GROUP BY 1",
        )
    )
    locked = {venue: usd for venue, usd in last["locked_capital_by_venue"].items() if usd}
    assert by_venue == {venue: round(usd, 6) for venue, usd in locked.items()}


def test_a_settlement_says_the_fees_it_paid_and_a_plan_what_it_would_earn_before_fees(lab: Lab) -> None:
    lab.start("5", ROUGH)
    lab.run(1800)
    lab.end()
    orders = lab.folder / "arb_orders.db"
    cost = dict(
        query(
            orders, "SELECT intent_id, SUM(average_price * filled_contracts) FROM leg_executions GROUP BY 1"
        )
    )
    results = query(
        lab.folder / "analytics.db",
        "SELECT intent_id, realized_pnl, json_extract(metadata_json, '$.fees') FROM fills "
        "GROUP BY intent_id HAVING COUNT(*) = 1 AND json_extract(metadata_json, '$.event') = 'settlement'",
    )
    assert len(results) > 5
    for intent_id, realized, fees in results:
        paid_out = realized + fees + cost[intent_id]  # a dollar for each contract that won
        assert abs(paid_out - round(paid_out)) < 1e-6
    assert any(fees > 0 for _, _, fees in results)
    for edge, plan in query(orders, "SELECT edge_per_contract, plan_json FROM order_intents"):
        gross = json.loads(plan)["gross_edge"]
        payout = gross + sum(leg["metadata"]["ask"] for leg in json.loads(plan)["legs"])
        assert abs(payout - round(payout)) < 1e-9
        assert edge <= gross


def test_a_restart_takes_up_cash_positions_and_pnl(lab: Lab) -> None:
    session = lab.start("3", WorldShape(news_per_hour=0.0, rivals=0.0))
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 3 and not lab.working())
    lab.run_until(lambda: not list(session.parts.executor.active))
    lab.end()
    before = session.parts.portfolio
    assert not any(before.unhedged().values())
    after = lab.start("4").parts.portfolio
    assert (after.cash, after.realized, after.total()) == (before.cash, before.realized, before.total())
    assert {h: sorted(x.lots) for h, x in after.holdings.items()} == {
        h: sorted(x.lots) for h, x in before.holdings.items()
    }
    assert after.fees_held() == before.fees_held()
    lab.run(3600)
    assert_balanced(lab)
    assert not set(before.holdings) & set(after.holdings), "what was open has settled"


def test_the_same_seed_plays_the_same_session(new_lab: Callable[[], Lab]) -> None:
    played = []
    for seed in ("11", "11", "12"):
        lab = new_lab()
        lab.start(seed, ROUGH)
        lab.run(900)
        lab.end()
        rows = [
            query(lab.folder / "analytics.db", "SELECT * FROM fills"),
            query(lab.folder / "analytics.db", "SELECT * FROM decisions"),
            query(lab.folder / "arb_orders.db", "SELECT * FROM leg_executions"),
        ]
        played.append((lab.log(), lab.decisions(), rows))
    assert played[0][0], "something was traded"
    assert played[0] == played[1]
    assert played[0] != played[2]


def test_cash_goes_back_to_the_starting_shares_once_a_utc_day_and_none_is_lost(lab: Lab) -> None:
    session = lab.start("6")
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 5 and not lab.working())
    before = session.parts.portfolio.total() - session.parts.portfolio.realized
    lab.clock.advance(86_400 - lab.clock.now() % 86_400)
    session.parts.journal.paused = {"since": 0.0, "reason": "test"}
    lab.run(3600)
    portfolio = session.parts.portfolio
    assert portfolio.total() - portfolio.realized == before == BANKROLL
    assert_balanced(lab)
    lab.clock.advance(86_400)
    lab.run(2)
    cash = portfolio.cash
    assert abs(cash["kalshi"] * 600 - cash["polymarket"] * 1000) < 1_000 * 1_000
