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
        self._titles: dict[Market, str] = {}
        self._words: dict[Market, frozenset[str]] = {}
        self._markets_with: dict[tuple[str, int], dict[Market, None]] = {}
        self._count_with: Counter[str] = Counter()
        self._best: dict[tuple[Market, str], _Best] = {}
        self._pairs: tuple[MappedPair, ...] = ()

    def pairs(self, quotes: Mapping[Market, Quote]) -> tuple[MappedPair, ...]:
        """All pairs among these markets; the same object while no title is new.

        A market without a quote is forgotten only when a new title comes: the feed may have left it out once,
        but it must not stand in the way of one that is listed under its title now.
        """
        titles = self._titles
        fresh = [market for market, quote in quotes.items() if titles.get(market) != quote.title]
        if not fresh:
            return self._pairs
        self._forget({m for m, title in titles.items() if m not in quotes or quotes[m].title != title})
        for market in fresh:
            self._add(market, quotes[market].title)
        found = tuple(sorted(self._mutual(), key=lambda pair: (pair.left, pair.right)))
        if found != self._pairs:
            self._pairs = found
        return self._pairs

    def _add(self, market: Market, title: str) -> None:
        mine = frozenset(words(title))
        for other, score in self._alike(mine):
            if other[0] != market[0]:
                self._offer(market, other, score)
                self._offer(other, market, score)
        self._titles[market], self._words[market] = title, mine
        self._count_with.update(mine)
        for word in mine:
            self._markets_with.setdefault((word, len(mine)), {})[market] = None

    def _forget(self, gone: set[Market]) -> None:
        """Take markets out, and look again for those of which one was the best or as good as it."""
        for market in gone:
            del self._titles[market]
            mine = self._words.pop(market)
            for word in mine:
                self._count_with[word] -= 1
                listed = self._markets_with[word, len(mine)]
                del listed[market]
                if not listed:
                    del self._markets_with[word, len(mine)]
        venues = {venue for venue, _ in gone}
        again = []
        for (market, venue), best in list(self._best.items()):
            if market in gone or best.market in gone or (best.tied and venue in venues):
                del self._best[market, venue]
                if market not in gone:
                    again.append((market, venue))
        for market, venue in again:
            for other, score in self._alike(self._words[market]):
                if other[0] == venue:
                    self._offer(market, other, score)
        self._count_with = +self._count_with

    def _alike(self, mine: frozenset[str]) -> Iterator[tuple[Market, float]]:
        """Every remembered market that is alike enough, and how much."""
        for other in self._candidates(mine):
            score = likeness(mine, self._words[other])
            if score >= self.min_score:
                yield other, score

    def _candidates(self, mine: frozenset[str]) -> set[Market]:
        """Every remembered market that may be alike enough, and some that are not."""
        index, least = self._markets_with, self.min_score
        rarest = sorted(mine, key=lambda word: self._count_with[word])
        found: set[Market] = set()
        for length in range(math.ceil(least * len(mine) - _NOISE), int(len(mine) / least + _NOISE) + 1):
            shared = max(1, math.ceil(least / (1.0 + least) * (len(mine) + length) - _NOISE))
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
