"""What people ask for, done: each action checks what must be checked, and answers where it stands.

What lowers the risk is done at once. What raises it passes the gate: a reason, the code on the panel, in live
mode with `four_eyes` a second person. Every refusal is an error with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from botkit.messages import ADD_TO_POSITION, ADJUST_STOP, CLOSE_POSITION, PAUSE, RESUME
from exporter.control.access import Caller
from exporter.control.codes import Act
from exporter.control.command import positions
from exporter.control.console import Console, Desks
from exporter.control.desk import Who
from exporter.control.errand import errand
from exporter.control.gate import CodeNeeded, SecondNeeded
from exporter.control.kill import Stage
from exporter.control.kill_desk import Rearmed
from exporter.control.maintenance import LONGEST_MINUTES, Maintenance
from exporter.control.mode import LIVE, PAPER
from exporter.control.parameter import shown
from exporter.control.standing import WORST_FIRST
from exporter.control.tokens import Role
from exporter.control.told import answer_of, standing_of
from exporter.errors import Invalid, NotFound, NotNow, Refused
from exporter.view import BotView

log = logging.getLogger(__name__)

Answer = Mapping[str, object]

DRILL_SECONDS: Final = 900.0
"""How long a drill waits for its proof before it leaves the bot killed."""
DRILL_LOOK_SECONDS: Final = 0.25
DISK_SECONDS: Final = 2.0
"""How long an answer waits for a disk."""
MATCHED: Final = ("market_id", "ticker", "symbol", "market")
"""The fields of a position of which a person types one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, of which bot, why, and the code that was typed; texts are empty where nothing was said."""

    caller: Caller
    bot: str
    reason: str = ""
    code: str = ""

    @property
    def who(self) -> Who:
        """The same for a desk."""
        return Who(self.caller.name, self.caller.source, self.reason)


@dataclass(frozen=True, slots=True)
class Row:
    """A position by its id, and the market or ticker that a person typed for it."""

    identity: str
    symbol: str


class Actions:
    """Everything that can be asked of the console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._drills: dict[str, asyncio.Task[None]] = {}

    def desks(self, bot: str) -> Desks:
        """The desks of a bot by its name; raises NotFound."""
        found = self.console.bots.get(bot)
        if found is None:
            raise NotFound(f"no bot {shown(bot)} here; there is {', '.join(self.console.bots)}")
        return found

    def refused(self, caller: Caller, what: str, why: Refused) -> None:
        """Somebody known asked for something in vain; to be asked for a code is no refusal."""
        if isinstance(why, CodeNeeded | SecondNeeded):
            return
        name, told = caller.name, {"severity": "warning", "source": caller.source, "proof": str(why)}
        if not caller.refusal:
            self.console.tell("refused", who=name, what=what, **told)
            return
        # Who may change nothing must not be able to fill the audit trail either.
        whose = "through Grafana" if caller.role is Role.GRAFANA else f"of {name}"
        now = self.console.clock()
        self.console.news.tell("refused", f"refusals {whose}", now, bot="", who=name, what=what, **told)

    # Kill and re-arm.

    def kill(self, asked: Asked, venue: str | None = None, *, close_day_trades: bool = False) -> Answer:
        """Kill one bot, or one venue of it."""
        caller = asked.caller
        stands = self.desks(asked.bot).kill.kill(
            caller.name, caller.source, asked.reason, venue, close_day_trades=close_day_trades
        )
        return standing_of(asked.bot, stands)

    def kill_all(self, caller: Caller, reason: str) -> Answer:
        """Kill every bot; a row for each, and the worst as the headline."""
        rows: list[dict[str, object]] = []
        for bot, desks in self.console.bots.items():
            try:
                rows.append(standing_of(bot, desks.kill.kill(caller.name, caller.source, reason)))
            except Exception as error:  # the guard of a kill of all: one desk's fault must not spare the next
                log.exception("bot %s: its kill failed", bot)
                rows.append({"bot": bot, "state": str(Stage.NOT_VERIFIED), "says": f"NOT KILLED: {error}"})
        order = [str(stage) for stage in WORST_FIRST]
        worst = min(rows, key=lambda row: order.index(str(row["state"])))
        return {"state": worst["state"], "says": f"{worst['bot']} {worst['says']}", "bots": rows}

    async def rearm(self, asked: Asked, venue: str | None = None) -> Answer:
        """Take a kill back; the bot lands in PAUSED."""
        desks = self.desks(asked.bot)
        desks.kill.may_rearm(venue)
        what = f"re-arm {venue} of {asked.bot}" if venue else f"re-arm {asked.bot}"
        self._admit(asked, Act(asked.bot, "rearm", what, {"venue": venue}))
        rearmed, says = await self._rearm(asked, desks, venue, what)
        stands = desks.kill.standing(self.console.clock())
        return {**standing_of(asked.bot, stands), "rearmed": rearmed.done, "says": says}

    async def _rearm(self, asked: Asked, desks: Desks, venue: str | None, what: str) -> tuple[Rearmed, str]:
        """Re-arm and record it; what became of it, also as a sentence."""
        rearmed = await desks.kill.rearm(asked.caller.name, asked.caller.source, asked.reason, venue)
        said = list(rearmed.sentences)
        if not rearmed.answer.ok:
            said.append(str((rearmed.answer.ack or {}).get("error") or rearmed.answer.why or "not acked"))
        says = "; ".join(said) or "re-armed; the bot stays paused until it is resumed"
        self._record(
            "rearm", asked, what, answer=rearmed.answer.ack, proof=says, latency=rearmed.answer.seconds
        )
        return rearmed, says

    def drill(self, asked: Asked) -> Answer:
        """Prove the kill on a paper bot: killed, proven, re-armed; it lands in PAUSED."""
        desks, caller, bot = self.desks(asked.bot), asked.caller, asked.bot
        if why := refusal_of_drill(desks, self.console.clock()):
            raise NotNow(why)
        stands = desks.kill.kill(caller.name, caller.source, asked.reason or "drill", drill=True)
        ended = replace(asked, reason="end of the drill")
        task = asyncio.get_running_loop().create_task(self._drill(ended, desks), name=f"drill of {bot}")
        self._drills[bot] = task
        return standing_of(bot, stands)

    async def _drill(self, asked: Asked, desks: Desks) -> None:
        """Wait for the proof, then re-arm what was killed for it alone; else say that it stays killed."""
        clock = self.console.clock
        until = clock() + DRILL_SECONDS
        while clock() < until:
            kill = desks.kill.standing(clock()).kill
            if kill is None or not kill.order.drill:
                return  # re-armed by somebody, or a kill in earnest by now
            if kill.stage is Stage.NOT_VERIFIED:
                self._stays_killed(asked, f"the drill failed: {kill.detail}")
                return
            if desks.view.last_mode != PAPER:  # a bot that re-arms without a pause would trade with money
                self._stays_killed(asked, f"the mode became {desks.view.last_mode} during the drill")
                return
            if kill.stage is Stage.VERIFIED:
                await self._rearm(asked, desks, None, f"re-arm {asked.bot}")
                return
            await asyncio.sleep(DRILL_LOOK_SECONDS)
        self._stays_killed(asked, f"the drill was not proven in {DRILL_SECONDS / 60:.0f} min")

    def _stays_killed(self, asked: Asked, why: str) -> None:
        log.warning("bot %s: %s; it stays killed", asked.bot, why)
        self._record("drill", replace(asked, reason=""), f"{why}; it stays killed until it is re-armed")

    # Pause, maintenance, positions.

    async def pause(self, asked: Asked) -> Answer:
        """No new entries; positions are still managed."""
        return await self._send(asked, PAUSE, {"reason": asked.reason})

    async def resume(self, asked: Asked) -> Answer:
        """New entries again; after a trip that raises the risk."""
        raises = self.desks(asked.bot).commands.raises(RESUME)
        if raises:
            self._admit(asked, Act(asked.bot, RESUME, f"resume {asked.bot}"))
        return await self._send(asked, RESUME, {}, approved=raises)

    async def maintain(self, asked: Asked, minutes: int) -> Answer:
        """Planned quiet for so many minutes, or its end with 0."""
        view = self.desks(asked.bot).view
        if not 0 <= minutes <= LONGEST_MINUTES:
            raise Invalid(f"minutes: expected 0 (which ends it) to {LONGEST_MINUTES}")
        if minutes and not asked.reason:
            raise Invalid("reason is missing or blank: say what is done meanwhile")
        now = self.console.clock()
        wanted = Maintenance(now, now + minutes * 60, asked.reason, asked.caller.name) if minutes else None
        view.maintenance = wanted
        kept = await self._kept(view)
        done = f"planned quiet until {wanted.planned.until_text}" if wanted else "maintenance has ended"
        says = f"{done}; {kept}" if kept else done
        self._record("maintenance", asked, says)
        return {
            "bot": asked.bot,
            "state": "on" if wanted else "off",
            "says": says,
            "until": wanted.until if wanted else None,
        }

    async def _kept(self, view: BotView) -> str:
        """Why it is not kept on disk, or an empty text; the disk may hang."""
        try:
            async with asyncio.timeout(DISK_SECONDS):
                return await errand(partial(self.console.maintenance.keep, view))
        except TimeoutError:
            return "it may not be kept over a restart of this program: its disk hangs"

    async def close_position(self, asked: Asked, row: Row) -> Answer:
        """Sell a position."""
        self._same_symbol(asked.bot, row)
        return await self._send(asked, CLOSE_POSITION, {"position_id": row.identity})

    async def adjust_stop(self, asked: Asked, row: Row, price: float) -> Answer:
        """Move the stop of a position."""
        return await self._of_position(asked, row, ADJUST_STOP, {"price": price})

    async def add_to_position(self, asked: Asked, row: Row, quantity: float) -> Answer:
        """Buy more of a position."""
        return await self._of_position(asked, row, ADD_TO_POSITION, {"quantity": quantity})

    # Settings and mode.

    async def set_setting(self, asked: Asked, key: str, value: object, *, force: bool) -> Answer:
        """Change one setting."""
        settings = self.desks(asked.bot).settings
        planned = settings.plan(key, value, force=force)
        if planned.raises_risk:
            says = f"{asked.bot}: {key} from {shown(planned.before)} to {shown(planned.wanted)}"
            self._admit(asked, Act(asked.bot, "settings", says, {"key": key, "value": planned.wanted}))
        entry = await settings.change(asked.who, key, value, approved=planned, force=force)
        return {**answer_of(entry), "warning": planned.warning}

    async def revert(self, asked: Asked, command_id: str, *, force: bool) -> Answer:
        """Take a change of a setting back."""
        key, value = self.desks(asked.bot).settings.revert(command_id)
        why = replace(asked, reason=asked.reason or f"takes {command_id} back")
        return await self.set_setting(why, key, value, force=force)

    async def set_mode(self, asked: Asked, target: str) -> Answer:
        """Paper to live in two steps, back in one."""
        desks = self.desks(asked.bot)
        desks.commands.may_go(target)
        if target == LIVE:
            self._admit(asked, Act(asked.bot, "mode", f"{asked.bot}: from paper to LIVE"), live=True)
        return answer_of(await desks.commands.set_mode(asked.who, target))

    # What they share.

    async def _of_position(self, asked: Asked, row: Row, name: str, message: Mapping[str, object]) -> Answer:
        if why := self.desks(asked.bot).commands.possible().get(name):
            raise Invalid(why)
        self._same_symbol(asked.bot, row)
        whole = {"position_id": row.identity, **message}
        self._admit(asked, Act(asked.bot, name, f"{asked.bot}: {name.replace('_', ' ')} {row.symbol}", whole))
        return await self._send(asked, name, whole)

    async def _send(
        self, asked: Asked, name: str, message: Mapping[str, object], *, approved: bool = True
    ) -> Answer:
        commands = self.desks(asked.bot).commands
        return answer_of(await commands.send(asked.who, name, message, approved=approved))

    def _admit(self, asked: Asked, act: Act, *, live: bool = False) -> None:
        self.console.gate.admit(
            act,
            raises_risk=True,
            live=live or self.desks(asked.bot).counts_as_live,
            who=asked.caller.name,
            reason=asked.reason,
            code=asked.code,
            now=self.console.clock(),
        )

    def _same_symbol(self, bot: str, row: Row) -> None:
        """What a person typed must name the position in the path: a dialog may have slipped to another."""
        found = (positions(self.desks(bot).desk.last or {}) or {}).get(row.identity)
        if found is None:
            raise NotNow(f"{shown(row.identity)} is not among the open positions of the last state")
        names = {str(found[field]).casefold() for field in MATCHED if found.get(field)}
        if row.symbol.casefold() not in names:
            raise Invalid(f"symbol: {shown(row.symbol)} is not the market of this position; nothing was sent")

    def _record(self, kind: str, asked: Asked, what: str, **told: object) -> None:
        who, source = asked.caller.name, asked.caller.source
        self.console.tell(
            kind,
            bot=asked.bot,
            severity="warning",
            who=who,
            source=source,
            what=what,
            why=asked.reason,
            **told,
        )


def refusal_of_drill(desks: Desks, now: float) -> str:
    """Why the kill of a bot cannot be drilled now; empty where it can."""
    view, bot = desks.view, desks.view.name
    if view.at(now).live is None:
        return f"{bot} has no fresh state: nothing could prove the drill"
    if view.last_mode != PAPER:
        return f"{bot} is {view.last_mode or 'in an unknown mode'}: a drill would stop its trading"
    if desks.kill.standing(now).kill is not None:
        return f"{bot} is killed already; re-arm it first"
    return ""
