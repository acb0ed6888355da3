"""Reads YAML into plain values and remembers on which line each of them stands.

Scalars follow the YAML 1.2 core rules: `no` and `on` are words, `12:00` is text and not 720, so that a time
or a name means what a person wrote. Keys written twice, unknown tags and text that is not YAML become faults
with a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from exporter.config_faults import Fault, Path

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclass(slots=True)
class Document:
    """The values of one file, the line (from 1) of each place in it, and what could not be read."""

    value: Plain = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """The line of a place, or of the nearest group around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


class _Loader(yaml.SafeLoader):
    """Composes nodes; resolves plain scalars by the core schema of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own protocol)


_TAG = "tag:yaml.org,2002:"
LONGEST_NUMBER = 300  # digits; Python refuses to turn very long texts into whole numbers
_PATTERNS = {
    "null": r"^(?:~|null|Null|NULL|)$",
    "bool": r"^(?:true|True|TRUE|false|False|FALSE)$",
    "int": r"^[-+]?[0-9]+$",
    "float": r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
}
for _name, _pattern in _PATTERNS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), None)


def read(text: str) -> Document:
    """Read one YAML document; never raises for what stands in the text."""
    document = Document()
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        document.faults.append(_syntax_fault(error))
        return document
    except RecursionError:
        document.faults.append(Fault((), "is nested too deeply to be a settings file."))
        return document
    except yaml.YAMLError as error:  # a character that YAML forbids, reported without a line
        document.faults.append(Fault((), f"is not YAML: {str(error).splitlines()[0]}."))
        return document
    if root is not None:
        document.value = _plain(root, (), document, frozenset())
    return document


def _syntax_fault(error: yaml.MarkedYAMLError) -> Fault:
    """Say in one sentence where the text stops being YAML."""
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "it cannot be read"
    hint = "; indent with spaces, never with tabs" if "\\t" in what else ""
    return Fault((), f"is not YAML here: {what}{hint}.", line=None if mark is None else mark.line + 1)


def _plain(node: yaml.Node, path: Path, document: Document, around: frozenset[int]) -> Plain:
    """Turn a node into plain values, noting lines on the way; `around` are the groups it stands in."""
    line = node.start_mark.line + 1
    document.lines.setdefault(path, line)
    if id(node) in around:
        document.faults.append(Fault(path, "contains itself through an alias; write the values out.", line))
        return None
    around |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, around)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), document, around) for index, child in enumerate(node.value)]
    return _scalar(node, path, document)


def _mapping(node: yaml.MappingNode, path: Path, document: Document, around: frozenset[int]) -> Plain:
    values: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.faults.append(Fault(path, "has a key that is not a word; a key is plain text.", line))
            continue
        key = str(key_node.value)
        place = (*path, key)
        if key in values:
            first = document.lines[place]
            document.faults.append(Fault(place, f"is written twice (first on line {first}); keep one.", line))
            continue
        document.lines[place] = line
        values[key] = _plain(value_node, place, document, around)
    return values


def _scalar(node: yaml.Node, path: Path, document: Document) -> Plain:
    text = str(node.value)
    tag = node.tag.removeprefix(_TAG)
    if tag == "str":
        return text
    if tag == "null":
        return None
    if tag == "bool" and re.fullmatch(_PATTERNS["bool"], text):
        return text.lower() == "true"
    if tag == "int" and re.fullmatch(_PATTERNS["int"], text) and len(text) <= LONGEST_NUMBER:
        return int(text)
    if tag in {"int", "float"} and re.fullmatch(_PATTERNS["float"], text):
        return float(re.sub(r"\.(?=[iInN])", "", text))  # YAML writes .nan and .inf, Python without the dot
    document.faults.append(
        Fault(path, f"is not a plain value: tag {tag}, text {text!r}.", document.line(path))
    )
    return None
