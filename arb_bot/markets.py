"""What a session needs from the venues as a whole, whether their markets are simulated or recorded."""

from collections.abc import Mapping
from typing import Protocol

from arb_bot.relations import Relations
from arb_bot.venue import Venue


class Markets(Protocol):
    """All venues of a session."""

    @property
    def venues(self) -> Mapping[str, Venue]:
        """The venues by name."""
        ...

    def relations(self) -> Relations:
        """What is known of the listed markets; the same object while nothing changes."""
        ...

    def rebalance(self) -> Mapping[str, int]:
        """Move the bot's own cash to where it is needed; what each venue gained, micro-dollars."""
        ...

    def remember(self) -> None:
        """Write down what the next session must find. Raises OSError."""
        ...

    def close(self) -> None:
        """End the session at the venues. Raises OSError."""
        ...
