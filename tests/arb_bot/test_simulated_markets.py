"""The simulated markets: books that never cross or overfill, venues that fail as real ones do."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arb_bot import OrderRejected, StartRefused, VenueUnavailable
from arb_bot.money import MICROS
from arb_bot.quotes import reject_reason
from arb_bot.simulated.book import Book, MakerStyle
from arb_bot.simulated.markets import KALSHI, POLYMARKET, STYLES, Listing, SimulatedMarkets
from arb_bot.venue import OrderRequest
from tests.arb_bot.lab import START, Lab

STYLE = MakerStyle(tick=0.01, half_spread=0.01, noise=0.003, refresh=5.0, reaction=2.0, size=50.0)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    probability=st.floats(0.0, 1.0),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell", "post", "rivals"]), st.integers(1, 400), st.integers(1, 99)
        ),
        max_size=20,
    ),
)
def test_a_book_never_crosses_and_fills_within_the_limit(
    seed: int, probability: float, steps: list[tuple[str, int, int]]
) -> None:
    book = Book(random.Random(seed), STYLE, probability, 0.0)
    for action, contracts, cents in steps:
        limit = cents * MICROS // 100
        if action == "post":
            book.post(probability, 1.0)
        elif action == "rivals":
            book.rivals("buy" if contracts % 2 else "sell")
        else:
            best = book.ask if action == "buy" else book.bid
            take = book.buy(contracts, limit) if action == "buy" else book.sell(contracts, limit)
            assert 0 <= take.contracts <= contracts
            if take.contracts and action == "buy":
                assert best * take.contracts <= take.value <= limit * take.contracts
            elif take.contracts:
                assert limit * take.contracts <= take.value <= best * take.contracts
        assert book.bid < book.ask
        assert book.ask_size > 0
        assert book.bid_size > 0


def test_a_large_order_walks_up_the_levels_and_leaves_them_empty() -> None:
    book = Book(random.Random(1), STYLE, 0.5, 0.0)
    best, size = book.ask, book.ask_size
    take = book.buy(size + 10, MICROS - 1)
    assert take.contracts == size + 10
    assert take.value == size * best + 10 * (best + 10_000)
    assert book.ask == best + 10_000


@pytest.fixture
def markets(lab: Lab) -> Iterator[SimulatedMarkets]:
    listings = {name: Listing(20, 100 * MICROS, lambda: 0.01) for name in (KALSHI, POLYMARKET)}
    built = SimulatedMarkets(
        listings, folder=lab.folder, clock=lab.clock, seed="1", session_id="s" * 32, speed=1.0
    )
    lab.clock.advance(5)
    yield built
    built.close()


def order(
    market_id: str, contracts: int = 5, price: int = MICROS - 10_000, action: str = "buy"
) -> OrderRequest:
    return OrderRequest(market_id, "yes", "buy" if action == "buy" else "sell", contracts, price)


def test_both_venues_quote_shared_events_differently(markets: SimulatedMarkets) -> None:
    pairs = markets.relations().pairs
    assert len(pairs) == 12, "of 14 events that both list two are left to their titles"
    quotes = {q.market_id: q for venue in markets.venues.values() for q in venue.quotes()}
    assert len(quotes) == 40
    differences = {quotes[p.left[1]].yes_ask != quotes[p.right[1]].yes_ask for p in pairs}
    assert True in differences


def test_an_order_arrives_late_fills_from_the_book_and_is_paid_for_once(
    markets: SimulatedMarkets, lab: Lab
) -> None:
    venue = markets.venues[KALSHI]
    market = venue.quotes()[0].market_id
    order_id = venue.place(order(market))
    assert venue.report(order_id).filled == 0
    assert [o.order_id for o in venue.open_orders()] == [order_id]
    lab.clock.advance(3)
    report = venue.report(order_id)
    assert (report.working, report.filled) == (False, 5)
    assert report.fee > 0
    assert venue.balance() == 100 * MICROS - report.value - report.fee
    assert venue.contracts_held() == {(market, "yes"): 5}


def test_a_cancelled_order_does_not_fill(markets: SimulatedMarkets, lab: Lab) -> None:
    venue = markets.venues[KALSHI]
    order_id = venue.place(order(venue.quotes()[0].market_id, price=10_000))
    lab.clock.advance(3)
    venue.cancel(order_id)
    lab.clock.advance(60)
    assert venue.report(order_id) == venue.report(order_id)
    assert venue.report(order_id).filled == 0
    assert not venue.open_orders()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (order("NOWHERE"), "no open market"),
        (order("first", contracts=0), "takes no order for 0"),
        (order("first", price=MICROS), "at \\$1"),
        (order("first", contracts=1000), "insufficient balance"),
        (order("first", action="sell"), "not that many contracts"),
    ],
)
def test_senseless_and_uncovered_orders_are_refused_and_still_logged(
    markets: SimulatedMarkets, lab: Lab, request_: OrderRequest, why: str
) -> None:
    venue = markets.venues[KALSHI]
    market = venue.quotes()[0].market_id if request_.market_id == "first" else request_.market_id
    request = OrderRequest(market, "yes", request_.action, request_.contracts, request_.limit_price)
    with pytest.raises(OrderRejected, match=why):
        venue.place(request)
    assert len(lab.placed()) == 1
    assert not venue.open_orders()


def test_a_venue_that_is_down_answers_nothing_and_comes_back(markets: SimulatedMarkets, lab: Lab) -> None:
    venue = markets.venues[KALSHI]
    market = venue.quotes()[0].market_id
    venue._down_until = markets.market_time() + 20
    for call in (
        venue.quotes,
        venue.cancel_all,
        venue.open_orders,
        venue.balance,
        lambda: venue.place(order(market)),
    ):
        with pytest.raises(VenueUnavailable):
            call()
    heard = venue.last_heartbeat()
    lab.clock.advance(21)
    assert venue.last_heartbeat() == heard
    assert venue.quotes()
    assert not lab.log(), "an order that never reached the venue is not in its log"


def test_a_frozen_feed_repeats_old_quotes_with_their_old_times(markets: SimulatedMarkets, lab: Lab) -> None:
    venue = markets.venues[KALSHI]
    venue._frozen_until = markets.market_time() + 20
    before = venue.quotes()
    lab.clock.advance(10)
    assert venue.quotes() == before
    assert max(q.observed_at for q in before if q.observed_at < lab.clock.now()) <= lab.clock.now() - 10


def test_events_resolve_and_pay_the_winning_side_only(markets: SimulatedMarkets, lab: Lab) -> None:
    venue = markets.venues[KALSHI]
    event = markets.world.events[0]
    market = STYLES[KALSHI].market_id.format(event.number)
    venue.account.contracts[market, "yes"], venue.account.contracts[market, "no"] = 3, 5
    assert venue.winner(market) is None
    lab.clock.advance(event.resolves_at - START + 2)
    venue._down_until = 0.0
    winner = venue.winner(market)
    assert winner in {"yes", "no"}
    assert venue.balance() == (100 + (3 if winner == "yes" else 5)) * MICROS
    assert not venue.contracts_held()
    assert markets.world.events[0].number > event.number, "another event takes its place"


def test_some_quotes_are_malformed_in_every_documented_way(markets: SimulatedMarkets, lab: Lab) -> None:
    venue = markets.venues[POLYMARKET]
    quote = next(q for q in venue.quotes() if not reject_reason(q, lab.clock.now()))
    reasons = {reject_reason(venue._malformed(quote), lab.clock.now()) for _ in range(200)}
    assert len(reasons) == 8
    assert None not in reasons


def test_a_market_at_twice_the_speed_lives_half_as_long(lab: Lab) -> None:
    listing = {KALSHI: Listing(5, MICROS, lambda: 0.0)}
    slow = SimulatedMarkets(listing, folder=lab.folder, clock=lab.clock, seed="1", session_id="a" * 32)
    fast = SimulatedMarkets(
        listing, folder=lab.folder, clock=lab.clock, seed="1", session_id="b" * 32, speed=2.0
    )
    ends = [[m.clock_time(e.resolves_at) - START for e in m.world.events] for m in (slow, fast)]
    assert ends[1] == pytest.approx([life / 2 for life in ends[0]])
    lab.clock.advance(10)
    assert fast.catch_up() - START == 20
    slow.close()
    fast.close()


def test_a_damaged_account_file_is_refused_and_left_as_it_is(lab: Lab) -> None:
    path = lab.folder / "venues_simulated.json"
    path.write_text('{"events": 5')
    with pytest.raises(StartRefused, match="damaged"):
        lab.start("1")
    assert path.read_text() == '{"events": 5'
