"""Scenes in which one opportunity is traded again and again, and words for what the engine does in them."""

from collections.abc import Callable, Sequence
from typing import Any

from arb_bot.experience import Result
from arb_bot.relations import Bucket, EventTree, MappedPair, ParityCheck, Relations, RuleLeg
from arb_bot.session import Session
from tests.arb_bot.stage import Scene, quote

States = Sequence[dict[str, Any]]
Look = Callable[[States], str]

PLAIN: dict[str, object] = {
    "POLYMARKET_ENABLED": True,
    "ARB_BANKROLL_BY_VENUE": "kalshi=1000,polymarket=1000",
    "ARB_POLL_INTERVAL_SECONDS": 5,
    "ARB_MIN_EXPECTED_PROFIT_USD": 0.1,
    "ARB_MARKET_COOLDOWN_SECONDS": 0,
    "ARB_TIME_REGIME_ENABLED": False,
    "ARB_ENABLE_KELLY_CONFIDENCE_SHRINKAGE": False,
    "ARB_ENABLE_MAKER_ESTIMATES": False,
}
"""What every scene begins with: nothing between an opportunity and its order but the row's own setting."""

PAIR = Relations(pairs=(MappedPair("g", ("kalshi", "K"), ("polymarket", "P")),))
NOTHING = "nothing"


def cross(relations: Relations = PAIR, **details: Any) -> Scene:
    """A pair with an edge of 5 cents: 42 contracts for 40 dollars."""
    left, right = quote("kalshi", "K", 0.45, 0.56, **details), quote("polymarket", "P", 0.51, 0.50, **details)
    return Scene((left, right), relations)


def intra() -> Scene:
    return Scene((quote("kalshi", "K", 0.45, 0.50),))


def bucket(count: int = 1, before: Callable[[Session], object] = lambda _s: None, **details: Any) -> Scene:
    """Buckets of three with an edge of 7 cents: 43 contracts."""
    quotes, buckets = [], []
    for number in range(count):
        names = [f"B{number}{letter}" for letter in "xyz"]
        quotes += [quote("kalshi", name, 0.31, 0.71, **details) for name in names]
        buckets.append(Bucket(f"b{number}", tuple(RuleLeg("kalshi", name) for name in names)))
    return Scene(quotes, Relations(buckets=tuple(buckets)), before=before)


def tree() -> Scene:
    quotes = [quote("kalshi", "T", 0.60, 0.42), *(quote("kalshi", name, 0.26, 0.76) for name in ("T1", "T2"))]
    known = EventTree("t", ("kalshi", "T"), (("kalshi", "T1"), ("kalshi", "T2")))
    return Scene(quotes, Relations(trees=(known,)))


def parity() -> Scene:
    quotes = (quote("kalshi", "L", 0.45, 0.57), quote("kalshi", "R", 0.50, 0.52))
    known = ParityCheck("p", ("kalshi", "L"), ("kalshi", "R"), "complement")
    return Scene(quotes, Relations(parities=(known,)))


def alike(relations: Relations | None = None) -> Scene:
    """No mapping; the titles share four of six words."""
    left = quote("kalshi", "K", 0.45, 0.56, "alpha beta gamma delta here")
    right = quote("polymarket", "P", 0.51, 0.50, "alpha beta gamma delta there")
    return Scene((left, right), relations or Relations())


def loses(count: int, expected: float = 0.02, realized: float = 0.01) -> Callable[[Session], None]:
    """Results so far that miss what was expected."""

    def before(session: Session) -> None:
        for _ in range(count):
            session.parts.experience.realized(Result("cross_venue", "x", realized, expected))

    return before


def bad_bucket(session: Session) -> None:
    """Eight results of six cents lost each: a score of −2.28 cents."""
    for _ in range(8):
        session.parts.experience.buckets.realized("b0", -0.06)


def two_failures(session: Session) -> None:
    for _ in range(2):
        session.parts.experience.buckets.entered("b0", hedged=False)


# What is looked at: a word for what the engine does in the last of the states.


def does(kind: str) -> Look:
    """`42 contracts` where it keeps ordering so many, else the reason why not."""

    def look(states: States) -> str:
        decisions = [d for d in states[-1]["last_cycle"]["decisions"] if d["kind"] == kind]
        reasons = {d["reason"].split(" (")[0].split(":")[0] for d in decisions}
        if reasons == {"paper_no_fill"}:
            return f"{states[-1]['ordered']} contracts"
        return ", ".join(sorted(reasons)) or NOTHING

    return look


def in_full(states: States) -> str:
    return ", ".join(sorted({d["reason"] for d in states[-1]["last_cycle"]["decisions"]}))


def estimates(states: States) -> str:
    """Edges of maker estimates of the pair."""
    decisions = [d for d in states[-1]["last_cycle"]["decisions"] if d["kind"] == "cross_venue"]
    edges = sorted({round(d["edge"], 4) for d in decisions if "maker" in d["reason"]})
    return " ".join(map(str, edges)) or NOTHING


def near(states: States) -> str:
    return f"{states[-1]['last_cycle']['near_opportunities']} near"


def pace(states: States) -> str:
    return f"every {states[-1]['ts'] - states[-2]['ts']:g} s"


def stream(states: States) -> str:
    return " ".join(sorted({state["stream_status"]["kalshi"] for state in states[-30:]}))


def buckets_tried(states: States) -> str:
    """How many different buckets it tried over the last twelve cycles."""
    return (
        f"{len({d['match_key'] for state in states[-12:] for d in state['last_cycle']['decisions']})} tried"
    )
