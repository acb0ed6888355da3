"""What is known of one bot's settings: values, the session's start, who changed what when, what is in doubt.

Pure: states, changes and the time are passed in. Only settings of the catalogue are kept, so neither a
credential nor an unknown key ever is. A value that changed without an order of this console is recorded so.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from exporter.control.catalogue import Catalogue
from exporter.control.change import MISSING, Change
from exporter.control.order import Stage
from exporter.control.parameter import Parameter, same

KNOWN_START_SECONDS: Final = 300.0
"""A session that was seen this early had the values that were seen first at its start, too."""
HISTORY: Final = 500
OBSERVED: Final = "observed"
AT_RESTART: Final = "at_restart"
BOT: Final = "bot"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of one bot. Values are as the bot sends them; MISSING is "not known"."""

    parameter: Parameter
    value: object = MISSING
    session_start: object = MISSING
    seen_at: float | None = None
    changed_at: float | None = None
    changed_by: str = ""
    state: str = ""
    """What became of the last change by this console: a word of Stage."""
    wanted: object = MISSING
    mode: str | None = None
    """The mode before that change: where it flipped, the doubt ends when the bot is back in it."""

    @property
    def differs_from_default(self) -> bool | None:
        """Whether the value is another than the documented default; None while it is not known."""
        return None if self.value is MISSING else not same(self.value, self.parameter.default)

    @property
    def differs_from_start(self) -> bool | None:
        """Whether the value is another than at the session's start; None while either is not known."""
        if MISSING in (self.value, self.session_start):
            return None
        return not same(self.value, self.session_start)


@dataclass(frozen=True, slots=True)
class Record:
    """One change in the history. `command_id` is None where this console did not order it."""

    command_id: str | None
    key: str
    at: float
    before: object
    after: object
    who: str
    source: str
    reason: str
    state: str


