"""Commands of one bot beside kill and settings: pause, resume, mode, and single positions.

refusal(…)   why this bot cannot do it, for the buttons
raises(…)    whether reason and code are asked for first
send(…)      sends it, and returns once it is answered; later states decide
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from botkit.messages import RESUME, SET_MODE
from exporter.control.catalogue import Catalogue
from exporter.control.command import Command, order_for, plan, possible, raises_risk
from exporter.control.desk import Desk, Entry, Who
from exporter.control.mode import LIVE, PAPER, Before, Check, order, preflight
from exporter.control.order import Stage
from exporter.errors import Invalid, NotNow

POSITION_ID: Final = "position_id"


class CommandDesk:
    """The commands of one bot. `allow_live`, the latch and the last proven drill come from outside."""

    def __init__(self, desk: Desk, catalogue: Catalogue, *, allow_live: bool) -> None:
        self.desk = desk
        self.drill_at: Callable[[], float | None] = lambda: None
        """When a drill last proved the kill path; whoever runs drills sets it."""
        self.killed: Callable[[], bool] = lambda: desk.view.kill_since is not None
        """Whether the bot is killed, or to be: whoever keeps the latch of kills sets it."""
        self._catalogue = catalogue
        self._allow_live = allow_live

    def possible(self) -> dict[str, str]:
        """Every command, with why this bot cannot do it, which is empty where it can."""
        kind = self.desk.view.kind
        return dict(possible(kind, self.desk.last)) | {SET_MODE: self._no_mode()}

    def raises(self, name: str, *, target: str = "") -> bool:
        """Whether a command may raise the risk."""
        return raises_risk(name, target=target, tripped=self.desk.tripped.holds)

    async def send(
        self, who: Who, name: str, message: Mapping[str, object], *, approved: bool = True
    ) -> Entry:
        """Send a command; `message` is all of it but its type. Raises Invalid or NotNow.

        Not `approved` means that no reason and no code were asked for, because it did not raise the risk.
        """
        if name == SET_MODE:
            raise Invalid("the mode is changed in two steps")
        target = str(message.get(POSITION_ID, ""))

        def prepare(now: float) -> tuple[Mapping[str, object], Command]:
            row = plan(self.desk.view.kind, self.desk.last, name, message)
            self._must_be_connected()
            if name == RESUME and not approved and self.raises(name):
                raise NotNow("the bot was halted meanwhile, so this would raise the risk: ask again")
            whole = {**message, "type": name}
            return whole, Command(name, whole, order_for(name, now, self.desk.patience), row, target)

        return await self.desk.send(who, prepare)

    def preflight(self) -> list[Check]:
        """What must hold before live, for the panel."""
        return preflight(self._catalogue, self._before(), self.desk.now)

    def may_go(self, target: str) -> None:
        """Return where the mode may be changed to this one now; raises Invalid, or NotNow with what fails."""
        order(self._catalogue, self._before(), target, self.desk.now)

    async def set_mode(self, who: Who, target: str) -> Entry:
        """Change the mode; everything that must hold before is looked at again. Raises Invalid or NotNow."""

        def prepare(now: float) -> tuple[Mapping[str, object], Command]:
            message = order(self._catalogue, self._before(), target, now)
            patience = self.desk.patience
            self.desk.view.mode_ordered = (target, now + patience)
            return message, Command(SET_MODE, message, order_for(SET_MODE, now, patience), None, target)

        entry = await self.desk.send(who, prepare)
        if entry.stage in {Stage.NOT_SENT, Stage.REFUSED}:
            self.desk.view.mode_ordered = None  # if the mode changes all the same, nobody ordered that
        return entry

    def _no_mode(self) -> str:
        """Why the mode cannot be changed from here in any direction, or an empty text."""
        view = self.desk.view
        target = PAPER if view.last_mode == LIVE else LIVE
        try:
            self.may_go(target)
        except (Invalid, NotNow) as error:
            return str(error)
        return ""

    def _before(self) -> Before:
        desk, now = self.desk, self.desk.now
        view, known = desk.view, desk.known
        sight = view.at(now)
        return Before(
            allow_live=self._allow_live,
            connected=sight.connected,
            fresh=sight.live is not None,
            age=sight.age,
            state=desk.last,
            own=known.own,
            mode=view.last_mode,
            cap=view.cap,
            breached=view.latch.active(now) is not None,
            killed=self.killed(),
            unhedged=None if view.state is None or view.state.unhedged is None else sight.unhedged,
            drill_at=self.drill_at(),
            called_paper=view.called_paper,
        )

    def _must_be_connected(self) -> None:
        if not self.desk.known.connected:
            raise NotNow("the bot is not connected; nothing was sent")
