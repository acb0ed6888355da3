"""The lanes against every combination by hand; de-duplication, order of turns, near opportunities."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb_bot.lanes import LANE_ORDER, MarketView
from arb_bot.lanes.maker_estimate import maker_view
from arb_bot.lanes.scanning import LANES, LaneOptions, Scan, Scanner, in_turn, without_aliases
from arb_bot.opportunity import Leg, Opportunity
from arb_bot.quotes import Quote, Side
from arb_bot.relations import (
    EXCHANGE_API,
    Bucket,
    EventTree,
    MappedPair,
    Market,
    ParityCheck,
    Relations,
    RuleLeg,
)

PAIR = MappedPair("g1", ("kalshi", "K1"), ("polymarket", "P1"))
EVERYTHING = dict.fromkeys(LANE_ORDER, 0.01)


def quote(venue: str, market: str, yes: float, no: float, fee: float = 0.0) -> Quote:
    return Quote(venue, market, market, 100.0, yes - 0.02, yes, no - 0.02, no, 50.0, 60.0, fee, 900.0)


def view(*quotes: Quote, **relations: Sequence[object]) -> MarketView:
    known = Relations(**{name: tuple(values) for name, values in relations.items()})  # type: ignore[arg-type]
    return MarketView({(q.venue, q.market_id): q for q in quotes}, known)


def found_by(kind: str, look: MarketView, floor: float = -5.0) -> list[Opportunity]:
    (lane,) = [lane for lane in LANES if lane.kind == kind]
    return list(lane.find(look, floor))


def scan(look: MarketView, floors: dict[str, float] = EVERYTHING, **options: object) -> Scan:
    return Scanner().scan(look, LaneOptions(floors, **{"maker_estimates": False, **options}))  # type: ignore[arg-type]


def test_intra_venue_counts_the_quotes_fee_once_for_both_legs() -> None:
    (found,) = found_by("intra_venue", view(quote("kalshi", "K1", 0.40, 0.55, fee=0.01)))
    assert found.match_key == "kalshi:K1"
    assert found.net_edge == pytest.approx(0.04)
    assert [(leg.side, leg.price, leg.size) for leg in found.legs] == [
        ("yes", 0.40, 50.0),
        ("no", 0.55, 60.0),
    ]


def test_cross_venue_buys_both_ways_round_and_adds_both_fees() -> None:
    left, right = quote("kalshi", "K1", 0.40, 0.63, 0.015), quote("polymarket", "P1", 0.47, 0.52, 0.005)
    both = found_by("cross_venue", view(left, right, pairs=[PAIR]))
    assert {o.match_key for o in both} == {"g1:kalshi:polymarket"}
    assert [o.net_edge for o in both] == pytest.approx([1 - 0.40 - 0.52 - 0.02, 1 - 0.63 - 0.47 - 0.02])
    assert [leg.side for leg in both[1].legs] == ["no", "yes"]
    assert both[0].market_key == "kalshi/K1:polymarket/P1"


def test_a_pair_of_which_one_quote_is_missing_brings_nothing() -> None:
    assert not found_by("cross_venue", view(quote("kalshi", "K1", 0.1, 0.1), pairs=[PAIR]))


def bucket(source: str = "heuristic", payout: float = 1.0, sides: Sequence[Side] = ("yes",) * 3) -> Bucket:
    legs = tuple(RuleLeg("kalshi", f"B{n}", side) for n, side in enumerate(sides))
    return Bucket("temps", legs, payout, source)


def outcomes(*yes: float, fee: float = 0.0) -> list[Quote]:
    return [quote("kalshi", f"B{n}", price, 1.0 - price, fee) for n, price in enumerate(yes)]


def test_a_bucket_buys_every_listed_side_for_one_payout_and_all_fees() -> None:
    (found,) = found_by("structural_bucket", view(*outcomes(0.3, 0.3, 0.3, fee=0.01), buckets=[bucket()]))
    assert (found.match_key, found.payout, len(found.legs)) == ("temps", 1.0, 3)
    assert found.gross_edge == pytest.approx(0.10)
    assert found.net_edge == pytest.approx(0.07)
    assert {leg.side for leg in found.legs} == {"yes"}
    assert found.metadata["bucket_group_id"] == "temps"
    assert found.unit_cost_by_venue() == pytest.approx({"kalshi": 0.93})


@pytest.mark.parametrize(
    ("source", "total", "believed"),
    [
        (EXCHANGE_API, 0.69, False),
        (EXCHANGE_API, 0.70, True),
        (EXCHANGE_API, 1.20, True),
        (EXCHANGE_API, 1.21, False),
        ("heuristic", 0.84, False),
        ("heuristic", 0.85, True),
        ("heuristic", 1.10, True),
        ("heuristic", 1.11, False),
    ],
)
def test_a_bucket_whose_prices_sum_too_far_from_one_is_not_believed(
    source: str, total: float, believed: bool
) -> None:
    look = view(*outcomes(0.3, 0.3, total - 0.6), buckets=[bucket(source)])
    assert bool(found_by("structural_bucket", look)) == believed


def test_an_event_tree_is_bought_both_ways_and_pays_a_dollar_for_each_child() -> None:
    tree = EventTree("state", ("kalshi", "B0"), (("kalshi", "B1"), ("kalshi", "B2")))
    quotes = [quote("kalshi", "B0", 0.55, 0.46, 0.01), *outcomes(0, 0.25, 0.24, fee=0.01)[1:]]
    one, many = found_by("structural_event_tree", view(*quotes, trees=[tree]))
    assert (one.match_key, one.payout) == ("state:parent_no_children_yes", 1.0)
    assert one.net_edge == pytest.approx(1 - 0.46 - 0.25 - 0.24 - 0.03)
    assert (many.match_key, many.payout) == ("state:parent_yes_children_no", 2.0)
    assert many.net_edge == pytest.approx(2 - 0.55 - 0.75 - 0.76 - 0.03)


@pytest.mark.parametrize(
    ("relationship", "keys"),
    [
        ("complement", ["p:left_yes_right_yes", "p:left_no_right_no"]),
        ("equivalent", ["p:left_yes_right_no", "p:left_no_right_yes"]),
    ],
)
def test_parity_buys_the_two_sides_of_which_exactly_one_pays(relationship: str, keys: list[str]) -> None:
    check = ParityCheck("p", ("kalshi", "K1"), ("kalshi", "K2"), relationship)  # type: ignore[arg-type]
    quotes = quote("kalshi", "K1", 0.40, 0.62, 0.01), quote("kalshi", "K2", 0.55, 0.47, 0.01)
    both = found_by("structural_parity", view(*quotes, parities=[check]))
    assert [o.match_key for o in both] == keys
    costs = {"complement": [0.95, 1.09], "equivalent": [0.87, 1.17]}[relationship]
    assert [o.net_edge for o in both] == pytest.approx([0.98 - cost for cost in costs])


def test_maker_estimates_stand_a_tick_above_the_bid_and_never_meet_the_ask() -> None:
    wide = replace(quote("kalshi", "K1", 0.50, 0.52), yes_bid=0.44, no_bid=0.51)
    estimate = maker_view(view(wide), {"kalshi": 0.01})
    (found,) = found_by("intra_venue", estimate)
    assert found.execution_style == "maker_estimate"
    assert [leg.price for leg in found.legs] == [0.45, 0.51]
    without = maker_view(view(replace(wide, no_bid=None)), {})
    assert not found_by("intra_venue", without)


def test_both_styles_are_found_side_by_side_unless_estimates_are_off() -> None:
    look = view(quote("kalshi", "K1", 0.50, 0.48))
    styles = [o.execution_style for o in scan(look, maker_estimates=True).found]
    assert styles == ["maker_estimate", "taker"], "the better edge first"
    assert [o.execution_style for o in scan(look).found] == ["taker"]


prices = st.integers(1, 99).map(lambda cents: cents / 100)
MARKETS: list[Market] = [("kalshi", f"K{n}") for n in range(5)] + [("polymarket", f"P{n}") for n in range(3)]


@st.composite
def books(draw: st.DrawFn) -> MarketView:
    """Some quotes of eight markets, and rules of every kind over them, also over markets without quotes."""
    quotes = [
        replace(quote(venue, market, draw(prices), draw(prices), draw(st.sampled_from([0.0, 0.015]))))
        for venue, market in draw(st.lists(st.sampled_from(MARKETS), unique=True))
    ]
    distinct = st.lists(st.sampled_from(MARKETS), min_size=2, max_size=4, unique=True)
    sides = st.sampled_from(["yes", "no"])
    buckets, trees, parities = [], [], []
    for number, markets in enumerate(draw(st.lists(distinct, max_size=3))):
        legs = tuple(RuleLeg(*market, draw(sides)) for market in markets)
        source = draw(st.sampled_from([EXCHANGE_API, "heuristic"]))
        buckets.append(Bucket(f"b{number}", legs, 1.0, source))
    for number, (parent, *children) in enumerate(draw(st.lists(distinct, max_size=3))):
        trees.append(EventTree(f"t{number}", parent, tuple(children)))
    for number, (left, right, *_) in enumerate(draw(st.lists(distinct, max_size=3))):
        relationship = draw(st.sampled_from(["complement", "equivalent"]))
        parities.append(ParityCheck(f"p{number}", left, right, relationship))
    pairs = [
        MappedPair(f"m{number}", left, right)
        for number, (left, right) in enumerate(
            draw(st.lists(st.tuples(st.sampled_from(MARKETS[:5]), st.sampled_from(MARKETS[5:])), max_size=3))
        )
    ]
    return view(*quotes, buckets=buckets, trees=trees, parities=parities, pairs=pairs)


Row = tuple[str, str, tuple[tuple[str, str, str], ...], float]


def row(
    look: MarketView, kind: str, key: str, legs: Sequence[tuple[Market, str]], pays: float
) -> Iterator[Row]:
    """One set of sides, where all its markets have quotes: what it pays less asks and fees."""
    q = look.quotes
    if all(market in q for market, _ in legs):
        asks = [(q[m].yes_ask if side == "yes" else q[m].no_ask) or 0.0 for m, side in legs]
        fees = [q[m].fee_per_contract for m, _ in legs]
        fee = fees[0] if kind == "intra_venue" else sum(fees)
        yield kind, key, tuple((*m, side) for m, side in legs), pays - sum(asks) - fee


def by_hand(look: MarketView) -> Iterator[Row]:
    """Every set of sides of every market and rule, kept where the rule says that it pays."""
    for market in look.quotes:
        key = f"{market[0]}:{market[1]}"
        yield from row(look, "intra_venue", key, [(market, "yes"), (market, "no")], 1.0)
    for one, other in product(("yes", "no"), repeat=2):
        for pair in look.relations.pairs:
            if one != other:
                key = f"{pair.group_id}:{pair.left[0]}:{pair.right[0]}"
                yield from row(look, "cross_venue", key, [(pair.left, one), (pair.right, other)], 1.0)
        for check in look.relations.parities:
            if (one == other) == (check.relationship == "complement"):
                key = f"{check.group_id}:left_{one}_right_{other}"
                yield from row(look, "structural_parity", key, [(check.left, one), (check.right, other)], 1.0)
        for tree in look.relations.trees:
            if one != other:
                key = f"{tree.group_id}:parent_{one}_children_{other}"
                legs = [(tree.parent, one), *((child, other) for child in tree.children)]
                pays = 1.0 if one == "no" else float(len(tree.children))
                yield from row(look, "structural_event_tree", key, legs, pays)
    for rule in look.relations.buckets:
        legs = [(leg.market, str(leg.side)) for leg in rule.legs]
        for found in row(look, "structural_bucket", rule.group_id, legs, 1.0):
            total = round(1.0 - found[3] - sum(look.quotes[m].fee_per_contract for m, _ in legs), 6)
            low, high = (0.70, 1.20) if rule.exclusivity_source == EXCHANGE_API else (0.85, 1.10)
            if low <= total <= high:
                yield found


@given(books(), st.floats(-0.5, 0.5))
def test_every_lane_finds_exactly_what_going_through_all_combinations_finds(
    look: MarketView, floor: float
) -> None:
    searched = list(by_hand(look))
    for lane in LANES:
        found = sorted(
            (o.match_key, tuple((g.venue, g.market_id, g.side) for g in o.legs), round(o.net_edge, 9))
            for o in lane.find(look, floor)
        )
        expected = sorted(
            (key, legs, round(edge, 9))
            for kind, key, legs, edge in searched
            if kind == lane.kind and edge >= floor - 1e-9
        )
        assert found == expected


@given(books())
def test_a_scan_without_pricing_counts_found_and_near_as_the_search_does(look: MarketView) -> None:
    result = scan(look, constraint_pricing=False, fuzzy=False)
    best: dict[object, tuple[float, float]] = {}
    near = set()
    for kind, key, legs, edge in by_hand(look):
        identity = (kind, tuple(sorted(legs)))
        if edge >= 0.01 - 1e-9:
            best[identity] = max(best.get(identity, (-9.0, 0.0)), (edge, 0.0))
        elif edge >= -0.01 - 1e-9 and (
            kind != "structural_event_tree" or "parent_no" in key or len(legs) == 2
        ):
            near.add(identity)
    aliased = {legs for kind, legs in best if kind == "cross_venue"} & {
        legs for kind, legs in best if kind == "structural_parity"
    }
    assert len(result.found) == len(best) - len(aliased)
    assert result.near == len(near - best.keys())
    edges = [o.net_edge for o in result.found]
    assert edges == sorted(edges, reverse=True)
    for o in result.found:
        legs = tuple(sorted((g.venue, g.market_id, g.side) for g in o.legs))
        assert o.net_edge == pytest.approx(best[o.kind, legs][0])


def test_an_edge_that_is_the_threshold_to_the_digit_counts_whatever_its_float_noise() -> None:
    look = view(quote("kalshi", "K1", 0.15, 0.81, fee=0.03))
    assert 1 - (0.15 + 0.81) - 0.03 < 0.01
    assert len(scan(look).found) == 1


def test_near_opportunities_cost_at_most_the_threshold_and_are_not_found_ones() -> None:
    result = scan(
        view(
            quote("kalshi", "K1", 0.40, 0.55),  # edge 0.05: found
            quote("kalshi", "K2", 0.50, 0.505),  # edge -0.005: near
            quote("kalshi", "K3", 0.60, 0.60),  # far
        )
    )
    assert [o.match_key for o in result.found] == ["kalshi:K1"]
    assert result.near == 1


def test_a_lane_without_a_floor_is_off_and_each_lane_has_its_own() -> None:
    look = view(quote("kalshi", "K1", 0.40, 0.55), quote("polymarket", "P1", 0.41, 0.56), pairs=[PAIR])
    assert {o.kind for o in scan(look, {"intra_venue": 0.01}).found} == {"intra_venue"}
    found = scan(look, {"intra_venue": 0.04, "cross_venue": 0.02}).found
    assert [(o.kind, round(o.net_edge, 6)) for o in found] == [
        ("intra_venue", 0.05),
        ("cross_venue", 0.04),
        ("cross_venue", 0.04),
    ]


def test_the_same_legs_count_once_under_the_better_edge() -> None:
    dear = Bucket("dear", bucket().legs, payout=0.98)
    look = view(*outcomes(0.3, 0.3, 0.3), buckets=[dear, bucket()])
    assert [o.match_key for o in scan(look).found if o.kind == "structural_bucket"] == ["temps"]


def test_cross_and_parity_names_of_the_same_legs_collapse_always_to_the_same_one() -> None:
    kept = []
    for market in ("P1", "P2", "P3", "P4", "P5", "P6"):
        left, right = ("kalshi", "K1"), ("polymarket", market)
        look = view(
            quote(*left, 0.40, 0.63),
            quote(*right, 0.47, 0.52),
            pairs=[MappedPair("g", left, right)],
            parities=[ParityCheck("p", left, right, "equivalent")],
        )
        (once,) = [o for o in scan(look).found if o.kind != "intra_venue"]
        (again,) = [o for o in scan(look).found if o.kind != "intra_venue"]
        assert once == again
        kept.append(once.kind)
    assert set(kept) == {"cross_venue", "structural_parity"}, "neither name always wins"


def test_other_lanes_with_the_same_legs_do_not_collapse() -> None:
    legs = tuple(Leg("kalshi", m, m, "yes", 0.4, 10.0, None, 0.0, None) for m in ("A", "B"))
    both = [Opportunity(kind, kind, legs, 0.0) for kind in ("structural_bucket", "structural_parity")]
    assert without_aliases(both) == both


def test_quotes_observed_too_far_apart_are_not_joined() -> None:
    old = replace(quote("kalshi", "K1", 0.40, 0.63), observed_at=100.0)
    new = replace(quote("polymarket", "P1", 0.47, 0.52), observed_at=701.0)
    look = view(old, new, pairs=[PAIR])
    assert not scan(look, {"cross_venue": -1.0}).found
    assert scan(look, {"cross_venue": -1.0}).near == 0
    assert len(scan(look, {"cross_venue": -1.0}, join_seconds=601.0).found) == 2
    assert len(scan(look, {"cross_venue": -1.0}, join_seconds=0.0).found) == 2


def test_a_lane_rests_while_too_little_of_what_is_written_down_has_quotes() -> None:
    check = ParityCheck("p", ("kalshi", "K1"), ("polymarket", "P1"), "complement")
    quotes = quote("kalshi", "K1", 0.40, 0.43), quote("polymarket", "P1", 0.47, 0.52)
    look = view(*quotes, pairs=[PAIR], parities=[check])
    kinds = [{o.kind for o in scan(look, constraint_pricing=False, **options).found} for options in (
        {}, {"min_covered_pairs": 1}, {"min_covered_pairs": 2}, {"min_covered_rules": 2},
    )]  # fmt: skip
    both = {"intra_venue", "cross_venue", "structural_parity"}
    assert kinds == [both, both, both - {"cross_venue"}, both - {"structural_parity"}]


def test_each_lane_has_its_turn_before_any_has_a_second_one() -> None:
    def candidate(kind: str, name: str) -> Opportunity:
        return Opportunity(
            kind,
            name,
            tuple(Leg("kalshi", name, name, side, 0.4, 10.0, None, 0.0, None) for side in ("yes", "no")),
            0.0,
        )

    profits = {"c0": 1.0, "c1": 0.5, "p0": 0.1, "b0": 2.0, "b1": 1.5, "t0": 0.2, "i0": 9.0, "i1": 8.0}
    kinds = dict(zip("cpbti", LANE_ORDER, strict=True))
    ranked = [(profit, candidate(kinds[name[0]], name)) for name, profit in profits.items()]
    assert [o.match_key for o in in_turn(ranked)] == ["c0", "p0", "b0", "t0", "i0", "i1", "b1", "c1"]
