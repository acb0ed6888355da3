"""Which markets of different venues ask the same question, judged by the words of their titles. Pure.

Likeness is the Jaccard index of the sets of words. An index from words to markets finds the candidates: two
titles of m and n words are alike enough only if they share at least s / (1 + s) × (m + n) words, so unless
that is few, one of the rarest words of a title is among the shared, and the others need not be looked up.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arb_bot.quotes import Quote
from arb_bot.relations import MappedPair, Market, in_venue_order

USUAL_SCORE = 0.62
"""Likeness from which titles are taken to ask the same question, where nothing else is set."""
_WORD = re.compile(r"\w+(?:\.\d+)*")
_NOISE = 1e-9


def words(title: str) -> tuple[str, ...]:
    """The words and numbers of a title in their order, in lower case."""
    return tuple(_WORD.findall(title.casefold()))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index of two sets of words, 0..1; 0 where one is empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


@dataclass(slots=True)
class _Best:
    """The most alike market of one other venue; `tied` when another one is just as alike."""

    score: float
    market: Market
    tied: bool = False


class TitleMatcher:
    """Remembers the titles it was shown, so that a cycle costs only what is new in it.

    Two markets are a pair when they are alike enough and each is the other's best at that venue. Where two
    are equally alike, nobody knows which one is meant, and neither is taken.
    """

    def __init__(self, min_score: float) -> None:
        self.min_score = min_score
        self._clear()

    def _clear(self) -> None:
        self._titles: dict[Market, str] = {}
        self._words: dict[Market, frozenset[str]] = {}
        self._markets_with: dict[tuple[str, int], list[Market]] = {}
        self._count_with: Counter[str] = Counter()
        self._lengths: set[int] = set()
        self._best: dict[tuple[Market, str], _Best] = {}
        self._pairs: tuple[MappedPair, ...] = ()

    def pairs(self, quotes: Mapping[Market, Quote]) -> tuple[MappedPair, ...]:
        """All pairs among the markets seen lately; the same object while no title is new."""
        titles = self._titles
        fresh = [market for market, quote in quotes.items() if titles.get(market) != quote.title]
        if not fresh:
            return self._pairs
        stale = len(titles) > 2 * len(quotes) + 100
        if stale or any(market in titles for market in fresh):
            self._clear()
            fresh = list(quotes)
        for market in fresh:
            self._add(market, quotes[market].title)
        found = tuple(self._mutual())
        if found != self._pairs:
            self._pairs = found
        return self._pairs

    def _add(self, market: Market, title: str) -> None:
        self._titles[market] = title
        mine = frozenset(words(title))
        for other in self._candidates(mine):
            if other[0] == market[0]:
                continue
            score = likeness(mine, self._words[other])
            if score >= self.min_score:
                self._offer(market, other, score)
                self._offer(other, market, score)
        self._words[market] = mine
        self._lengths.add(len(mine))
        self._count_with.update(mine)
        for word in mine:
            self._markets_with.setdefault((word, len(mine)), []).append(market)

    def _candidates(self, mine: frozenset[str]) -> set[Market]:
        """Every market seen so far that may be alike enough, and some that are not."""
        index, least = self._markets_with, self.min_score
        rarest = sorted(mine, key=lambda word: self._count_with[word])
        found: set[Market] = set()
        for length in self._lengths:
            shared = max(1, math.ceil(least / (1.0 + least) * (len(mine) + length) - _NOISE))
            if shared <= length:
                for word in rarest[: max(0, len(mine) - shared + 1)]:
                    found.update(index.get((word, length), ()))
        return found

    def _offer(self, market: Market, other: Market, score: float) -> None:
        best = self._best.get((market, other[0]))
        if best is None or score > best.score:
            self._best[market, other[0]] = _Best(score, other)
        elif score == best.score:
            best.tied = True

    def _mutual(self) -> Iterator[MappedPair]:
        for (market, _), best in self._best.items():
            left, right = in_venue_order((market, best.market))
            back = self._best[best.market, market[0]]
            if left == market and not best.tied and not back.tied and back.market == market:
                text = " ".join(words(self._titles[left]))
                yield MappedPair(text, left, right, best.score, mapped=False)
