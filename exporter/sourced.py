"""The figures of money that have two sources: what the bot itself reports, and what its ledger says.

Both are shown, each by its name, for as long as each is true by itself: the bot's until its last state is
stale or the day has ended, the ledger's until its store can no longer be followed (exporter.ledger).
"""

from __future__ import annotations

from typing import Final

from exporter.losscap import headroom
from exporter.rows import Rows
from exporter.sight import Sight

BOT: Final = "bot"
"""The `source` of what the bot itself reports."""

LEDGER: Final = "ledger"
"""The `source` of what is computed from the fills and intents that the bot wrote."""


def daily_pnl(sight: Sight) -> Rows:
    """Realised PnL of the UTC day, in USD."""
    said, kept = sight.today, sight.ledger
    return _by_source(said.daily_pnl if said else None, kept.pnl if kept else None)


def daily_trades(sight: Sight) -> Rows:
    """Trades of the UTC day."""
    said, kept = sight.today, sight.ledger
    return _by_source(said.daily_trades if said else None, kept.trades if kept else None)


def remaining(sight: Sight) -> Rows:
    """What may still be lost this UTC day, in USD; nothing without a cap above 0."""
    if (sight.view.cap or 0) <= 0:
        return ()
    said, kept = None, sight.ledger_headroom
    if sight.today is not None:
        room = headroom(sight.today.daily_pnl, sight.view.cap)
        said = sight.today.loss_cap_remaining if room is None else room.remaining
    return _by_source(said, kept.remaining if kept else None)


def consecutive_failures(sight: Sight) -> Rows:
    """Failures in a row."""
    said = sight.live.consecutive_failures if sight.live else None
    return _by_source(said, sight.view.ledger.failures(sight.now))


def realized_pnl(sight: Sight) -> Rows:
    """Realised PnL since the store began, in USD."""
    kept = sight.view.ledger.of_fills(sight.now)
    said = sight.live.realized_pnl if sight.live else None
    return _by_source(said, kept.realized if kept else None)


def _by_source(said: float | None, kept: float | None) -> Rows:
    """A series for what the bot itself reports, and one for what its ledger says, of those that are known."""
    both = ((BOT, said), (LEDGER, kept))
    return [((source,), value) for source, value in both if value is not None]
