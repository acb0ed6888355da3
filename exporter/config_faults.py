"""What is wrong in a settings file: each fault with its place, what was expected and what to do.

Pure. `ConfigError` carries all faults of one reading; nothing here ever shows a value from the `tokens`
group, because people paste secrets where a path belongs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from exporter.errors import ExporterError

Path = tuple[str | int, ...]
SECRET_GROUPS = frozenset({"tokens"})
LONGEST_SHOWN = 60  # characters of a wrong value


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the place in the file (`bots[0].port`), a sentence about it, and its line from 1."""

    path: Path
    says: str
    line: int | None = None

    @property
    def place(self) -> str:
        """The place as people write it, e.g. `bots[0].schedule[1].tz`; empty for the file itself."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        return text.removeprefix(".")

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.place or 'the file'} {self.says}"


class ConfigError(ExporterError):
    """The settings cannot be used; `faults` lists everything that is wrong, in the order of the file."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line or 0, fault.place)))
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"{source}: {count}.", *(f"  {fault}" for fault in self.faults)]))


def explain(error: ErrorDetails, known: Iterable[str]) -> Fault:
    """Turn one of pydantic's errors into a fault; `known` are the keys of the group the place stands in."""
    path = error["loc"]
    kind = error["type"]
    if kind == "missing":
        return Fault(path, "is missing; it has no default, so write it.")
    if kind == "extra_forbidden":
        return Fault(path, unknown_key(str(path[-1]), known))
    expected = {
        "model_type": "expected a group of keys, each on a line of its own below it",
        "dict_type": "expected a group of keys, each on a line of its own below it",
        "tuple_type": "expected a list, each entry on a line that begins with a dash",
        "value_error": error["msg"].removeprefix("Value error, "),
    }.get(kind, error["msg"])
    got = "" if SECRET_GROUPS & set(path) else f"is {shown(error['input'])}, but "
    return Fault(path, f"{got}{expected}." if got else f"cannot be used: {expected}.")


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Say that a key means nothing here, with the nearest key that does."""
    names = sorted(known)
    near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}."
    return f"is not a known key; {hint}"


def shown(value: object) -> str:
    """A wrong value as it may be printed: short, on one line, groups only by their kind."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
