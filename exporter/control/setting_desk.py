"""Changes of one bot's settings, and of its mode: planned, sent by its desk, followed in its book.

plan(…)     what a change would be, before anybody is asked for a reason or a code
change(…)   sends it, and returns once it is answered; later states decide
revert(…)   the plan that takes a change of the history back
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from botkit.messages import STATE
from exporter.control.catalogue import Catalogue
from exporter.control.change import Change, Plan, plan
from exporter.control.desk import Desk, Entry, Who
from exporter.control.order import Order
from exporter.control.settings_book import Record, SettingsBook
from exporter.errors import Invalid, NotNow
from exporter.view import BotView

Changed = Callable[[str, Record | None], None]
"""Called with a bot's name and a change of the history, or None where rows of settings are to be written."""

REFRESH_SECONDS: Final = 60.0
"""How often the time at which a setting was last seen is told, while nothing else changes."""


class SettingDesk:
    """The settings of one bot. Its `heard` is called after its desk's."""

    def __init__(self, desk: Desk, catalogue: Catalogue, changed: Changed = lambda bot, record: None) -> None:
        self.desk = desk
        self.catalogue = catalogue
        self.book = SettingsBook(catalogue)
        self.changed = changed
        self._told_at = 0.0
        self._shown: Mapping[str, object] | None = None
        desk.tell(self._follow)

    @property
    def bot(self) -> str:
        """Whose settings they are."""
        return self.desk.view.name

    def plan(self, key: str, raw: object, *, force: bool = False) -> Plan:
        """Check a change; raises Invalid or NotNow with a sentence."""
        planned, known = plan(self.catalogue, self.desk.known, key, raw, force=force), self.desk.known
        # What is on its way may hold already, whatever the last state shows.
        on_its_way = [entry.thing for entry in self.desk.entries() if not entry.stage.final]
        raises = planned.raises_risk or any(
            planned.parameter.raises_risk(thing.wanted, planned.wanted, known.settings or {})
            for thing in on_its_way
            if isinstance(thing, Change) and thing.key == key
        )
        return replace(planned, raises_risk=raises)

    async def change(self, who: Who, key: str, raw: object, *, approved: Plan, force: bool = False) -> Entry:
        """Send a change; `approved` is what was planned when a reason and a code were asked for.

        Raises Invalid or NotNow, also where the bot has changed meanwhile so that more must be asked.
        """

        def prepare(now: float) -> tuple[Mapping[str, object], Change]:
            planned = self.plan(key, raw, force=force)
            if planned.raises_risk and not approved.raises_risk:
                raise NotNow(f"{key} is another value by now, so this would raise the risk: ask again")
            known = self.desk.known
            order = Order(now, self.desk.patience)
            return planned.message, Change(
                key, planned.before, planned.wanted, known.mode, planned.observable, known.own, order
            )

        return await self.desk.send(who, prepare)

    def revert(self, command_id: str) -> tuple[str, object]:
        """Key and value that take a change back; raises Invalid where there is no such change."""
        record = self.book.of_change(command_id)
        if record is None:
            raise Invalid("no change of a setting has this id, or it is too old")
        return record.key, record.before

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came; for `Bridge.listen`, before that of its desk."""
        snapshot = message.get("config_snapshot")
        if message.get("type") != STATE or not isinstance(snapshot, Mapping):
            return
        own = isinstance(message.get("commands"), list)
        began = view.session.began
        observed = self.book.take(snapshot, own=own, session=view.session, began=began, now=now)
        ended = self.book.resolve(own=own, mode=message.get("mode"))
        for record in observed:
            self.changed(self.bot, record)
        if observed or ended:
            view.unverified = self.book.unverified()
        if observed or ended or snapshot != self._shown or now - self._told_at >= REFRESH_SECONDS:
            self._told_at, self._shown = now, snapshot
            self.changed(self.bot, None)

    def _follow(self, entry: Entry) -> None:
        """A command of this desk was sent, answered or decided."""
        if isinstance(entry.thing, Change):
            who = entry.who
            record = self.book.follow(entry.id, entry.thing, who.name, who.source, who.reason)
            self.desk.view.unverified = self.book.unverified()
            self.changed(self.bot, record)
