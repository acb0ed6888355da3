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

from pydantic import BaseModel, ConfigDict

from exporter import own_file
from exporter.config_faults import Fault
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
    content = own_file.read(path, _File, Described.model_fields, _across)
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
