"""Which of the fields that deployed bots push as constants a bot really reports.

Pure. Such bots send `{}`, 0.0, 0, 0.0 and 0 whatever happens. A field counts as reported when the bot names
it in `reports`, or from its own first other value in a session of the bot; one field says nothing about
another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from exporter.state import State

FIELDS: Final = {
    "stream_status": "stream_status",
    "daily_pnl": "daily_pnl",
    "daily_trades": "daily_trades",
    "daily_loss_cap_remaining": "loss_cap_remaining",
    "consecutive_failures": "consecutive_failures",
}
"""Name on the wire → attribute of State; the constant of each is its type's empty value."""

OPTIONAL: Final = {
    "status": "status",
    "kill_switch": "kill",
    "working_orders": "working_orders",
    "unhedged_usd": "unhedged",
    "venue_limit_usd": "venue_limit",
    "last_fill_ts": "last_fill",
    "realized_pnl": "realized_pnl",
    "coverage": "coverage",
    "quote_age_seconds": "quote_age",
    "rejects": "rejects",
    "metrics": "registry",
}
"""What only some bots send at all; such a field is reported when it is there."""


class Reported:
    """The fields found to be real so far in one session of a bot."""

    __slots__ = ("_real",)

    def __init__(self) -> None:
        self._real: set[str] = set()

    def only_real(self, state: State) -> State:
        """The state without the constants that mean nothing."""
        if len(self._real) == len(FIELDS):
            return state
        hollow: dict[str, None] = {}
        for name, attribute in FIELDS.items():
            if name not in self._real:
                if name in state.named or getattr(state, attribute):
                    self._real.add(name)
                else:
                    hollow[attribute] = None
        return replace(state, **hollow) if hollow else state  # type: ignore[arg-type] # every one may be None


def by_field(state: State | None) -> dict[str, bool]:
    """For each field that may be missing, whether this state reports it, and for every venue it names."""
    return {
        name: state is not None and getattr(state, attribute) is not None and name not in state.partial
        for name, attribute in (FIELDS | OPTIONAL).items()
    }
