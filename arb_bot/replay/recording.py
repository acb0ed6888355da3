"""Reads recorded quotes: one JSON object a line, plain or gzipped, beside it what is known of the markets.

A line is a change of one market: `ts`, `venue`, `event`, `market`, `title`, `yes_bid`, `yes_ask`, `no_bid`,
`no_ask` (dollars, null: that side was empty), `yes_bid_size`, `yes_ask_size` (contracts, null: not
recorded), `close_ts`. `X.groups.json` beside `X.jsonl` or `X.jsonl.gz` may name `buckets`, `cross` pairs and
`sessions_utc`; without the last a new session begins where nothing came for half an hour.
"""

import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arb_bot import StartRefused
from arb_bot.relations import EXCHANGE_API, Bucket, MappedPair, Market, Relations, RuleLeg, in_venue_order

SESSION_GAP_SECONDS = 1800.0
ENDINGS = (".jsonl.gz", ".jsonl")
PRICES = ("yes_bid", "yes_ask", "no_bid", "no_ask")
KALSHI, POLYMARKET = "kalshi", "polymarket"


class RecordingUnusable(StartRefused):
    """A recording, or what stands beside it, cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded change. Fields that are missing or no numbers are None; a bad time is NaN."""

    ts: float
    venue: str
    event: str
    market: str
    title: str
    yes_bid: float | None
    yes_ask: float | None
    no_bid: float | None
    no_ask: float | None
    yes_bid_size: float | None
    yes_ask_size: float | None
    close_ts: float | None

    @property
    def key(self) -> Market:
        """Venue and market id."""
        return self.venue, self.market

    @property
    def middle(self) -> float:
        """Middle of the YES prices, or the one that is there; 0 without any."""
        prices = [price for price in (self.yes_bid, self.yes_ask) if price is not None]
        return sum(prices) / len(prices) if prices else 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """One session of a recording: its lines, from the first time to the last, epoch seconds."""

    start: float
    end: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording: its sessions in order, and what is known of its markets."""

    path: Path
    spans: tuple[Span, ...]
    relations: Relations

    @property
    def lines(self) -> Iterator[Line]:
        """Every line, in order of time."""
        for span in self.spans:
            yield from span.lines

    def venues(self) -> tuple[str, ...]:
        """The venues that were recorded, sorted."""
        return tuple(sorted({line.venue for line in self.lines if line.venue}))

    def outcomes(self) -> dict[Market, tuple[float, str]]:
        """When each market is over, and the side that is assumed to pay then.

        Over: with the last line of its event and of every market that asks the same question. The assumption
        is the last recorded prices: in a bucket the dearest outcome, elsewhere YES from the middle up.
        """
        last: dict[Market, Line] = {line.key: line for line in self.lines}
        yes = {key: line.middle >= 0.5 for key, line in last.items()}
        for bucket in self.relations.buckets:
            legs = [leg.market for leg in bucket.legs if leg.market in last]
            dearest = max(legs, key=lambda key: (last[key].middle, key), default=None)
            yes.update({key: key == dearest for key in legs})
        ends = self._ends(last)
        for pair in self.relations.pairs:
            if pair.left in last and pair.right in last:
                yes[pair.right] = yes[pair.left]
        return {key: (ends[key], "yes" if yes[key] else "no") for key in last}

    def _ends(self, last: Mapping[Market, Line]) -> dict[Market, float]:
        """The last time of each market's event, brought together along pairs."""
        events: dict[tuple[str, str], float] = {}
        for line in last.values():
            key = line.venue, line.event
            events[key] = max(events.get(key, 0.0), line.ts)
        ends = {key: events[line.venue, line.event] for key, line in last.items()}
        for _ in range(2):  # once along the pairs, then to the other markets of their events
            for pair in self.relations.pairs:
                if pair.left in ends and pair.right in ends:
                    ends[pair.left] = ends[pair.right] = max(ends[pair.left], ends[pair.right])
        return ends


