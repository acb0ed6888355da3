"""The parameters of a request, from its JSON body and its query, which may each carry the same fields.

Pure. Grafana's buttons send what a person typed as query parameters; everybody else sends a body. A field
that stands in both with different values is a fault, as is one that nobody knows. A value like `$name` is an
input that was left blank. Numbers are read strictly. Every fault is an `Invalid` with a sentence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from exporter.errors import Invalid

LARGEST_BODY: Final = 64 * 1024
LONGEST_TEXT: Final = 500
_BLANK_INPUT: Final = re.compile(r"\$[A-Za-z_]\w*", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_FLAGS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter: how it is read, and whether there must be one.

    Where `may_be_empty`, nothing but the bare name of an input counts as blank: an empty text is a value.
    """

    read: Callable[[object], object]
    required: bool = False
    may_be_empty: bool = False


def text(raw: object) -> str:
    """A short text on one line."""
    if not isinstance(raw, str):
        raise Invalid("expected text")
    said = raw.strip()
    if len(said) > LONGEST_TEXT or not said.isprintable():
        raise Invalid(f"expected text on one line, at most {LONGEST_TEXT} characters")
    return said


def words(raw: object) -> str:
    """Any text, made short and put on one line: what a person says beside a kill never stands before it."""
    said = raw if isinstance(raw, str) else json.dumps(raw)
    return "".join(char if char.isprintable() else " " for char in said).strip()[:LONGEST_TEXT]


def number(raw: object) -> float:
    """A finite number, from JSON or as text."""
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(_float(raw)):
        raise Invalid("expected a finite number")
    return _float(raw)


def integer(raw: object) -> int:
    """A whole number, from JSON or as text; 50.0 is none."""
    if isinstance(raw, str) and _INTEGER.fullmatch(raw.strip()):
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) >= 10**15:
        raise Invalid("expected a whole number")
    return raw


def flag(raw: object) -> bool:
    """Yes or no, from JSON or as text."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and (known := _FLAGS.get(raw.strip().lower())) is not None:
        return known
    raise Invalid("expected true or false")


def as_it_is(raw: object) -> object:
    """A value whose type something else decides, such as that of a setting."""
    return text(raw) if isinstance(raw, str) else raw


def body(raw: bytes, limit: int = LARGEST_BODY) -> dict[str, object]:
    """The JSON object of a body; an empty body is an empty one."""
    if len(raw) > limit:
        raise Invalid(f"the body is larger than {limit} bytes")
    if not raw.strip():
        return {}
    try:
        content = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is no JSON") from error
    if not isinstance(content, dict):
        raise Invalid("the body is no JSON object")
    return content


def merged(
    content: Mapping[str, object], query: Iterable[tuple[str, str]], fields: Mapping[str, Field]
) -> dict[str, Any]:
    """The parameters by name, each read; one that is blank or not given is None. Raises Invalid."""
    found: dict[str, object] = {}
    for name, raw in [*content.items(), *query]:
        if name not in fields:
            raise Invalid(f"{name[:40]!r} is not known here; known are {', '.join(fields)}")
        if _is_blank(raw, may_be_empty=fields[name].may_be_empty):
            continue
        try:
            value = fields[name].read(raw)
        except Invalid as error:
            raise Invalid(f"{name}: {error}") from error
        if name in found and not _agree(found[name], value):
            raise Invalid(f"{name} is given twice with different values")
        found.setdefault(name, value)
    missing = [name for name, field in fields.items() if field.required and name not in found]
    if missing:
        raise Invalid(f"{missing[0]} is missing or blank")
    return {name: found.get(name) for name in fields}


def _is_blank(raw: object, *, may_be_empty: bool) -> bool:
    """Whether nothing was said: null, nothing typed, or the bare name of an input."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return not may_be_empty
    return isinstance(raw, str) and _BLANK_INPUT.fullmatch(raw.strip()) is not None


def _agree(one: object, other: object) -> bool:
    """Whether a value from the body and its text from the query say the same."""
    if isinstance(one, str) == isinstance(other, str):
        return type(one) is type(other) and one == other
    typed, said = (other, one) if isinstance(one, str) else (one, other)
    return json.dumps(typed, default=str) == said


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("the body names a field twice")
    return found


def _no_constant(name: str) -> object:
    raise Invalid(f"the body holds {name}, which is no JSON")
