"""One change of one setting: checked before it is sent, then proven by value and mode in later states.

Pure: the bot's last words, later states and the time are passed in.

* `plan` checks: known to this bot, of its type, finite, in range, taken by a running bot; it says whether the
  change raises the risk, and what to know before. ARB_LIVE_MODE and its like are never changed here.
* `Change` follows what was sent. A change may flip the bot's mode, because deployed bots read all their
  settings anew and forget their command line. And it may poison the bot: a value that it cannot read stays in
  its environment, and every later change fails, so the old value is sent back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from exporter.control.catalogue import Catalogue
from exporter.control.order import Order, Stage, sentence
from exporter.control.parameter import BadValue, Parameter, Value, same, shown
from exporter.errors import Invalid, NotNow
from exporter.labels import MODES

UPDATE: Final = "update_config"
MISSING: Final = object()
HARMLESS: Final = ("requires_restart", "unknown key", "missing key", "missing value", "no handler")
"""How a deployed bot's refusals begin that leave nothing behind."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a change is judged by: the bot's last words. `own`: a bot of this project, by its `commands`."""

    own: bool
    connected: bool
    mode: str | None
    settings: Mapping[str, object] | None
    """The raw `config_snapshot` of the last state, whatever its age; None until one came."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that may be sent. `before` is None where the bot does not show the value it has."""

    parameter: Parameter
    before: object
    wanted: Value
    raises_risk: bool
    observable: bool
    warning: str

    @property
    def message(self) -> dict[str, object]:
        """The command as it goes over the wire; a blank is an empty text, which every bot takes for one."""
        return update(self.parameter.key, self.wanted)


def update(key: str, value: object) -> dict[str, object]:
    """The command that sets a value."""
    return {"type": UPDATE, "key": key, "value": "" if value is None else value}


def contradiction(catalogue: Catalogue, known: Known) -> str:
    """How the bot's mode and its own setting of it differ, or an empty text."""
    setting = (known.settings or {}).get(catalogue.mode_setting)
    if not isinstance(setting, bool) or known.mode not in MODES:
        return ""
    if setting == (known.mode == "live"):
        return ""
    own = f"{catalogue.mode_setting} is {str(setting).lower()}"
    return f"this bot says {known.mode} and its own {own}: any change may flip its mode"


