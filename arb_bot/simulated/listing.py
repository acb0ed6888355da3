"""Which families of events the simulated venues list, and what is therefore known of their markets. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from arb_bot.relations import (
    EXCHANGE_API,
    HEURISTIC,
    Bucket,
    EventTree,
    MappedPair,
    Market,
    ParityCheck,
    Relations,
    RuleLeg,
    in_venue_order,
)
from arb_bot.simulated.world import BUCKET, COMPLEMENT, EQUIVALENT, PATTERNS, SINGLE, TREE, Family

SHARED_PART = 0.7
"""The part of the smaller venue's markets that the other venue lists too."""
LEFT_TO_TITLES = 5
"""Every so manieth event alone is in no mapping: its title is all that says that two markets are one."""
_TURN = (BUCKET, SINGLE, SINGLE, TREE, SINGLE, COMPLEMENT, SINGLE, SINGLE, EQUIVALENT, SINGLE)

MarketName = Callable[[str, int], str]
"""A venue's market id for an event number."""


def blocks(sizes: Mapping[str, int]) -> tuple[list[str], dict[str, tuple[int, ...]]]:
    """The patterns of all families in the order of their slots, and the slots that each venue lists: the
    shared ones first, then its own. `sizes` are numbers of markets by venue; no family is cut.
    """
    shared = round(min(sizes.values()) * SHARED_PART) if len(sizes) > 1 else 0
    layout, slots, following = patterns(shared), {}, shared
    for venue, size in sizes.items():
        own = size - shared
        layout += patterns(own)
        slots[venue] = (*range(shared), *range(following, following + own))
        following += own
    return layout, slots


def patterns(slots: int) -> list[str]:
    """Families that fill so many slots, one of each kind in turn; events alone where no other fits."""
    layout: list[str] = []
    while slots:
        pattern = _TURN[len(layout) % len(_TURN)]
        if len(PATTERNS[pattern].members) > slots:
            pattern = SINGLE
        layout.append(pattern)
        slots -= len(PATTERNS[pattern].members)
    return layout


def relations(
    families: Sequence[Family], slots: Mapping[str, Sequence[int]], market_name: MarketName
) -> Relations:
    """What the venues' rules and a mapping say of the events that are listed now."""
    listed = {venue: frozenset(held) for venue, held in slots.items()}
    pairs: list[MappedPair] = []
    buckets, trees, parities = [], [], []
    for family in families:
        venues = [venue for venue, held in listed.items() if family.slot in held]
        pairs += _pairs(family, venues, market_name)
        for venue in venues:
            group = f"sim-{family.pattern}-{family.numbers[0]:05d}-{venue}"
            markets: list[Market] = [(venue, market_name(venue, number)) for number in family.numbers]
            if family.pattern == BUCKET:
                # As if one exchange stated what is exclusive, and the other left it to be concluded.
                source = EXCHANGE_API if venue == "kalshi" else HEURISTIC
                legs = tuple(RuleLeg(*market) for market in markets)
                buckets.append(Bucket(group, legs, exclusivity_source=source))
            elif family.pattern == TREE:
                trees.append(EventTree(group, markets[0], tuple(markets[1:])))
            elif family.pattern == COMPLEMENT:
                parities.append(ParityCheck(group, markets[0], markets[1], "complement"))
            elif family.pattern == EQUIVALENT:
                parities.append(ParityCheck(group, markets[0], markets[1], "equivalent"))
    return Relations(tuple(pairs), tuple(buckets), tuple(trees), tuple(parities))


def _pairs(family: Family, venues: Sequence[str], market_name: MarketName) -> Iterator[MappedPair]:
    if len(venues) < 2 or (family.pattern == SINGLE and family.numbers[0] % LEFT_TO_TITLES == 0):
        return
    for number in family.numbers:
        left, right, *_ = in_venue_order((venue, market_name(venue, number)) for venue in venues)
        yield MappedPair(f"sim-{number:05d}", left, right)
