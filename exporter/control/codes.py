"""Four-digit codes that the server shows on a panel and a person types: proof that somebody looked.

Pure but for the digits, which come from the system's own randomness. A code is bound to one bot, one action
and its parameters, works once and for 120 seconds, and dies after a few wrong guesses. It is no secret: who
may act is decided before; it stands against a wrong click and a request that was made elsewhere.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.control.throttle import Throttle

VALID_SECONDS: Final = 120.0
GUESSES: Final = 5
"""Wrong guesses after which a code is void."""
GUESSES_BY_SOURCE: Final = 10
GUESS_WINDOW_SECONDS: Final = 600.0
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Act:
    """What a code is for. `says` is the sentence beside it, `parameters` everything that it would do."""

    bot: str
    action: str
    says: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def bound(self) -> str:
        """The same as one text: another bot, action or parameter is another text."""
        return json.dumps([self.bot, self.action, self.parameters], sort_keys=True, default=str)


@dataclass(slots=True)
class Shown:
    """A code on the panel until `expires`; `who` asked for it."""

    act: Act
    code: str
    who: str
    expires: float
    guesses: int = 0


class Codes:
    """All codes that are shown now. `digits` makes one; tests give their own."""

    def __init__(self, digits: Callable[[], str] = lambda: f"{secrets.randbelow(10_000):04d}") -> None:
        self._digits = digits
        self._shown: dict[str, Shown] = {}
        self._guesses = Throttle(GUESSES_BY_SOURCE, GUESS_WINDOW_SECONDS)

    def show(self, act: Act, who: str, now: float) -> Shown:
        """Show a code for an act; the one that is shown for it already stays, so nobody types an old one."""
        self._forget(now)
        shown = self._shown.get(act.bound)
        if shown is None:
            while len(self._shown) >= MOST_SHOWN:
                del self._shown[next(iter(self._shown))]
            shown = self._shown[act.bound] = Shown(act, self._digits(), who, now + VALID_SECONDS)
        return shown

    def redeem(self, act: Act, typed: str, source: str, now: float) -> str | None:
        """Use a code up. None where it is right, else a sentence; `source` is whose guesses are counted."""
        self._forget(now)
        if (wait := self._guesses.wait(source, now)) > 0:
            return f"too many wrong codes; wait {wait:.0f} s"
        shown = self._shown.get(act.bound)
        if shown is None:
            self._guesses.failed(source, now)
            return "no code is shown for this, or it has expired; ask for a new one"
        if not hmac.compare_digest(shown.code.encode(), typed.strip().encode()):
            self._guesses.failed(source, now)
            shown.guesses += 1
            if shown.guesses >= GUESSES:
                del self._shown[act.bound]
                return "wrong code; it is void after so many guesses, ask for a new one"
            return "wrong code"
        del self._shown[act.bound]
        return None

    def shown(self, now: float) -> list[Shown]:
        """What stands on the panel, the newest first."""
        self._forget(now)
        return list(reversed(self._shown.values()))

    def _forget(self, now: float) -> None:
        gone = [
            bound
            for bound, shown in self._shown.items()
            if not 0 < shown.expires - now <= VALID_SECONDS  # a clock that was set back expires it, too
        ]
        for bound in gone:
            del self._shown[bound]