def plan(catalogue: Catalogue, known: Known, key: str, raw: object, *, force: bool = False) -> Plan:
    """Check a change. Raises Invalid for what can never be sent, NotNow for what cannot as things stand."""
    parameter = catalogue.parameters.get(key)
    if parameter is None:
        raise Invalid(f"{shown(key)} is no setting of this kind of bot that this console knows")
    if key == catalogue.mode_setting:
        raise Invalid(f"{key} is not changed as a setting: change the mode, which takes two steps")
    try:
        wanted = parameter.parse(raw)
    except BadValue as error:
        raise Invalid(f"{key}: {error}") from None
    if (why := parameter.refusal(own=known.own)) is not None:
        raise Invalid(f"{key}: {why}")
    if not known.connected:
        raise NotNow("the bot is not connected; nothing was sent")
    if known.settings is None:
        raise NotNow("the bot has not shown its settings yet; wait for its first state")
    if key not in known.settings:
        raise Invalid(f"{key}: this bot does not show this setting, so it does not have it")
    warning = contradiction(catalogue, known)
    if warning and not force:
        raise NotNow(f"{warning}; to send the change all the same, ask with force")
    if not warning and not known.own and known.mode == "live":
        warning = (
            "at a change this bot reads all its settings anew: where it was started with --live and without"
            f" {catalogue.mode_setting}=true, it goes back to paper"
        )
    before = known.settings[key]
    raises = parameter.raises_risk(before, wanted, known.settings)
    return Plan(parameter, before, wanted, raises, parameter.observable(own=known.own), warning)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a later state says: its mode and its raw settings, either None where it says nothing."""

    mode: str | None
    settings: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change on its way. `mode` is the one before it; `restore` follows an old value that was sent back."""

    key: str
    before: object
    wanted: Value
    mode: str | None
    observable: bool
    own: bool
    order: Order
    restore: Order | None = None
    flipped_to: str | None = None
    flipped_at: float | None = None

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        if self.flipped_to is not None:
            return Stage.MODE_FLIPPED
        if self.restore is not None:
            return Stage.POISONED if self.restore.stage.final else Stage.RESTORING
        if self.must_restore is not None:
            return Stage.RESTORING
        if self.order.stage is Stage.VERIFIED and not self.observable:
            return Stage.NOT_OBSERVABLE
        return self.order.stage

    @property
    def says(self) -> str:
        """The same as a sentence, with what was seen."""
        match self.stage:
            case Stage.MODE_FLIPPED:
                return (
                    f"the mode went from {self.mode} to {self.flipped_to} with this change; change the mode"
                    f" to {self.mode} to go back"
                )
            case Stage.NOT_OBSERVABLE:
                return f"{self.order.says}; no state can show whether the running bot works with it"
            case Stage.RESTORING | Stage.POISONED if self.restore is not None:
                return f"{self.order.says}; {_restored(self.restore, self.before)}"
        return self.order.says

    @property
    def decided_at(self) -> float | None:
        """When the last word on it was said, if it was."""
        if not self.stage.final:
            return None
        return self.flipped_at or (self.restore or self.order).decided_at

    @property
    def restored(self) -> bool:
        """Whether a state shows that the old value, which was sent back, holds again."""
        return self.restore is not None and self.restore.stage is Stage.VERIFIED and self.flipped_to is None

    @property
    def must_restore(self) -> dict[str, object] | None:
        """The command that sends the old value back, where a refused one may have stayed with the bot."""
        poisoned = self.order.stage is Stage.REFUSED and self.restore is None and not self._harmless
        return update(self.key, self.before) if poisoned and self.before is not None else None

    @property
    def _harmless(self) -> bool:
        said = sentence((self.order.answer or {}).get("error"))
        return self.own or said.startswith(HARMLESS)

    def answered(self, ack: Mapping[str, object], now: float) -> Change:
        """The bot's answer; one that names another key is none."""
        if "key" in ack and ack["key"] != self.key:
            return self.unanswered(f"the answer was about {shown(ack['key'])}", now)
        return replace(self, order=self.order.answered(ack, now))

    def unanswered(self, why: str, now: float) -> Change:
        """No answer came."""
        return replace(self, order=self.order.unanswered(why, now))

    def not_sent(self, why: str, now: float) -> Change:
        """The link was down."""
        return replace(self, order=self.order.not_sent(why, now))

    def restoring(self, order: Order) -> Change:
        """The old value was sent back; `order` follows it."""
        return replace(self, restore=order)

    def seen(self, state: Seen, now: float) -> Change:
        """A later state."""
        order = self.restore or self.order
        if order.stage not in {Stage.ACKED, Stage.UNANSWERED}:
            return self
        if self.mode in MODES and state.mode in MODES and state.mode != self.mode:
            return replace(self, flipped_to=state.mode, flipped_at=now)
        if self.mode in MODES and state.mode is None:
            return self  # the value alone proves nothing of the mode
        shows, seen = self._shows(order, state)
        return self._next(order.saw(shows, now, seen))

    def tick(self, now: float) -> Change:
        """The time passes."""
        return self._next((self.restore or self.order).tick(now))

    def _next(self, order: Order) -> Change:
        return replace(self, order=order) if self.restore is None else replace(self, restore=order)

    def _shows(self, order: Order, state: Seen) -> tuple[bool | None, str]:
        target = self.before if self.restore is not None else self.wanted
        value = MISSING if state.settings is None else state.settings.get(self.key, MISSING)
        if value is MISSING:
            return None, ""
        shows = same(value, target)
        if shows and order.stage is Stage.UNANSWERED and same(self.before, self.wanted):
            return None, ""  # it stood there before, so it proves nothing
        return shows, f"{self.key} = {shown(value)}"


def _restored(restore: Order, before: object) -> str:
    back = f"the old value {shown(before)}"
    match restore.stage:
        case Stage.VERIFIED:
            return f"{back} was sent back and holds again"
        case Stage.REFUSED:
            return (
                f"{back} was sent back and refused, too ({restore.says}): a value that the bot cannot read is"
                " in its environment, and every change will fail until that setting gets a good value"
            )
    return f"{back} was sent back: {restore.says}"
