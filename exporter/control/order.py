"""What became of something that a bot was told: sent, acked, and then seen or not in its later states.

Pure: answers, states and the time are passed in. An ack is not an effect: only a later state verifies. A
state that was on its way when the ack came may contradict it: one is forgiven, and none counts within the
first seconds. What is never answered and never seen ends as unknown, which is not the same as failed.

    SENT ──► ACKED ──► VERIFIED | NOT_VERIFIED | UNKNOWN
      ├────► REFUSED        the bot said no
      ├────► UNANSWERED ──► VERIFIED where a state shows it all the same | UNKNOWN
      └────► NOT_SENT       it never left, so nothing changed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

SETTLE_SECONDS: Final = 2.0
"""How long after an ack no state counts against it: it may have been built before."""

FORGIVEN_STATES: Final = 1
PATIENT_INTERVALS: Final = 3.0
PATIENT_SECONDS: Final = 10.0
LONGEST_SENTENCE: Final = 300


class Stage(StrEnum):
    """Where an order stands; the words that people and the database read."""

    SENT = "sent"
    ACKED = "acked"
    UNANSWERED = "unanswered"
    RESTORING = "restoring"
    VERIFIED = "verified"
    NOT_OBSERVABLE = "acked_not_observable"
    NOT_VERIFIED = "not_verified"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    MODE_FLIPPED = "mode_flipped"
    POISONED = "poisoned"

    @property
    def final(self) -> bool:
        """Whether nothing more is waited for."""
        return self not in _OPEN

    @property
    def doubtful(self) -> bool:
        """Whether it ended without anybody knowing that the bot does what was wanted."""
        return self in _DOUBTFUL


_OPEN: Final = frozenset({Stage.SENT, Stage.ACKED, Stage.UNANSWERED, Stage.RESTORING})
_DOUBTFUL: Final = frozenset({Stage.NOT_VERIFIED, Stage.UNKNOWN, Stage.MODE_FLIPPED, Stage.POISONED})


def patience(interval: float | None) -> float:
    """How long to look for an effect in a bot's states, in seconds, by the time between two of them."""
    return PATIENT_INTERVALS * (interval or 60.0) + PATIENT_SECONDS


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that a bot was told. Times are of the exporter's clock; `says` is a sentence for people."""

    sent_at: float
    patience: float
    stage: Stage = Stage.SENT
    answered_at: float | None = None
    answer: Mapping[str, object] | None = None
    decided_at: float | None = None
    says: str = "sent; no answer yet"
    doubts: int = 0
    hasty: bool = True
    """Whether a state that does not show it contradicts it, or (False) may come before it is done."""

    def answered(self, ack: Mapping[str, object], now: float) -> Order:
        """The bot's answer came; only `ok: true` is a yes."""
        if self.stage is not Stage.SENT:
            return self
        heard = replace(self, answered_at=now, answer=dict(ack))
        if ack.get("ok") is True:
            return replace(heard, stage=Stage.ACKED, says="acked; no later state shows it yet")
        return heard._ended(Stage.REFUSED, f"refused by the bot: {sentence(ack.get('error'))}", now)

    def unanswered(self, why: str, now: float) -> Order:
        """No answer will come any more, and the bot may have done it all the same."""
        if self.stage is not Stage.SENT:
            return self
        return replace(self, stage=Stage.UNANSWERED, answered_at=now, says=f"not answered ({sentence(why)})")

    def not_sent(self, why: str, now: float) -> Order:
        """It never left this exporter."""
        if self.stage is not Stage.SENT:
            return self
        return self._ended(Stage.NOT_SENT, f"not sent: {sentence(why)}; nothing has changed", now)

    def saw(self, shows: bool | None, now: float, seen: str) -> Order:
        """A later state: it shows the effect, contradicts it, or (None) says nothing of it."""
        if shows is None or self.stage not in {Stage.ACKED, Stage.UNANSWERED}:
            return self
        if shows:
            how = "" if self.stage is Stage.ACKED else "never answered, but "
            return self._ended(Stage.VERIFIED, f"{how}a later state shows {seen}", now)
        doubts = self.doubts + 1
        settled = now - (self.answered_at or now) >= SETTLE_SECONDS
        if self.hasty and self.stage is Stage.ACKED and doubts > FORGIVEN_STATES and settled:
            return self._ended(Stage.NOT_VERIFIED, f"acked, but later states show {seen}", now)
        return replace(self, doubts=doubts, says=f"{self.stage}; the last state shows {seen}")

    def tick(self, now: float) -> Order:
        """The time passes; what was looked for long enough is decided."""
        if self.stage.final or now - self.sent_at <= self.patience:
            return self
        if self.stage is Stage.ACKED and self.doubts:
            return self._ended(Stage.NOT_VERIFIED, f"acked, but no state showed it: {self.says}", now)
        answer = "acked, and no state came that shows it" if self.stage is Stage.ACKED else "not answered"
        return self._ended(Stage.UNKNOWN, f"{answer}: unknown, look at the state", now)

    def _ended(self, stage: Stage, says: str, now: float) -> Order:
        return replace(self, stage=stage, says=says, decided_at=now)


def sentence(said: object) -> str:
    """What a bot or a link said, as it may stand in a sentence: on one line and not long."""
    text = str(said) if said else "no reason given"
    text = "".join(char if char.isprintable() else " " for char in text).strip()
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"
