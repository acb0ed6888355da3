"""The arbitrage bot: finds price differences in prediction markets and trades them on paper.

A cycle is: quotes from the venues, opportunities from the lanes, plans from the sizing, objections from risk
and the kill switch, orders through the executor. Every module below the engine is either a decision (pure:
time is passed in) or one thing with an edge to the outside (a venue, a store, the control socket).

Errors, named for what the caller does about them::

    ArbBotError
    ├── StartRefused            the program ends with one sentence and exit code 2
    │   ├── StoreUnusable       … because a store cannot be opened; the file is left as it is
    │   └── InputFileUnusable   … because a file of rules, mappings or quotes is not what it should be
    ├── StoreWriteFailed        the row is kept and written later; trading stops meanwhile
    ├── VenueUnavailable        try again later: nobody knows what became of the request
    ├── OrderRejected           the venue said no; the order does not exist
    └── TradingHalted           the kill switch stands before this order; it was not sent
"""

__version__ = "0.1.0"


class ArbBotError(Exception):
    """Base of everything this package raises on purpose."""


class StartRefused(ArbBotError):  # noqa: N818 - named for what happened
    """The program cannot start; the message is the one sentence that the person reads."""


class StoreUnusable(StartRefused):
    """A store cannot be opened or is not what it should be. The file is never overwritten."""


class InputFileUnusable(StartRefused):
    """A file that a person gave cannot be read; the message says where, and what was expected there."""


class StoreWriteFailed(ArbBotError):  # noqa: N818 - named for what happened
    """A store took no row: locked, full or damaged while running."""


class VenueUnavailable(ArbBotError):  # noqa: N818 - named for what happened
    """The venue did not answer. What was asked may or may not have happened."""


class OrderRejected(ArbBotError):  # noqa: N818 - named for what happened
    """The venue refused the order; it does not exist there."""


class TradingHalted(ArbBotError):  # noqa: N818 - named for what happened
    """The kill switch stands before an order, which was not sent; the message is its reason."""