class SettingsBook:
    """All settings of one bot that its catalogue knows."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.settings: dict[str, Setting] = {}
        self.history: deque[Record] = deque(maxlen=HISTORY)
        """The newest last."""
        self._tried: set[str] = set()
        """Settings that this console has tried to change."""
        self._snapshot: Mapping[str, object] | None = None
        self._seen_at: float | None = None
        self._session: object = None
        self._began = 0.0
        self._ordered: dict[str, tuple[object, str]] = {}

    def recall(self, settings: Iterable[Setting], history: Iterable[Record]) -> None:
        """What an earlier run of this program knew; what is known by now goes before."""
        for earlier in settings:
            key = earlier.parameter.key
            now = self.settings.get(key)
            self.settings[key] = earlier if now is None else self._joined(now, earlier)
        stages = frozenset(Stage)
        self._tried |= {key for key, setting in self.settings.items() if setting.state in stages}
        own = list(self.history)
        self.history.clear()
        self.history.extend([*history, *own])
        for record in self.history:
            setting = self.settings.get(record.key)
            if record.command_id is not None and setting is not None and setting.state == Stage.UNKNOWN:
                self._ordered[record.key] = (setting.wanted, record.who)

    def _joined(self, now: Setting, earlier: Setting) -> Setting:
        """What is known now, and of the rest what was known earlier."""
        same_session = earlier.seen_at is not None and earlier.seen_at >= self._began
        start = earlier.session_start if same_session else MISSING
        return replace(
            now,
            session_start=start if now.session_start is MISSING else now.session_start,
            changed_at=now.changed_at or earlier.changed_at,
            changed_by=now.changed_by or earlier.changed_by,
            state=now.state or earlier.state,
            wanted=earlier.wanted if now.wanted is MISSING else now.wanted,
        )

    def take(
        self, snapshot: Mapping[str, object], *, own: bool, session: object, began: float, now: float
    ) -> list[Record]:
        """Take in the settings of a state; the changes in it that this console did not order.

        `session` tells runs of the bot apart, which `began` at that time.
        """
        self._seen_at = now
        if snapshot == self._snapshot and session == self._session:
            return []  # as most states are
        self._snapshot = dict(snapshot)
        first = self._session is None
        restarted = not first and session != self._session
        from_its_start = restarted or (first and now - began <= KNOWN_START_SECONDS)
        self._session, self._began = session, began
        observed = []
        for key, parameter in self._catalogue.of(own=own).items():
            value = snapshot.get(key, MISSING)
            before = self.settings.get(key) or Setting(parameter)
            earlier = restarted or (first and before.seen_at is not None and before.seen_at < began)
            after = replace(before, value=value, seen_at=before.seen_at if value is MISSING else now)
            if earlier or (from_its_start and before.session_start is MISSING):
                after = replace(after, session_start=value if from_its_start else MISSING)
            if MISSING not in (value, before.value) and not same(value, before.value):
                after, record = self._changed(after, before.value, value, now, restarted=earlier)
                observed += [] if record is None else [record]
            self.settings[key] = after
        self.history.extend(observed)
        return observed

    def _changed(
        self, setting: Setting, before: object, value: object, now: float, *, restarted: bool
    ) -> tuple[Setting, Record | None]:
        """A value that is another than in the state before: by whom, as far as is known."""
        key = setting.parameter.key
        wanted, who = self._ordered.get(key, (MISSING, ""))
        if wanted is not MISSING and same(wanted, value):
            del self._ordered[key]
            return replace(setting, changed_at=now, changed_by=who), None
        state = AT_RESTART if restarted else OBSERVED
        by = "restart of the bot" if restarted else "not by this console"
        setting = replace(setting, changed_at=now, changed_by=by, state=state, wanted=MISSING)
        return setting, Record(None, key, now, before, value, "", BOT, "", state)

    def follow(self, command_id: str, change: Change, who: str, source: str, reason: str) -> Record:
        """A change was sent, answered or decided; its record, which replaces the one with the same id."""
        record = Record(
            command_id,
            change.key,
            change.order.sent_at,
            change.before,
            change.wanted,
            who,
            source,
            reason,
            change.stage,
        )
        kept = [number for number, old in enumerate(self.history) if old.command_id == command_id]
        if kept:
            self.history[kept[-1]] = record
        else:
            self.history.append(record)
        if self._overtaken(record):
            return record  # what the setting is to be now, the later change says
        if change.stage in {Stage.REFUSED, Stage.NOT_SENT}:
            self._ordered.pop(change.key, None)
        elif change.stage in {Stage.SENT, Stage.RESTORING}:
            expected = change.wanted if change.stage is Stage.SENT else change.before
            self._ordered[change.key] = (expected, who)
        setting = self.settings.get(change.key)
        if setting is not None:
            self._tried.add(change.key)
            # Where the old value holds again the doubt is over; the history keeps the whole story.
            state = Stage.REFUSED if change.restored else change.stage
            self.settings[change.key] = replace(setting, state=state, wanted=change.wanted, mode=change.mode)
        return record

    def _overtaken(self, record: Record) -> bool:
        """Whether this console has ordered another change of the same setting since, and the bot took it."""
        for other in reversed(self.history):
            came_to_nothing = other.state in {Stage.REFUSED, Stage.NOT_SENT}
            if other.key == record.key and other.command_id is not None and not came_to_nothing:
                return other.command_id != record.command_id
        return False

    def resolve(self, *, own: bool, mode: object) -> list[str]:
        """Settings whose doubt has ended: a later state shows what was wanted, in the mode of before."""
        ended = []
        for key in self._tried:
            setting = self.settings[key]
            doubted = setting.state in {Stage.UNKNOWN, Stage.NOT_VERIFIED}
            back = setting.state == Stage.MODE_FLIPPED and setting.mode is not None and setting.mode == mode
            known = MISSING not in (setting.value, setting.wanted)
            if (doubted or back) and known and same(setting.value, setting.wanted):
                observable = setting.parameter.observable(own=own)
                stage = Stage.VERIFIED if observable else Stage.NOT_OBSERVABLE
                self.settings[key] = replace(setting, state=stage)
                ended.append(key)
        return ended

    def unverified(self) -> dict[str, bool]:
        """The settings that this console has tried to change, and whether the last attempt is in doubt."""
        stages = {stage.value: stage for stage in Stage}
        return {
            key: stages[state].doubtful
            for key in self._tried
            if (state := self.settings[key].state) in stages
        }

    def rows(self) -> Iterator[Setting]:
        """Every setting, in the order of the page, as of the last state."""
        for setting in self.settings.values():
            shown = self._seen_at is not None and setting.value is not MISSING
            yield replace(setting, seen_at=self._seen_at) if shown else setting

    def of_change(self, command_id: str) -> Record | None:
        """A change of the history by its id."""
        return next((record for record in self.history if record.command_id == command_id), None)


def as_text(value: object) -> str | None:
    """A value as the database and people read it: `true`, `10`, `kalshi`, a JSON object; None is blank."""
    if value is MISSING or value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, default=str)


def as_number(value: object) -> float | None:
    """A value as a number; switches are 1 and 0."""
    return float(value) if isinstance(value, bool | int | float) else None
