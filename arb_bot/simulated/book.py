"""One side of a simulated market: a maker's quotes around the truth, with depth that orders consume.

A maker sees the truth late and not exactly, posts a bid and an ask with a few levels behind each, and
leaves them standing until the next look. What stands is what trades: a stale ask can be bought until its
maker wakes up.
"""

import math
import random
from dataclasses import dataclass

from arb_bot.fees import fill_weight
from arb_bot.money import MICROS, to_micros

LEVELS = 4
DEPTH_GROWTH = 1.5
"""Each level behind the best one is this much deeper."""
SHALLOWEST_SWEEP, DEEPEST_SWEEP = 0.005, 0.06
"""How far, in dollars, others move the price when they are faster."""


@dataclass(frozen=True, slots=True)
class MakerStyle:
    """How a venue's makers quote. Prices in dollars, times in seconds, `size` the median of the best level.

    `noise` is what a maker is off the mark each time it looks; `refresh` the mean time between looks, and
    `reaction` the mean time until it notices a large move.
    """

    tick: float
    half_spread: float
    noise: float
    refresh: float
    reaction: float
    size: float


@dataclass(frozen=True, slots=True)
class Take:
    """What an order took: contracts, total price in micro-dollars, Σ contracts × P × (1 − P) in micros²."""

    contracts: int
    value: int
    weight: int


class Book:
    """Bids and asks of one side (YES or NO) of one market.

    Prices in micro-dollars, times in market seconds.
    """

    __slots__ = (
        "_bias",
        "_rng",
        "_style",
        "_tick",
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "next_look",
        "seen",
    )

    def __init__(self, rng: random.Random, style: MakerStyle, probability: float, now: float) -> None:
        self._rng = rng
        self._style = style
        self._tick = to_micros(style.tick)
        self.bid = self.ask = 0
        self.bid_size = self.ask_size = 0
        self.next_look = now
        self.seen = probability
        self.post(probability, now)

    def follow(self, probability: float, now: float) -> None:
        """Let the maker look if it is time; a large move that it notices brings the look forward."""
        if now >= self.next_look:
            self.post(probability, now)
        elif abs(probability - self.seen) > 2.0 * self._style.half_spread:
            self.next_look = min(self.next_look, now + self._delay(self._style.reaction))

    def post(self, probability: float, now: float) -> None:
        """Quote anew around what the maker sees now."""
        rng, style = self._rng, self._style
        fair = probability + rng.gauss(0.0, style.noise)
        width = style.half_spread * (0.7 + 0.8 * rng.random())
        tick = self._tick
        bid = math.floor(to_micros(fair - width) / tick) * tick
        self.bid = min(max(bid, tick), MICROS - 2 * tick)
        ask = math.ceil(to_micros(fair + width) / tick) * tick
        self.ask = min(max(ask, self.bid + tick), MICROS - tick)
        self.bid_size = self._new_size()
        self.ask_size = self._new_size()
        self.seen = probability
        self.next_look = now + self._delay(style.refresh)

    def _new_size(self) -> int:
        luck = self._rng.random()
        return max(1, int(self._style.size * (0.2 + 2.0 * luck * luck)))

    def _delay(self, mean: float) -> float:
        return -mean * math.log(1.0 - self._rng.random())

    def buy(self, contracts: int, limit: int) -> Take:
        """Take asks up to `limit`, best first; what was taken is gone until the maker posts anew."""
        take, self.ask, self.ask_size = self._walk(contracts, self.ask, self.ask_size, self._tick, limit)
        return take

    def sell(self, contracts: int, limit: int) -> Take:
        """Hit bids down to `limit`, best first; what was hit is gone until the maker posts anew."""
        take, self.bid, self.bid_size = self._walk(contracts, self.bid, self.bid_size, -self._tick, limit)
        return take

    def rivals(self, action: str) -> None:
        """Others were faster: the best prices are gone when our order arrives, sometimes several levels."""
        luck = self._rng.random()
        swept = to_micros(SHALLOWEST_SWEEP + luck * luck * (DEEPEST_SWEEP - SHALLOWEST_SWEEP))
        swept = -(-swept // self._tick) * self._tick
        if action == "buy":
            self.ask = min(self.ask + swept, MICROS - self._tick)
            self.ask_size = self._new_size()
        else:
            self.bid = max(self.bid - swept, self._tick)
            self.bid_size = self._new_size()

    def _walk(self, wanted: int, price: int, size: int, tick: int, limit: int) -> tuple[Take, int, int]:
        filled = value = weight = 0
        for _ in range(LEVELS):
            beyond = price > limit if tick > 0 else price < limit
            if beyond or filled == wanted or not 0 < price < MICROS:
                break
            taken = min(size, wanted - filled)
            filled += taken
            value += taken * price
            weight += fill_weight(taken, price)
            size -= taken
            if size == 0:
                price += tick
                size = max(1, round(self._style.size * DEPTH_GROWTH))
        return Take(filled, value, weight), price, size
