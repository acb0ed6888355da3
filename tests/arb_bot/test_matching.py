"""Pairs by titles: the same as comparing every title with every other, whatever came in which order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot.lanes import MarketView
from arb_bot.lanes.scanning import LaneOptions, Scanner
from arb_bot.matching import TitleMatcher, likeness, words
from arb_bot.quotes import Quote
from arb_bot.relations import MappedPair, Market, Relations


def titled(venue: str, market: str, title: str, yes: float = 0.5, no: float = 0.5) -> Quote:
    return Quote(venue, market, title, 100.0, yes - 0.02, yes, no - 0.02, no, 50.0, 60.0, 0.0, 900.0)


def board(*quotes: Quote) -> dict[Market, Quote]:
    return {(q.venue, q.market_id): q for q in quotes}


def test_titles_are_compared_by_their_words_and_whole_numbers() -> None:
    assert words("Will CPI be ABOVE 3.5 % in May?") == ("will", "cpi", "be", "above", "3.5", "in", "may")
    assert likeness(frozenset("abc"), frozenset("bcd")) == 0.5
    assert likeness(frozenset(), frozenset("a")) == 0.0


@pytest.mark.parametrize(
    ("right", "score"),
    [
        ("Fed cuts rates in March 2026", 1.0),
        ("fed CUTS rates, in march 2026?", 1.0),
        ("Will the Fed cuts rates in March 2026", 0.75),
        ("Fed holds rates in April 2026", None),  # 4 of 8 words
    ],
)
def test_a_pair_is_alike_enough_or_none(right: str, score: float | None) -> None:
    quotes = board(
        titled("polymarket", "P", right),
        titled("kalshi", "K", "Fed cuts rates in March 2026"),
        titled("kalshi", "Z", "Snow in Boston"),
    )
    pairs = TitleMatcher(0.62).pairs(quotes)
    assert [(p.left, p.right, p.score) for p in pairs] == (
        [] if score is None else [(("kalshi", "K"), ("polymarket", "P"), score)]
    )
    if pairs:
        assert pairs[0].match_key == "fed cuts rates in march 2026", "the left title, normalised"
        assert not pairs[0].mapped


def test_of_several_only_the_best_counts_and_of_two_equals_none() -> None:
    ladder = [titled("kalshi", f"K{n}", f"BTC above {n} on Friday") for n in (90, 100, 110)]
    pairs = TitleMatcher(0.62).pairs(board(*ladder, titled("polymarket", "P", "BTC above 100 on Friday")))
    assert [(p.left[1], p.score) for p in pairs] == [("K100", 1.0)]
    assert not TitleMatcher(0.62).pairs(board(*ladder, titled("polymarket", "P", "BTC above 95 on Friday")))


alphabet = st.sampled_from(["fed", "cuts", "rates", "march", "may", "3.5", "not", "will"])
titles = st.lists(alphabet, min_size=0, max_size=5).map(" ".join)
listings = st.lists(st.tuples(st.sampled_from(["kalshi", "polymarket", "forecastex"]), titles), max_size=12)


@given(listings, st.sampled_from([0.1, 0.3, 0.5, 0.62, 0.8, 1.0]), st.lists(st.booleans(), max_size=12))
def test_the_index_finds_what_comparing_all_with_all_finds(
    listed: list[tuple[str, str]], least: float, earlier: list[bool]
) -> None:
    everything = [titled(venue, f"M{n}", title) for n, (venue, title) in enumerate(listed)]
    before = [quote for quote, seen in zip(everything, earlier, strict=False) if seen]
    quotes = board(*everything[len(listed) // 3 :])
    sets = {market: frozenset(words(quote.title)) for market, quote in quotes.items()}

    def best(market: Market, venue: str) -> Market | None:
        scores = sorted(
            ((likeness(sets[market], sets[other]), other) for other in quotes if other[0] == venue),
            reverse=True,
        )
        if not scores or scores[0][0] < least or (len(scores) > 1 and scores[0][0] == scores[1][0]):
            return None
        return scores[0][1]

    expected = {
        frozenset((market, other))
        for market in quotes
        for venue in {"kalshi", "polymarket", "forecastex"} - {market[0]}
        if (other := best(market, venue)) and best(other, market[0]) == market
    }
    matcher = TitleMatcher(least)
    matcher.pairs(board(*before))
    found = matcher.pairs(quotes)
    if quotes.keys() <= board(*before).keys():
        return  # nothing is new: what was known stands
    assert {frozenset((p.left, p.right)) for p in found} == expected
    assert len(found) == len(expected)
    assert matcher.pairs(quotes) is found, "nothing new, nothing done"


def test_a_market_that_is_gone_does_not_stand_in_the_way_of_the_next_one_of_its_title() -> None:
    left, old, new = (
        titled(v, m, "Fed decision") for v, m in (("kalshi", "K"), ("polymarket", "P1"), ("polymarket", "P2"))
    )
    matcher = TitleMatcher(0.62)
    assert matcher.pairs(board(left, old))[0].right == ("polymarket", "P1")
    assert matcher.pairs(board(left, new))[0].right == ("polymarket", "P2")
    assert not matcher.pairs(board(left, old, new)), "both are listed: nobody knows which is meant"


def test_a_quote_left_out_once_changes_nothing() -> None:
    left, right = titled("kalshi", "K", "Fed decision"), titled("polymarket", "P", "Fed decision")
    matcher = TitleMatcher(0.62)
    known = matcher.pairs(board(left, right))
    assert matcher.pairs(board(left)) is known
    assert matcher.pairs(board(left, right)) is known


def test_a_new_title_of_a_known_market_is_taken_up() -> None:
    left, right = titled("kalshi", "K", "Snow in Boston"), titled("polymarket", "P", "Rain in Rome")
    matcher = TitleMatcher(0.62)
    assert not matcher.pairs(board(left, right))
    assert matcher.pairs(board(left, replace(right, title="Snow in Boston")))
    assert not matcher.pairs(board(left, right))


def test_mapped_markets_are_not_paired_again_and_a_mapping_can_be_required() -> None:
    left, right = ("kalshi", "K"), ("polymarket", "P")
    quotes = board(titled(*left, "Snow in Boston", 0.4, 0.5), titled(*right, "Snow in Boston", 0.5, 0.5))
    options = LaneOptions({"cross_venue": 0.05}, maker_estimates=False)

    def keys(mapped: tuple[MappedPair, ...], **changed: bool) -> set[str]:
        look = MarketView(quotes, Relations(pairs=mapped))
        return {o.match_key for o in Scanner().scan(look, replace(options, **changed)).found}

    assert keys(()) == {"snow in boston"}
    assert keys((MappedPair("g", left, right),)) == {"g:kalshi:polymarket"}
    assert keys((MappedPair("g", left, ("polymarket", "other")),)) == set(), "K's counterpart is known"
    assert keys((), fuzzy=False) == set()
    assert keys((), mapping_required=True) == set()
