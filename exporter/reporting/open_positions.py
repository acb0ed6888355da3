"""Open positions as a bot's state tells them, and as its ledger does: one row for each, unknown is None.

Pure. Deployed bots name the venue and the market of a position and nothing more. What the ledger knows comes
from the position and the plan of its order intent:

* hedged: every other leg of the plan is open with at least as many contracts;
* expected profit: the plan's edge per contract × the contracts that all legs have, in equal shares by leg;
* expected settlement: of this leg's market, as the plan knew it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from exporter.fields import Fields, finite
from exporter.labels import clean

MOST: Final = 1_000
"""Positions of one bot that are shown; a last row says how many more there are."""
LARGEST: Final = 2**53
SETTLES: Final = ("settles_at", "resolution_ts")
TITLES: Final = ("title", "canonical_text")
"""How plans name the settlement and the market of a leg."""

Leg = tuple[str, str, str]
"""Venue, market and side."""


@dataclass(frozen=True, slots=True)
class Position:
    """One leg that is held: `entry` in USD a contract, `expected_profit` in USD, times in epoch seconds."""

    position_id: str
    venue: str | None = None
    market_id: str | None = None
    market: str | None = None
    side: str | None = None
    contracts: float | None = None
    entry: float | None = None
    expected_profit: float | None = None
    opened_at: float | None = None
    expected_settlement_at: float | None = None
    hedged: bool | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An open position of a ledger and its intent, as they stand there."""

    position_id: str
    intent_id: str
    venue: str
    market_id: str
    side: str
    contracts: float | None
    entry: float | None
    opened_at: float | None
    kind: str | None
    edge: float | None
    """USD a contract of the whole set."""
    plan: str | None
    """`plan_json`."""

    @property
    def leg(self) -> Leg:
        """Which leg of its plan it is."""
        return self.venue, self.market_id, self.side


def from_state(said: object) -> list[Position] | None:
    """The rows of `open_positions` of a state; None where it reports none. What is no object is left out."""
    if not isinstance(said, list):
        return None
    found: list[Position] = []
    names: Counter[str] = Counter()
    for row in said[:MOST]:
        if isinstance(row, dict):
            position = _told(Fields(row))
            names[position.position_id] += 1
            if (number := names[position.position_id]) > 1:
                position = replace(position, position_id=f"{position.position_id}#{number}")
            found.append(position)
    return _cut(found, len(said))


def _told(row: Fields) -> Position:
    venue, market_id = _words(row.text("venue")), _words(row.text("market_id"))
    side = _words(row.text("side"))
    identity = row.text("position_id") or row.text("id")
    return Position(
        _words(identity) or "/".join(part for part in (venue, market_id, side) if part) or "unnamed",
        venue,
        market_id,
        _words(row.text("market")),
        side,
        _contracts(row.number("contracts")),
        row.number("entry"),
        row.number("expected_profit"),
        row.number("opened_at"),
        row.number("expected_settlement_at"),
        row.flag("hedged"),
        _words(row.text("kind")),
    )


def from_ledger(held: Iterable[Held]) -> list[Position]:
    """The open positions of one ledger, of which all legs of an intent are given."""
    by_intent: defaultdict[str, list[Held]] = defaultdict(list)
    for position in held:
        by_intent[position.intent_id].append(position)
    rows = [row for legs in by_intent.values() for row in _of_intent(legs)]
    return _cut(rows, len(rows))


def _cut(rows: list[Position], count: int) -> list[Position]:
    """The rows, or as many as are shown and one that says how many of `count` are not."""
    if count <= MOST:
        return rows
    return [*rows[:MOST], Position("…", market=f"{count - MOST} more are not shown")]


def _of_intent(held: Sequence[Held]) -> list[Position]:
    """The rows of one intent's open positions."""
    planned = _legs(held[0].plan)
    contracts: defaultdict[Leg, float] = defaultdict(float)
    for position in held:
        contracts[position.leg] += position.contracts or 0.0
    complete = bool(planned) and contracts.keys() <= planned.keys()
    complete = complete and all(position.contracts is not None for position in held)
    matched = min(contracts[leg] for leg in planned) if complete else None
    return [_read(position, planned, contracts[position.leg], matched) for position in held]


def _read(
    position: Held, planned: Mapping[Leg, Mapping[str, object]], of_leg: float, matched: float | None
) -> Position:
    """One row; `of_leg` contracts are held of its leg, `matched` of every leg of the plan."""
    known = planned.get(position.leg, {})
    profit = None
    if matched is not None and position.edge is not None and position.contracts and of_leg:
        profit = position.edge * matched / len(planned) * position.contracts / of_leg
    return Position(
        position.position_id,
        position.venue,
        position.market_id,
        next((said for name in TITLES if (said := _words(known.get(name)))), None),
        position.side,
        _contracts(position.contracts),
        position.entry,
        profit,
        position.opened_at,
        next((at for name in SETTLES if (at := finite(known.get(name))) is not None), None),
        None if matched is None else of_leg <= matched,
        position.kind,
    )


@lru_cache(maxsize=256)
def _legs(plan: str | None) -> Mapping[Leg, Mapping[str, object]]:
    """What the plan of an intent knows of each of its legs; empty where it cannot be read."""
    try:
        legs = json.loads(plan or "null")["legs"]
        return {(str(leg["venue"]), str(leg["market_id"]), str(leg["side"])): _known(leg) for leg in legs}
    except (ValueError, TypeError, KeyError):
        return {}


def _known(leg: Mapping[str, object]) -> Mapping[str, object]:
    metadata = leg.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _words(raw: object) -> str | None:
    return clean(raw) if isinstance(raw, str) and raw else None


def _contracts(number: float | None) -> float | None:
    """A number of contracts, whole where it is."""
    return (
        int(number) if number is not None and float(number).is_integer() and abs(number) < 2**53 else number
    )
