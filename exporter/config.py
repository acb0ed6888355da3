"""Reads exporter.yml once into frozen settings, or says everything that is wrong with it.

    load(path)          -> Config, or raises ConfigError with all faults of the file, each with its line
    addresses(environ)  -> Addresses, or raises ConfigError with all faults of the environment

Paths in the file that are not absolute are relative to the folder of the file. Token files are named here and
never opened. `unused_parts` names what is accepted and checked but not used yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from exporter import yaml_lines
from exporter.config_faults import ConfigError, Fault, explain, unknown_key
from exporter.config_values import (
    Clock,
    Days,
    Exchange,
    FilePath,
    Flag,
    Host,
    Name,
    Person,
    Port,
    Reason,
    Seconds,
    SecretFile,
    Venue,
    Zone,
    joined,
    one_of,
    web_address,
)
from exporter.exchanges import EXCHANGES, EXTENDED, EXTENDED_HOURS, REGULAR

STORES_BY_KIND: Mapping[str, frozenset[str]] = {"arb": frozenset({"orders", "analytics"})}


class _Group(BaseModel):
    """A group of keys: frozen, and a key it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)


class Listen(_Group):
    """Where this program answers."""

    host: Host = "127.0.0.1"
    port: Port = 9121

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        return joined(self.host, self.port)


class Tokens(_Group):
    """Files with the tokens of those who may ask for something; hidden, because secrets get pasted here."""

    operators: dict[Person, SecretFile] = Field(default={}, repr=False)
    viewers: dict[Person, SecretFile] = Field(default={}, repr=False)
    grafana: SecretFile | None = Field(default=None, repr=False)
    alertmanager: SecretFile | None = Field(default=None, repr=False)


class Day(_Group):
    """The operator's own trading day."""

    tz: Zone = "UTC"
    rolls_at: Clock = 0


class Window(_Group):
    """A weekly time in which a bot is meant to be quiet.

    `days` are weekdays on which it begins (0 = Monday), `opens` and `closes` minutes after midnight in `tz`;
    a window that closes before it opens ends on the next day.
    """

    tz: Zone
    days: Days
    opens: Clock = Field(alias="from")
    closes: Clock = Field(alias="to")
    reason: Reason
    venue: Venue | None = None


class ExchangeHours(_Group):
    """An exchange: whenever it is closed, a bot is meant to be quiet."""

    exchange: Exchange
    open: Annotated[Literal["regular", "extended"], one_of(REGULAR, EXTENDED)] = REGULAR
    reason: Reason | None = None
    venue: Venue | None = None


def _entry_is(value: object) -> str:
    """Which of the two an entry of a schedule is meant to be, by a mark that stands in pydantic's paths."""
    return _EXCHANGE if isinstance(value, dict) and "exchange" in value else _WINDOW


_WINDOW, _EXCHANGE = "[window]", "[exchange]"
_MARKS: Final = {"[key]", _WINDOW, _EXCHANGE}
"""Steps that pydantic's paths have and the file has not."""
Entry = Annotated[
    Annotated[Window, Tag(_WINDOW)] | Annotated[ExchangeHours, Tag(_EXCHANGE)], Discriminator(_entry_is)
]


class BotConfig(_Group):
    """One bot to watch. Times in seconds; `tier` None means the bot's last known mode decides."""

    name: Name
    kind: Annotated[Literal["arb", "ema"], one_of("arb", "ema")]
    host: Host = "127.0.0.1"
    port: Port = 9120
    stores: dict[Name, FilePath] = {}
    kill_file: FilePath | None = None
    expected_interval: Seconds | None = None
    stale_after: Seconds | None = None
    tier: Annotated[Literal["paper", "live"], one_of("paper", "live")] | None = None
    schedule: tuple[Entry, ...] = ()
    """Times in which the bot is meant to be quiet, or with `venue` that venue's market data alone."""

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        return joined(self.host, self.port)


class Config(_Group):
    """Everything in exporter.yml."""

    listen: Listen = Listen()
    reporting_db: FilePath = Field(default=Path("data/reporting.db"), validate_default=True)
    tokens: Tokens = Field(default=Tokens(), repr=False)
    grafana_users: tuple[Person, ...] = ()
    allow_live: Flag = False
    four_eyes: Flag = False
    day: Day = Day()
    bots: tuple[BotConfig, ...]

    @property
    def latch_folder(self) -> Path:
        """The folder of small files that must survive a restart, such as the latch of a breached loss cap."""
        return self.reporting_db.parent


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the other programs are: `*_public` for a person's browser, the rest for this process."""

    grafana_public: str
    exporter_public: str
    prometheus_public: str
    grafana: str
    prometheus: str
    alertmanager: str


ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "grafana_public": ("PUBLIC_URL", "http://localhost:3000"),
    "exporter_public": ("EXPORTER_PUBLIC_URL", "http://localhost:9121"),
    "prometheus_public": ("PROMETHEUS_PUBLIC_URL", "http://localhost:9090"),
    "grafana": ("GRAFANA_URL", "http://127.0.0.1:3000"),
    "prometheus": ("PROMETHEUS_URL", "http://127.0.0.1:9090"),
    "alertmanager": ("ALERTMANAGER_URL", "http://127.0.0.1:9093"),
}


