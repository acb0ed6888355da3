"""What stands between a person and something that raises the risk: reason, code, and a second pair of eyes.

Pure: the time is passed in. What lowers the risk passes at once. In live mode, with `four_eyes`, an act needs
a second named person, or the same one again after ten minutes; each time with a reason and a code of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exporter.control.codes import Act, Codes, Shown
from exporter.errors import Invalid, NotAllowed

DELAY_SECONDS: Final = 600.0
FORGET_SECONDS: Final = 3600.0
MOST_WAITING: Final = 50


class CodeNeeded(NotAllowed):
    """A code is on the panel now: type it. `shown` says what it is for and until when."""

    def __init__(self, shown: Shown, now: float) -> None:
        self.shown = shown
        super().__init__(
            "this raises the risk: type the code that the panel shows for the next"
            f" {shown.expires - now:.0f} s"
        )


class SecondNeeded(NotAllowed):
    """One person has confirmed; a second one must, or the first one again from `until` on (epoch seconds)."""

    def __init__(self, first: str, until: float, now: float) -> None:
        self.first = first
        self.until = until
        super().__init__(
            f"{first} has confirmed; in live mode a second named person must, too,"
            f" or {first} again in {until - now:.0f} s"
        )


@dataclass(frozen=True, slots=True)
class _Confirmed:
    who: str
    at: float


class Gate:
    """Lets acts through, for all bots."""

    def __init__(self, codes: Codes, *, four_eyes: bool, people: Iterable[str] = ()) -> None:
        """`people` are those with a token of their own, by name."""
        self.codes = codes
        self._people = frozenset(name.casefold() for name in people)
        self._four_eyes = four_eyes
        self._waiting: dict[str, _Confirmed] = {}

    def admit(
        self,
        act: Act,
        *,
        raises_risk: bool,
        live: bool,
        who: str,
        reason: str,
        code: str,
        now: float,
    ) -> None:
        """Return where the act may be done now. Raises Invalid without a reason, CodeNeeded (which shows
        one), NotAllowed with a wrong code, SecondNeeded.
        """
        if not raises_risk:
            return
        if not reason.strip():
            raise Invalid("this raises the risk: say why in `reason`")
        if not code.strip():
            raise CodeNeeded(self.codes.show(act, who, now), now)
        if (wrong := self.codes.redeem(act, code, who, now)) is not None:
            raise NotAllowed(wrong)
        if live and self._four_eyes:
            self._second(act, who, now)

    def _second(self, act: Act, who: str, now: float) -> None:
        waiting = {
            bound: first for bound, first in self._waiting.items() if 0 <= now - first.at < FORGET_SECONDS
        }
        first = waiting.pop(act.bound, None)
        if first is None and len(waiting) >= MOST_WAITING:
            raise NotAllowed("too many acts wait for a second person; let them expire")
        self._waiting = waiting
        if first is not None and (self._are_two(first.who, who) or now - first.at >= DELAY_SECONDS):
            return
        kept = first or _Confirmed(who, now)
        waiting[act.bound] = kept
        raise SecondNeeded(kept.who, kept.at + DELAY_SECONDS, now)

    def _are_two(self, one: str, other: str) -> bool:
        """Whether these are two persons for sure.

        The same name is the same person, whether it came with a token or through Grafana. A name that only
        Grafana knows may be anybody's second one: it is no second person beside one with a token.
        """
        first, second = one.casefold(), other.casefold()
        return first != second and (first in self._people) == (second in self._people)
