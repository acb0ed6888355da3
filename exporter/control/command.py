"""One command to a bot beside kill and settings: whether it can do it, and what its later states must show.

Pure: the bot's last state, later ones and the time are passed in. A bot's `commands` list says what it
understands; without one it understands two. What a kind of bot cannot do is refused with that sentence, and
the pages show no button for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from botkit.messages import (
    ADD_TO_POSITION,
    ADJUST_STOP,
    BASE_COMMANDS,
    CLOSE_POSITION,
    PAUSE,
    RESUME,
    SET_MODE,
)
from exporter.control.order import Order, Stage
from exporter.control.parameter import same, shown
from exporter.errors import Invalid, NotNow
from exporter.fields import finite
from exporter.labels import MODES
from exporter.state import KILLED, PAUSED

ORDERS: Final = (PAUSE, RESUME, SET_MODE, CLOSE_POSITION, ADJUST_STOP, ADD_TO_POSITION)
LASTING: Final = frozenset({CLOSE_POSITION, ADD_TO_POSITION})
"""What takes a bot some cycles: a state that does not show it yet is no contradiction."""

_CANNOT: Final[Mapping[str, Mapping[str, str]]] = {
    "arb": {
        ADJUST_STOP: "an arbitrage position has no stop: its legs pay a known sum together",
        ADD_TO_POSITION: "an arbitrage position is not added to: its legs belong together",
    }
}
_DOES: Final = {
    PAUSE: "pause",
    RESUME: "resume",
    SET_MODE: "change its mode while it runs",
    CLOSE_POSITION: "close a position",
    ADJUST_STOP: "move a stop",
    ADD_TO_POSITION: "add to a position",
}


def refusal(kind: str, commands: frozenset[str] | None, command: str) -> str | None:
    """Why a bot cannot do this, or None where it can; `commands` is its own list, None without one."""
    if (why := _CANNOT.get(kind, {}).get(command)) is not None:
        return why
    known = frozenset(BASE_COMMANDS) if commands is None else commands
    if command in known:
        return None
    understood = " and ".join(sorted(known)) if commands is None else ", ".join(sorted(known))
    return f"this bot cannot {_DOES.get(command, command)}: it understands {understood or 'no command'} only"


def commands_of(state: Mapping[str, object]) -> frozenset[str] | None:
    """The commands that a state names; None where it names none, as with bots that we did not write."""
    named = state.get("commands")
    return frozenset(name for name in named if isinstance(name, str)) if isinstance(named, list) else None


def positions(state: Mapping[str, object]) -> dict[str, Mapping[str, object]] | None:
    """The open positions of a state that have an id, by it; None where it says nothing of positions."""
    rows = state.get("open_positions")
    if not isinstance(rows, list):
        return None
    named = [row for row in rows if isinstance(row, Mapping)]
    return {identity: row for row in named if (identity := _id(row)) is not None}


def _id(row: Mapping[str, object]) -> str | None:
    identity = row.get("position_id", row.get("id"))
    return identity if isinstance(identity, str) and identity else None


@dataclass(frozen=True, slots=True)
class Command:
    """A command on its way. `message` is what went out; `row` the position as it was before, if of one."""

    name: str
    message: Mapping[str, object]
    order: Order
    row: Mapping[str, object] | None = None
    target: str = ""

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return self.order.stage

    @property
    def says(self) -> str:
        """The same as a sentence, with what was seen."""
        return self.order.says

    @property
    def decided_at(self) -> float | None:
        """When the last word on it was said, if it was."""
        return self.order.decided_at

    @property
    def must_restore(self) -> None:
        """A refused command leaves nothing behind."""
        return None

    def answered(self, ack: Mapping[str, object], now: float) -> Command:
        """The bot's answer."""
        return replace(self, order=self.order.answered(ack, now))

    def unanswered(self, why: str, now: float) -> Command:
        """No answer came."""
        return replace(self, order=self.order.unanswered(why, now))

    def not_sent(self, why: str, now: float) -> Command:
        """The link was down."""
        return replace(self, order=self.order.not_sent(why, now))

    def seen(self, state: Mapping[str, object], now: float) -> Command:
        """A later state."""
        shows, what = self._shows(state)
        return replace(self, order=self.order.saw(shows, now, what))

    def tick(self, now: float) -> Command:
        """The time passes."""
        return replace(self, order=self.order.tick(now))

    def _shows(self, state: Mapping[str, object]) -> tuple[bool | None, str]:
        if self.name == SET_MODE:
            mode = state.get("mode")
            return (mode == self.target if mode in MODES else None), f"mode {shown(mode)}"
        if self.name in {PAUSE, RESUME}:
            status = state.get("status")
            known = status in {PAUSED, *MODES}
            return ((status == PAUSED) == (self.name == PAUSE) if known else None), f"status {shown(status)}"
        return self._shows_position(positions(state))

    def _shows_position(self, rows: Mapping[str, Mapping[str, object]] | None) -> tuple[bool | None, str]:
        if rows is None:
            return None, ""
        if self.name == CLOSE_POSITION:
            open_still = [identity for identity in self._closes if identity in rows]
            return not open_still, f"{len(open_still)} of {len(self._closes)} closed positions still open"
        row = rows.get(self.target)
        if row is None:
            return None, ""
        if self.name == ADJUST_STOP:
            stop = row.get("stop", row.get("stop_loss"))
            return same(finite(stop), self.message.get("price")), f"stop {shown(stop)}"
        before, after = _size(self.row or {}), _size(row)
        if before is None or after is None:
            return None, ""
        return after > before, f"{after:g} instead of {before:g}"

    @property
    def _closes(self) -> list[str]:
        """The positions that must be gone: those that the ack names, else the one that was asked for."""
        named = (self.order.answer or {}).get("closes")
        ids = [identity for identity in named if isinstance(identity, str)] if isinstance(named, list) else []
        return ids or [self.target]


