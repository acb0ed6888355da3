"""Reads the rules file: exclusive buckets, event trees and parity checks that somebody wrote down.

The documented form::

    {"mutually_exclusive_buckets": [{"group_id": "…", "payout_per_contract": 1.0,
                                     "exclusivity_source": "exchange_api",
                                     "legs": [{"venue": "…", "market_id": "…", "side": "yes"}, …]}],
     "event_trees": [{"group_id": "…", "parent": {"venue": "…", "market_id": "…"}, "children": […]}],
     "cross_market_parity_checks": [{"group_id": "…", "left": {…}, "right": {…},
                                     "relationship": "complement" | "equivalent"}]}

Each list may be missing. All faults are reported together, each with its place and what was expected.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar, cast

from arb_bot import InputFileUnusable
from arb_bot.quotes import Side
from arb_bot.relations import (
    HEURISTIC,
    Bucket,
    EventTree,
    Market,
    ParityCheck,
    Relations,
    Relationship,
    RuleLeg,
)

T = TypeVar("T")
BUCKETS, TREES, PARITIES = "mutually_exclusive_buckets", "event_trees", "cross_market_parity_checks"


def read_rules(path: Path) -> Relations:
    """What the file says. Raises InputFileUnusable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InputFileUnusable(f"the rules file {path} cannot be read: {exc.strerror or exc}") from exc
    except json.JSONDecodeError as exc:
        raise InputFileUnusable(f"{path}, line {exc.lineno}: expected JSON, {exc.msg}") from exc
    except ValueError as exc:
        raise InputFileUnusable(f"{path}: expected JSON in UTF-8, {exc}") from exc
    reader = _Reader()
    relations = reader.relations(content)
    if reader.faults:
        raise InputFileUnusable(f"{path}: {'; '.join(reader.faults)}")
    return relations


class _Fault(Exception):  # noqa: N818 - named for what it is
    """One thing is not as expected; the text says where."""


class _Reader:
    """Walks through the parsed file and collects faults."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def relations(self, content: object) -> Relations:
        if not isinstance(content, dict) or not content.keys() & {BUCKETS, TREES, PARITIES}:
            self.faults.append(f"expected an object with {BUCKETS}, {TREES} or {PARITIES}")
            return Relations()
        self.faults += [
            f"{key}: expected no other list than {BUCKETS}, {TREES}, {PARITIES}"
            for key, value in content.items()
            if isinstance(value, list) and key not in (BUCKETS, TREES, PARITIES)
        ]
        return Relations(
            buckets=self._list(content, BUCKETS, _bucket),
            trees=self._list(content, TREES, _tree),
            parities=self._list(content, PARITIES, _parity),
        )

    def _list(
        self, content: Mapping[str, object], name: str, read: Callable[[Mapping[str, object], str], T]
    ) -> tuple[T, ...]:
        """Every rule of one list; those that cannot be read, and a group id used again, are faults."""
        entries = content.get(name, [])
        if not isinstance(entries, list):
            self.faults.append(f"{name}: expected a list")
            return ()
        found, groups = [], set()
        for index, entry in enumerate(entries):
            place = f"{name}[{index}]"
            try:
                rule = _object(entry, place)
                found.append(read(rule, place))
                group = rule["group_id"]
                if group in groups:
                    raise _Fault(
                        f"{place}.group_id: expected another one than {group!r}, which was there before"
                    )
                groups.add(group)
            except _Fault as fault:
                self.faults.append(str(fault))
        return tuple(found)


def _bucket(rule: Mapping[str, object], place: str) -> Bucket:
    legs = tuple(
        RuleLeg(*_market(leg, at), cast(Side, _choice(_object(leg, at), "side", ("yes", "no"), at, "yes")))
        for leg, at in _entries(rule, "legs", place, least=2)
    )
    _distinct((leg.market for leg in legs), f"{place}.legs")
    payout = rule.get("payout_per_contract", 1.0)
    if isinstance(payout, bool) or not isinstance(payout, int | float) or not 0 < payout < math.inf:
        raise _Fault(f"{place}.payout_per_contract: expected dollars above 0, got {_shown(payout)}")
    source = rule.get("exclusivity_source", HEURISTIC)
    if not isinstance(source, str):
        raise _Fault(f"{place}.exclusivity_source: expected text, got {_shown(source)}")
    return Bucket(_text(rule, "group_id", place), legs, float(payout), source)


def _tree(rule: Mapping[str, object], place: str) -> EventTree:
    parent = _market(rule.get("parent"), f"{place}.parent")
    children = tuple(_market(child, at) for child, at in _entries(rule, "children", place, least=1))
    _distinct((parent, *children), f"{place} (parent and children)")
    return EventTree(_text(rule, "group_id", place), parent, children)


def _parity(rule: Mapping[str, object], place: str) -> ParityCheck:
    left, right = _market(rule.get("left"), f"{place}.left"), _market(rule.get("right"), f"{place}.right")
    _distinct((left, right), f"{place} (left and right)")
    relationship = _choice(rule, "relationship", ("complement", "equivalent"), place)
    return ParityCheck(_text(rule, "group_id", place), left, right, cast(Relationship, relationship))


def _market(value: object, place: str) -> Market:
    market = _object(value, place)
    return _text(market, "venue", place).lower(), _text(market, "market_id", place)


def _object(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _Fault(f"{place}: expected an object, got {_shown(value)}")
    return value


def _entries(rule: Mapping[str, object], key: str, place: str, *, least: int) -> list[tuple[object, str]]:
    value = rule.get(key)
    if not isinstance(value, list) or len(value) < least:
        raise _Fault(f"{place}.{key}: expected a list of at least {least}, got {_shown(value)}")
    return [(entry, f"{place}.{key}[{index}]") for index, entry in enumerate(value)]


def _text(value: Mapping[str, object], key: str, place: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not text.strip():
        raise _Fault(f"{place}.{key}: expected text, got {_shown(text)}")
    return text.strip()


def _choice(
    value: Mapping[str, object], key: str, choices: tuple[str, ...], place: str, usual: str | None = None
) -> str:
    chosen = value.get(key, usual)
    if not isinstance(chosen, str) or chosen not in choices:
        raise _Fault(f"{place}.{key}: expected {' or '.join(choices)}, got {_shown(chosen)}")
    return chosen


def _distinct(markets: Iterable[Market], place: str) -> None:
    seen: set[Market] = set()
    for market in markets:
        if market in seen:
            raise _Fault(f"{place}: expected each market once, got {'/'.join(market)} twice")
        seen.add(market)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 40 else shown[:39] + "…"