def read_recording(path: Path) -> Recording:
    """Read a whole recording into memory. Raises RecordingUnusable."""
    ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
    if ending is None:
        raise RecordingUnusable(f"{path}: a recording ends in .jsonl or .jsonl.gz")
    lines = sorted(_lines(path), key=lambda line: line.ts)
    if not lines:
        raise RecordingUnusable(f"{path}: there is no quote in it")
    groups = _groups(path.with_name(path.name.removesuffix(ending) + ".groups.json"))
    known = {(line.venue, line.market) for line in lines}
    return Recording(path, tuple(_spans(lines, groups.get("sessions_utc"))), _relations(groups, known))


def _lines(path: Path) -> Iterator[Line]:
    number, newest = 0, 0.0
    try:
        with (gzip.open if path.name.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
            for text in file:
                number += 1
                line = _line(json.loads(text), newest)
                newest = max(newest, line.ts)
                yield line
    except OSError as exc:
        raise RecordingUnusable(f"{path} cannot be read: {exc.strerror or exc}") from exc
    except (ValueError, TypeError, AttributeError, EOFError) as exc:
        raise RecordingUnusable(f"{path} line {number}: {exc}") from exc


def _line(content: Mapping[str, Any], newest: float) -> Line:
    """A line whose time is missing stands where it stands in the file, so that it is seen and refused."""
    ts = _number(content.get("ts"))
    return Line(
        ts=newest if ts is None or not math.isfinite(ts) else ts,
        venue=str(content.get("venue") or ""),
        event=str(content.get("event") or content.get("market") or ""),
        market=str(content.get("market") or ""),
        title=str(content.get("title") or content.get("market") or ""),
        **{name: _number(content.get(name)) for name in (*PRICES, "yes_bid_size", "yes_ask_size")},
        close_ts=_number(content.get("close_ts")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _spans(lines: list[Line], sessions: Iterable[Iterable[float]] | None) -> Iterator[Span]:
    """Lines by session: those that are named, or wherever nothing came for too long."""
    starts = sorted(float(start) for start, _ in sessions)[1:] if sessions else []
    begun: list[Line] = []
    passed = sum(1 for start in starts if start <= lines[0].ts)
    for line in lines:
        reached = sum(1 for start in starts if start <= line.ts)
        if begun and (reached > passed or line.ts - begun[-1].ts > SESSION_GAP_SECONDS):
            yield Span(begun[0].ts, begun[-1].ts, tuple(begun))
            begun = []
        passed = reached
        begun.append(line)
    yield Span(begun[0].ts, begun[-1].ts, tuple(begun))


def _groups(path: Path) -> dict[str, Any]:
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise RecordingUnusable(f"{path} cannot be read: {exc}") from exc
    if not isinstance(groups, dict):
        raise RecordingUnusable(f"{path} holds no object")
    return groups


def _relations(groups: Mapping[str, Any], known: set[Market]) -> Relations:
    """Buckets that are exclusive and exhaustive, and pairs, of markets that were recorded."""
    venue_of = {market: venue for venue, market in known}
    try:
        buckets = [
            Bucket(
                str(bucket["event"]),
                tuple(RuleLeg(venue_of[leg], leg) for leg in bucket["legs"]),
                exclusivity_source=EXCHANGE_API,
            )
            for bucket in groups.get("buckets", ())
            if bucket.get("mutually_exclusive")
            and bucket.get("exhaustive")
            and all(leg in venue_of for leg in bucket["legs"])
        ]
        pairs = [tuple(in_venue_order((venue, cross[venue]) for venue in (KALSHI, POLYMARKET)))
                 for cross in groups.get("cross", ())]  # fmt: skip
    except (KeyError, TypeError, AttributeError) as exc:
        raise RecordingUnusable(f"the groups beside the recording are not understood: {exc!r}") from exc
    return Relations(
        pairs=tuple(
            MappedPair(left[1], left, right) for left, right in pairs if left in known and right in known
        ),
        buckets=tuple(buckets),
    )
