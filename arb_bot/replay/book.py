"""The recorded top of book of one market, and what our own orders have taken from it."""

from typing import Literal

from arb_bot.fees import fill_weight
from arb_bot.money import to_micros
from arb_bot.quotes import Side
from arb_bot.replay.recording import Line
from arb_bot.simulated.book import Take

Level = Literal["ask", "bid"]


class TopOfBook:
    """Two levels: the one at which YES is offered and NO is bid for, and the other way round.

    What we took from a level stays taken until its price changes. `assumed` is the size of a level whose
    size was not recorded, contracts; 0 leaves it unknown.
    """

    def __init__(self, assumed: float) -> None:
        self._assumed = assumed
        self._taken: dict[Level, int] = {"ask": 0, "bid": 0}
        self.line: Line | None = None

    def record(self, line: Line) -> None:
        """A recorded change."""
        before, self.line = self.line, line
        if before is None or (before.yes_ask, before.no_bid) != (line.yes_ask, line.no_bid):
            self._taken["ask"] = 0
        if before is None or (before.yes_bid, before.no_ask) != (line.yes_bid, line.no_ask):
            self._taken["bid"] = 0

    def forget(self) -> None:
        """The session is over: nothing is held across."""
        self.line = None

    def size(self, level: Level) -> float | None:
        """Contracts that stand there still; None where neither a record nor an assumption says."""
        if self.line is None:
            return None
        recorded = self.line.yes_ask_size if level == "ask" else self.line.yes_bid_size
        size = recorded if recorded is not None else self._assumed
        return max(0.0, size - self._taken[level]) if size > 0 or recorded is not None else None

    @property
    def emptied(self) -> bool:
        """Whether our own orders took everything from a level."""
        return any(taken and not self.size(level) for level, taken in self._taken.items())

    def side(self, side: Side) -> "BookSide":
        """What an order for that side meets."""
        return BookSide(self, side)

    def take(self, level: Level, price: float | None, contracts: int, *, good: bool) -> Take:
        """Contracts of a level at its price, if that is good enough for the order."""
        available = int(self.size(level) or 0)
        taken = min(contracts, available)
        if price is None or not good or taken <= 0:
            return Take(0, 0, 0)
        self._taken[level] += taken
        micros = to_micros(price)
        return Take(taken, taken * micros, fill_weight(taken, micros))


class BookSide:
    """YES or NO of a market, as an order sees it."""

    def __init__(self, book: TopOfBook, side: Side) -> None:
        self._book = book
        self._side = side

    def buy(self, contracts: int, limit: int) -> Take:
        """Take the recorded ask up to `limit` micro-dollars."""
        line, yes = self._book.line, self._side == "yes"
        price = None if line is None else line.yes_ask if yes else line.no_ask
        good = price is not None and to_micros(price) <= limit
        return self._book.take("ask" if yes else "bid", price, contracts, good=good)

    def sell(self, contracts: int, limit: int) -> Take:
        """Hit the recorded bid down to `limit` micro-dollars."""
        line, yes = self._book.line, self._side == "yes"
        price = None if line is None else line.yes_bid if yes else line.no_bid
        good = price is not None and to_micros(price) >= limit
        return self._book.take("bid" if yes else "ask", price, contracts, good=good)

    def rivals(self, action: str) -> None:
        """Nobody else: what others did is in the recording."""
