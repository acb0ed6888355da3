"""Reads the catalogue of each kind of bot: every setting, what it takes and what a change of it does.

The files lie in exporter/catalogues/, one for each kind, and belong to the program: a fault in one is raised
as ConfigError, with all faults and their lines. No credential ever stands in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from exporter import yaml_lines
from exporter.config_faults import ConfigError, Fault, explain
from exporter.control.parameter import Described, Parameter
from exporter.state import is_credential

FOLDER: Final = Path(__file__).parents[1] / "catalogues"
MODE_SETTINGS: Final[Mapping[str, str]] = {"arb": "ARB_LIVE_MODE", "ema": "EMA_LIVE_MODE"}
"""By kind of bot, the setting that its mode comes from; it is never changed as a setting."""


class _File(BaseModel):
    """The whole file: titles of categories in their order, and the settings of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    categories: dict[str, str]
    settings: dict[str, dict[str, Described]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The settings of one kind of bot, by key, in the order in which people read them."""

    kind: str
    categories: tuple[str, ...]
    parameters: Mapping[str, Parameter]

    @property
    def mode_setting(self) -> str:
        """The key of the setting that the bot's mode comes from."""
        return MODE_SETTINGS.get(self.kind, "")

    def of(self, *, own: bool) -> dict[str, Parameter]:
        """The settings of a bot of this project, or of one that somebody else wrote."""
        return {key: parameter for key, parameter in self.parameters.items() if parameter.own or not own}


@cache
def catalogue(kind: str) -> Catalogue:
    """The catalogue of a kind of bot; raises ConfigError where the file is missing or faulty."""
    return load(FOLDER / f"{kind}.yml")


def load(path: Path) -> Catalogue:
    """Read and check one catalogue; raises ConfigError with every fault, each with its line."""
    try:
        document = yaml_lines.read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [Fault((), f"cannot be read: {error}.")]) from error
    faults, content = list(document.faults), None
    try:
        content = _File.model_validate(document.value if isinstance(document.value, dict) else {})
    except ValidationError as error:
        faults += [explain(detail, Described.model_fields) for detail in error.errors()]
    if content is not None:
        faults += _across(content)
    if content is None or faults:
        raise ConfigError(str(path), [_placed(fault, document) for fault in faults])
    parameters = {
        key: Parameter(key=key, category=content.categories[category], **dict(described))
        for category, group in content.settings.items()
        for key, described in group.items()
    }
    return Catalogue(content.kind, tuple(content.categories.values()), parameters)


def _across(content: _File) -> Iterator[Fault]:
    """Faults that only the whole file shows."""
    listed: dict[str, str] = {}
    every = {key for group in content.settings.values() for key in group}
    for category, group in content.settings.items():
        if category not in content.categories:
            yield Fault(("settings", category), "has no title under `categories`.")
        for key, described in group.items():
            place = ("settings", category, key)
            if is_credential(key):
                yield Fault(place, "looks like a credential, which is never shown nor stored.")
            if listed.setdefault(key, category) != category:
                yield Fault(place, f"stands under `{listed[key]}`, too.")
            for source in set(described.inherits) - every:
                yield Fault((*place, "inherits"), f"names {source}, which is no setting here.")


def _placed(fault: Fault, document: yaml_lines.Document) -> Fault:
    return Fault(fault.path, fault.says, fault.line or document.line(fault.path))
