"""One attempt to stop a bot or one of its venues, and what the bot's answers and later states prove of it.

Pure: what was heard and the time are passed in, each step returns a new attempt. SENT → ACKED → VERIFIED,
UNPROVEN or NOT_VERIFIED. An ack proves nothing: only states that came after it do. A state that was built
before the ack may come after it, and a cycle that was under way then still ends; so the cycle after those is
the first that counts, while a bot that says it is killed is believed at once, unless it was caught before.

What undoes a proof, at any time: an opening, in the states or in the ledger; a bot that reports itself not
killed. After an opening no proof is taken but that of a new attempt or of a new session of the bot. Orders
that work later on undo nothing: whoever flattens a killed bot sends some.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from exporter.control.proof import LEAST_QUIET_CYCLES, Rung, Sighting

BUILT_BEFORE_SLACK_SECONDS: Final = 0.5
SILENCE_SLACK_SECONDS: Final = 10.0
INTERVAL_WHILE_UNKNOWN: Final = 60.0
"""Seconds between states of a bot that was not heard often enough to know."""


class Stage(StrEnum):
    """Where a kill stands; READY while none was ordered."""

    READY = "ready"
    SENT = "sent"
    ACKED = "acked"
    VERIFIED = "verified"
    UNPROVEN = "unproven"
    NOT_VERIFIED = "not_verified"


@dataclass(frozen=True, slots=True)
class Order:
    """Who ordered a kill, from where, why and when; of the whole bot, or of one `venue` of it."""

    id: str
    who: str
    source: str
    reason: str
    sent_at: float
    venue: str | None = None
    close_day_trades: bool = False
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """An attempt as it stands. Times are epoch seconds of the exporter's clock."""

    order: Order
    need: int | None
    """Full cycles of silence that would prove it; None where silence proves nothing."""
    begun_at: float
    """When it was ordered, or began anew with a new session of the bot."""
    base: float
    """What is judged is what came after this: the beginning, then the ack."""
    since: float
    """When the stage was reached."""
    stage: Stage = Stage.SENT
    acked_at: float | None = None
    quiet: int = 0
    """Full cycles without an opening so far."""
    rung: Rung | None = None
    decided_at: float | None = None
    """When it was verified."""
    detail: str = ""
    """What stands against a proof, or for it, in a few words."""
    disproved: bool = False
    """Whether something was opened in spite of an ack."""
    quiet_only: bool = False
    """Whether this session of the bot said that it was killed and opened something all the same."""
    fresh: bool = True
    """Whether no state of a new cycle was judged since `base` …"""
    grace: bool = True
    """… and whether the cycle under way then has not ended yet."""
    orders_about: bool = True
    """Whether orders worked, or may have worked, at the last state."""

    @property
    def wants_sending(self) -> bool:
        """Whether to send it again: it was not acked, or the bot says that it is not killed."""
        contradicted = self.stage is Stage.NOT_VERIFIED and not self.disproved
        return self.acked_at is None or contradicted

    @property
    def time_to_verified(self) -> float | None:
        """Seconds from the beginning to the proof."""
        return None if self.decided_at is None else self.decided_at - self.begun_at

    def acked(self, now: float) -> Kill:
        """The bot says that it did it: from here on it is held to that."""
        if self.acked_at is None:
            moved = self if self.stage is Stage.VERIFIED else self._to(Stage.ACKED, now, "")
            return replace(moved, acked_at=now, base=now, quiet=0, fresh=True, grace=True)
        if self.wants_sending:
            return replace(self, acked_at=now, base=now, fresh=True, grace=True)
        return self

    def refused(self, error: str) -> Kill:
        """The bot answers that it did not do it."""
        return self if self.acked_at is not None else replace(self, detail=f"the bot answers: {error}")

    def restarted(self, now: float) -> Kill:
        """Another session of the bot runs, which may know nothing of the kill: all begins again."""
        return pressed(self.order, self.need, now)

    def seen(self, sighting: Sighting) -> Kill:
        """A state came."""
        if self.disproved:
            return self
        kill, counts = self._past_grace(sighting)
        kill = replace(kill, orders_about=sighting.working != 0)
        if counts and sighting.opening and not self._is_late_fill(sighting):
            return kill._opened(sighting.opening, sighting.at)
        if counts and sighting.killed is False:
            return kill._to(Stage.NOT_VERIFIED, sighting.at, "the bot reports itself not killed")
        if kill.stage is Stage.VERIFIED or self._is_old(sighting):
            return kill
        if activity := sighting.activity_since(kill.base):
            return replace(kill, detail=activity)
        return kill._proven(sighting, counts)

    def ledger_opened(self, created_at: float, what: str, now: float, interval: float | None) -> Kill:
        """The bot's own books have an order that was begun at `created_at`, by the exporter's clock.

        One cycle after the kill is grace here, too. A fill that settles what was open before is no opening.
        """
        if self.disproved or created_at <= self.base + (interval or INTERVAL_WHILE_UNKNOWN):
            return self
        return self._opened(what, now)

    def ticked(self, now: float, interval: float | None) -> Kill:
        """Time passed: without states nothing is proven, and that is said after (n + 2) intervals + 10 s."""
        patience = (LEAST_QUIET_CYCLES + 2) * (interval or INTERVAL_WHILE_UNKNOWN) + SILENCE_SLACK_SECONDS
        if self.stage not in {Stage.SENT, Stage.ACKED} or now <= self.base + patience:
            return self
        return self._to(
            Stage.UNPROVEN, now, self.detail or ("no answer" if self.acked_at is None else "no states")
        )

    def _past_grace(self, sighting: Sighting) -> tuple[Kill, bool]:
        """The kill with this state counted, and whether its decisions were taken after the kill for sure."""
        if not sighting.new_cycle:
            return self, False
        built_at = sighting.built_at
        if self.fresh and (built_at is None or built_at <= self.base + BUILT_BEFORE_SLACK_SECONDS):
            return replace(self, fresh=False), False
        return replace(self, fresh=False, grace=False), not self.grace

    def _is_old(self, sighting: Sighting) -> bool:
        """Whether it is a state from before the order that was sent again, perhaps of an earlier kill."""
        built_at = sighting.built_at
        return built_at is not None and built_at < self.begun_at - BUILT_BEFORE_SLACK_SECONDS

    def _is_late_fill(self, sighting: Sighting) -> bool:
        """Whether what was opened is an order from before the kill that its venue would not take back.

        Only of a bot that says it is killed and when it last sent an order, and as long as it showed orders
        that work; while it does, nothing is proven.
        """
        told = sighting.killed is True and sighting.ordered_at is not None
        return told and self.orders_about and not sighting.ordered_since(self.base)

    def _opened(self, what: str, now: float) -> Kill:
        """Something was opened after the grace; without an ack the kill may not even have arrived."""
        opened = self._to(Stage.NOT_VERIFIED, now, what)
        return replace(opened, quiet=0, disproved=self.acked_at is not None)

    def _proven(self, sighting: Sighting, counts: bool) -> Kill:
        believed = not self.quiet_only
        told = sighting.killed is True and (self.acked_at is not None or sighting.by_operator)
        if believed and told and sighting.working == 0:
            return self._verified(Rung.FLAG, sighting.at)
        if believed and counts and sighting.refused:
            return self._verified(Rung.GATE, sighting.at)
        if not counts or not sighting.could_open:
            return self
        kill = replace(self, quiet=self.quiet + 1)
        if kill.need is None:
            return kill._undecided("quiet, not proven", sighting.at)
        if kill.quiet < kill.need:
            return kill._undecided(f"quiet {kill.quiet} of {kill.need}", sighting.at)
        return kill._verified(Rung.QUIET, sighting.at)

    def _undecided(self, detail: str, now: float) -> Kill:
        """Unproven so far, unless there is worse to say."""
        if self.stage is Stage.NOT_VERIFIED:
            return self
        return self._to(Stage.UNPROVEN, now, detail)

    def _verified(self, rung: Rung, now: float) -> Kill:
        return replace(self._to(Stage.VERIFIED, now, ""), rung=rung, decided_at=now)

    def _to(self, stage: Stage, now: float, detail: str) -> Kill:
        since = self.since if stage is self.stage else now
        rung, decided_at = (self.rung, self.decided_at) if stage is Stage.VERIFIED else (None, None)
        return replace(self, stage=stage, since=since, detail=detail, rung=rung, decided_at=decided_at)


def pressed(order: Order, need: int | None, now: float, *, quiet_only: bool = False) -> Kill:
    """A kill that has just been ordered, or begins anew."""
    return Kill(order, need, begun_at=now, base=now, since=now, quiet_only=quiet_only)
