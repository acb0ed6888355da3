"""Sends one bot its commands, one at a time, and follows each until later states decide what became of it.

The shell around `change` and `command`: it owns the waiting, they own the judgement. What was sent goes on
when whoever asked has gone. Sent first, recorded after: a recorder that fails costs a log line.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self, TypeVar

from botkit.messages import ACK_SUFFIX, ERROR, STATE
from exporter.control.change import Change, Known, Seen
from exporter.control.command import Command, Tripped, commands_of
from exporter.control.commander import Answer
from exporter.control.order import Order, Stage, patience
from exporter.flight_recorder import without_credentials
from exporter.view import BotView

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 5.0
"""How long an answer is waited for; bots answer at once, whatever their cycle does."""
KEPT: Final = 200
TICK_SECONDS: Final = 1.0


class Bridge(Protocol):
    """What a desk needs of a link: `exporter.bridge.Bridge` is one."""

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        """Send a command and wait for its answer."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asked, from where, and why."""

    name: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One command with who asked for it; a new one each time that something becomes known of it."""

    id: str
    bot: str
    sent_at: float
    who: Who
    message: Mapping[str, object]
    thing: Change | Command

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return self.thing.stage

    @property
    def name(self) -> str:
        """What people know the command by, also where this kind of bot is told it by another message."""
        return self.thing.name if isinstance(self.thing, Command) else str(self.message["type"])


class Followed(Protocol):
    """Something that was sent, and takes what the link says of it."""

    def answered(self, ack: Mapping[str, object], now: float) -> Self:
        """The bot's answer."""

    def unanswered(self, why: str, now: float) -> Self:
        """No answer came."""

    def not_sent(self, why: str, now: float) -> Self:
        """It never left."""


T = TypeVar("T", bound=Followed)

Prepare = Callable[[float], tuple[Mapping[str, object], Change | Command]]
"""Called with the time when a command's turn has come; the message, and what follows it."""

Told = Callable[[Entry], None]
"""Called with an entry whenever it was sent, answered or decided."""


class Desk:
    """The commands of one bot. Give `heard` to its bridge, and `run` (or calls of `tick`) to the loop."""

    def __init__(
        self,
        view: BotView,
        bridge: Bridge,
        *,
        told: Iterable[Told] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.view = view
        self.tripped = Tripped()
        self.last: Mapping[str, object] | None = None
        """The last state as it came, whatever its age."""
        self._bridge = bridge
        self._told = list(told)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Entry]] = set()
        self._open: dict[str, Entry] = {}
        self._decided: deque[Entry] = deque(maxlen=KEPT)
        self._since_ack: tuple[Mapping[str, object], float] | None = None

    def tell(self, told: Told) -> None:
        """Tell this one, too."""
        self._told.append(told)

    @property
    def now(self) -> float:
        """The time by this desk's clock."""
        return self._clock()

    @property
    def known(self) -> Known:
        """What a change is judged by."""
        settings = (self.last or {}).get("config_snapshot")
        return Known(
            own=self.last is not None and commands_of(self.last) is not None,
            connected=self.view.at(self.now).connected,
            mode=self.view.last_mode,
            settings=settings if isinstance(settings, Mapping) else None,
        )

    @property
    def patience(self) -> float:
        """How long to look for an effect in this bot's states, in seconds."""
        return patience(self.view.cadence.expected_interval)

    def entry(self, identity: str) -> Entry | None:
        """A command by its id, also one that is decided, while it is remembered."""
        kept = (entry for entry in self._decided if entry.id == identity)
        return self._open.get(identity) or next(kept, None)

    def entries(self) -> list[Entry]:
        """All that are remembered, the newest first."""
        return sorted([*self._open.values(), *self._decided], key=lambda entry: -entry.sent_at)

    async def send(self, who: Who, prepare: Prepare) -> Entry:
        """Send a command when its turn has come, and wait for the answer.

        What `prepare` raises is raised here, and nothing was sent.
        """
        task = asyncio.ensure_future(self._send(who, prepare))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _send(self, who: Who, prepare: Prepare) -> Entry:
        async with self._turn:
            now = self.now
            message, thing = prepare(now)
            entry = Entry(secrets.token_hex(8), self.view.name, now, who, message, thing)
            self._open[entry.id] = entry
            answered = self._ask(message)
            await asyncio.sleep(0)  # sent first …
            self._tell(entry)  # … recorded after
            entry = self._keep(entry, _after(entry.thing, await answered, self.now))
            if isinstance(entry.thing, Change) and (old := entry.thing.must_restore) is not None:
                order = Order(self.now, self.patience)
                entry = self._keep(
                    entry, entry.thing.restoring(_after(order, await self._ask(old), self.now))
                )
            if self._since_ack is not None:
                entry = self._see(entry, *self._since_ack)
        return entry

    def _ask(self, message: Mapping[str, object]) -> asyncio.Task[Answer]:
        """Send at once; a state that comes after the answer in the same piece is kept."""
        self._since_ack = None
        return asyncio.ensure_future(self._bridge.command(message, within=ANSWER_SECONDS))

    def heard(self, _view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came; for `Bridge.listen`."""
        kind = message.get("type")
        if kind == STATE:
            self.last = message
            self.tripped.seen(message)
            self._since_ack = (message, now)
            for entry in list(self._open.values()):
                self._see(entry, message, now)
        elif kind == ERROR or (isinstance(kind, str) and kind.endswith(ACK_SUFFIX)):
            self._since_ack = None

    def tick(self, now: float) -> None:
        """Decide what was looked for long enough."""
        for entry in list(self._open.values()):
            self._keep(entry, entry.thing.tick(now))

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick(self.now)

    def _see(self, entry: Entry, state: Mapping[str, object], now: float) -> Entry:
        thing = entry.thing
        return self._keep(
            entry, thing.seen(seen(state), now) if isinstance(thing, Change) else thing.seen(state, now)
        )

    def _keep(self, entry: Entry, thing: Change | Command) -> Entry:
        """The entry as it is known now; told where its stage is another one."""
        if thing == entry.thing:
            return entry
        after = replace(entry, thing=thing)
        if after.stage.final:
            self._open.pop(entry.id, None)
            self._decided.append(after)
        else:
            self._open[entry.id] = after
        if after.stage is not entry.stage:
            self._tell(after)
        return after

    def _tell(self, entry: Entry) -> None:
        for told in self._told:
            try:
                told(entry)
            except Exception:  # the guard of a desk: a recorder's fault must not stop a command
                log.exception("bot %s: a command was not recorded", entry.bot)


def _after(thing: T, answer: Answer, now: float) -> T:
    """What an answer, or the lack of one, makes of something that was sent. No credential of it is kept."""
    if answer.ack is not None:
        return thing.answered(without_credentials(answer.ack), now)
    if answer.outcome == "not_sent":
        return thing.not_sent(answer.why, now)
    return thing.unanswered(answer.why, now)


def seen(state: Mapping[str, object]) -> Seen:
    """What a state says of mode and settings."""
    mode, settings = state.get("mode"), state.get("config_snapshot")
    return Seen(mode if isinstance(mode, str) else None, settings if isinstance(settings, Mapping) else None)
