"""Settings that change while the bot runs, or refuse with a sentence and change nothing.

A bot's settings are one frozen dataclass whose fields are declared with `setting(...)`. The store swaps the
whole object for a new one, so a reader never sees half a change, and what the command line set stays set::

    @dataclass(frozen=True, slots=True) class Settings: max_dollars: float = setting(40.0,
    key="ARB_MAX_DOLLARS_PER_TRADE", category="sizing", minimum=0, risk="up")

A `__post_init__` that raises ValueError with a sentence guards what several settings must fulfil together.

Errors::

    SettingsError(ValueError)
    ├── Refused             the change is not made; the text is the answer
    │   ├── UnknownKey          "unknown key: K"
    │   └── RequiresRestart     "requires_restart"
    └── InvalidSettings     at start: every fault at once, in `faults`
"""

import dataclasses
import difflib
import threading
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from botkit.setting_values import BadValue, Risk, Setting

S = TypeVar("S")

_METADATA: Final = "setting"


class SettingsError(ValueError):
    """Settings, or a change of them, cannot be taken."""


class Refused(SettingsError):  # noqa: N818 - named for what became of the change
    """A change is not made; the text says why."""


class UnknownKey(Refused):
    """No setting has this key."""

    def __init__(self, key: object) -> None:
        super().__init__(f"unknown key: {key}")


class RequiresRestart(Refused):
    """The setting is read at start only."""

    def __init__(self) -> None:
        super().__init__("requires_restart")


class InvalidSettings(SettingsError):  # noqa: N818 - as above
    """The settings at start have faults; `faults` has one sentence for each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A change that was made: the typed values before and after, as they stand in the snapshot."""

    key: str
    old: object
    new: object


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Settings read at start, and a sentence for each variable that looks like a setting but is none."""

    settings: S
    warnings: tuple[str, ...]


def setting(
    default: object,
    *,
    key: str,
    category: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    hot: bool = True,
    risk: Risk = "none",
    help: str = "",
) -> Any:
    """Declare a field of a settings dataclass; its annotation says the type."""
    declared = {
        "key": key,
        "category": category,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "hot": hot,
        "risk": risk,
        "help": help,
    }
    return dataclasses.field(default=default, metadata={_METADATA: declared})


def catalogue(settings: type) -> dict[str, Setting]:
    """Return each field's name and setting, as declared. Raises TypeError for a type it can't hold."""
    hints = typing.get_type_hints(settings)
    catalogued = {}
    for field in dataclasses.fields(settings):
        kind, optional = _kind(hints[field.name])
        catalogued[field.name] = Setting(
            kind=kind, optional=optional, default=field.default, **field.metadata[_METADATA]
        )
    return catalogued


def from_env(
    settings: Callable[..., S],
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    prefix: str = "ARB_",
    also_known: Callable[[str], bool] = lambda _name: False,
) -> Loaded[S]:
    """Read settings at start: command line (`overrides`, by key) over environment over default.

    A blank variable and an override of None count as not given. Variables with `prefix` that are no
    setting, nor `also_known`, are named in the warnings. Raises InvalidSettings with all faults together.
    """
    by_key = {s.key: (name, s) for name, s in catalogue(typing.cast(type, settings)).items()}
    given: dict[str, object] = {key: environ[key] for key in by_key if environ.get(key, "").strip()}
    given |= {key: value for key, value in (overrides or {}).items() if value is not None}
    values, faults = {}, []
    for key, raw in given.items():
        if key not in by_key:
            faults.append(str(UnknownKey(key)))
            continue
        name, declared = by_key[key]
        try:
            values[name] = declared.parse(raw)
        except BadValue as exc:
            faults.append(f"{key}: {exc}")
    if faults:
        raise InvalidSettings(faults)
    try:
        loaded = settings(**values)
    except ValueError as exc:
        raise InvalidSettings([str(exc)]) from exc
    strange = [n for n in sorted(environ) if n.startswith(prefix) and n not in by_key and not also_known(n)]
    return Loaded(loaded, tuple(_unknown_variable(name, by_key) for name in strange))


class SettingsStore(Generic[S]):
    """The settings that hold now; `current` is read from any thread, changes come one at a time."""

    def __init__(self, settings: S) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._by_key = {s.key: (name, s) for name, s in catalogue(type(settings)).items()}

    @property
    def current(self) -> S:
        """The whole settings object; take it once for all that must fit together."""
        return self._settings

    def snapshot(self) -> dict[str, object]:
        """Return every setting by key, typed, as the state's `config_snapshot` carries it."""
        settings = self._settings
        return {key: s.wire(getattr(settings, name)) for key, (name, s) in self._by_key.items()}

    def update(self, key: object, value: object) -> Change:
        """Change one setting. Raises Refused, after which nothing has changed."""
        if not isinstance(key, str) or key not in self._by_key:
            raise UnknownKey(key)
        name, declared = self._by_key[key]
        if not declared.hot:
            raise RequiresRestart
        try:
            new = declared.parse(value)
        except BadValue as exc:
            raise Refused(str(exc)) from exc
        with self._lock:
            old = getattr(self._settings, name)
            try:
                self._settings = dataclasses.replace(typing.cast(Any, self._settings), **{name: new})
            except ValueError as exc:
                raise Refused(str(exc)) from exc
        return Change(key, declared.wire(old), declared.wire(new))


def _kind(annotation: object) -> tuple[type, bool]:
    """Return the type a field holds and whether it may be blank."""
    members = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not types.NoneType]
    optional = members != [annotation]
    if len(members) == 1:
        kind = typing.get_origin(members[0]) or members[0]
        if kind in (bool, int, float, str) or (kind is tuple and not optional):
            return typing.cast(type, kind), optional
    raise TypeError(f"a setting can't be of type {annotation}")


def _unknown_variable(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"{name} is no setting of this bot" + (f"; did you mean {close[0]}?" if close else "")