def plan(
    kind: str, state: Mapping[str, object] | None, name: str, message: Mapping[str, object]
) -> Mapping[str, object] | None:
    """Check a command against the bot's last state; the row of its position, where it is of one.

    Raises Invalid for what this bot can never do, NotNow for what it cannot as things stand.
    """
    if state is None:
        raise NotNow("the bot has not sent a state yet: what it understands is not known")
    if (why := refusal(kind, commands_of(state), name)) is not None:
        raise Invalid(why)
    if name in {PAUSE, RESUME} and state.get("status") == KILLED:
        raise NotNow("the bot is killed: it opens nothing; re-arm it first, which leaves it paused")
    if name not in {CLOSE_POSITION, ADJUST_STOP, ADD_TO_POSITION}:
        return None
    row = (positions(state) or {}).get(str(message.get("position_id")))
    if row is None:
        raise NotNow(f"{shown(message.get('position_id'))} is not among the open positions of the last state")
    return row


def order_for(name: str, now: float, patience: float) -> Order:
    """The order of a command."""
    return Order(now, patience, hasty=name not in LASTING)


def possible(kind: str, state: Mapping[str, object] | None) -> Iterator[tuple[str, str]]:
    """Every command with why the bot cannot do it, which is empty where it can."""
    for name in ORDERS:
        why = refusal(kind, commands_of(state), name) if state is not None else "no state came yet"
        yield name, why or ""


class Tripped:
    """Whether the bot was halted since it last ran: then to resume raises the risk. Unknown counts as yes."""

    __slots__ = ("holds",)

    def __init__(self) -> None:
        self.holds = True

    def seen(self, state: Mapping[str, object]) -> None:
        """Another state."""
        switch = state.get("kill_switch")
        killed = isinstance(switch, Mapping) and switch.get("active") is True
        if killed or state.get("status") == KILLED:
            self.holds = True
        elif state.get("status") in MODES:
            self.holds = False


def raises_risk(name: str, *, target: str = "", tripped: bool = True) -> bool:
    """Whether a command may raise the risk. Pausing, closing and going back to paper lower it."""
    if name == SET_MODE:
        return target != "paper"
    if name == RESUME:
        return tripped
    return name in {ADJUST_STOP, ADD_TO_POSITION}


def _size(row: Mapping[str, object]) -> float | None:
    for field in ("contracts", "quantity", "shares"):
        if (size := finite(row.get(field))) is not None:
            return abs(size)
    return None