def addresses(environ: Mapping[str, str]) -> Addresses:
    """The addresses from the environment; an empty variable counts as absent."""
    found, faults = {}, []
    for field, (variable, default) in ENVIRONMENT.items():
        try:
            found[field] = web_address(environ.get(variable) or default)
        except ValueError as error:
            faults.append(Fault((variable,), f"cannot be used: {error}."))
    if faults:
        raise ConfigError("the environment", faults)
    return Addresses(**found)


def load(path: Path) -> Config:
    """Read and check the file; raises ConfigError with every fault that can be found in one reading."""
    document = yaml_lines.read(_text_of(path))
    if document.faults and document.value is None:
        raise ConfigError(str(path), document.faults)
    faults = list(document.faults)
    config = None
    try:
        config = Config.model_validate(
            {} if document.value is None else document.value, context={"folder": path.parent.absolute()}
        )
    except ValidationError as error:
        faults += [explain(detail, _known_at(detail["loc"][:-1])) for detail in error.errors()]
    faults += _across(document.value)
    if config is None or faults:
        raise ConfigError(str(path), [_placed(fault, document) for fault in faults])
    return config


def _text_of(path: Path) -> str:
    """The file as text, or a ConfigError with what to do about it."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        says = "does not exist; give its path with --config FILE, or copy the exporter.yml of this project."
    except IsADirectoryError:
        says = (
            "is a folder, which Docker makes when a file to mount is missing; remove it and mount the file."
        )
    except PermissionError:
        says = "may not be read by this user; give it read permission, or run as its owner."
    except UnicodeDecodeError as error:
        says = f"is not UTF-8 text (byte {error.start}); save it as UTF-8."
    except OSError as error:
        says = f"cannot be read: {error.strerror}."
    raise ConfigError(str(path), [Fault((), says)])


_GROUPS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Config,
    ("listen",): Listen,
    ("tokens",): Tokens,
    ("day",): Day,
    ("bots",): BotConfig,
    ("bots", "schedule", _WINDOW): Window,
    ("bots", "schedule", _EXCHANGE): ExchangeHours,
}


def _known_at(path: Sequence[str | int]) -> list[str]:
    """The keys that mean something in the group at a place."""
    group = _GROUPS.get(tuple(step for step in path if isinstance(step, str)))
    return [] if group is None else [field.alias or name for name, field in group.model_fields.items()]


def _placed(fault: Fault, document: yaml_lines.Document) -> Fault:
    """The fault with its line, without pydantic's own marks in its path."""
    path = tuple(step for step in fault.path if step not in _MARKS)
    return Fault(path, fault.says, fault.line or document.line(path))


def _across(value: yaml_lines.Plain) -> Iterator[Fault]:
    """Faults between values, found in the plain values so that they stand beside faults of single ones."""
    listed = value.get("bots") if isinstance(value, dict) else None
    if listed == []:
        yield Fault(("bots",), "is empty; expected at least one bot to watch.")
    names: dict[object, int] = {}
    hosts: dict[tuple[object, object], int] = {}
    for index, bot in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(bot, dict):
            continue
        if isinstance(name := bot.get("name"), str) and (first := names.setdefault(name, index)) != index:
            yield Fault(
                ("bots", index, "name"), f"is {name!r} like bots[{first}]; give each bot a name of its own."
            )
        address = (str(bot.get("host", "127.0.0.1")), str(bot.get("port", 9120)))
        if (first := hosts.setdefault(address, index)) != index:
            says = f"has the same host and port as bots[{first}]; each bot has a control socket of its own."
            yield Fault(("bots", index), says)
        yield from _within_bot(bot, ("bots", index))


def _within_bot(bot: Mapping[str, yaml_lines.Plain], path: tuple[str | int, ...]) -> Iterator[Fault]:
    interval, stale = bot.get("expected_interval"), bot.get("stale_after")
    if isinstance(interval, int | float) and isinstance(stale, int | float) and stale <= interval:
        says = (
            f"is {stale:g} s, but must be above expected_interval ({interval:g} s), else fresh data is stale."
        )
        yield Fault((*path, "stale_after"), says)
    stores, known = bot.get("stores"), STORES_BY_KIND.get(str(bot.get("kind")))
    for store in stores if isinstance(stores, dict) and known else ():
        if known is not None and store not in known:
            yield Fault((*path, "stores", store), unknown_key(store, known))
    schedule = bot.get("schedule")
    for number, entry in enumerate(schedule if isinstance(schedule, list) else ()):
        if isinstance(entry, dict):
            yield from _within_entry(entry, (*path, "schedule", number))


def _within_entry(entry: Mapping[str, yaml_lines.Plain], path: tuple[str | int, ...]) -> Iterator[Fault]:
    if entry.get("from") is not None and entry.get("from") == entry.get("to"):
        yield Fault(path, 'begins and ends at the same time; a whole day is from "00:00" to "24:00".')
    code = str(entry.get("exchange"))
    if entry.get("open") == EXTENDED and code in EXCHANGES and code not in EXTENDED_HOURS:
        says = f"is 'extended', but only {' and '.join(EXTENDED_HOURS)} have known hours beside the regular."
        yield Fault((*path, "open"), says)


def unused_parts(config: Config) -> list[str]:
    """The parts of the file that were written down and that the running exporter does not use yet."""
    return [f"stores of {bot.name}" for bot in config.bots if bot.stores and bot.kind not in STORES_BY_KIND]
