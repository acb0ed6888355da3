"""Kills one bot over both of its paths, watches what becomes of it, and keeps at it until somebody re-arms.

The asyncio shell around `exporter.control.kill`. Nothing stands before a kill: it is sent first, over the
socket and by file at once; what is written down about it is written afterwards, in threads whose disks may
hang. It is sent again every 2 s until it is acked and at each new connection while it is latched.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from botkit.messages import KILL_SWITCH, ack_type
from exporter.control.commander import Answer
from exporter.control.evidence import Evidence, Witness
from exporter.control.kill import Kill, Order, Stage, pressed
from exporter.control.kill_latch import Kept, KillLatch
from exporter.control.kill_sender import Link, Sender, refusal
from exporter.control.latch_keeper import LatchKeeper
from exporter.control.parameter import shown
from exporter.control.proof import Habit
from exporter.control.standing import Standing, standing
from exporter.errors import Invalid, NotNow
from exporter.view import BotView

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
OVERSLEPT_SECONDS: Final = 1.0
"""A tick that comes so late was overslept by this process, and the silence before it is nobody's."""
FILE_LOOK_SECONDS: Final = 5.0
REARM_SECONDS: Final = 5.0
"""How long a re-arming waits for the bot's answer, and for a file to go."""
SAME_SESSION_SECONDS: Final = 10.0
"""How far two estimates of one session's beginning may be apart, one from before this program's start."""

What = Literal["pressed", "kept", "stage", "rearmed"]


