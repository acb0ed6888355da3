"""What of a bot's kills is shown at one moment, to the wall, to people and to Prometheus.

Pure. Where several kills stand, of the bot and of venues of it, the headline is the worst of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from exporter.control.evidence import working_orders
from exporter.control.kill import Kill, Stage
from exporter.control.proof import Rung
from exporter.fields import finite
from exporter.view import BotView

SOCKET: Final = "socket"
FILE: Final = "file"

WORST_FIRST: Final = (Stage.NOT_VERIFIED, Stage.UNPROVEN, Stage.SENT, Stage.ACKED, Stage.VERIFIED)

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the kill of one bot stands; `kill` is the one that the headline is about, None while none is on.

    `positions` and `working_orders` are counts and `unhedged` is USD, by the bot's last state whatever its
    age; None where it does not say.
    """

    now: float
    kill: Kill | None
    kills: tuple[Kill, ...]
    paths: Mapping[str, bool]
    """Whether SOCKET and FILE could be used now."""
    delivered: Mapping[str, str]
    """What became of the kill on each path that was tried, in a few words."""
    positions: float | None
    unhedged: float | None
    working_orders: float | None
    last_drill: float | None
    """When a drill last proved the path, in epoch seconds."""

    @property
    def state(self) -> Stage:
        """The stage of the headline."""
        return Stage.READY if self.kill is None else self.kill.stage

    @property
    def rung(self) -> Rung | None:
        """What the proof stands on, while there is one."""
        return None if self.kill is None else self.kill.rung

    @property
    def words(self) -> str:
        """The headline for people; it ticks, so it is no label."""
        kill = self.kill
        if kill is None:
            return self._readiness()
        text = f"{kill.order.venue}: " if kill.order.venue else ""
        return ("DRILL " if kill.order.drill else "") + text + self._progress(kill)

    def _readiness(self) -> str:
        if self.paths[SOCKET]:
            drilled = (
                "never drilled" if self.last_drill is None else f"drilled {_ago(self.now - self.last_drill)}"
            )
            return f"READY, {drilled}"
        return "BY FILE ONLY" if self.paths[FILE] else "NO PATH"

    def _progress(self, kill: Kill) -> str:
        if kill.stage is Stage.VERIFIED and kill.decided_at is not None:
            when = f"{datetime.fromtimestamp(kill.decided_at, UTC):{_format(self.now - kill.decided_at)}}"
            return f"HALTED, PROVEN ({kill.rung}) {when}, {_remaining(self.positions)}"
        if kill.stage is Stage.UNPROVEN:
            return f"UNPROVEN: {kill.detail}"
        if kill.stage is Stage.NOT_VERIFIED:
            return f"NOT KILLED: {kill.detail}"
        text = f"KILLING {max(0.0, self.now - kill.begun_at):.0f} s"
        no_path = kill.stage is Stage.SENT and not any(self.paths.values())
        why = "NO PATH" if no_path else kill.detail
        return f"{text}, {why}" if why else text


class Control(Protocol):
    """Whoever can say how the kill of a bot stands."""

    def standing(self, now: float) -> Standing:
        """How it stands at `now`."""


def standing(
    view: BotView,
    kills: Iterable[Kill],
    now: float,
    *,
    delivered: Mapping[str, str],
    file_usable: bool,
    last_drill: float | None,
) -> Standing:
    """How a bot's kills stand at `now`."""
    ordered = sorted(kills, key=lambda kill: (WORST_FIRST.index(kill.stage), kill.order.venue or ""))
    state = view.state
    positions = None if state is None or state.open_positions is None else sum(state.open_positions.values())
    unhedged = None if state is None or state.unhedged is None else sum(map(abs, state.unhedged.values()))
    return Standing(
        now=now,
        kill=ordered[0] if ordered else None,
        kills=tuple(ordered),
        paths={SOCKET: view.link.connected(now), FILE: file_usable},
        delivered=delivered,
        positions=finite(positions),  # sums of what is finite may not be
        unhedged=finite(unhedged),
        working_orders=None if state is None else finite(working_orders(state)),
        last_drill=last_drill,
    )


def _remaining(positions: float | None) -> str:
    if positions is None:
        return "positions not reported"
    return f"{positions:.0f} position{' remains' if positions == 1 else 's remain'}"


def _format(age: float) -> str:
    """The time of day in UTC, of an earlier day with its date."""
    return "%H:%M" if age < _DAY else "%d %b %H:%M"


def _ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for unit, length in (("d", _DAY), ("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
