"""Writes the quotes of a running bot as a recording that a replay reads: a line for each change of a market.

`X.jsonl` grows to 50 MB, then becomes `X.1.jsonl` and so on, four of them kept; `X.groups.json` beside each
says what was known of its markets, and when sessions began. A feed's faults (no identity, an impossible
time or price) are not recorded; an empty side is, as null. Where the disk takes no line the recording ends
and says so, and the bot trades on.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from arb_bot import StartRefused
from arb_bot.quotes import Quote, reject_reason
from arb_bot.relations import Bucket, MappedPair, Market, Relations

ENDING = ".jsonl"
LARGEST_BYTES = 50_000_000
FILES_KEPT = 4
RECORDED = (None, "missing_required_field")
"""What `reject_reason` says of quotes that are recorded."""

Prices = tuple[float | None, ...]


class QuoteRecorder:
    """Records to `path`. `relations` tells what is known at the moment; `failed` hears why it ended."""

    def __init__(
        self,
        path: Path,
        relations: Callable[[], Relations],
        failed: Callable[[str], None],
        *,
        now: float,
        largest: int = LARGEST_BYTES,
    ) -> None:
        if not path.name.endswith(ENDING):
            raise StartRefused(f"--record {path}: a recording ends in {ENDING}")
        self._path = path
        self._relations = relations
        self._failed = failed
        self._largest = largest
        self._known: Relations | None = None
        self._pairs: dict[MappedPair, None] = {}
        self._buckets: dict[Bucket, None] = {}
        self._last: dict[Market, Prices] = {}
        self._file: TextIO | None = None
        try:
            if path.exists() and path.stat().st_size:
                self._rotate()
            self._begin(now)
        except OSError as exc:
            raise StartRefused(f"--record {path} cannot be written: {exc.strerror or exc}") from exc

    def record(self, quotes: Sequence[Quote], now: float) -> None:
        """Write what changed among a venue's quotes."""
        if self._file is None:
            return
        try:
            if self._file.tell() >= self._largest:
                self._rotate()
                self._begin(now)
            for quote in sorted(quotes, key=lambda quote: quote.observed_at):
                if reject_reason(quote, now) in RECORDED:
                    self._write(quote)
            self._file.flush()
            self._describe(now)
        except OSError as exc:
            self.close()
            self._failed(f"the recording of quotes ended: {exc.strerror or exc}")

    def close(self) -> None:
        """End the recording."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _write(self, quote: Quote) -> None:
        prices = (quote.yes_bid, quote.yes_ask, quote.no_bid, quote.no_ask, quote.no_size, quote.yes_size)
        key = quote.venue, quote.market_id
        if self._file is None or self._last.get(key) == prices:
            return
        self._last[key] = prices
        yes_bid, yes_ask, no_bid, no_ask, bid_size, ask_size = prices
        line = {
            "ts": quote.observed_at,
            "venue": quote.venue,
            "event": self._event(key),
            "market": quote.market_id,
            "title": quote.title,
            "yes_bid": yes_bid,
            "yes_ask": yes_ask,
            "no_bid": no_bid,
            "no_ask": no_ask,
            "yes_bid_size": bid_size,
            "yes_ask_size": ask_size,
            "close_ts": quote.settles_at,
        }
        self._file.write(json.dumps(line, allow_nan=False) + "\n")

    def _event(self, market: Market) -> str:
        """The bucket of a market, or the market itself."""
        buckets = (bucket for bucket in self._buckets if any(leg.market == market for leg in bucket.legs))
        return next((bucket.group_id for bucket in buckets), market[1])

    def _begin(self, now: float) -> None:
        self._file = self._path.open("w", encoding="utf-8")
        self._last.clear()
        self._pairs.clear()
        self._buckets.clear()
        self._known, self._began = None, now
        self._describe(now)

    def _describe(self, now: float) -> None:
        """Bring the groups up to date when something new is known."""
        known = self._relations()
        if known is self._known:
            return
        self._known = known
        self._pairs.update(dict.fromkeys(pair for pair in known.pairs if pair.mapped))
        self._buckets.update(dict.fromkeys(known.buckets))
        groups = {
            "buckets": [
                {
                    "event": bucket.group_id,
                    "legs": [leg.market_id for leg in bucket.legs],
                    "mutually_exclusive": True,
                    "exhaustive": True,
                }
                for bucket in self._buckets
                if bucket.payout == 1.0 and all(leg.side == "yes" for leg in bucket.legs)
            ],
            "cross": [dict((pair.left, pair.right)) for pair in self._pairs],
            "sessions_utc": [[self._began, now]],
            "source": "recorded by this bot from its own venues",
        }
        beside = self._groups(self._path)
        new = beside.with_suffix(".new")
        new.write_text(json.dumps(groups), encoding="utf-8")
        new.replace(beside)

    def _rotate(self) -> None:
        """Make room: the oldest recording goes, the others move on by one."""
        self.close()
        for number in range(FILES_KEPT, 0, -1):
            older = self._numbered(number)
            newer = self._path if number == 1 else self._numbered(number - 1)
            for source, target in ((newer, older), (self._groups(newer), self._groups(older))):
                with suppress(FileNotFoundError):
                    source.replace(target)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name.removesuffix(ENDING)}.{number}{ENDING}")

    @staticmethod
    def _groups(path: Path) -> Path:
        return path.with_name(path.name.removesuffix(ENDING) + ".groups.json")