@dataclass(frozen=True, slots=True)
class News:
    """What happened to a kill, for the audit trail.

    It was pressed, taken over from the latch of an earlier run, came to another stage, or was re-armed.
    """

    what: What
    kill: Kill
    standing: Standing
    at: float
    by: str = ""
    """Who pressed or re-armed, as `name (source)`."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rearmed:
    """What became of a re-arming: the bot's answer, and sentences about what is not as asked."""

    answer: Answer
    sentences: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the bot says that it is re-armed and nothing is left in the way."""
        return self.answer.ok and not self.sentences


class KillDesk:
    """The kills of one bot. `told` hears of every change and must not block; a fault in it stops nothing.

    Give `heard` and `opened` to the bridge's `listen`, and let `run` run as long as the program does.
    """

    def __init__(
        self,
        view: BotView,
        link: Link,
        latch: KillLatch,
        file: Path | None,
        *,
        clock: Callable[[], float] = time.time,
        told: Callable[[News], None] = lambda news: None,
    ) -> None:
        self._view = view
        self._clock = clock
        self._told = told
        self._witness = Witness()
        self._habit = Habit()
        kept = latch.restore(clock())
        self._kills = {kill.order.venue: kill for kill in kept.kills}
        self._ordered = False
        """Whether anything was ordered since this program's start."""
        self._restored: Kept | None = kept if kept.kills else None
        """What was killed before this program's start, until the bot's first state."""
        self._last_drill = latch.last_drill()
        self._sender = Sender(link, file, self._file_wanted)
        self._keeper = LatchKeeper(latch, view.name, self._kept, view.latch_not_kept)

    # What people ask.

    def kill(
        self,
        who: str,
        source: str,
        reason: str,
        venue: str | None = None,
        *,
        close_day_trades: bool = False,
        drill: bool = False,
    ) -> Standing:
        """Kill the bot, or one venue of it; returns at once where that stands. Call it from the loop.

        Raises Invalid where one venue is named and the bot has none such, or can only be stopped as a whole.
        """
        if venue is not None and self._witness.knows_venue_kills is False:
            raise Invalid(f"{self._view.name} cannot stop one venue; kill all of it")
        self._must_have(venue)
        self._ordered = True
        now = self._clock()
        before = self._kills.get(venue)
        order = Order(secrets.token_hex(8), who, source, reason, now, venue, close_day_trades, drill)
        # What an earlier run of this program proved says nothing of a bot that this one has not heard yet.
        goes_on = self._restored is None and before is not None and before.stage is not Stage.NOT_VERIFIED
        if before is not None and goes_on and (drill or not before.order.drill):
            kept = replace(before.order, close_day_trades=before.order.close_day_trades or close_day_trades)
            kill = replace(before, order=kept)
        else:
            caught = before is not None and (before.disproved or before.quiet_only)
            need = self._habit.quiet_cycles_needed if before is None else before.need
            kill = pressed(order, need if venue is None else None, now, quiet_only=caught)
            self._sender.forget()
        self._kills[venue] = kill
        self._sender.send(kill, now)
        self._keeper.changed()
        log.warning(
            "bot %s: kill%s ordered by %s (%s)", self._view.name, f" of {venue}" if venue else "", who, source
        )
        self._tell("pressed", kill, f"{who} ({source})", reason)
        return self.standing(now)

    def may_rearm(self, venue: str | None) -> None:
        """Return where this can be re-armed by itself. Raises Invalid, or NotNow for one venue of a bot that
        would take it for all of it.
        """
        self._must_have(venue)
        if venue is not None and self._witness.knows_venue_kills is not True and set(self._kills) != {venue}:
            raise NotNow(f"{self._view.name} does not report kills of one venue: re-arm all of it")

    async def rearm(self, who: str, source: str, reason: str, venue: str | None = None) -> Rearmed:
        """Lift the latch, take our kill file away, and tell the bot; ours lands in PAUSED.

        The bot's own refusal, such as "still killed by …", is in the answer; the rest that is in the way, in
        sentences. Raises what `may_rearm` does.
        """
        self.may_rearm(venue)
        self._ordered = True
        kill = self._kills.pop(venue, None)
        self._keeper.changed()
        sentences = [] if venue is not None else await self._sender.file.remove(REARM_SECONDS)
        if venue in self._kills:
            overtaken = "a new kill came while it was re-armed; it stays killed"
            return Rearmed(Answer("not_sent", why=overtaken), (*sentences, overtaken))
        answer = await self._sender.release(reason, venue, REARM_SECONDS)
        if sentences and await self._sender.file.gone(REARM_SECONDS):
            sentences = []  # a bot takes away what it wrote itself
        log.warning("bot %s: re-armed by %s (%s): %s", self._view.name, who, source, answer.result)
        if kill is not None:
            self._tell("rearmed", kill, f"{who} ({source})", reason)
        return Rearmed(answer, tuple(sentences))

    @property
    def latched(self) -> bool:
        """Whether any kill of it, or of a venue of it, is on."""
        return bool(self._kills)

    @property
    def last_drill(self) -> float | None:
        """When a drill last proved the path, in epoch seconds."""
        return self._last_drill

    def standing(self, now: float) -> Standing:
        """How it stands at `now`."""
        return standing(
            self._view,
            self._kills.values(),
            now,
            delivered=self._sender.delivered,
            file_usable=self._sender.file.usable,
            last_drill=self._last_drill,
        )

    # What the link and the ledger say.

    def opened(self) -> None:
        """A connection was made, perhaps to a bot that has forgotten its kill."""
        for kill in self._kills.values():
            self._sender.send(kill, self._clock())

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came that the view has taken in."""
        if message.get("type") == ack_type(KILL_SWITCH):
            self._acked(message, now)
            return
        evidence = self._witness.heard(view, message, now)
        if evidence is None:
            return
        restarted = self._is_another_session() or evidence.new_session
        if not self._kills:
            self._habit.seen(evidence.of(None))
        for kill in list(self._kills.values()):
            self._put(self._judged(kill, evidence, restarted))
            if restarted:
                self._sender.send(self._kills[kill.order.venue], now)

    def ledger_opened(self, created_at: float, what: str) -> None:
        """The bot's books show an order that was begun at `created_at`, by the bot's clock.

        An intent's `created_at`, never the time of a fill: what was open before the kill settles after it.
        """
        here = created_at - (self._view.clock_skew or 0.0)
        now, interval = self._clock(), self._view.cadence.expected_interval
        if (kill := self._kills.get(None)) is not None:
            self._put(kill.ledger_opened(here, what, now, interval))

    # What time brings.

    async def run(self) -> None:
        """Send again, judge silence, keep the latch and look at the file's folder, until cancelled."""
        if self._restored is not None:
            self._keeper.changed()
            for kill in self._kills.values():
                self._tell("kept", kill)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick_on())
            group.create_task(self._keeper.run())
            group.create_task(self._look_on())

    def tick(self, now: float) -> None:
        """Time has passed."""
        interval = self._view.cadence.expected_interval
        for kill in list(self._kills.values()):
            self._put(kill.ticked(now, interval))
            if kill.wants_sending and self._view.link.opened_at is not None and self._sender.due(kill, now):
                self._sender.send(kill, now)

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.tick(self._clock())
            asked = loop.time()
            await asyncio.sleep(TICK_SECONDS)
            if loop.time() - asked > OVERSLEPT_SECONDS:  # what came meanwhile is read before it is judged
                await asyncio.sleep(TICK_SECONDS)

    async def _look_on(self) -> None:
        left = await self._sender.file.left()
        if left is not None and not self._ordered and None not in self._kills:  # a full disk took no latch
            self._kills[None] = kill = pressed(left, None, self._clock())
            self._sender.send(kill, self._clock())
            self._keeper.changed()
            self._tell("kept", kill)
        while True:
            await self._sender.file.keep()
            await asyncio.sleep(FILE_LOOK_SECONDS)

    # How it is judged.

    def _must_have(self, venue: str | None) -> None:
        known = self._witness.venues | self._kills.keys()
        if venue is not None and self._witness.venues and venue not in known:
            there = ", ".join(sorted(self._witness.venues))
            raise Invalid(f"{self._view.name} has no venue {shown(venue)}; there is {there}")

    def _file_wanted(self) -> Order | None:
        kill = self._kills.get(None)
        return None if kill is None else kill.order

    def _kept(self) -> Kept:
        began = self._view.session.began if self._restored is None else self._restored.session_began
        return Kept(tuple(self._kills.values()), began)

    def _acked(self, message: Mapping[str, object], now: float) -> None:
        venue = message.get("venue")
        kill = self._kills.get(venue if isinstance(venue, str) else None)
        if kill is None:
            return
        if message.get("ok") is True:
            if message.get("active") is not False:
                self._put(kill.acked(now))
            return
        self._put(kill.refused(refusal(message)))
        if kill.order.close_day_trades:  # a bot without day trades may refuse the whole kill for it
            self._put(replace(kill, order=replace(kill.order, close_day_trades=False)))
            self._sender.send(self._kills[kill.order.venue], now)

    def _judged(self, kill: Kill, evidence: Evidence, restarted: bool) -> Kill:
        return kill.restarted(evidence.at) if restarted else kill.seen(evidence.of(kill.order.venue))

    def _is_another_session(self) -> bool:
        """Whether the first session since this program's start is another than that of the kept kill."""
        restored, self._restored = self._restored, None
        if restored is None:
            return False
        began = restored.session_began
        return began is None or abs(self._view.session.began - began) > SAME_SESSION_SECONDS

    def _put(self, kill: Kill) -> None:
        """Take over a kill as it stands now."""
        venue = kill.order.venue
        before = self._kills.get(venue)
        if kill == before:
            return
        self._kills[venue] = kill
        self._keeper.changed()
        if before is not None and kill.stage is before.stage:
            return
        log.warning("bot %s: kill is %s %s", self._view.name, kill.stage, kill.rung or kill.detail)
        if kill.order.drill and kill.stage is Stage.VERIFIED:
            self._last_drill = kill.decided_at or self._clock()
            self._keeper.drilled(self._last_drill)
        self._tell("stage", kill)

    def _tell(self, what: What, kill: Kill, by: str = "", why: str = "") -> None:
        now = self._clock()
        try:
            self._told(News(what, kill, self.standing(now), now, by, why))
        except Exception:  # whatever records kills must not be able to stop one
            log.exception("bot %s: a kill was not recorded", self._view.name)
