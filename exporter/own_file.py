"""Reads a YAML file that belongs to the program: checked by its model, each fault with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from exporter import yaml_lines
from exporter.config_faults import ConfigError, Fault, explain

Content = TypeVar("Content", bound=BaseModel)


def read(
    path: Path, model: type[Content], known: Iterable[str], across: Callable[[Content], Iterable[Fault]]
) -> Content:
    """The content; raises ConfigError with every fault.

    `known` are the keys of its entries, for what is misspelt; `across` finds what only the whole file shows.
    """
    try:
        document = yaml_lines.read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [Fault((), f"cannot be read: {error}.")]) from error
    faults, content = list(document.faults), None
    try:
        content = model.model_validate(document.value if isinstance(document.value, dict) else {})
    except ValidationError as error:
        faults += [explain(detail, known) for detail in error.errors()]
    if content is not None:
        faults += across(content)
    if content is None or faults:
        lined = [Fault(f.path, f.says, f.line or document.line(f.path)) for f in faults]
        raise ConfigError(str(path), lined)
    return content
